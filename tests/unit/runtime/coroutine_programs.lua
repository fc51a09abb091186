-- Makes random programs for coroutines_test.c: returns a function, seed -> a chunk's text, which is
-- to be called with log and wait. In a program wait(...) returns its arguments, so stock Lua with a
-- wait that does just that has to write the same log.
--
-- A variable that is closed waits only outside coroutines: where coroutine.close runs it nothing
-- can wait.

local random = math.random
local statement

local Program = {}
Program.__index = Program

function Program:emit(text, ...)
  self.lines[#self.lines + 1] = text:format(...)
end

function Program:name(prefix)
  self.names = self.names + 1
  return prefix .. self.names
end

function Program:block(depth, in_coroutine)
  for _ = 1, random(1, 4) do
    if self.budget <= 0 then return end
    self.budget = self.budget - 1
    statement(self, depth, in_coroutine)
  end
end

-- A function's text, its body one level deeper.
function Program:body(depth, in_coroutine, parameters)
  self:emit("function(%s)", parameters or "...")
  self:block(depth + 1, in_coroutine)
  if random(3) > 1 then self:emit("do return %d, wait(%d) end", random(99), random(99)) end
  self:emit("end")
end

local kinds = {
  function(p) p:emit("log(wait(%d, nil, %d))", random(99), random(99)) end,
  function(p) p:emit("log('state', coroutine.isyieldable(), select(2, coroutine.running()))") end,
  function(p, _, in_coroutine)
    if in_coroutine then
      p:emit("log('got', coroutine.yield(%d, wait(%d)))", random(99), random(99))
    else
      p:emit("log('yield', (pcall(coroutine.yield, 1)))")
    end
  end,
  function(p) if random(4) == 1 then p:emit("do error('e%d', 0) end", random(99)) end end,
  function(p) if random(6) == 1 then p:emit("do error(wait({}).field.field) end") end end,
  function(p)
    p:emit("log('self', coroutine.status((coroutine.running())), ")
    p:emit("  coroutine.resume((coroutine.running())))")
  end,
  function(p)
    if #p.coroutines == 0 then return end
    local name = p.coroutines[random(#p.coroutines)]
    p:emit("if %s then log('%s', coroutine.status(%s), coroutine.resume(%s, %d)) end", name, name,
           name, name, random(99))
  end,
  function(p)
    if #p.coroutines == 0 then return end
    local name = p.coroutines[random(#p.coroutines)]
    p:emit("if %s then log('close %s', pcall(coroutine.close, %s)) end", name, name, name)
    p:emit("if %s then log(coroutine.status(%s)) end", name, name)
  end,
  function(p, depth)
    local name = p:name("co")
    p:emit("%s = coroutine.create(", name)
    p:body(depth, true)
    p:emit(")")
    p.coroutines[#p.coroutines + 1] = name
    for _ = 1, random(0, 4) do
      p:emit("log('%s', coroutine.resume(%s, %d, wait(%d)))", name, name, random(99), random(99))
      p:emit("log(coroutine.status(%s), coroutine.isyieldable(%s))", name, name)
    end
  end,
  function(p, depth)
    local name = p:name("wrapped")
    p:emit("do local %s = coroutine.wrap(", name)
    p:body(depth, true)
    p:emit(")")
    for _ = 1, random(1, 3) do p:emit("log('wrap', pcall(%s, %d))", name, random(99)) end
    p:emit("end")
  end,
  function(p, depth)
    p:emit("do local turns = 0 for a, b in coroutine.wrap(")
    p:body(depth, true)
    p:emit(") do log('for', a, b) turns = turns + 1 if turns > 3 then break end end end")
  end,
  function(p, depth, in_coroutine)
    p:emit("log('pcall', pcall(")
    p:body(depth, in_coroutine)
    p:emit(", %d))", random(99))
  end,
  function(p, depth, in_coroutine)
    p:emit("log('xpcall', xpcall(")
    p:body(depth, in_coroutine)
    p:emit(", function(e) return 'handled', type(e) end, %d))", random(99))
  end,
  function(p, depth, in_coroutine)
    p:emit("log('index', pcall(function() return setmetatable({}, {__index = ")
    p:body(depth, in_coroutine, "t, k")
    p:emit("}).field end))")
  end,
  function(p, depth, in_coroutine)
    p:emit("do local v <close> = setmetatable({}, {__close = function(_, e) log('closed', %d, e)",
           random(99))
    if not in_coroutine then p:emit("log(wait(%d))", random(99)) end
    if random(4) == 1 then p:emit("error('in close', 0)") end
    p:emit("end})")
    p:block(depth + 1, in_coroutine)
    p:emit("end")
  end,
  function(p)
    p:emit("log('sort', pcall(table.sort, {3, 1, 2}, function(a, b)")
    p:emit("  return coroutine.wrap(function() coroutine.yield(a < b) end)() end))")
  end,
  function(p, _, in_coroutine)
    if not in_coroutine then return end
    p:emit("log('across', pcall(table.sort, {3, 1, 2}, function() coroutine.yield() end))")
  end,
}

function statement(p, depth, in_coroutine)
  if depth > 5 then return kinds[1](p) end
  kinds[random(#kinds)](p, depth, in_coroutine)
end

return function(seed)
  math.randomseed(seed)
  local p = setmetatable({ lines = {}, names = 0, coroutines = {}, budget = 60 }, Program)
  p:emit("local log, wait = ...")
  p:emit("log('end', pcall(function()")  -- what a task raises is an error object, stock's is not
  while p.budget > 0 do p:block(0, false) end
  p:emit("end))")
  local declared = #p.coroutines > 0 and "local " .. table.concat(p.coroutines, ", ") or ""
  table.insert(p.lines, 2, declared)
  return table.concat(p.lines, "\n")
end
