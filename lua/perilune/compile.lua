-- From the tree of apps that an author declared to the flat lists that the server serves:
-- routes, static folders, fallbacks (what answers 404 and 405 below a prefix), and hooks.

local native = require "perilune.native"
local apps = require "perilune.app"
local chain = require "perilune.chain"
local options = require "perilune.options"
local is_response = require("perilune.response").is_response
local static = require "perilune.static"
local task = require "perilune.task"

local compile = {}

-- What req:call finds: name, or "METHOD /pattern" as declared -> the route's handlers as one
-- function, without middleware. One app is served per Lua state.
local callable = {}

local function call_name(method, pattern) return method .. " " .. pattern end

local function register_callable(name, core, where)
  local earlier = callable[name]
  if earlier and name:sub(1, 1) ~= "/" and not name:find(" ", 1, true) then
    error(("%s: the name '%s' is taken by the route of %s"):format(where, name, earlier.where), 0)
  end
  callable[name] = callable[name] or { core = core, where = where }
end

-- What a not_found handler returned, with 404 where it names no status.
local function with_not_found(body, status, headers)
  if is_response(body) then return body, status, headers end
  return body, status or 404, headers
end

-- The function that answers where no route does: the app's own 404 and 405, inside the middleware
-- that covers the request's path. nil when the server's own answer will do.
local function make_fallback(scope)
  local not_found = scope.not_found
  if not not_found and #scope.middleware == 0 then return nil end
  return function(req, status, allow)
    local function core()
      if status == 404 and not_found then return with_not_found(not_found(req)) end
      if status < 400 then return nil, status, { allow = allow } end
      return native.plain_problem(status, allow)
    end
    return chain.wrap(core, scope.middleware, req.path, scope.hook)(req)
  end
end

-- "app.lua:3, auth.lua:10": where each handler is written.
local function places(handlers)
  local list = {}
  for i, handler in ipairs(handlers) do
    local info = debug.getinfo(handler, "S")
    list[i] = info.what == "C" and "[C]" or ("%s:%d"):format(info.short_src, info.linedefined)
  end
  return table.concat(list, ", ")
end

local function add_routes(out, app, scope)
  for _, route in ipairs(app.routes) do
    local pattern = scope.prefix .. route.pattern
    local core = chain.pipeline(route.handlers)
    local merged = options.merge(scope.options, route.options)
    local name = route.options.name
    if name then register_callable(name, core, route.where) end
    for _, method in ipairs(route.methods) do
      register_callable(call_name(method, pattern), core, route.where)
    end
    out.routes[#out.routes + 1] = {
      methods = route.methods, pattern = pattern, options = merged, name = name,
      where = route.where, places = places(route.handlers),
      handler = chain.wrap(core, scope.middleware, pattern, scope.hook),
      on_error = chain.error_hook(scope.hook),
    }
  end
end

local function add_statics(out, app, scope)
  for _, folder in ipairs(app.statics) do
    local prefix = scope.prefix .. folder.prefix
    local core = static.handler(folder.folder, folder.options, function(req)
      if scope.not_found then return with_not_found(scope.not_found(req)) end
      return native.plain_problem(404)
    end)
    out.statics[#out.statics + 1] = {
      methods = { "GET" }, pattern = prefix .. "/*path", where = folder.where, options = {},
      places = folder.where,
      handler = chain.wrap(core, scope.middleware, prefix, scope.hook),
      on_error = chain.error_hook(scope.hook),
    }
  end
end

-- The scope inside `app`, mounted at `prefix` in `outer`.
local function enter(app, prefix, outer)
  local middleware = table.move(outer.middleware, 1, #outer.middleware, 1, {})
  for _, entry in ipairs(app.middleware) do
    middleware[#middleware + 1] = { prefix = prefix .. entry.prefix, fn = entry.fn,
                                    where = entry.where }
  end
  return {
    prefix = prefix,
    middleware = middleware,
    options = options.merge(outer.options, app.options),
    hook = app.hooks.error or outer.hook,
    not_found = app.hooks.not_found or outer.not_found,
  }
end

local function add_app(out, app, prefix, outer, path)
  if path[app] then error(("the app mounted at '%s' contains itself"):format(prefix), 0) end
  path[app] = true
  local scope = enter(app, prefix, outer)
  add_routes(out, app, scope)
  add_statics(out, app, scope)
  out.fallbacks[#out.fallbacks + 1] = {
    prefix = prefix, handler = make_fallback(scope), on_error = chain.error_hook(scope.hook),
  }
  for _, event in ipairs { "start", "stop", "finish" } do
    for _, fn in ipairs(app.hooks[event]) do
      local list = out[event]
      list[#list + 1] = fn
    end
  end
  for _, child in ipairs(app.children) do
    add_app(out, child.app, prefix .. child.prefix, scope, path)
  end
  path[app] = nil
end

local function app_of(value)
  if apps.is_app(value) then return value end
  if type(value) == "function" then return apps.new():any("/*path", value) end
  error(("an app file returns an app or a function, this one returned a %s"):format(type(value)), 0)
end

-- The server's entry: what the app file returned -> {routes, statics, fallbacks, start, ...}.
function compile.app(value)
  local out = { routes = {}, statics = {}, fallbacks = {}, start = {}, stop = {}, finish = {} }
  local outside = { prefix = "", middleware = {}, options = {} }
  add_app(out, app_of(value), "", outside, {})
  return out
end

local function callable_or_raise(name)
  local found = callable[name]
  if found then return found.core end
  error(("req:call: there is no route '%s'%s"):format(tostring(name),
    native.suggest(tostring(name), callable)), 3)
end

local function run_call(core, req, ...)
  native.enter_call()
  return core(req, ...)
end

-- req:call(name, ...): a child coroutine runs the route's handlers; its result waits in the results
-- table until it is taken here.
function native.request_methods.call(req, name, ...)
  return task.spawn(run_call, callable_or_raise(name), req, ...):await()
end

-- ---- app:url ----

local function encode(text, keep)
  return (tostring(text):gsub("[^%w%-._~" .. (keep or "") .. "]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

local function find_named(app, name, prefix)
  for _, route in ipairs(app.routes) do
    if route.options.name == name then return prefix .. route.pattern end
  end
  for _, child in ipairs(app.children) do
    local found = find_named(child.app, name, prefix .. child.prefix)
    if found then return found end
  end
  return nil
end

local function encode_query(query)
  local names, pieces = {}, {}
  for key in pairs(query) do names[#names + 1] = tostring(key) end
  table.sort(names)
  for _, key in ipairs(names) do
    pieces[#pieces + 1] = encode(key) .. "=" .. encode(query[key])
  end
  return table.concat(pieces, "&")
end

function compile.url(app, name, params, query)
  local pattern = find_named(app, name, "")
  if not pattern then error(("app:url: no route is named '%s'"):format(tostring(name)), 3) end
  local path = pattern:gsub("([:*])([^/]+)", function(kind, key)
    local value = params and params[key]
    if value == nil then error(("app:url: '%s' needs params.%s"):format(name, key), 5) end
    return encode(value, kind == "*" and "/" or "")
  end)
  if query and next(query) ~= nil then path = path .. "?" .. encode_query(query) end
  return path
end

return compile
