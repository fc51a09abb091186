-- B1, structs as xLua has them (copying.c): copied out, computed on, pushed anew or written back.
-- luacheck: globals vec3 quat mat4 vec3_array
local vec3, quat, mat4, vec3_array = vec3, quat, mat4, vec3_array
local COUNT = 1000
local verbs = {}

local a, b, r = vec3(1, 2, 3), vec3(0.5, 0.25, 0.125), vec3(0, 0, 0)
local q, m, w = quat(0, math.sin(0.5), 0, math.cos(0.5)), mat4(), mat4()
local array, other, result = vec3_array(COUNT), vec3_array(COUNT), vec3_array(COUNT)

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

function verbs.add_dst(n) -- there is no destination
  for _ = 1, n do
    r = a + b
  end
end

local sum_of_all = vec3(0, 0, 0)

function verbs.add_in_place(n)
  local v = sum_of_all
  for _ = 1, n do
    v:add(b)
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
    r = a:cross(b)
  end
end

function verbs.normalize(n)
  for _ = 1, n do
    r = a:normalize()
  end
end

function verbs.quat_vec3(n)
  for _ = 1, n do
    r = q * a
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
    view = array:get(i % COUNT)
  end
  return view
end

function verbs.array_get(n)
  local sum = 0
  for i = 1, n do
    local x, y, z = array:get(i % COUNT):get()
    sum = sum + x + y + z
  end
  return sum
end

function verbs.array_each(n)
  local sum = 0
  for _ = 1, n, COUNT do
    for i = 0, COUNT - 1 do
      local x, y, z = array:get(i):get()
      sum = sum + x + y + z
    end
  end
  return sum
end

function verbs.array_add(n)
  for _ = 1, n, COUNT do
    for i = 0, COUNT - 1 do
      result:set(i, array:get(i) + other:get(i))
    end
  end
end

function verbs.array_transform(n)
  for _ = 1, n, COUNT do
    for i = 0, COUNT - 1 do
      result:set(i, m * array:get(i))
    end
  end
end

return verbs
