-- A tree of transforms, a robot's arm: packed poses in, matrices and points in the world out.
--
--   perilune lua/examples/12_transforms.lua
--
-- Three nodes of 45 bytes, as ArmNode below: parent, kind, position, rotation, scale. The base
-- turns everything half around y; a link is 2 in front of it, and the tool 1 above the link.
--
--   $ python3 -c 'import struct, sys; sys.stdout.buffer.write(b"".join( \
--       struct.pack("<IB10f", parent, kind, *position, *rotation, 1, 1, 1) \
--       for parent, kind, position, rotation in ( \
--         (0, 1, (0, 0, 0), (0, 1, 0, 0)), \
--         (1, 2, (0, 0, 2), (0, 0, 0, 1)), \
--         (2, 3, (0, 1, 0), (0, 0, 0, 1)))))' >arm.bin
--
--   $ curl --data-binary @arm.bin -o world.bin -w '%header{perilune-struct}' \
--       http://127.0.0.1:8080/arm
--   mat4;count=3;hash="..."
--
-- Where the tools are now:
--
--   $ curl -H 'Accept: application/json' http://127.0.0.1:8080/arm/tools
--   [[0.0,1.0,-2.0]]
--
-- Points given in the frame of a node, in the world's:
--
--   $ curl --json '[[0, 0, 0], [0, 0, 1]]' http://127.0.0.1:8080/arm/3/points
--   [[0.0,1.0,-2.0],[0.0,1.0,-3.0]]
--
--   $ curl http://127.0.0.1:8080/_schema/ArmNode.h
--   ...struct ArmNode {...

local perilune = require "perilune"
local geometry = require "perilune.geometry"
local struct = require "perilune.struct"
local app = perilune.app()

struct.enum("ArmKind", "u8", {base = 1, link = 2, tool = 3})

-- parent is an index into the same array, as Lua counts: 0 is none. Parents come first.
local ArmNode = struct.define("ArmNode", "parent:u32 kind:ArmKind pose:transform", {
  methods = {
    is_tool = function(node) return node.kind.name == "tool" end,
  },
})

local nodes, world = ArmNode.array(0), geometry.mat4.array(0)

-- Each node's matrix is its parent's times its own. The last argument is where a result goes: no
-- matrix is made but those of the array.
local function to_world(arm)
  local matrices = geometry.mat4.array(#arm)
  for i, node in arm:views() do
    if node.parent >= i then perilune.abort(422, ("node %d comes before its parent"):format(i)) end
    local own = geometry.mat4.from(node.pose, matrices[i])
    if node.parent > 0 then matrices[node.parent]:mul(own, own) end
  end
  return matrices
end

-- The array lies in the request's body; clone() keeps it beyond the request without the body.
app:post("/arm", function(req)
  local arm = req:array(ArmNode)
  nodes, world = arm:clone(), to_world(arm)
  return world
end)

app:get("/arm/tools", function()
  local mask = struct.u8.array(#nodes)
  for i, node in nodes:views() do mask[i] = node:is_tool() and 1 or 0 end
  local tools = world:select(mask)
  return geometry.vec3.array(#tools):transform(tools)
end)

-- In place, so that the answer leaves from where the request has come in.
app:post("/arm/:node/points", function(req)
  local node = world[tonumber(req.params.node)] or perilune.abort(404, "no such node")
  local points = req:array "vec3"
  return points:transform(node, points)
end)

app:schemas()

return app
