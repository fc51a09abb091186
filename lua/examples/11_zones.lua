-- Points in zones: (lon, lat) in, the zone of each out; the nearest of some places.
--
--   perilune lua/examples/11_zones.lua
--
-- Three points of 16 bytes, in a park, on the island in its lake (a hole), and nowhere:
--
--   $ python3 -c 'import struct, sys; sys.stdout.buffer.write( \
--       struct.pack("<6d", 13.35, 52.515, 13.365, 52.513, 0, 0))' >points.bin
--
--   $ curl --data-binary @points.bin -o ids.bin -w '%header{perilune-struct}' \
--       http://127.0.0.1:8080/zones
--   u32;count=3;hash="..."
--
--   $ python3 -c 'import struct; print(struct.unpack("<3I", open("ids.bin", "rb").read()))'
--   (7, 0, 0)
--
--   $ curl --json '[[13.35, 52.515], [13.38, 52.52]]' http://127.0.0.1:8080/zones
--   [7,9]
--
-- The nearest station, and how far away it is in metres:
--
--   $ curl --json '[[13.37, 52.52]]' http://127.0.0.1:8080/nearest
--   [{"station":2,"metres":5...}]
--
--   $ curl http://127.0.0.1:8080/stations/2
--   Central

local perilune = require "perilune"
local geometry = require "perilune.geometry"
local struct = require "perilune.struct"
local app = perilune.app{body = "64m"}

-- Longitude first, as in GeoJSON. Rings may be closed or not, and turn either way; borders are
-- inside; the first zone wins where two overlap. 0 is "in none".
local map = {
  {
    id = 7,  -- a park with a lake
    ring = {{13.335, 52.508}, {13.376, 52.508}, {13.376, 52.519}, {13.335, 52.519}},
    holes = {{{13.36, 52.511}, {13.37, 52.511}, {13.365, 52.515}}},
  },
  {id = 9, ring = {{13.37, 52.515}, {13.39, 52.515}, {13.39, 52.525}, {13.37, 52.525}}},
}
local zones = geometry.zones(map)

app:get("/zones", function() return map end)

app:post("/zones", function(req)
  return zones:locate(req:array "dvec2")
end)

local names = {"Zoo", "Central", "Market"}
local stations = geometry.dvec2.array{{13.3325, 52.5072}, {13.3695, 52.5251}, {13.4025, 52.5228}}
local Nearest = struct.define("Nearest", "station:u32 metres:f64")

-- Degrees to metres on a plane: fine for a town.
local degree = math.pi / 180 * 6371008.8
local scale = geometry.dvec2(degree * math.cos(math.rad(52.52)), degree)
local index = geometry.nearest(stations * scale)

-- Whole arrays, no loop: the points are scaled where they were received, and what is found is laid
-- into the two fields of the answer.
app:post("/nearest", function(req)
  local points = req:array "dvec2"
  local answer = Nearest.array(#points)
  index:nearest(points:mul(scale, points),
    {dst = answer:field "station", distances = answer:field "metres"})
  return answer
end)

app:get("/stations/:number", function(req)
  return names[tonumber(req.params.number)] or perilune.abort(404, "no such station")
end)

app:schemas()

return app
