-- The module "perilune": app, abort, version, worker, channel, topic, and the other modules as
-- fields, each loaded on its first use.

local native = require "perilune.native"

local perilune = {
  version = native.version,
  worker = { index = native.worker_index, count = native.worker_count },
  -- Crossings between workers: server/api/named_channel.c and topic.c.
  channel = native.channel,
  topic = native.topic,
}

-- Ends the request with this status, from any depth. A message that is a string becomes the
-- problem's `detail`, one that is a table is the answer's JSON.
function perilune.abort(status, message, headers)
  if math.type(status) ~= "integer" or status < 400 or status > 599 then
    error(("abort: a status from 400 to 599 is expected, got %s"):format(tostring(status)), 2)
  end
  error({ status = status, message = message, headers = headers }, 2)
end

local lazy = {
  app = function() return require("perilune.app").new end,
  cors = function() return require "perilune.cors" end,
}

return setmetatable(perilune, {
  __index = function(module, name)
    local value
    if lazy[name] then
      value = lazy[name]()
    elseif type(name) == "string" and native.modules[name] then
      value = require("perilune." .. name)
    end
    rawset(module, name, value)
    return value
  end,
})
