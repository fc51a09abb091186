-- P12: one route, to compare with routes_1000.lua.
local perilune = require "perilune"

local app = perilune.app()

app:get("/api/v1/resource500/:id/detail", function(req)
  return req.params.id
end)

return app
