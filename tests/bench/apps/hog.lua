-- P11: a handler that never ends, beside hello.
local perilune = require "perilune"

local app = perilune.app()

app:get("/", function()
  return "Hello, World!"
end)

app:get("/hog", function()
  while true do end
end)

return app
