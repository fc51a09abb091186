-- P9 and P10: suspends as many children as it is told and says what CPU time that took.
-- They live until the connection of their request ends.
local perilune = require "perilune"
local task = require "perilune.task"

local LONG = 3600
local AT_ONCE = 250

local app = perilune.app()

-- The most that the process worked between two turns of a task that always gives way. No task was
-- served meanwhile: what is long there is the collector. Work and not time (os.clock), because
-- other programs on this core are no stop of ours.
local function watch_turns(watch)
  local before = os.clock()
  while not watch.is_over do
    task.sleep(0)
    local now = os.clock()
    if now - before > watch.longest then watch.longest = now - before end
    before = now
  end
end

app:get("/crowd/:size", function(req)
  local size = tonumber(req.params.size)
  local suspended = 0
  local watch = {longest = 0, is_over = false}
  local function wait()
    suspended = suspended + 1
    task.sleep(LONG)
  end
  local ticker = task.spawn(watch_turns, watch)
  local begin = os.clock()
  for number = 1, size do
    task.spawn(wait)
    if number % AT_ONCE == 0 then task.sleep(0) end
  end
  while suspended < size do
    task.sleep(0)
  end
  local seconds = os.clock() - begin
  watch.is_over = true
  ticker:await()
  return {suspended = suspended, seconds = seconds, longest = watch.longest}
end)

app:get("/", function()
  return "Hello, World!"
end)

return app
