-- Pipelines, calls between handlers, and middleware.
--
--   perilune lua/examples/03_pipeline.lua
--
--   $ curl --json '{"prices": [5, 3]}' http://127.0.0.1:8080/total
--   {"count":2,"total":8}
--
--   $ curl --json '{"prices": []}' http://127.0.0.1:8080/total
--   {..."status":422,"detail":"nothing was ordered"...}
--
--   $ curl --json '{"prices": [5, 3]}' http://127.0.0.1:8080/receipt
--   2 items, 8 in all
--
--   $ curl -o /dev/null -w '%header{x-seconds}' http://127.0.0.1:8080/hello
--   0.0...

local perilune = require "perilune"
local task = require "perilune.task"
local app = perilune.app()

-- Middleware goes around every route: it sees the request first and the answer last.
app:use(function(_, proceed)
  local start = task.now()
  local res = proceed()
  res.headers["X-Seconds"] = ("%.6f"):format(task.now() - start)
end)

-- Each handler gets what the one before it returned: the values themselves, not copies.
local function read_prices(req)
  return req:json().prices
end

local function check_prices(_, prices)
  if #prices == 0 then perilune.abort(422, "nothing was ordered") end
  return prices
end

local function add_up(_, prices)
  local total = 0
  for _, price in ipairs(prices) do total = total + price end
  return {total = total, count = #prices}
end

app:post("/total", {name = "total"}, read_prices, check_prices, add_up)

-- A call runs another route's handlers and returns their values.
app:post("/receipt", function(req)
  local order = req:call("total")
  return ("%d items, %d in all"):format(order.count, order.total)
end)

app:get("/hello", function() return "hello" end)

return app
