-- How handlers, middleware and error hooks of one route become the one function that the server
-- calls. All of it is put together when the app is loaded; a request only runs it.

local native = require "perilune.native"
local response = require "perilune.response"

local is_response, new_response = response.is_response, response.new
local on_error = native.on_error

local chain = {}

-- Runs handlers[i] and, with what it returned, those behind it. A response value is the answer.
local function run_pipeline(handlers, req, i, ...)
  if i > #handlers or is_response((...)) then return ... end
  return run_pipeline(handlers, req, i + 1, handlers[i](req, ...))
end

-- One function for a route's handlers: the only one as it is, several as a pipeline.
function chain.pipeline(handlers)
  if #handlers == 1 then return handlers[1] end
  return function(req, ...) return run_pipeline(handlers, req, 2, handlers[1](req, ...)) end
end

-- Cancellation ends the request whatever is around it; no middleware may keep it. What a cancelled
-- child has raised is an error like any other.
local function is_cancellation(err)
  return err.code == "ECANCELED" and native.is_cancelled()
end

-- The values that answer an error: what the app's hook makes of it, or the built-in answer.
local function answer_error(hook, req, err)
  if is_response(err.value) then return err.value end
  if hook then
    local body, status, headers = hook(req, err)
    if body ~= nil or status ~= nil then
      if is_response(body) then return body end
      return body, status or err.status, headers
    end
  end
  return native.problem_of(err)
end

-- What the server calls when a handler without middleware has raised.
function chain.error_hook(hook)
  return hook and function(req, err) return answer_error(hook, req, err) end
end

-- The Response for an error; one that the hook itself raises is answered by the server.
local function response_for_error(hook, req, err)
  if is_cancellation(err) then error(err, 0) end
  native.report(err)
  local ok, res = xpcall(function() return new_response(answer_error(hook, req, err)) end, on_error)
  if not ok then
    if is_cancellation(res) then error(res, 0) end
    native.report(res)
    res, err = native.problem_of(res), res
  end
  res.error = err
  return res
end

-- The Response for what xpcall returned.
local function settle(hook, req, ok, ...)
  if not ok then return response_for_error(hook, req, (...)) end
  local made, res = xpcall(new_response, on_error, ...)
  if made then return res end
  return response_for_error(hook, req, res)
end

-- @param kept a function that tells what proceed() has returned, once the middleware is over
local function check_result(entry, kept, ...)
  if select("#", ...) > 1 or (...) ~= nil then return ... end
  local res = kept()
  if res then return res end
  error(("the middleware of %s neither called proceed() nor returned a response")
    :format(entry.where), 0)
end

-- Runs middleware i and, through its proceed(), those behind it and the core.
local function run_middleware(entries, i, core, hook, req)
  local entry = entries[i]
  if not entry then return settle(hook, req, xpcall(core, on_error, req)) end
  local kept, has_proceeded
  local function proceed()
    if has_proceeded then error("proceed() was called a second time", 2) end
    has_proceeded = true
    kept = run_middleware(entries, i + 1, core, hook, req)
    return kept
  end
  return settle(hook, req, xpcall(function()
    return check_result(entry, function() return kept end, entry.fn(req, proceed))
  end, on_error))
end

-- Whether a middleware's prefix covers a path or pattern: whole segments.
function chain.covers(prefix, path)
  if prefix == "" or path == prefix then return true end
  return path:sub(1, #prefix + 1) == prefix .. "/"
end

-- The function that runs `core` inside those of `entries` that cover `path`; core itself when none
-- does, so that a route without middleware pays nothing.
function chain.wrap(core, entries, path, hook)
  local covering = {}
  for _, entry in ipairs(entries) do
    if chain.covers(entry.prefix, path) then covering[#covering + 1] = entry end
  end
  if #covering == 0 then return core end
  return function(req) return run_middleware(covering, 1, core, hook, req) end
end

return chain
