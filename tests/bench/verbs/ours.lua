-- B1, perilune's side: verbs on packed structs.
-- luacheck: globals vec3 quat mat4
local vec3, quat, mat4 = vec3, quat, mat4
local COUNT = 1000
local verbs = {}

local a, b, r = vec3(1, 2, 3), vec3(0.5, 0.25, 0.125), vec3()
local q, m = quat.angle_axis(1, vec3(0, 1, 0)), mat4(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
local w, p = m:clone(), mat4()
local array, other, result = vec3.array(COUNT), vec3.array(COUNT), vec3.array(COUNT)
local view = array[1]

function verbs.construct(n)
  for i = 1, n do
    r = vec3(i, 2, 3)
  end
end

function verbs.add_new(n)
  local sum
  for _ = 1, n do
    sum = a + b
  end
  return sum
end

function verbs.add_dst(n)
  for _ = 1, n do
    a:add(b, r)
  end
end

local sum_of_all = vec3()

function verbs.add_in_place(n)
  local v = sum_of_all
  for _ = 1, n do
    v:add(b, v)
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
    local x, y, z = a:get()
    sum = sum + x + y + z
  end
  return sum
end

function verbs.set(n)
  for i = 1, n do
    r:set(i, 2, 3)
  end
end

function verbs.dot(n)
  local sum = 0
  for _ = 1, n do
    sum = sum + a:dot(b)
  end
  return sum
end

function verbs.cross(n)
  for _ = 1, n do
    a:cross(b, r)
  end
end

function verbs.normalize(n)
  for _ = 1, n do
    a:normalize(r)
  end
end

function verbs.quat_vec3(n)
  for _ = 1, n do
    q:mul(a, r)
  end
end

function verbs.mat4_mat4(n)
  for _ = 1, n do
    m:mul(w, p)
  end
end

function verbs.array_at(n)
  for i = 1, n do
    array:at(i % COUNT + 1, view)
  end
end

function verbs.array_get(n)
  local sum = 0
  for i = 1, n do
    local x, y, z = array:get(i % COUNT + 1)
    sum = sum + x + y + z
  end
  return sum
end

function verbs.array_each(n)
  local sum = 0
  for _ = 1, n, COUNT do
    for _, x, y, z in array:each() do
      sum = sum + x + y + z
    end
  end
  return sum
end

function verbs.array_add(n)
  for _ = 1, n, COUNT do
    array:add(other, result)
  end
end

function verbs.array_transform(n)
  for _ = 1, n, COUNT do
    array:transform(m, result)
  end
end

return verbs
