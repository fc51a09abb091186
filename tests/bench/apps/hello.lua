-- P1, P2, P5 and P12: the smallest handler.
local perilune = require "perilune"

local app = perilune.app()

app:get("/", function()
  return "Hello, World!"
end)

return app
