-- Random tasks on semaphores and mutexes, and a model of one that says what each operation must
-- give: the outcome is computed when an operation begins or is served, and compared when its task
-- goes on.
--
-- Called with task, wait (suspends until the test says so), kill (ends a child from outside) and
-- advance (lets all running timers fire); returns a function seed, steps -> number of operations.

local task, wait, kill, advance = ...
local random = math.random

local Model = {}
Model.__index = Model

local function new_model(size)
  local it = size == 0 and task.mutex() or task.semaphore(size)
  return setmetatable({
    it = it, free = math.max(size, 1), waiting = {}, is_mutex = size == 0,
    acquire = size == 0 and it.lock or it.acquire,
    try = size == 0 and it.try_lock or it.try_acquire,
  }, Model)
end

function Model:take()
  if self.free == 0 then return false end
  self.free = self.free - 1
  return true
end

function Model:give()
  local first = table.remove(self.waiting, 1)
  if first then
    first.outcome = "permit"
  else
    self.free = self.free + 1
  end
end

function Model:leave(w, outcome)
  for i, other in ipairs(self.waiting) do
    if other == w then
      table.remove(self.waiting, i)
      break
    end
  end
  w.outcome = outcome
end

return function(seed, steps)
  math.randomseed(seed)
  local models, tasks, operations, is_over = {}, {}, 0, false
  for i = 1, 4 do models[i] = new_model(i - 1) end

  local function check(expected, got)
    operations = operations + 1
    if expected ~= got then
      error(("seed %d: expected %s, got %s"):format(seed, expected, got), 0)
    end
  end

  -- What it holds is in me.held, so that the model knows what a killed task gives back.
  local function hold(me, model, permit)
    me.held[model] = true
    local _ <close> = setmetatable({}, {__close = function()
      permit:release()
      if not me.is_killed then
        me.held[model] = nil
        model:give()
      end
    end})
    for _ = 1, random(0, 2) do wait() end
  end

  local function acquire(me, model)
    local time = random(3) == 1 and 1000 or nil
    local w = {model = model, time = time}
    if me.is_cancelled then
      w.outcome = "ECANCELED"
    elseif model:take() then
      w.outcome = "permit"
    else
      table.insert(model.waiting, w)
      me.wait = w
    end
    local ok, permit, message, code = pcall(model.acquire, model.it, time)
    me.wait = nil
    local got = not ok and (permit.code or permit) or permit and "permit" or message .. " " .. code
    check(w.outcome, got)
    if ok and permit then hold(me, model, permit) end
    return ok
  end

  local function try(me, model)
    local expected = model:take()
    local permit = model.try(model.it)
    check(expected, permit ~= nil)
    if permit then hold(me, model, permit) end
    return true
  end

  local function body(me)
    while not is_over do
      local model = models[random(#models)]
      local ok, go_on = pcall(random(4) == 1 and try or acquire, me, model)
      if not ok and type(go_on) == "string" then error(go_on, 0) end
      if not (ok and go_on) then break end
    end
    me.is_done = true
  end

  local function start(i)
    local me = {held = {}}
    tasks[i] = me
    me.task = task.spawn(random(2) == 1 and body or coroutine.wrap(body), me)
  end

  local function cancel(me)
    me.is_cancelled = true
    local w = me.wait
    if w and w.outcome == nil then w.model:leave(w, "ECANCELED") end
    me.task:cancel()
  end

  local function finish_killed(me)
    local w = me.wait
    if w and w.outcome == nil then w.model:leave(w, "killed") end
    me.is_killed, me.is_done = true, true
    for model in pairs(me.held) do model:give() end
    kill(me.task)
    collectgarbage() -- what it was given while it waited comes back now
    if w and w.outcome == "permit" then w.model:give() end
  end

  local function expire()
    for _, me in ipairs(tasks) do
      local w = not me.is_done and me.wait
      if w and w.time and w.outcome == nil then w.model:leave(w, "timeout ETIMEDOUT") end
    end
    advance()
  end

  for i = 1, 10 do start(i) end
  for _ = 1, steps do
    local kind, i = random(8), random(#tasks)
    if tasks[i].is_done then start(i)
    elseif kind == 1 then cancel(tasks[i])
    elseif kind == 2 then finish_killed(tasks[i])
    elseif kind == 3 then expire()
    end
    if kind > 3 then wait() else task.sleep(0) end
  end
  is_over = true
  for _, me in ipairs(tasks) do
    if not me.is_done then cancel(me) end
  end
  for _ = 1, 5 do task.sleep(0) end
  for _, model in ipairs(models) do
    local permits = {}
    while model:take() do
      permits[#permits + 1] = model.try(model.it)
      check(true, permits[#permits] ~= nil)
    end
    check(nil, (model.try(model.it)))
    for _, permit in ipairs(permits) do permit:release() end
  end
  return operations
end
