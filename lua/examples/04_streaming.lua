-- Streams: an answer written piece by piece, server-sent events, and a body that is answered
-- while it still arrives.
--
--   perilune lua/examples/04_streaming.lua
--
--   $ curl --no-buffer 'http://127.0.0.1:8080/count?to=3'
--   1
--   2
--   3
--
--   $ curl --no-buffer http://127.0.0.1:8080/events
--   event: tick
--   id: 1
--   data: 1 of 2
--
--   event: tick
--   id: 2
--   data: 2 of 2
--
--   $ printf 'one\ntwo\n' | curl -T - http://127.0.0.1:8080/upper
--   ONE
--   TWO

local perilune = require "perilune"
local response = require "perilune.response"
local task = require "perilune.task"
local app = perilune.app()

-- A function as the answer is called with a writer; a slow client makes out:write wait.
app:get("/count", function(req)
  local to = tonumber(req.query.to) or 10
  return function(out)
    for i = 1, to do
      out:write(i, "\n")
      out:flush()
      task.sleep(0.1)
    end
  end, 200, {["Content-Type"] = "text/plain"}
end)

app:get("/events", function()
  return response.events(function(out)
    for i = 1, 2 do
      out:send{event = "tick", id = i, data = i .. " of 2"}
      task.sleep(0.1)
    end
  end)
end)

-- Constant memory, whatever the size: no more is read than the client of the answer takes.
app:put("/upper", {body = false}, function(req)
  return function(out)
    for chunk in req:chunks() do out:write(chunk:upper()) end
  end
end)

return app
