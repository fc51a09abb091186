-- Random trees of scopes for task_test.c, run twice: by perilune.task on a clock that the test
-- moves, and by a model that only computes. Both say of each node when it ended and with what.
--
--   schedules.make(seed) -> tree     schedules.run(tree, task, now) -> log     (a task's function)
--   schedules.predict(tree) -> log   log: id -> "milliseconds outcome"
--
-- The model knows one thing of tasks: at which time, if any, its waits begin to raise and what.
-- A wait that begins later raises at once; what has no wait is not touched.

local schedules = {}
local random = math.random

-- ---- trees ----

local make

local function node(tree, kind, fields)
  tree.count = tree.count + 1
  fields.kind, fields.id = kind, tree.count
  return fields
end

-- Whole seconds that hardly ever add up to the same twice.
local function seconds() return random(1, 200000) end

local function several(tree, depth, most)
  local list = {}
  for i = 1, random(1, most) do list[i] = make(tree, depth - 1) end
  return list
end

local makers = {
  function(tree, depth) return node(tree, "sequence", { several(tree, depth, 3) }) end,
  function(tree, depth) return node(tree, "sequence", { several(tree, depth, 3) }) end,
  function(tree, depth) return node(tree, "catch", { make(tree, depth - 1) }) end,
  function(tree, depth) return node(tree, "await", { make(tree, depth - 1) }) end,
  function(tree, depth) return node(tree, "shield", { make(tree, depth - 1) }) end,
  function(tree, depth) return node(tree, "race", { several(tree, depth, 3) }) end,
  function(tree, depth)
    return node(tree, "timeout", { make(tree, depth - 1), seconds = seconds() })
  end,
  function(tree, depth)
    local inner = make(tree, depth - 1)
    return node(tree, "cancel", { node(tree, "catch", { inner }), seconds = seconds() })
  end,
  function(tree, depth)
    return node(tree, "group", { several(tree, depth, 3), body = make(tree, depth - 1) })
  end,
  function(tree, depth)
    return node(tree, "group", { several(tree, depth, 4), body = make(tree, depth - 1) })
  end,
  function(tree)
    local pipe = { gaps = {}, takes = {}, capacity = random(0, 2) }
    for i = 1, random(1, 4) do pipe.gaps[i], pipe.takes[i] = seconds(), seconds() end
    return node(tree, "pipe", pipe)
  end,
}

function make(tree, depth)
  if depth > 0 and random(5) > 1 then return makers[random(#makers)](tree, depth) end
  return node(tree, random(4) == 1 and "fail" or "sleep", { seconds = seconds() })
end

function schedules.make(seed)
  math.randomseed(seed)
  return make({ count = 0 }, random(2, 4))
end

-- ---- the real thing ----

local function text_of(err)
  if type(err) ~= "table" then return tostring(err) end
  if err.code then return err.code .. "/" .. tostring(err.reason) end
  return err.message
end

function schedules.run(tree, task, now)
  local log, exec = {}, nil
  local closed = {}

  local function exec_all(list)
    for i = 1, #list do exec(list[i]) end
  end

  local kinds = {
    sleep = function(n) task.sleep(n.seconds) end,
    fail = function(n)
      task.sleep(n.seconds)
      error("failed " .. n.id, 0)
    end,
    sequence = function(n) exec_all(n[1]) end,
    catch = function(n) pcall(exec, n[1]) end,
    await = function(n) task.spawn(exec, n[1]):await() end,
    shield = function(n) task.shield(exec, n[1]) end,
    timeout = function(n) task.timeout(n.seconds, exec, n[1]) end,
    cancel = function(n)
      local child = task.spawn(exec, n[1])
      task.sleep(n.seconds)
      child:cancel("stop")
      child:await()
    end,
    group = function(n)
      task.group(function(g)
        for i, child in ipairs(n[1]) do
          if i % 2 == 0 then task.spawn(exec, child) else g:spawn(exec, child) end
        end
        exec(n.body)
      end)
    end,
    race = function(n)
      local functions = {}
      for i, child in ipairs(n[1]) do functions[i] = function() exec(child) end end
      task.race(table.unpack(functions))
    end,
    pipe = function(n)
      local channel = task.channel(n.capacity)
      task.all(function()
        for i, gap in ipairs(n.gaps) do
          task.sleep(gap)
          channel:send(i)
        end
        channel:close()
      end, function()
        for i, take in ipairs(n.takes) do
          task.sleep(take)
          local got = channel:receive()
          if got ~= i then error(("got %s instead of %d"):format(tostring(got), i), 0) end
        end
      end)
    end,
  }

  function exec(n)
    local guard <close> = setmetatable({}, { __close = function()
      if closed[n.id] then log[n.id] = "closed twice" end
      closed[n.id] = true
    end })
    local ok, err = pcall(kinds[n.kind], n)
    if log[n.id] then error("ran twice", 0) end
    log[n.id] = ("%d %s"):format(now(), ok and "ok" or text_of(err))
    if not ok then error(err, 0) end
  end

  task.group(function() pcall(exec, tree) end)
  for id in pairs(log) do
    if not closed[id] then log[id] = log[id] .. " and never closed" end
  end
  return log
end

-- ---- the model ----

local NEVER = { at = math.huge }

-- A cancellation: at that time waits begin to raise `raises`; tasks below hear `reason`.
local function cancellation(at, reason, raises)
  return { at = at, reason = reason, raises = raises or "ECANCELED/" .. reason }
end

local function earlier(a, b) return b.at < a.at and b or a end

-- What a task below one that has cancellation c hears of it.
local function below(c) return c.at == math.huge and c or cancellation(c.at, c.reason) end

-- "never early": n seconds are over in the millisecond after.
local function after(t, n) return t + n * 1000 + 1 end

-- A result: ends at `at`, with `outcome` ("ok" or what is raised). `is_cancel`: that is nothing but
-- the task's own cancellation. `last`: when the last of what was spawned in its scope had ended.
-- `cut`: when the last of those ended that did not get to its end.
local function result(at, outcome, log, is_cancel, last, cut)
  return { at = at, outcome = outcome, log = log, is_cancel = is_cancel,
           last = math.max(last or at, at), cut = cut or -1 }
end

local function merge(log, more)
  for id, text in pairs(more) do log[id] = text end
  return log
end

local predict

-- A wait from t to `at` in a task with cancellation c.
local function wait(t, at, c)
  if c.at > at then return result(at, "ok", {}) end
  return result(math.max(t, c.at), c.raises, {}, true)
end

-- What a scope is for its caller, who has cancellation c. It ends at `at`, `inner` cancelled it,
-- and its body came to r. A cancellation is the caller's own.
local function join(r, at, log, inner, c)
  local is_cut = r.is_cancel or (r.outcome == "ok" and r.cut >= inner.at)
  if is_cut and c.at <= at then return result(at, c.raises, log, true) end
  return result(at, r.outcome, log, r.is_cancel)
end

local models = {}

function models.sleep(n, t, c) return wait(t, after(t, n.seconds), c) end

function models.fail(n, t, c)
  local r = wait(t, after(t, n.seconds), c)
  return r.outcome ~= "ok" and r or result(r.at, "failed " .. n.id, {})
end

function models.sequence(n, t, c)
  local log, last, cut = {}, t, -1
  for _, child in ipairs(n[1]) do
    local r = predict(child, t, c)
    merge(log, r.log)
    t, last, cut = r.at, math.max(last, r.last), math.max(cut, r.cut)
    if r.outcome ~= "ok" then return result(t, r.outcome, log, r.is_cancel, last, cut) end
  end
  return result(t, "ok", log, false, last, cut)
end

function models.catch(n, t, c)
  local r = predict(n[1], t, c)
  return result(r.at, "ok", r.log, false, r.last, r.cut)
end

-- A wait that a cancelled task begins raises before anything is started.
local function refused(t, c) return c.at <= t and result(t, c.raises, {}, true) end

local function cut_of(r) return math.max(r.cut, r.outcome ~= "ok" and r.at or -1) end

function models.await(n, t, c)
  local no = refused(t, c)
  if no then return no end
  local r = predict(n[1], t, below(c))
  if c.at <= r.at then return result(c.at, c.raises, r.log, true, r.last, cut_of(r)) end
  return result(r.at, r.outcome, r.log, false, r.last, cut_of(r))
end

function models.shield(n, t)
  local r = predict(n[1], t, NEVER)
  return result(r.last, r.outcome, r.log)
end

function models.timeout(n, t, c)
  local no = refused(t, c)
  if no then return no end
  local own = cancellation(after(t, n.seconds), "timeout")
  local inner = earlier(below(c), own)
  local r = predict(n[1], t, inner)
  local is_late = inner == own and (r.is_cancel or (r.outcome == "ok" and r.cut >= own.at))
  if is_late and c.at > r.last then return result(r.last, "ETIMEDOUT/timeout", r.log) end
  return join(r, r.last, r.log, inner, c)
end

function models.cancel(n, t, c)
  local no = refused(t, c)
  if no then return no end
  local stop_at = after(t, n.seconds)
  local inner = below(c)
  if stop_at < c.at then inner = cancellation(stop_at, "parent", "ECANCELED/stop") end
  local r = predict(n[1], t, inner)
  -- Behind the sleep comes the await, which is a wait while a shield keeps the child.
  local ends = math.max(stop_at, r.at)
  local is_interrupted = c.at <= stop_at or (ends > stop_at and c.at <= ends)
  if is_interrupted then return result(c.at, c.raises, r.log, true, r.last, cut_of(r)) end
  return result(ends, "ok", r.log, false, r.last, cut_of(r))
end

-- Runs all from t, each with the cancellation that cancel_of(i) says.
local function predict_list(list, t, cancel_of)
  local results = {}
  for i, child in ipairs(list) do results[i] = predict(child, t, cancel_of(i)) end
  return results
end

local function gather(results)
  local log, last, cut = {}, 0, -1
  for _, r in ipairs(results) do
    merge(log, r.log)
    last, cut = math.max(last, r.last), math.max(cut, cut_of(r))
  end
  return log, last, cut
end

-- The first of them that fails by itself, before cancellation `c`; the last one is the body.
local function first_failure(results, c)
  local first
  for i, r in ipairs(results) do
    local is_failure = r.outcome ~= "ok" and not r.is_cancel and r.at < c.at
    if is_failure and (not first or r.at < results[first].at) then first = i end
  end
  return first
end

function models.group(n, t, c)
  local no = refused(t, c)
  if no then return no end
  local all = table.move(n[1], 1, #n[1], 1, {})
  local body = #all + 1
  all[body] = n.body
  local inner = below(c)
  local results = predict_list(all, t, function() return inner end)
  local first = first_failure(results, inner)
  if first then
    local failed = results[first]
    local others = cancellation(failed.at, "parent")
    local for_body = cancellation(failed.at, "parent", failed.outcome)
    results = predict_list(all, t, function(i)
      if i == first then return inner end
      return earlier(inner, i == body and for_body or others)
    end)
    local log, last = gather(results)
    return result(last, failed.outcome, log)
  end
  local log, last, cut = gather(results)
  local r = results[body]
  return join(result(r.at, r.outcome, {}, r.is_cancel, last, cut), last, log, inner, c)
end

function models.race(n, t, c)
  local no = refused(t, c)
  if no then return no end
  local inner = below(c)
  local results = predict_list(n[1], t, function() return inner end)
  local first = 1
  for i, r in ipairs(results) do
    if r.at < results[first].at then first = i end
  end
  local winner = results[first]
  if inner.at <= winner.at then
    local log, last = gather(results)
    return join(result(last, inner.raises, {}, true), last, log, inner, c)
  end
  local lost = cancellation(winner.at, "parent", "ECANCELED/race")
  results = predict_list(n[1], t, function(i)
    return i == first and inner or earlier(inner, lost)
  end)
  local log, last = gather(results)
  local cut = -1  -- that a loser was cut is no news: xpcall has kept it
  for _, r in ipairs(results) do cut = math.max(cut, r.cut) end
  return join(result(winner.at, winner.outcome, {}, false, last, cut), last, log, inner, c)
end

function models.pipe(n, t, c)
  local no = refused(t, c)
  if no then return no end
  local sent, taken = {}, {}
  local send_at, take_at = t, t
  for i = 1, #n.gaps do
    send_at, take_at = after(send_at, n.gaps[i]), after(take_at, n.takes[i])
    if n.capacity == 0 then
      sent[i] = math.max(send_at, take_at)
      taken[i] = sent[i]
    else
      sent[i] = math.max(send_at, taken[i - n.capacity] or 0)
      taken[i] = math.max(take_at, sent[i])
    end
    send_at, take_at = sent[i], taken[i]
  end
  return wait(t, math.max(send_at, take_at), c)
end

function predict(n, t, c)
  local r = models[n.kind](n, t, c)
  r.log[n.id] = ("%d %s"):format(r.at, r.outcome)
  return r
end

function schedules.predict(tree) return predict(tree, 0, NEVER).log end

return schedules
