-- P10: a handler that makes 10 KB of garbage, beside live data and suspended tasks as told.
local perilune = require "perilune"
local task = require "perilune.task"

local GROUP = 100

local app = perilune.app()
local live = {}
local made = 0

local function new_group(first)
  local group = {}
  for id = first, first + GROUP - 1 do
    group[#group + 1] = {id = id, name = "n" .. id, place = {id, id}}
  end
  return group
end

app:get("/fill/:megabytes", function(req)
  local wanted = tonumber(req.params.megabytes) * 1024
  collectgarbage()
  while collectgarbage("count") < wanted do
    live[#live + 1] = new_group(#live * GROUP)
    task.sleep(0)
  end
  return tostring(collectgarbage("count"))
end)

-- What a handler does that reads rows and builds an answer; now and then it changes what is live.
app:get("/garbage", function()
  local rows, names = {}, {}
  made = made + 1
  for id = 1, 40 do
    rows[id] = {id = id, name = "x" .. made * 40 + id, ok = true}
  end
  for id = 1, 40 do
    names[id] = rows[id].name
  end
  local text = table.concat(names, ",")
  local group = live[made % math.max(#live, 1) + 1]
  if group then group[1].place = {made, #text} end
  return "done"
end)

app:mount("/", require "crowd")

return app
