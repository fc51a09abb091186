-- P1 and P2 for HAProxy: a Lua service, which is a coroutine per request there as well.
-- luacheck: globals core
core.register_service("hello", "http", function(applet)
  local body = "Hello, World!"
  applet:set_status(200)
  applet:add_header("content-type", "text/plain; charset=utf-8")
  applet:add_header("content-length", tostring(#body))
  applet:start_response()
  applet:send(body)
end)
