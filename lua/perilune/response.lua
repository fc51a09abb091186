-- perilune.response: answers as values.
--
-- A Response is a table with status, headers, body and, when an error made it, error. Its body is
-- still the value that the handler returned; it is encoded when it is sent (server/api/
-- api_response.c), after every middleware has seen it. `kind` says how, where the body's type does
-- not: "html", "json", "file", "events", "problem".

local native = require "perilune.native"

local Response = native.response_metatable
local methods = {}
Response.__index = methods

-- Header names are kept in lower case, so that any spelling finds them; they are written as
-- Title-Case when they are sent.
local Headers = {}

function Headers.__index(headers, name)
  return type(name) == "string" and rawget(headers, name:lower()) or nil
end

function Headers.__newindex(headers, name, value)
  rawset(headers, type(name) == "string" and name:lower() or name, value)
end

local function copy_headers(source)
  local headers = setmetatable({}, Headers)
  for name, value in pairs(source or {}) do headers[name] = value end
  return headers
end

native.keep_copy_headers(copy_headers)

local function check_status(status, body)
  if math.type(status) == "integer" and status >= 200 and status <= 599 then return status end
  if type(status) == "string" then
    error(("returned %s, '%s': an unchecked failure (assert, or abort(404))")
      :format(tostring(body), status), 0)
  end
  error(("a status is an integer from 200 to 599, got %s"):format(tostring(status)), 0)
end

local function default_status(body)
  return body == nil and 204 or 200
end

local function is_response(value)
  return getmetatable(value) == Response
end

local function make(kind, body, status, headers)
  if headers ~= nil and type(headers) ~= "table" then
    error(("headers are a table, got a %s"):format(type(headers)), 0)
  end
  return setmetatable({
    kind = kind,
    body = body,
    status = check_status(status or default_status(body), body),
    headers = copy_headers(headers),
  }, Response)
end

local response = { is_response = is_response }

-- What a handler's return values mean (contract 5.3). A response value comes alone.
function response.new(body, status, headers)
  if is_response(body) then
    if status == nil and headers == nil then return body end
    error("a response value is returned alone: set its status and headers instead", 0)
  end
  local kind = type(body)
  if kind == "number" or kind == "boolean" or kind == "thread" then
    error(("returned the %s %s: a status goes second (return nil, 404); for text use tostring")
      :format(kind, tostring(body)), 0)
  end
  return make(nil, body, status, headers)
end

local function text_body(kind)
  return function(body, status, headers)
    if type(body) ~= "string" then
      error(("response.%s: a string is expected, got a %s"):format(kind, type(body)), 2)
    end
    return make(kind, body, status, headers)
  end
end

response.text = text_body "text"
response.html = text_body "html"

-- Any value, strings and nil included.
function response.json(value, status, headers)
  return make("json", value, status or 200, headers)
end

function response.redirect(location, status, headers)
  if type(location) ~= "string" or location == "" then
    error("response.redirect: a location is expected", 2)
  end
  status = status or 302
  if status ~= 300 and status ~= 301 and status ~= 302 and status ~= 303 and status ~= 307
    and status ~= 308 then
    error(("response.redirect: %s is not a redirect's status"):format(tostring(status)), 2)
  end
  local res = make("text", "", status, headers)
  res.headers.location = location
  return res
end

function response.stream(fn, status, headers)
  if type(fn) ~= "function" then error("response.stream: a function is expected", 2) end
  return make(nil, fn, status, headers)
end

function response.events(fn, headers)
  if type(fn) ~= "function" then error("response.events: a function is expected", 2) end
  local res = make("events", fn, 200, headers)
  local given = res.headers
  given["content-type"] = given["content-type"] or "text/event-stream"
  given["cache-control"] = given["cache-control"] or "no-cache"
  return res
end

local FILE_OPTIONS = { root = true, name = true, type = true, status = true, headers = true }

-- The standard answer for a status, as the server itself would give it.
function response.problem(status, detail, headers)
  local res = make("problem", detail, status, headers)
  return res
end

-- Opens the file now, which waits; a file that is not there makes a 404. `name` offers it as a
-- download under that name.
function response.file(path, options)
  options = options or {}
  for key in pairs(options) do
    if not FILE_OPTIONS[key] then
      error(("response.file: unknown option '%s'%s"):format(tostring(key),
        native.suggest(tostring(key), FILE_OPTIONS)), 2)
    end
  end
  local file, message, code = native.open_file(path, options.root)
  if not file then
    if code == "ENOENT" or code == "ENOTDIR" or code == "EISDIR" or code == "EXDEV"
      or code == "ELOOP" or code == "EACCES" then
      return response.problem(404)
    end
    error(message, 0)
  end
  local res = make("file", file, options.status, options.headers)
  local headers = res.headers
  headers["content-type"] = headers["content-type"] or options.type or native.mime(path)
  if options.name then
    headers["content-disposition"] = native.content_disposition(options.name)
  end
  return res
end

local function add_cookie(res, line)
  local list = res.headers["set-cookie"]
  if list == nil then list = {} elseif type(list) ~= "table" then list = { list } end
  list[#list + 1] = line
  res.headers["set-cookie"] = list
  return res
end

function methods:set_cookie(name, value, options)
  return add_cookie(self, native.set_cookie(name, value, options))
end

-- Takes path and domain: a browser forgets a cookie only under the ones it was set with.
function methods:clear_cookie(name, options)
  local gone = { max_age = 0 }
  for key, value in pairs(options or {}) do gone[key] = value end
  return add_cookie(self, native.set_cookie(name, "", gone))
end

return response
