-- B1, vectors as tolua# has them (structs.md 3): tables with a metatable, all in Lua. X gives a new
-- one, SetX and Add change their own; there is no destination.
local COUNT = 1000
local verbs = {}

local Vector3, Quaternion, Matrix = {}, {}, {}
local getters = {}

function Vector3.__index(_, key)
  local found = rawget(Vector3, key)
  if found ~= nil then
    return found
  end
  found = rawget(getters, key)
  return found and found()
end
Quaternion.__index = Quaternion
Matrix.__index = Matrix

local function new(x, y, z)
  return setmetatable({x = x or 0, y = y or 0, z = z or 0}, Vector3)
end

function Vector3.__add(a, b)
  return setmetatable({x = a.x + b.x, y = a.y + b.y, z = a.z + b.z}, Vector3)
end

function Vector3:Add(b)
  self.x = self.x + b.x
  self.y = self.y + b.y
  self.z = self.z + b.z
  return self
end

function Vector3:Set(x, y, z)
  self.x = x or 0
  self.y = y or 0
  self.z = z or 0
end

function Vector3:Get()
  return self.x, self.y, self.z
end

function Vector3.Dot(a, b)
  return a.x * b.x + a.y * b.y + a.z * b.z
end

function Vector3.Cross(a, b)
  return new(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
end

function Vector3:Normalize()
  local x, y, z = self.x, self.y, self.z
  local length = math.sqrt(x * x + y * y + z * z)
  if length > 1e-5 then
    return new(x / length, y / length, z / length)
  end
  return new(0, 0, 0)
end

function Quaternion:MulVec3(v)
  local x, y, z, w = self.x, self.y, self.z, self.w
  local tx, ty, tz = 2 * (y * v.z - z * v.y), 2 * (z * v.x - x * v.z), 2 * (x * v.y - y * v.x)
  return new(v.x + w * tx + (y * tz - z * ty), v.y + w * ty + (z * tx - x * tz),
    v.z + w * tz + (x * ty - y * tx))
end

function Matrix.__mul(a, b)
  local to = {}
  for c = 0, 12, 4 do
    for r = 1, 4 do
      to[c + r] = a[r] * b[c + 1] + a[4 + r] * b[c + 2] + a[8 + r] * b[c + 3] + a[12 + r] * b[c + 4]
    end
  end
  return setmetatable(to, Matrix)
end

local function transform(v, m)
  return new(m[1] * v.x + m[5] * v.y + m[9] * v.z + m[13],
    m[2] * v.x + m[6] * v.y + m[10] * v.z + m[14], m[3] * v.x + m[7] * v.y + m[11] * v.z + m[15])
end

local function identity()
  return setmetatable({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, Matrix)
end

local a, b, r = new(1, 2, 3), new(0.5, 0.25, 0.125), new()
local q = setmetatable({x = 0, y = math.sin(0.5), z = 0, w = math.cos(0.5)}, Quaternion)
local m, w = identity(), identity()
local array, other, result = {}, {}, {}
for i = 1, COUNT do
  array[i], other[i], result[i] = new(), new(), new()
end

function verbs.construct(n)
  for i = 1, n do
    r = new(i, 2, 3)
  end
end

function verbs.add_new(n)
  local sum
  for _ = 1, n do
    sum = a + b
  end
  return sum
end

function verbs.add_dst(n) -- the nearest: set from the parts
  for _ = 1, n do
    r:Set(a.x + b.x, a.y + b.y, a.z + b.z)
  end
end

local sum_of_all = new()

function verbs.add_in_place(n)
  local v = sum_of_all
  for _ = 1, n do
    v:Add(b)
  end
end

function verbs.field_read(n)
  local sum = 0
  for _ = 1, n do
    sum = sum + a.x
  end
  return sum
end

function verbs.field_write(n)
  for i = 1, n do
    r.x = i
  end
end

function verbs.get(n)
  local sum = 0
  for _ = 1, n do
    local x, y, z = a:Get()
    sum = sum + x + y + z
  end
  return sum
end

function verbs.set(n)
  for i = 1, n do
    r:Set(i, 2, 3)
  end
end

function verbs.dot(n)
  local sum = 0
  for _ = 1, n do
    sum = sum + Vector3.Dot(a, b)
  end
  return sum
end

function verbs.cross(n)
  for _ = 1, n do
    r = Vector3.Cross(a, b)
  end
end

function verbs.normalize(n)
  for _ = 1, n do
    r = a:Normalize()
  end
end

function verbs.quat_vec3(n)
  for _ = 1, n do
    r = q:MulVec3(a)
  end
end

function verbs.mat4_mat4(n)
  local product
  for _ = 1, n do
    product = m * w
  end
  return product
end

function verbs.array_at(n)
  local view
  for i = 1, n do
    view = array[i % COUNT + 1]
  end
  return view
end

function verbs.array_get(n)
  local sum = 0
  for i = 1, n do
    local v = array[i % COUNT + 1]
    sum = sum + v.x + v.y + v.z
  end
  return sum
end

function verbs.array_each(n)
  local sum = 0
  for _ = 1, n, COUNT do
    for _, v in ipairs(array) do
      sum = sum + v.x + v.y + v.z
    end
  end
  return sum
end

function verbs.array_add(n)
  for _ = 1, n, COUNT do
    for i = 1, COUNT do
      result[i] = array[i] + other[i]
    end
  end
end

function verbs.array_transform(n)
  for _ = 1, n, COUNT do
    for i = 1, COUNT do
      result[i] = transform(array[i], m)
    end
  end
  return result
end

return verbs
