-- Every operation that waits x what state it is in when its task is cancelled x from where it was
-- called. What must come of it is computed here: who is closed, by which error, and what is left.
--
-- Called with task and functions of the test: cancel(task, reason), kill(task) (ends a child from
-- outside), advance() (lets the short timers fire), audit() (a text of all that exists, and the
-- registry's length); returns the function that runs all cases and returns their number.

local task, cancel, kill, advance, audit = ...

local LONG = 1e8 -- seconds: not reached by any number of advance()

local function turns(count)
  for _ = 1, count do task.sleep(0) end
end

local function check(condition, text, ...)
  if not condition then error(text:format(...), 2) end
end

-- ---- operations ----
-- prepare() -> {run: waits, and returns `gives`; complete: makes it complete; check: what must be
-- true afterwards, with whether it was delivered}. need: as many turns after complete() it is safe
-- from a cancellation. A shield is safe from the beginning, but waits.

local operations = {}

-- prepare makes run and complete around a gate, a channel through which one value comes.
local function gated(need, make_run)
  return { need = need, prepare = function()
    local gate = task.channel(1)
    local function pass() return gate:receive() end
    return {
      gives = "value", run = make_run(pass),
      complete = function() gate:try_send("value") end,
    }
  end }
end

-- Receives by receive(channel); a value that was sent is received once, or still there.
local function receiving(receive)
  return { need = 0, prepare = function()
    local channel, is_sent = task.channel(1), false
    return {
      gives = "value", run = function() return receive(channel) end,
      complete = function() is_sent = channel:try_send("value") end,
      check = function(is_delivered)
        local left = channel:try_receive()
        check((left == "value") == (is_sent and not is_delivered), "left in the channel: %s", left)
      end,
    }
  end }
end

operations["task.sleep"] = { need = 0, prepare = function()
  return { gives = nil, run = function() return task.sleep(5) end, complete = advance }
end }
operations["channel:receive"] = receiving(function(channel) return channel:receive() end)
operations["channel:receive with a time"] =
  receiving(function(channel) return channel:receive(LONG) end)
operations["channel:each"] =
  receiving(function(channel)
    local next_value, state = channel:each()
    return next_value(state)
  end)
operations["group"] = gated(0, function(pass)
  return function() return task.group(pass) end
end)
operations["group, children"] = gated(0, function(pass)
  return function()
    return task.group(function(g)
      g:spawn(pass)
      g:spawn(task.group, function() task.sleep(0) end)
      return "value"
    end)
  end
end)
operations["timeout"] = gated(0, function(pass)
  return function() return task.timeout(LONG, pass) end
end)
operations["all"] = gated(1, function(pass)
  return function() return (task.all(pass, function() end)) end
end)
operations["all, named"] = gated(1, function(pass)
  return function() return task.all({ x = pass }).x end
end)
operations["map"] = gated(0, function(pass)
  return function() return task.map({ 1 }, pass)[1] end
end)
operations["race"] = gated(1, function(pass)
  return function() return task.race(pass, function() task.sleep(LONG) end) end
end)
operations["shield"] = gated(0, function(pass)
  return function() return task.shield(pass) end
end)
operations["shield"].is_shield = true
operations["require"] = gated(1, function(pass)
  return function()
    package.preload["matrix.slow"] = pass
    package.loaded["matrix.slow"] = nil
    local loader = task.spawn(require, "matrix.slow")
    task.sleep(0)
    local value = require "matrix.slow"
    loader:await()
    return value
  end
end)

local function await(...)
  local arguments = table.pack(...)
  return { need = 1, prepare = function()
    local gate = task.channel(1)
    local other = task.spawn(function() return gate:receive() end)
    return {
      gives = "value",
      run = function() return other:await(table.unpack(arguments)) end,
      complete = function() gate:try_send("value") end,
      check = function()
        gate:try_send("value")
        check(other:await() == "value", "the awaited task was cancelled, too")
      end,
    }
  end }
end
operations["task:await"] = await()
operations["task:await with a time"] = await(LONG)

local function timed_out(start)
  return { need = 0, prepare = function()
    local finish
    local env = { gives = "ETIMEDOUT", complete = advance, check = function() finish() end }
    env.run, finish = start()
    return env
  end }
end
operations["task:await, late"] = timed_out(function()
  local gate = task.channel()
  local other = task.spawn(function() gate:receive() end)
  return function() return (select(3, other:await(5))) end, function() gate:send(1) end
end)
operations["channel:receive, late"] = timed_out(function()
  local channel = task.channel()
  return function() return (select(3, channel:receive(5))) end,
    function() check(not channel:try_send(1), "somebody still receives") end
end)
operations["channel:send, late"] = timed_out(function()
  local channel = task.channel()
  return function() return (select(3, channel:send(1, 5))) end,
    function() check(#channel == 0, "somebody still sends") end
end)
operations["semaphore:acquire, late"] = timed_out(function()
  local semaphore = task.semaphore(1)
  local permit = semaphore:acquire()
  return function() return (select(3, semaphore:acquire(5))) end,
    function() permit:release() semaphore:acquire():release() end
end)

local function sending(seconds)
  return { need = 0, prepare = function()
    local channel = task.channel()
    local received
    return {
      gives = true, run = function() return channel:send("value", seconds) end,
      complete = function() received = channel:try_receive() end,
      check = function(is_delivered)
        check((received == "value") == is_delivered, "received %s", received)
      end,
    }
  end }
end
operations["channel:send"] = sending()
operations["channel:send with a time"] = sending(LONG)

local function locking(make, lock, seconds)
  return { need = 0, prepare = function()
    local lockable = make(1)
    local held = lockable[lock](lockable)
    return {
      gives = "locked",
      run = function()
        local permit <close> = lockable[lock](lockable, seconds)
        return permit and "locked"
      end,
      complete = function() held:release() end,
      check = function()
        held:release()
        lockable[lock](lockable):release()
      end,
    }
  end }
end
operations["semaphore:acquire"] = locking(task.semaphore, "acquire")
operations["semaphore:acquire with a time"] = locking(task.semaphore, "acquire", LONG)
operations["mutex:lock"] = locking(task.mutex, "lock")

-- ---- contexts ----
-- Each calls f, passes its error on, and leaves with it. Where an error was caught the next wait
-- must raise it again.

local contexts, rec = {}, nil

local function is_cancellation(err, reason)
  return type(err) == "table" and err.code == "ECANCELED" and err.reason == reason
end

local function check_again()
  local ok, err = pcall(task.sleep, 0)
  check(not ok and is_cancellation(err, rec.inner_reason), "a later wait: %s", err)
end

function contexts.direct(f) f() end

function contexts.pcall(f)
  local _, err = pcall(f)
  check_again()
  error(err, 0)
end

function contexts.xpcall(f)
  local _, err = xpcall(f, function(err) return err end)
  check_again()
  error(err, 0)
end

function contexts.wrap(f)
  coroutine.wrap(function() coroutine.wrap(function() coroutine.wrap(f)() end)() end)()
end

function contexts.resume(f)
  local co = coroutine.create(f)
  local _, err = coroutine.resume(co)
  check(coroutine.status(co) == "dead" and coroutine.close(co), "the coroutine is not over")
  check_again()
  error(err, 0)
end

function contexts.iterator(f)
  for _ in f do check(false, "the iterator went on") end
end

function contexts.index(f)
  return setmetatable({}, { __index = f }).field
end

function contexts.close(f)
  local closed <close> = setmetatable({}, { __close = f })
  return closed
end

function contexts.require(f)
  package.preload["matrix.module"] = f
  package.loaded["matrix.module"] = nil
  require "matrix.module"
end

function contexts.scopes(f)
  task.group(function() task.timeout(LONG, f) end)
end

local nested = { scopes = true }

-- ---- states ----
-- Each cancels the victim in its own way; returns whether the operation must deliver its value.

local states = {}

local function until_waiting()
  while rec.point ~= "operation" do task.sleep(0) end
  turns(4)
end

-- The value comes, and that many turns later the cancellation.
local function complete_then_cancel(late)
  return function(operation, env)
    until_waiting()
    env.complete()
    if late == 0 then rec.cancel() else
      task.spawn(function() turns(late - 1) rec.cancel() end)
    end
    return late >= operation.need
  end
end

function states.already()
  rec.before = rec.cancel
  return false
end

function states.ready()
  rec.before = function()
    rec.point = "before"
    task.sleep(0)
  end
  while rec.point ~= "before" do task.sleep(0) end
  rec.cancel()
  return false
end

function states.waiting()
  until_waiting()
  rec.cancel()
  return false
end

states["completed, not resumed"] = complete_then_cancel(0)
states["completed a turn before"] = complete_then_cancel(1)
states["completed two turns before"] = complete_then_cancel(2)

states["completed too late"] = function(_, env)
  until_waiting()
  rec.cancel()
  env.complete()
  return false
end

function states.after(_, env)
  until_waiting()
  env.complete()
  turns(6)
  rec.cancel()
  return true
end

function states.twice()
  until_waiting()
  rec.cancel()
  cancel(rec.victim, rec.reason == "client" and "deadline" or "client")
  rec.victim:cancel("a third reason")
  return false
end

states["ended from outside"] = function()
  until_waiting()
  rec.is_killed = true
  kill(rec.victim)
  return false
end

-- ---- one case ----

local reasons = { "client", "deadline", "timeout", "parent", "killed", "drain", "own words" }

local function guard(name)
  return setmetatable({}, { __close = function(_, err)
    table.insert(rec.closed, name)
    local reason = name == "root" and rec.reason or rec.inner_reason
    check(rec.is_killed or is_cancellation(err, reason), "%s was closed by %s", name, err)
  end })
end

local function victim_body(context, env)
  local root <close> = guard("root")
  local function waits()
    local outer <close> = guard("outer")
    local inner <close> = guard("inner")
    if rec.before then rec.before() end
    rec.point = "operation"
    rec.result = table.pack(env.run())
    rec.is_delivered = true
    task.sleep(LONG)
    return outer, inner
  end
  context(waits)
  return root
end

local function run_case(operation, state, context, is_nested, reason)
  rec = { closed = {}, reason = reason, inner_reason = reason }
  if reason == "own words" then
    if is_nested then rec.inner_reason = "parent" end
    rec.cancel = function() rec.victim:cancel(reason) end
  else
    rec.cancel = function() cancel(rec.victim, reason) end
  end
  local env = operation.prepare()
  rec.victim = task.spawn(victim_body, context, env)
  local must_deliver = state(operation, env)
  if operation.is_shield then
    until_waiting()
    env.complete()
    must_deliver = is_nested or not rec.is_killed
  end
  turns(12)
  check(rec.victim:status() == (rec.is_killed and "failed" or "cancelled"), "the victim is %s",
    rec.victim:status())
  check(rec.is_killed or is_cancellation(select(2, task.result(rec.victim)), reason),
    "the result is %s", select(2, task.result(rec.victim)))
  check((rec.is_delivered or false) == must_deliver, "delivered: %s", rec.is_delivered)
  check(not must_deliver or rec.result[1] == env.gives, "it gave %s",
    must_deliver and rec.result[1])
  if env.check then env.check(must_deliver, env) end
  turns(2)
end

local function check_closed()
  if rec.is_killed then table.sort(rec.closed) end -- the tasks of scopes are closed on their own
  local closed = table.concat(rec.closed, " ")
  check(closed == "inner outer root", "closed were: %s", closed)
end

local function sorted_keys(list)
  local keys = {}
  for key in pairs(list) do table.insert(keys, key) end
  table.sort(keys)
  return keys
end

return function()
  local count = 0
  turns(1)
  local _, references = audit()
  for _, operation_name in ipairs(sorted_keys(operations)) do
    for _, state_name in ipairs(sorted_keys(states)) do
      for _, context_name in ipairs(sorted_keys(contexts)) do
        count = count + 1
        local before = audit()
        local ok, err = pcall(function()
          run_case(operations[operation_name], states[state_name], contexts[context_name],
            nested[context_name], reasons[count % #reasons + 1])
          check_closed()
          local after, references_after = audit()
          check(after == before, "left: %s, before: %s", after, before)
          check(references_after <= references + 8, "registry: %d entries", references_after)
        end)
        if not ok then
          error(("%s, %s, %s, %s: %s"):format(operation_name, state_name, context_name, rec.reason,
            tostring(err)), 0)
        end
      end
    end
  end
  return count
end
