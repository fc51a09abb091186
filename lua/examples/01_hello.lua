-- A first handler: text, a path parameter, a query parameter.
--
--   perilune lua/examples/01_hello.lua
--
--   $ curl http://127.0.0.1:8080/hello/you
--   Hello, you
--
--   $ curl 'http://127.0.0.1:8080/hello/you?greeting=Good%20morning'
--   Good morning, you

local perilune = require "perilune"
local app = perilune.app()

app:get("/", function()
  return "Try /hello/you\n"
end)

app:get("/hello/:name", function(req)
  local greeting = req.query.greeting or "Hello"
  return greeting .. ", " .. req.params.name
end)

return app
