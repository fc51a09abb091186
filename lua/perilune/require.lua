-- require, for modules that may wait while they load.
--
-- Not a module: run once when a state is made, with its primitives as arguments. Searchers,
-- package.loaded, package.preload and the error texts are stock Lua's; new is only that a task
-- which requires a module that another task is loading waits for it. The first loader that ends
-- wakes the others; when it failed or was cancelled, the next of them tries again.

local current, park, wake, waits_for_current = ...
local package, setmetatable, type, pcall, error = package, setmetatable, type, pcall, error
local concat, loadfile, getinfo = table.concat, loadfile, debug.getinfo
local loaded = debug.getregistry()._LOADED

-- name -> {name, task, slot, waiters} while its loader runs. Weak: a loader in a coroutine that
-- nobody resumes again is collected, and its entry's finaliser wakes those who wait for it.
local loading = setmetatable({}, { __mode = "v" })
-- task -> the name that it waits for
local blocked = {}

local Entry = {}

-- Raises with the position of who called into this file.
local function raise(message)
  local level = 2
  while level < 9 and getinfo(level, "S").source == "=perilune/require" do level = level + 1 end
  error(message, level)
end

local function release(entry)
  if loading[entry.name] == entry then loading[entry.name] = nil end
  wake(entry.waiters)
end

Entry.__close, Entry.__gc = release, release

-- The names along the waits-for chain that begins with who loads `name`, if it leads to `self`, or
-- to a task that awaits `self` or a scope around it.
local function find_loop(name, self)
  local names = {}
  while name and loading[name] do
    names[#names + 1] = name
    local task, slot = loading[name].task, loading[name].slot
    if task == self or waits_for_current(task, slot) then return names end
    name = blocked[task]
  end
  return nil
end

local function describe_loop(names, name)
  if #names == 1 then
    return ("module '%s' is required again while it loads (a loop of modules)"):format(name)
  end
  return ("module '%s' is required in a loop: %s -> %s")
    :format(name, names[#names], concat(names, " -> "))
end

-- Waits until the loader of `name` is over. No local here may hold its entry: see `loading`.
local function wait_for(name, self)
  blocked[self] = name
  local ok, problem = pcall(park, loading[name].waiters)
  blocked[self] = nil
  if not ok then error(problem, 0) end
end

local function find_loader(name)
  local searchers = package.searchers
  if type(searchers) ~= "table" then raise("'package.searchers' must be a table") end
  local tried = {}
  for i = 1, math.huge do
    local searcher = searchers[i]
    if searcher == nil then break end
    local loader, data = searcher(name)
    if type(loader) == "function" then return loader, data end
    if type(loader) == "string" or type(loader) == "number" then
      tried[#tried + 1] = "\n\t" .. loader
    end
  end
  raise(("module '%s' not found:%s"):format(name, concat(tried)))
end

local function load_module(name, self, slot)
  local entry <close> = setmetatable({ name = name, task = self, slot = slot, waiters = {} }, Entry)
  loading[name] = entry
  local loader, data = find_loader(name)
  local value = loader(name, data)
  if value ~= nil then loaded[name] = value end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name], data
end

local function require_module(name)
  if type(name) == "number" then name = tostring(name) end
  if type(name) ~= "string" then
    raise(("bad argument #1 to 'require' (string expected, got %s)")
      :format(name == nil and "no value" or type(name)))
  end
  local self, slot = current()
  while loading[name] do
    local loop = find_loop(name, self)
    if loop and loaded[name] then return loaded[name] end
    if loop then raise(describe_loop(loop, name)) end
    wait_for(name, self)
  end
  if loaded[name] then return loaded[name] end
  return load_module(name, self, slot)
end

rawset(_G, "require", require_module)

-- The searcher for Lua files, for text only.
package.searchers[2] = function(name)
  local path = package.path
  if type(path) ~= "string" then error("'package.path' must be a string", 0) end
  local file, problem = package.searchpath(name, path)
  if not file then return problem end
  local loader, message = loadfile(file, "t")
  if loader then return loader, file end
  error(("error loading module '%s' from file '%s':\n\t%s"):format(name, file, message), 0)
end
