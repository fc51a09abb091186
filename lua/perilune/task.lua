-- perilune.task: the C half (server/api/api_task.c) and what is made of its scopes here.
--
-- A scope runs a function in a child task and waits until that and all that was spawned inside has
-- gone; the first error cancels the others and is raised.

local native = require "perilune.native"
local task = require "perilune.native_task"
-- Messages of Lua's name a function by the module that they find it in.
package.loaded["perilune.native_task"] = nil

local scope, spawn_in, on_error = native.scope, native.spawn_in, native.on_error
local spawn, current_task = task.spawn, task.self
local pack, unpack = table.pack, table.unpack
local error, ipairs, math, pairs, setmetatable, tostring, type, xpcall =
  error, ipairs, math, pairs, setmetatable, tostring, type, xpcall

local function check_function(value, position, operation, level)
  if type(value) == "function" then return value end
  error(("bad argument #%d to '%s' (a function is expected, got %s)")
    :format(position, operation, value == nil and "no value" or type(value)), level + 1)
end

local function check_functions(functions, operation)
  for i = 1, functions.n do check_function(functions[i], i, operation, 3) end
end

-- ---- group ----

local Group = {}
Group.__index = Group
Group.__name = "perilune.Group"

function Group:spawn(fn, ...)
  return spawn_in(self.task, check_function(fn, 1, "group:spawn", 2), ...)
end

function Group:cancel(reason)
  self.task:cancel(reason)
end

local function run_group(fn)
  return fn(setmetatable({ task = current_task() }, Group))
end

function task.group(fn)
  return scope(run_group, check_function(fn, 1, "task.group", 2))
end

-- ---- all ----

local function run_list(functions)
  local tasks = {}
  for i = 1, functions.n do tasks[i] = spawn(functions[i]) end
  for i = 1, functions.n do tasks[i] = (tasks[i]:await()) end
  return unpack(tasks, 1, functions.n)
end

local function run_named(functions)
  local tasks, values = {}, {}
  for name, fn in pairs(functions) do tasks[name] = spawn(fn) end
  for name, child in pairs(tasks) do values[name] = (child:await()) end
  return values
end

-- all(f, g) -> the first value of each; all{user = f, posts = g} -> a table with those keys
function task.all(first, ...)
  if type(first) ~= "table" then
    local functions = pack(first, ...)
    check_functions(functions, "task.all")
    return scope(run_list, functions)
  end
  for name, fn in pairs(first) do
    if type(fn) ~= "function" then
      error(("task.all: a function is expected for '%s', got a %s")
        :format(tostring(name), type(fn)), 2)
    end
  end
  return scope(run_named, first)
end

-- ---- race ----

-- Errors are results, too: only the first counts. What nothing in Lua can keep, the end of a task
-- from outside, is still the scope's failure.
local function run_race(functions)
  local finished = task.channel(functions.n)
  local tasks = {}
  for i = 1, functions.n do
    tasks[i] = spawn(function() finished:try_send(pack(xpcall(functions[i], on_error))) end)
  end
  local first = finished:receive()
  for _, child in ipairs(tasks) do child:cancel("race") end
  if not first[1] then error(first[2], 0) end
  return unpack(first, 2, first.n)
end

-- race(f, g) -> the values, or the error, of the first to finish; the others are cancelled
function task.race(...)
  local functions = pack(...)
  if functions.n == 0 then error("task.race: at least one function is expected", 2) end
  check_functions(functions, "task.race")
  return scope(run_race, functions)
end

-- ---- map ----

local function run_map(list, fn, runners)
  local results, count, taken = {}, #list, 0
  local function run()
    while taken < count do
      taken = taken + 1
      local index = taken
      local value = fn(list[index], index)
      if value == nil then
        error(("task.map: the function returned nil for item %d"):format(index), 0)
      end
      results[index] = value
    end
  end
  for _ = 1, math.min(runners, count) do spawn(run) end
  return results
end

local function check_limit(options)
  if options == nil then return math.huge end
  if type(options) ~= "table" then error("task.map: the options are a table, {limit = 10}", 3) end
  for key in pairs(options) do
    if key ~= "limit" then error(("task.map: unknown option '%s'"):format(tostring(key)), 3) end
  end
  local limit = options.limit
  if limit == nil then return math.huge end
  if math.type(limit) ~= "integer" or limit < 1 then
    error(("task.map: limit = %s: a whole number of at least 1 is expected")
      :format(tostring(limit)), 3)
  end
  return limit
end

-- map(list, fn [, {limit = n}]) -> what fn(value, index) returned for each, in the list's order
function task.map(list, fn, options)
  if type(list) ~= "table" then
    error(("bad argument #1 to 'task.map' (a table is expected, got %s)"):format(type(list)), 2)
  end
  check_function(fn, 2, "task.map", 2)
  return scope(run_map, list, fn, check_limit(options))
end

return task
