-- P6: suspends and resumes its task as often as it is told.
local perilune = require "perilune"
local task = require "perilune.task"

local app = perilune.app()

app:get("/sleep/:times", function(req)
  for _ = 1, tonumber(req.params.times) do
    task.sleep(0)
  end
  return "done"
end)

return app
