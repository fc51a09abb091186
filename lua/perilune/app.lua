-- perilune.app: what an author says about routes, groups, middleware and events.
--
-- An App only collects; compile.lua turns the tree of apps into the flat list that the server
-- serves, once the app file has returned it. So the order of declarations does not matter where
-- the contract says so.

local native = require "perilune.native"
local options = require "perilune.options"

local App = {}
App.__index = App
App.__name = "perilune.App"

local METHODS = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }
local EVENTS = { start = true, stop = true, error = true, not_found = true, finish = true }

local function where(level)
  local info = debug.getinfo(level + 1, "Sl")
  return ("%s:%d"):format(info.short_src, info.currentline)
end

local function new(given, what)
  return setmetatable({
    options = options.check(given, what, 3),
    routes = {}, middleware = {}, statics = {}, children = {},
    hooks = { start = {}, stop = {}, finish = {} },
  }, App)
end

local function check_prefix(prefix, what)
  if type(prefix) ~= "string" or (prefix ~= "" and prefix:sub(1, 1) ~= "/") then
    error(("%s: a prefix begins with /, got %s"):format(what, tostring(prefix)), 3)
  end
  return (prefix:gsub("/+$", ""))
end

local function check_function(fn, what)
  if type(fn) ~= "function" then
    error(("%s: a function is expected, got a %s"):format(what, type(fn)), 3)
  end
  return fn
end

-- arguments: [options,] handler, ...
-- Its callers do not tail-call it: their caller, two levels up, is the place that messages name.
local function add_route(app, methods, pattern, ...)
  local given, first = nil, 1
  local what = ('%s "%s"'):format(table.concat(methods, "|"), tostring(pattern))
  if type(pattern) ~= "string" then error(what .. ": the pattern is a string", 3) end
  if type((...)) == "table" then given, first = (...), 2 end
  local handlers = { select(first, ...) }
  local count = select("#", ...) - first + 1
  if count < 1 then error(what .. ": a handler is missing", 3) end
  for i = 1, count do
    if type(handlers[i]) ~= "function" then
      error(("%s: handler %d is a %s, a function is expected")
        :format(what, i, type(handlers[i])), 3)
    end
  end
  app.routes[#app.routes + 1] = {
    methods = methods, pattern = pattern, handlers = handlers,
    options = options.check(given, what, 3), where = where(3),
  }
end

for _, method in ipairs(METHODS) do
  App[method:lower()] = function(app, pattern, ...)
    add_route(app, { method }, pattern, ...)
    return app
  end
end

function App:any(pattern, ...)
  add_route(self, METHODS, pattern, ...)
  return self
end

local known_methods = {}
for _, method in ipairs(METHODS) do known_methods[method] = true end

function App:route(methods, pattern, ...)
  if type(methods) == "string" then methods = { methods } end
  if type(methods) ~= "table" or #methods == 0 then
    error("app:route: a list of methods is expected", 2)
  end
  for _, method in ipairs(methods) do
    if not known_methods[method] then
      error(("app:route: the method '%s' cannot be routed%s"):format(tostring(method),
        native.suggest(tostring(method):upper(), known_methods)), 2)
    end
  end
  add_route(self, methods, pattern, ...)
  return self
end

-- [prefix,] fn
function App:use(prefix, fn)
  if fn == nil then prefix, fn = "", prefix end
  self.middleware[#self.middleware + 1] = {
    prefix = check_prefix(prefix, "app:use"), fn = check_function(fn, "app:use"), where = where(2),
  }
  return self
end

-- prefix, [options,] fn(app)
function App:group(prefix, given, fn)
  if fn == nil then given, fn = nil, given end
  prefix = check_prefix(prefix, "app:group")
  check_function(fn, "app:group")
  local child = new(given, "app:group")
  self.children[#self.children + 1] = { prefix = prefix, app = child }
  fn(child)
  return self
end

function App:mount(prefix, app)
  prefix = check_prefix(prefix, "app:mount")
  if getmetatable(app) ~= App then
    error(("app:mount: an app is expected, got a %s"):format(type(app)), 2)
  end
  self.children[#self.children + 1] = { prefix = prefix, app = app }
  return self
end

local STATIC_OPTIONS = { index = true, headers = true }

function App:static(prefix, folder, given)
  prefix = check_prefix(prefix, "app:static")
  if type(folder) ~= "string" then error("app:static: a folder's path is expected", 2) end
  for key in pairs(given or {}) do
    if not STATIC_OPTIONS[key] then
      error(("app:static: unknown option '%s'%s"):format(tostring(key),
        native.suggest(tostring(key), STATIC_OPTIONS)), 2)
    end
  end
  self.statics[#self.statics + 1] = {
    prefix = prefix, folder = folder, options = given or {}, where = where(2),
  }
  return self
end

-- GET prefix/NAME, NAME.json, NAME.h, NAME.ts, NAME.py: the layouts of structs for other languages.
function App:schemas(prefix)
  if prefix == nil then prefix = "/_schema" end
  prefix = check_prefix(prefix, "app:schemas")
  local handler = require "perilune.schemas"
  add_route(self, { "GET" }, prefix .. "/:file", handler)
  return self
end

function App:on(event, fn)
  if not EVENTS[event] then
    error(("app:on: there is no event '%s'%s"):format(tostring(event),
      native.suggest(tostring(event), EVENTS)), 2)
  end
  check_function(fn, "app:on")
  local list = self.hooks[event]
  if type(list) == "table" then
    list[#list + 1] = fn
  elseif list then
    error(("app:on: this app has a '%s' handler already"):format(event), 2)
  else
    self.hooks[event] = fn
  end
  return self
end

-- The path of the route with that name: params fill its captures, query is appended.
function App:url(name, params, query)
  local path = require("perilune.compile").url(self, name, params, query)
  return path
end

-- perilune.app{...}. No tail call: an error in the options names the place two levels up.
local function new_app(given)
  local app = new(given, "perilune.app")
  return app
end

return {
  new = new_app,
  is_app = function(value) return getmetatable(value) == App end,
}
