-- P7 and B3: rays against spheres, and rays back, packed and as Lua tables. The tables are lists of
-- six numbers, as packed rays are in JSON.
local geometry = require "perilune.geometry"
local perilune = require "perilune"

local SPHERES = 100
local app = perilune.app()

-- The same spheres as in floor/rays.c, which compares its hits: a grid with gaps.
local spheres = {}
for i = 0, SPHERES - 1 do
  spheres[i + 1] = {i % 5 * 0.25, i // 5 % 5 * 0.25, i // 25 * 0.25, 0.0625}
end

local list = geometry.sphere.array(SPHERES)
for i, s in ipairs(spheres) do
  list:set(i, table.unpack(s))
end
local scene = geometry.scene{spheres = list}

app:post("/packed", function(req)
  return scene:intersect(req:array("ray"))
end)

-- The nearest hit of one ray: t, u, v, prim, inst, normal.
local function intersect(ray)
  local ox, oy, oz, dx, dy, dz = ray[1], ray[2], ray[3], ray[4], ray[5], ray[6]
  local a = dx * dx + dy * dy + dz * dz
  local nearest, prim = math.huge, 0
  for i, s in ipairs(spheres) do
    local x, y, z = ox - s[1], oy - s[2], oz - s[3]
    local b = x * dx + y * dy + z * dz
    local c = x * x + y * y + z * z - s[4] * s[4]
    local discriminant = b * b - a * c
    if discriminant >= 0 then
      local root = discriminant ^ 0.5
      local t = (-b - root) / a
      if t < 0 then
        t = (-b + root) / a
      end
      if t >= 0 and t < nearest then
        nearest, prim = t, i
      end
    end
  end
  if prim == 0 then
    return {false, 0, 0, 0, 0, {0, 0, 0}}
  end
  local s = spheres[prim]
  local x, y, z = ox + nearest * dx - s[1], oy + nearest * dy - s[2], oz + nearest * dz - s[3]
  return {nearest, 0, 0, prim, 1, {x / s[4], y / s[4], z / s[4]}}
end

app:post("/tables", function(req)
  local hits = {}
  for i, ray in ipairs(req:json()) do
    hits[i] = intersect(ray)
  end
  return hits
end)

app:post("/echo_packed", function(req)
  return req:array("ray")
end)

app:post("/echo_tables", function(req)
  return req:json()
end)

return app
