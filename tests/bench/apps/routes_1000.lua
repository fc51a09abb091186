-- P12: the route of routes_1.lua among 999 like it.
local perilune = require "perilune"

local app = perilune.app()

for n = 1, 1000 do
  app:get(("/api/v1/resource%d/:id/detail"):format(n), function(req)
    return req.params.id
  end)
end

return app
