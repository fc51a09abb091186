-- P6: suspends and resumes its task as often as it is told, inside as many coroutines.
local perilune = require "perilune"
local task = require "perilune.task"

local app = perilune.app()

local function sleep(times)
  for _ = 1, times do
    task.sleep(0)
  end
end

local function sleep_inside(depth, times)
  if depth == 0 then return sleep(times) end
  coroutine.wrap(sleep_inside)(depth - 1, times)
end

app:get("/sleep/:times", function(req)
  sleep(tonumber(req.params.times))
  return "done"
end)

app:get("/sleep/:times/:depth", function(req)
  sleep_inside(tonumber(req.params.depth), tonumber(req.params.times))
  return "done"
end)

return app
