-- B1, LuaJIT's FFI: C structs with a metatype, compiled into the trace. A process of its own that
-- speaks host.c's lines; what it calls blocks is unknown to it and printed as 0.
--
-- Its compiler may drop what nobody looks at and keep a struct in registers: that is LuaJIT's way,
-- and the figures of it are of code that a hot loop runs, not of one call.
local ffi = require("ffi")

ffi.cdef [[
typedef struct { float x, y, z; } bench_vec3;
typedef struct { float x, y, z, w; } bench_quat;
typedef struct { float m[16]; } bench_mat4;
struct bench_time { long sec, nsec; };
int clock_gettime(int, struct bench_time *);
]]

local COUNT = 1000
local verbs = {}

local vec3, quat, mat4
local methods = {}

function methods.add(a, b, r)
  r.x, r.y, r.z = a.x + b.x, a.y + b.y, a.z + b.z
  return r
end

function methods.set(v, x, y, z)
  v.x, v.y, v.z = x, y, z
end

function methods.get(v)
  return v.x, v.y, v.z
end

function methods.dot(a, b)
  return a.x * b.x + a.y * b.y + a.z * b.z
end

function methods.cross(a, b, r)
  r.x, r.y, r.z = a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x
  return r
end

function methods.normalize(v, r)
  local length = math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z)
  r.x, r.y, r.z = v.x / length, v.y / length, v.z / length
  return r
end

vec3 = ffi.metatype("bench_vec3", {
  __index = methods,
  __add = function(a, b) return vec3(a.x + b.x, a.y + b.y, a.z + b.z) end,
})

quat = ffi.metatype("bench_quat", {__index = {
  mul = function(q, v, r)
    local tx, ty = 2 * (q.y * v.z - q.z * v.y), 2 * (q.z * v.x - q.x * v.z)
    local tz = 2 * (q.x * v.y - q.y * v.x)
    r.x, r.y, r.z = v.x + q.w * tx + (q.y * tz - q.z * ty),
      v.y + q.w * ty + (q.z * tx - q.x * tz), v.z + q.w * tz + (q.x * ty - q.y * tx)
    return r
  end,
}})

mat4 = ffi.metatype("bench_mat4", {__index = {
  mul = function(a, b, to)
    for c = 0, 12, 4 do
      for r = 0, 3 do
        to.m[c + r] = a.m[r] * b.m[c] + a.m[4 + r] * b.m[c + 1] + a.m[8 + r] * b.m[c + 2]
          + a.m[12 + r] * b.m[c + 3]
      end
    end
  end,
}})

local function identity()
  return mat4({{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}})
end

local a, b, r = vec3(1, 2, 3), vec3(0.5, 0.25, 0.125), vec3()
local q, m, w, p = quat(0, math.sin(0.5), 0, math.cos(0.5)), identity(), identity(), mat4()
local array, other, result = ffi.new("bench_vec3[?]", COUNT), ffi.new("bench_vec3[?]", COUNT),
  ffi.new("bench_vec3[?]", COUNT)
local keep = {}

function verbs.construct(n)
  for i = 1, n do
    keep[1] = vec3(i, 2, 3)
  end
end

function verbs.add_new(n)
  for _ = 1, n do
    keep[1] = a + b
  end
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
    keep[1] = array[i % COUNT]
  end
  return keep
end

function verbs.array_get(n)
  local sum = 0
  for i = 1, n do
    local v = array[i % COUNT]
    sum = sum + v.x + v.y + v.z
  end
  return sum
end

function verbs.array_each(n)
  local sum = 0
  for _ = 1, n, COUNT do
    for i = 0, COUNT - 1 do
      local v = array[i]
      sum = sum + v.x + v.y + v.z
    end
  end
  return sum
end

function verbs.array_add(n)
  for _ = 1, n, COUNT do
    for i = 0, COUNT - 1 do
      local v, u, to = array[i], other[i], result[i]
      to.x, to.y, to.z = v.x + u.x, v.y + u.y, v.z + u.z
    end
  end
end

function verbs.array_transform(n)
  local e = m.m
  for _ = 1, n, COUNT do
    for i = 0, COUNT - 1 do
      local v, to = array[i], result[i]
      local x, y, z = v.x, v.y, v.z
      to.x = e[0] * x + e[4] * y + e[8] * z + e[12]
      to.y = e[1] * x + e[5] * y + e[9] * z + e[13]
      to.z = e[2] * x + e[6] * y + e[10] * z + e[14]
    end
  end
end

-- ---- the lines ----

local THREAD_CPU = 3
local time = ffi.new("struct bench_time")

local function now_ns()
  ffi.C.clock_gettime(THREAD_CPU, time)
  return tonumber(time.sec) * 1e9 + tonumber(time.nsec)
end

local commands = {}

function commands.time(verb, n)
  verb(1 + math.floor(n / 50))
  collectgarbage()
  local begin = now_ns()
  verb(n)
  return string.format("%.0f", now_ns() - begin)
end

function commands.cost(verb, n)
  verb(1000)
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  verb(n)
  local bytes = (collectgarbage("count") - before) * 1024
  collectgarbage("restart")
  return string.format("0 %.0f", bytes)
end

for line in io.lines() do
  local what, name, n = line:match("^(%a+) ffi ?([%w_]*) ?(%d*)$")
  if what == "verbs" then
    local names = {}
    for key in pairs(verbs) do
      names[#names + 1] = key
    end
    print(table.concat(names, " "))
  else
    print(commands[what](verbs[name], tonumber(n)))
  end
  io.flush()
end
