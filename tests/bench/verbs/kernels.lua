-- P8 through Lua: kernels over 4,096 and 2,000,000 packed vec3, the data of plain.c. n calls each.
-- luacheck: globals aabb f32 mat4 vec3
local aabb, f32, mat4, vec3 = aabb, f32, mat4, vec3
local SIZES = {small = 4096, large = 2000000}
local verbs = {}

local m = mat4(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)

local function make_array(count)
  local array, i = vec3.array(count), 0
  for k = 1, count do
    array:set(k, (i % 1000 + 1) / 400, ((i + 1) % 1000 + 1) / 400, ((i + 2) % 1000 + 1) / 400)
    i = i + 3
  end
  return array
end

for size, count in pairs(SIZES) do
  local a, b, to = make_array(count), make_array(count), vec3.array(count)
  local numbers, box = f32.array(count), aabb()

  verbs[size .. "_transform"] = function(n)
    for _ = 1, n do
      a:transform(m, to)
    end
  end

  verbs[size .. "_normalize"] = function(n)
    for _ = 1, n do
      a:normalize(to)
    end
  end

  verbs[size .. "_dot"] = function(n)
    for _ = 1, n do
      a:dot(b, numbers)
    end
  end

  verbs[size .. "_aabb"] = function(n)
    for _ = 1, n do
      a:aabb(box)
    end
  end
end

return verbs
