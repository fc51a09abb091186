-- perilune.cors{...}: a middleware for cross-origin requests (the Fetch standard's CORS protocol).
--
-- It answers preflights itself, with 204 and without calling the handlers, and adds the headers to
-- every other answer, errors included. Whoever may not read an answer gets it without the headers:
-- keeping it from scripts is the browser's part. All options are checked when the app is loaded.
--
--   origins      "*" (default), one origin, a list of them, or function(origin, req) -> boolean
--   methods      what a preflight allows; default GET, HEAD, POST, PUT, PATCH, DELETE
--   headers      request headers that a preflight allows; default: those that it asks for
--   expose       answer headers that scripts may read besides the safelisted ones
--   credentials  true: with cookies; not together with "*", which browsers refuse
--   max_age      how long a preflight is remembered: seconds or "10m"

local native = require "perilune.native"

local OPTIONS = {
  origins = true, methods = true, headers = true, expose = true, credentials = true,
  max_age = true,
}
local DEFAULT_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
local TOKEN = "^[%w!#$%%&'*+.^_`|~-]+$"
-- Scheme, host and perhaps a port, as browsers send it: no path, not even a slash.
local ORIGIN = "^%a[%w+.-]*://[^/?#%s,*@]+$"

-- Where perilune.cors was called, for error(): the checks below are called by make().
local CALLER = 3

local function refuse(level, message, ...)
  error("cors: " .. message:format(...), level + 1)
end

local function check_names(options)
  if type(options) ~= "table" then
    refuse(CALLER, "options are a table, got a %s", type(options))
  end
  for key in pairs(options) do
    if not OPTIONS[key] then
      key = tostring(key)
      refuse(CALLER, "unknown option '%s'%s", key, native.suggest(key, OPTIONS))
    end
  end
  local credentials = options.credentials
  if credentials ~= nil and type(credentials) ~= "boolean" then
    refuse(CALLER, "credentials = %s: true or false is expected", tostring(credentials))
  end
end

-- The names of an option that is one string or a list of them.
local function list_of(options, key)
  local value = options[key]
  if type(value) == "string" then return { value } end
  if type(value) ~= "table" then
    refuse(CALLER + 1, "%s = %s: a list of strings is expected", key, tostring(value))
  end
  for index in pairs(value) do
    if math.type(index) ~= "integer" then
      refuse(CALLER + 1, "%s: a list of strings is expected, got the key %s", key, tostring(index))
    end
  end
  return value
end

-- The list as a header's value, or nil.
local function check_tokens(options, key)
  if options[key] == nil then return nil end
  local names = {}
  for i, name in ipairs(list_of(options, key)) do
    if type(name) ~= "string" or not name:find(TOKEN) then
      refuse(CALLER, "%s[%d] = %s: the name of a %s is expected", key, i, tostring(name),
        key == "methods" and "method" or "header")
    end
    if name == "*" and options.credentials then
      refuse(CALLER, "%s = \"*\" stands for nothing with credentials = true: name them", key)
    end
    names[i] = key == "methods" and name:upper() or name
  end
  return table.concat(names, ", ")
end

-- A function(origin, req) -> whether it is allowed; nil when everybody is.
local function check_origins(options)
  local origins = options.origins
  if type(origins) == "function" then return origins end
  if origins == nil or origins == "*" then
    if options.credentials then
      refuse(CALLER, "credentials = true needs a list of origins: browsers refuse \"*\" with it")
    end
    return nil
  end
  local allowed = {}
  for i, origin in ipairs(list_of(options, "origins")) do
    if origin == "*" then
      refuse(CALLER, "origins[%d]: \"*\" stands alone (origins = \"*\")", i)
    end
    if type(origin) ~= "string" or not (origin == "null" or origin:find(ORIGIN)) then
      refuse(CALLER, "origins[%d] = %s: an origin has the form https://app.example:8443, "
        .. "without a path or a slash at its end", i, tostring(origin))
    end
    allowed[origin:lower()] = true
  end
  return function(origin) return allowed[origin] == true end
end

-- The value of Access-Control-Max-Age, or nil.
local function check_max_age(options)
  if options.max_age == nil then return nil end
  local milliseconds, problem = native.parse_time(options.max_age)
  if not milliseconds then
    refuse(CALLER, "max_age = %s: %s", tostring(options.max_age), problem)
  end
  return ("%d"):format(milliseconds // 1000)
end

-- Adds a name to the Vary header, unless it or "*" is there.
local function add_vary(headers, name)
  local given = headers.vary
  if type(given) == "table" then given = table.concat(given, ", ") end
  if given == nil or given == "" then
    headers.vary = name
    return
  end
  for item in given:gmatch "[^,%s]+" do
    if item == "*" or item:lower() == name:lower() then return end
  end
  headers.vary = given .. ", " .. name
end

local function make(options)
  options = options or {}
  check_names(options)
  local is_allowed = check_origins(options)
  local methods = check_tokens(options, "methods") or DEFAULT_METHODS
  local allow_headers = check_tokens(options, "headers")
  local expose = check_tokens(options, "expose")
  local max_age = check_max_age(options)
  local credentials = options.credentials and "true" or nil

  -- What every answer to this origin carries. Whether the origin decides is said to caches even
  -- where there is none: the next request for the same address may have one.
  local function add_common(headers, req)
    if is_allowed then add_vary(headers, "Origin") end
    local origin = req.headers.origin
    if not origin or (is_allowed and not is_allowed(origin, req)) then return false end
    headers["access-control-allow-origin"] = is_allowed and origin or "*"
    headers["access-control-allow-credentials"] = credentials
    return true
  end

  local function answer_preflight(req)
    local headers = {}
    local named = allow_headers or req.headers["access-control-request-headers"]
    if add_common(headers, req) then
      headers["access-control-allow-methods"] = methods
      headers["access-control-allow-headers"] = named ~= "" and named or nil
      headers["access-control-max-age"] = max_age
    end
    if not allow_headers then add_vary(headers, "Access-Control-Request-Headers") end
    return nil, 204, headers
  end

  return function(req, proceed)
    local given = req.headers
    if req.method == "OPTIONS" and given.origin and given["access-control-request-method"] then
      return answer_preflight(req)
    end
    local res = proceed()
    if add_common(res.headers, req) and expose ~= "" then
      res.headers["access-control-expose-headers"] = expose
    end
  end
end

return make
