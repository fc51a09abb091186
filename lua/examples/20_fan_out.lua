-- Several things at once, with a deadline for all of them: a page made of three slow sources.
--
--   perilune lua/examples/20_fan_out.lua
--
--   $ curl http://127.0.0.1:8080/page
--   ada: sunny, 3 items
--
--   $ curl http://127.0.0.1:8080/fastest
--   the near mirror
--
--   $ curl http://127.0.0.1:8080/squares
--   [1,4,9,16,25]
--
--   $ curl -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/late
--   504
--
--   $ curl http://127.0.0.1:8080/partial
--   3 items, no answer in time (closed: 1)

local perilune = require "perilune"
local task = require "perilune.task"
local app = perilune.app()

-- Stands for a call to another service: it waits, and nothing else of this worker does.
local function source(name, value, seconds)
  return function()
    task.sleep(seconds)
    return value, name
  end
end

local user = source("user", "ada", 0.02)
local news = source("news", "3 items", 0.03)
local weather = source("weather", "sunny", 0.01)

-- All three run at the same time. When one fails the others are cancelled and its error is the
-- answer; when the client leaves, or two seconds are over, all of them end.
app:get("/page", {timeout = "2s"}, function()
  local page = task.all{user = user, news = news, weather = weather}
  return ("%s: %s, %s"):format(page.user, page.weather, page.news)
end)

-- The first to finish wins, the others are cancelled.
app:get("/fastest", function()
  return (task.race(source("far", "the far mirror", 30), source("near", "the near mirror", 0.01)))
end)

-- Never more than two at a time; the results are in the list's order.
app:get("/squares", function()
  return task.map({1, 2, 3, 4, 5}, function(n)
    task.sleep(0.01)
    return n * n
  end, {limit = 2})
end)

-- Nobody catches it: 504.
app:get("/late", function()
  return task.timeout(0.05, source("never", "", 60))
end)

-- An answer without the slow part. What was cancelled closes its <close> variables on the way out.
app:get("/partial", function()
  local closed = 0
  local function slow_weather()
    local guard <close> = setmetatable({}, {__close = function() closed = closed + 1 end})
    task.sleep(60)
  end
  local headlines, sky = task.all(news, function()
    local ok, value = pcall(task.timeout, 0.05, slow_weather)
    return ok and value or "no answer in time"
  end)
  return ("%s, %s (closed: %d)"):format(headlines, sky, closed)
end)

return app
