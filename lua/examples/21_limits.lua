-- No handler can hurt another: what each of these does ends, with an answer, and /hello goes on.
--
--   perilune lua/examples/21_limits.lua
--
--   $ curl -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/spin
--   503
--
--   $ curl -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/grow
--   500
--
--   $ curl http://127.0.0.1:8080/pattern
--   pattern too complex
--
--   $ curl http://127.0.0.1:8080/huge
--   refused
--
--   $ curl -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/slow
--   503
--
--   $ curl http://127.0.0.1:8080/hello
--   still here

local perilune = require "perilune"
local task = require "perilune.task"
local app = perilune.app{cpu = "200ms", memory = "16m"}

app:get("/hello", function() return "still here" end)

-- It gives way to the others every limits.slice; after 200 ms of CPU without a wait it is ended,
-- whatever it catches. The log has the line where it was.
app:get("/spin", function()
  while true do pcall(error) end
end)

-- Memory is charged to the request that takes it.
app:get("/grow", function()
  local t = {}
  while true do t[#t + 1] = {} end
end)

-- C functions cannot be interrupted, so they are bounded: patterns count their steps.
app:get("/pattern", function()
  local _, message = pcall(string.find, ("x"):rep(300), ".-.-.-.-b")
  return message:match("pattern too complex") or message
end)

-- What would not fit is refused before it is made.
app:get("/huge", function()
  return pcall(string.rep, "x", 1e10) and "made" or "refused"
end)

-- A deadline for one route. At most two at a time; a third waits in the queue for its turn.
app:get("/slow", {timeout = "100ms", in_flight = 2}, function()
  task.sleep(60)
end)

return app
