-- app:schemas: what structs look like, for clients in other languages. The texts are made by C
-- (server/geometry/schema_*.c).

local native = require "perilune.native"
local response = require "perilune.response"

local TYPES = { json = "application/json", py = "text/x-python; charset=utf-8" }

return function(req)
  local name, format = req.params.file:match "^([^.]*)%.?(.*)$"
  if format == "" then format = "json" end
  local text, problem = native.schema(name, format)
  if not text then return response.problem(404, problem) end
  return text, 200, { ["content-type"] = TYPES[format] or "text/plain; charset=utf-8" }
end
