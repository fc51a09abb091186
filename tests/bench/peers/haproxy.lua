-- P1, P2, P4 and P11 for HAProxy: Lua services, which are a coroutine per request there as well.
-- luacheck: globals core
local function answer(applet, body)
  applet:set_status(200)
  applet:add_header("content-type", "text/plain; charset=utf-8")
  applet:add_header("content-length", tostring(#body))
  applet:start_response()
  applet:send(body)
end

core.register_service("hello", "http", function(applet)
  answer(applet, "Hello, World!")
end)

core.register_service("wait", "http", function(applet)
  core.msleep(1000)
  answer(applet, "done")
end)

-- HAProxy takes the CPU from it after each 10,000 instructions (tune.lua.forced-yield) and ends it
-- after 4 s (tune.lua.service-timeout).
core.register_service("hog", "http", function()
  while true do end
end)
