-- P4: a handler that waits a second; hello, to open the connections with.
local perilune = require "perilune"
local task = require "perilune.task"

local app = perilune.app()

app:get("/", function()
  return "Hello, World!"
end)

app:get("/wait", function()
  task.sleep(1)
  return "done"
end)

return app
