-- Route options: what they may be, and how an inner one wins over an outer one.

local native = require "perilune.native"

local options = {}

local function boolean(value)
  if type(value) ~= "boolean" then return nil, "true or false is expected" end
  return value
end

local function text(value)
  if type(value) ~= "string" or value == "" then return nil, "a string is expected" end
  return value
end

local function count(value)
  if math.type(value) ~= "integer" or value < 1 then
    return nil, "a whole number of at least 1 is expected"
  end
  return value
end

-- Less would end requests that have not done anything yet.
local LEAST_MEMORY = 64 * 1024

local function memory(value)
  local bytes, problem = native.parse_size(value)
  if bytes and bytes < LEAST_MEMORY then return nil, "at least 64k is expected" end
  return bytes, problem
end

-- `false` lifts the limit.
local function or_none(parse)
  return function(value)
    if value == false then return false end
    return parse(value)
  end
end

local kinds = {
  timeout = or_none(native.parse_time),
  cpu = or_none(native.parse_time),
  body = or_none(native.parse_size),
  memory = or_none(memory),
  in_flight = count,
  half_close = boolean,
  name = text,
}

-- Checks a table of options and returns a copy with their values understood; level is error's.
function options.check(given, what, level)
  local checked = {}
  for key, value in pairs(given or {}) do
    local kind = kinds[key]
    if not kind then
      error(("%s: unknown option '%s'%s"):format(what, tostring(key),
        native.suggest(tostring(key), kinds)), level + 1)
    end
    local understood, problem = kind(value)
    if problem then
      error(("%s: %s = %s: %s"):format(what, key, tostring(value), problem), level + 1)
    end
    checked[key] = understood
  end
  return checked
end

-- outer's options with inner's laid over them. A name belongs to one route alone.
function options.merge(outer, inner)
  local merged = {}
  for key, value in pairs(outer) do
    if key ~= "name" then merged[key] = value end
  end
  for key, value in pairs(inner) do merged[key] = value end
  return merged
end

return options
