-- Line of sight: a batch of rays in, a hit for each out, packed both ways.
--
--   perilune lua/examples/10_line_of_sight.lua
--
-- Two rays of 24 bytes, origin and direction: one into the first house, one into the sky.
--
--   $ python3 -c 'import struct, sys; sys.stdout.buffer.write( \
--       struct.pack("<12f", -4, 1, 3, 1, 0, 0, -4, 1, 3, 0, 1, 0))' >rays.bin
--
--   $ curl --data-binary @rays.bin -o hits.bin -w '%header{perilune-struct}' \
--       http://127.0.0.1:8080/hits
--   hit;count=2;hash="..."
--
--   $ python3 -c 'import struct; \
--       print(*struct.iter_unpack("<3f2I3f", open("hits.bin", "rb").read()))'
--   (4.0, 0.0, 0.0, 1, 2, -1.0, 0.0, 0.0) (inf, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0)
--
-- The same as JSON, for trying things out: `curl --json` sends it and asks for it.
--
--   $ curl --json '[[[-4, 1, 3], [1, 0, 0]]]' http://127.0.0.1:8080/hits
--   [{"t":4.0,"u":0.0,"v":0.0,"prim":1,"inst":2,"normal":[-1.0,0.0,0.0]}]
--
-- Can b be seen from a? Segments in, a mask out: 1 is yes.
--
--   $ curl --json '[[[-4, 1, 3], [-1, 1, 3]], [[-4, 1, 3], [9, 1, 3]]]' \
--       http://127.0.0.1:8080/visible
--   [1,0]
--
-- What a hit looks like to a client: also as hit.json, hit.h and hit.ts.
--
--   $ curl http://127.0.0.1:8080/_schema/hit.py
--   ...numpy.dtype(...
--
-- clients/line_of_sight.py and clients/line_of_sight.mjs are clients in Python and JavaScript.

local perilune = require "perilune"
local geometry = require "perilune.geometry"
local app = perilune.app{body = "64m"}

-- A town: 100 houses, and a tree beside each. y is up.
local houses, trees = geometry.aabb.array(100), geometry.sphere.array(100)
for i = 1, 100 do
  local x, z = 12 * ((i - 1) // 10), 12 * ((i - 1) % 10)
  houses[i] = {{x, 0, z}, {x + 6, 3 + i * 7 % 11, z + 6}}
  trees[i] = {{x + 9, 2 + i % 3, z + 3}, 1.5 + i % 4 * 0.25}
end
houses:freeze()
trees:freeze()

local scene = geometry.scene{spheres = trees, boxes = houses}

-- The rays are used where the body was received; a batch that would hold the worker up is computed
-- on the thread pool while this handler waits.
app:post("/hits", function(req)
  return scene:intersect(req:array "ray")
end)

app:post("/visible", function(req)
  local hidden = scene:occluded(req:array "segment")
  return hidden:eq(0, hidden)
end)

app:get("/houses", function() return houses end)
app:get("/trees", function() return trees end)

app:schemas()

return app
