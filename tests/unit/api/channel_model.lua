-- Random tasks on channels, and a model of a channel that says what each operation must give: the
-- outcome is computed when an operation begins or is served, and compared when its task goes on.
--
-- Called with task, wait (suspends until the test says so), kill (ends a child from outside) and
-- advance (lets all running timers fire); returns a function seed, steps -> number of operations.

local task, wait, kill, advance = ...
local random = math.random

local Model = {}
Model.__index = Model

local function new_model()
  local capacity = random(0, 3)
  return setmetatable({
    channel = task.channel(capacity), capacity = capacity, is_closed = false,
    values = {}, senders = {}, receivers = {},
  }, Model)
end

function Model:send(value)
  if self.is_closed then return "closed EPIPE" end
  local receiver = table.remove(self.receivers, 1)
  if receiver then
    receiver.outcome, receiver.is_handed = value, true
    return true
  elseif #self.values < self.capacity then
    table.insert(self.values, value)
    return true
  end
end

function Model:receive()
  local value = table.remove(self.values, 1)
  if value and #self.values >= self.capacity then return value end
  local sender = table.remove(self.senders, 1)
  if sender then
    sender.outcome = true
    if not value then return sender.value end
    table.insert(self.values, sender.value)
  end
  return value or (self.is_closed and "closed EOF" or nil)
end

function Model:give_back(value)
  local receiver = table.remove(self.receivers, 1)
  if receiver then
    receiver.outcome, receiver.is_handed = value, true
  else
    table.insert(self.values, 1, value)
  end
end

function Model:close()
  self.is_closed = true
  for _, w in ipairs(self.receivers) do w.outcome = "closed EOF" end
  for _, w in ipairs(self.senders) do w.outcome = "closed EPIPE" end
  self.receivers, self.senders = {}, {}
end

-- Takes a wait that has not been served out of its queue.
local function leave(w, outcome)
  for i, other in ipairs(w.queue) do
    if other == w then
      table.remove(w.queue, i)
      break
    end
  end
  w.outcome = outcome
end

local function text_of(value, message, code)
  if value == nil then return message .. " " .. code end
  return value
end

return function(seed, steps)
  math.randomseed(seed)
  local models, tasks, last_value, operations, is_over = {}, {}, 0, 0, false
  for i = 1, 3 do models[i] = new_model() end

  local function check(expected, got, what)
    operations = operations + 1
    if expected ~= got then
      error(("seed %d: %s: expected %s, got %s"):format(seed, what, expected, got), 0)
    end
  end

  -- Calls a method that may wait. Returns whether the task may go on.
  local function run(me, expected, w, method, ...)
    if not expected and not me.is_cancelled then
      table.insert(w.queue, w)
      me.wait = w
    end
    local ok, value, message, code = pcall(method, ...)
    local got = ok and text_of(value, message, code) or value.code
    me.wait = nil
    check(expected or w.outcome or "ECANCELED", got, w.what)
    return ok
  end

  local function send(me, model)
    local time = random(3) == 1 and 1000 or nil
    last_value = last_value + 1
    local value = last_value
    local expected = me.is_cancelled and "ECANCELED" or model:send(value)
    local w = {what = "send", value = value, queue = model.senders, model = model, time = time}
    return run(me, expected, w, model.channel.send, model.channel, value, time)
  end

  local function receive(me, model)
    local time = random(3) == 1 and 1000 or nil
    local expected = me.is_cancelled and "ECANCELED" or model:receive()
    local w = {what = "receive", queue = model.receivers, model = model, time = time}
    return run(me, expected, w, model.channel.receive, model.channel, time)
  end

  local function try(model)
    if random(2) == 1 then
      check(model:receive() or "empty EAGAIN", text_of(model.channel:try_receive()), "try_receive")
    else
      last_value = last_value + 1
      local expected = model:send(last_value) or "full EAGAIN"
      check(expected, text_of(model.channel:try_send(last_value)), "try_send")
    end
  end

  local function body(me)
    while not is_over do
      local model, kind = models[random(#models)], random(12)
      if kind <= 4 then
        if not send(me, model) then break end
      elseif kind <= 8 then
        if not receive(me, model) then break end
      elseif kind <= 9 then
        try(model)
      elseif not pcall(wait) then
        break
      end
    end
    me.is_done = true
  end

  local function start(i)
    local me = {}
    tasks[i] = me
    me.task = task.spawn(random(2) == 1 and body or coroutine.wrap(body), me)
  end

  local function cancel(me)
    me.is_cancelled = true
    if me.wait and me.wait.outcome == nil then leave(me.wait, "ECANCELED") end
    me.task:cancel()
  end

  local function finish_killed(me)
    local w = me.wait
    if w and w.outcome == nil then leave(w, "killed") end
    kill(me.task)
    me.is_done = true
    collectgarbage() -- what it was handed goes back now
    if w and w.is_handed then w.model:give_back(w.outcome) end
  end

  local function expire()
    for _, me in ipairs(tasks) do
      local w = not me.is_done and me.wait
      if w and w.time and w.outcome == nil then leave(w, "timeout ETIMEDOUT") end
    end
    advance()
  end

  local function close(i)
    models[i]:close()
    models[i].channel:close()
    if random(2) == 1 then models[i] = new_model() end
  end

  for i = 1, 12 do start(i) end
  for _ = 1, steps do
    local kind, i = random(12), random(#tasks)
    if tasks[i].is_done then start(i)
    elseif kind == 1 then cancel(tasks[i])
    elseif kind == 2 then finish_killed(tasks[i])
    elseif kind == 3 then expire()
    elseif kind == 4 and random(4) == 1 then close(random(#models))
    elseif kind == 5 then try(models[random(#models)])
    end
    if kind > 5 then wait() else task.sleep(0) end
  end
  is_over = true
  for _, me in ipairs(tasks) do
    if not me.is_done then cancel(me) end
  end
  task.sleep(0)
  task.sleep(0)
  for _, model in ipairs(models) do
    check(#model.values, #model.channel, "length")
    while #model.values > 0 do check(model:receive(), model.channel:try_receive(), "rest") end
  end
  return operations
end
