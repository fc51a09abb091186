// Channels: every operation in every state, who is served first, and that nothing is lost or
// doubled whatever ends a wait: a time, a cancellation, closing, the end of a task from outside.
#include "api/api_channel.h"

#include "task_bench.h"

// ---- sending and receiving ----

static void capacity_0_hands_over_from_sender_to_receiver(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function()\n"
               "  for i = 1, 3 do log('sends', i) log('sent', i, ch:send(i)) end ch:close()\n"
               "end)\n"
               "for v in ch:each() do log('received', v) end",
               "sends 1\nsent 1 true\nsends 2\nreceived 1\nreceived 2\nsent 2 true\nsends 3\n"
               "sent 3 true\nreceived 3\ndone\n");
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function() log('sends') log('sent', ch:send('x')) end)\n"
               "task.sleep(0) task.sleep(0) log('receives') log(ch:receive()) task.sleep(0)",
               "sends\nreceives\nx\nsent true\ndone\n");
}

static void capacity_n_lets_n_values_wait(void **state) {
  (void)state;
  bench_expect("local ch = task.channel(2)\n"
               "log(#ch, ch:send(1), #ch, ch:send(2), #ch) log(ch:try_send(3))\n"
               "local t = task.spawn(function() log('waits') log('sent', ch:send(3)) end)\n"
               "task.sleep(0) log(#ch, ch:receive(), #ch) log(ch:try_send('overtakes'))\n"
               "task.sleep(0) log(ch:receive(), ch:receive(), #ch) log(ch:try_receive())\n"
               "log(ch:try_send(4)) log(ch:try_receive())",
               "0 true 1 true 2\nnil full EAGAIN\nwaits\n3 1 2\nnil full EAGAIN\nsent true\n"
               "2 3 0\nnil empty EAGAIN\ntrue\n4\ndone\n");
}

static void large_channels_keep_their_order(void **state) {
  (void)state;
  bench_expect("local ch, next_in, next_out = task.channel(1000), 0, 0\n"
               "for round = 1, 200 do\n"
               "  for _ = 1, round * 7 % 97 do next_in = next_in + 1\n"
               "    if not ch:try_send(next_in) then next_in = next_in - 1 end end\n"
               "  for _ = 1, round * 5 % 89 do local v = ch:try_receive()\n"
               "    if v then next_out = next_out + 1 assert(v == next_out) end end\n"
               "end\n"
               "log(next_in > 5000, next_in - next_out == #ch)",
               "true true\ndone\n");
}

static void values_pass_by_reference_and_false_is_one(void **state) {
  (void)state;
  bench_expect(
      "for capacity = 0, 1 do\n"
      "  local ch = task.channel(capacity)\n"
      "  for _, v in ipairs {{}, print, 'x', 1.5, io.stdout, coroutine.running(), ch, false} do\n"
      "    task.spawn(function() ch:send(v) end)\n"
      "    log(rawequal(v, ch:receive()))\n"
      "    task.spawn(function() log(rawequal(v, ch:receive())) end)\n"
      "    task.sleep(0) ch:send(v) task.sleep(0)\n"
      "  end\n"
      "end",
      "true\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\n"
      "true\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\ntrue\n"
      "true\ntrue\ndone\n");
}

static void each_ends_when_the_channel_is_closed_and_empty(void **state) {
  (void)state;
  bench_expect("local ch = task.channel(3) ch:send(false) ch:send(2) ch:close()\n"
               "for v in ch:each() do log(v) end for _ in ch:each() do log 'never' end\n"
               "ch = task.channel(1)\n"
               "task.spawn(function() for i = 1, 3 do ch:send(i) end ch:close() end)\n"
               "for v in ch:each() do log(v) end log(ch:receive())",
               "false\n2\n1\n2\n3\nnil closed EOF\ndone\n");
}

// ---- closing ----

static void a_closed_channel_takes_nothing_and_gives_what_it_has(void **state) {
  (void)state;
  bench_expect("local ch = task.channel(2) ch:send(1) ch:send(2) ch:close() ch:close()\n"
               "log(ch:send(3)) log(ch:try_send(3)) log(ch:send(3, 1)) log(#ch)\n"
               "log(ch:receive()) log(ch:try_receive())\n"
               "log(ch:receive()) log(ch:receive(1)) log(ch:try_receive()) log(select('#', "
               "ch:close()))",
               "nil closed EPIPE\nnil closed EPIPE\nnil closed EPIPE\n2\n1\n2\n"
               "nil closed EOF\nnil closed EOF\nnil closed EOF\n0\ndone\n");
}

static void closing_wakes_all_who_wait(void **state) {
  (void)state;
  bench_expect(
      "local ch = task.channel()\n"
      "for i = 1, 3 do task.spawn(function() log(i, ch:receive(i > 1 and 9 or nil)) end) "
      "end\n"
      "task.sleep(0) ch:close()\n"
      "local full = task.channel(1) full:send('kept')\n"
      "for i = 4, 6 do task.spawn(function() log(i, full:send(i, i > 4 and 9 or nil)) end) "
      "end\n"
      "task.sleep(0) log(#full) full:close() log(#full) task.sleep(0) log(full:receive())\n"
      "log(full:receive())",
      "1 nil closed EOF\n2 nil closed EOF\n3 nil closed EOF\n4\n1\n4 nil closed EPIPE\n"
      "5 nil closed EPIPE\n6 nil closed EPIPE\nkept\nnil closed EOF\ndone\n");
}

static void a_value_that_was_handed_over_survives_closing(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function() log('received', ch:receive()) log(ch:receive()) end)\n"
               "task.sleep(0) log(ch:try_send(1)) ch:close() task.sleep(0)\n"
               "ch = task.channel()\n"
               "task.spawn(function() log('sent', ch:send(2)) end)\n"
               "task.sleep(0) log(ch:receive()) ch:close() task.sleep(0)",
               "true\nreceived 1\nnil closed EOF\n2\nsent true\ndone\n");
}

// ---- times ----

static void waits_take_a_time(void **state) {
  (void)state;
  bench_expect(
      "local ch = task.channel()\n"
      "log(ch:receive(5)) log(ch:receive(0)) log(ch:send('lost', 5)) log(ch:send('x', 0))\n"
      "log(#ch, ch:try_receive())",
      "nil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\n"
      "nil timeout ETIMEDOUT\n0 nil empty EAGAIN\ndone\n");
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function() task.sleep(5) ch:send('in time', 9) end) log(ch:receive(10))",
               "in time\ndone\n");
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function() task.sleep(5) log(ch:receive(9)) end)\n"
               "log(ch:send('taken', 10)) task.sleep(0)",
               "taken\ntrue\ndone\n");
}

static void who_timed_out_has_left_the_queue(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function() log('a', ch:receive(5)) end)\n"
               "task.spawn(function() log('b', ch:receive(50)) end)\n"
               "task.sleep(10) log(ch:try_send(1)) log(ch:try_send(2)) task.sleep(0)",
               "a nil timeout ETIMEDOUT\ntrue\nnil full EAGAIN\nb 1\ndone\n");
  bench_expect("local ch = task.channel(1) ch:send('first')\n"
               "task.spawn(function() log('c', ch:send('c', 5)) end)\n"
               "task.spawn(function() log('d', ch:send('d', 50)) end)\n"
               "task.sleep(10) log(ch:receive(), ch:receive()) log(ch:try_receive()) task.sleep(0)",
               "c nil timeout ETIMEDOUT\nfirst d\nnil empty EAGAIN\nd true\ndone\n");
}

// ---- who is served first ----

static void receivers_and_senders_are_served_in_their_order(void **state) {
  (void)state;
  bench_expect("local N, ch, wrong = 300, task.channel(), 0\n"
               "for i = 1, N do\n"
               "  task.spawn(function() if ch:receive() ~= i then wrong = wrong + 1 end end)\n"
               "end\n"
               "task.sleep(0) for i = 1, N do ch:send(i) end task.sleep(0) log(wrong)\n"
               "for capacity = 0, 2 do\n"
               "  ch = task.channel(capacity)\n"
               "  for i = 1, N do task.spawn(function() ch:send(i) end) end\n"
               "  task.sleep(0)\n"
               "  for i = 1, N do if ch:receive() ~= i then wrong = wrong + 1 end end\n"
               "end\n"
               "log(wrong)",
               "0\n0\ndone\n");
}

static void who_comes_later_never_overtakes(void **state) {
  (void)state;
  // The value is the waiting receiver's although it has not run yet; the place is the sender's.
  bench_expect("local ch = task.channel(1)\n"
               "task.spawn(function() log('first', ch:receive()) end)\n"
               "task.sleep(0) ch:send(1) log(ch:try_receive()) task.sleep(0)\n"
               "ch:send(2) task.spawn(function() log('second', ch:send(3)) end)\n"
               "task.sleep(0) log(ch:receive()) log(ch:try_send('overtakes'))\n"
               "task.sleep(0) log(ch:receive())",
               "nil empty EAGAIN\nfirst 1\n2\nnil full EAGAIN\nsecond true\n3\ndone\n");
}

// ---- cancelling ----

static void a_cancelled_wait_leaves_the_queue(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "local function run(...) local ok, e = pcall(...) log(ok, e.code, e.reason) end\n"
               "for _, t in ipairs {false, 9} do\n"
               "  local r = task.spawn(run, ch.receive, ch, t or nil)\n"
               "  local e = task.spawn(run, function() for v in ch:each() do log(v) end end)\n"
               "  task.sleep(0) r:cancel('r') e:cancel('e') log(ch:try_send(1)) task.sleep(0)\n"
               "  local s = task.spawn(run, ch.send, ch, 1, t or nil)\n"
               "  task.sleep(0) s:cancel('s') log(#ch, ch:try_receive()) task.sleep(0)\n"
               "end",
               "nil full EAGAIN\nfalse ECANCELED r\nfalse ECANCELED e\n0 nil empty EAGAIN\n"
               "false ECANCELED s\nnil full EAGAIN\nfalse ECANCELED r\nfalse ECANCELED e\n"
               "0 nil empty EAGAIN\nfalse ECANCELED s\ndone\n");
}

static void what_completed_before_the_cancellation_counts(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "local r = task.spawn(function() log('received', ch:receive())\n"
               "  log(select(2, pcall(ch.receive, ch)).code) end)\n"
               "task.sleep(0) log(ch:send(1)) r:cancel() task.sleep(0)\n"
               "local s = task.spawn(function() log('sent', ch:send(2))\n"
               "  log(select(2, pcall(ch.send, ch, 3)).code) end)\n"
               "task.sleep(0) log(ch:receive()) s:cancel() task.sleep(0) log(ch:try_receive())",
               "true\nreceived 1\nECANCELED\n2\nsent true\nECANCELED\nnil empty EAGAIN\ndone\n");
}

static void a_cancelled_task_can_still_try(void **state) {
  (void)state;
  // What may wait raises even when it would not have to; nothing is taken then.
  bench_expect("local ch = task.channel(2) ch:send(1)\n"
               "local t = task.spawn(function()\n"
               "  pcall(task.sleep, 9)\n"
               "  log(pcall(ch.receive, ch)) log(pcall(ch.send, ch, 2))\n"
               "  log(#ch, ch:try_receive()) log(ch:try_send(3)) ch:close()\n"
               "end)\n"
               "task.sleep(0) t:cancel() task.sleep(0) log(ch:receive()) log(ch:receive())",
               "false cancelled (parent)\nfalse cancelled (parent)\n1 1\ntrue\n3\n"
               "nil closed EOF\ndone\n");
}

// ---- ended from outside ----

static void a_value_whose_receiver_is_ended_goes_to_the_next(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "local first = task.spawn(function() log('never', ch:receive()) end)\n"
               "task.spawn(function() log('second', ch:receive()) end)\n"
               "task.spawn(function() log('third', ch:receive()) end)\n"
               "task.sleep(0) ch:send(1) kill(first) first = nil collectgarbage()\n"
               "task.sleep(0) log(ch:try_send(2)) task.sleep(0)",
               "second 1\ntrue\nthird 2\ndone\n");
}

static void a_value_whose_receiver_is_ended_goes_back_to_the_front(void **state) {
  (void)state;
  bench_expect("for capacity = 0, 2, 2 do\n"
               "  local ch = task.channel(capacity)\n"
               "  local ended = {}\n"
               "  for i = 1, 5 do ended[i] = task.spawn(function() log('never', ch:receive()) end) "
               "end\n"
               "  task.sleep(0) for i = 1, 5 do log(ch:send(i)) end\n"
               "  for i = 1, 5 do kill(ended[i]) ended[i] = false collectgarbage() end\n"
               "  log(#ch, ch:try_send('full')) task.spawn(function() ch:send(6) end)\n"
               "  task.sleep(0) log(#ch) local all = {}\n"
               "  for i = 1, 5 do all[ch:try_receive()] = true end\n"
               "  log(#all, ch:receive()) log(ch:try_receive())\n"
               "end",
               "true\ntrue\ntrue\ntrue\ntrue\n"
               "5 nil full EAGAIN\n6\n5 6\nnil empty EAGAIN\n"
               "true\ntrue\ntrue\ntrue\ntrue\n"
               "5 nil full EAGAIN\n6\n5 6\nnil empty EAGAIN\ndone\n");
}

static void ended_waits_leave_the_queue(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "local r = task.spawn(function() ch:receive(50) end)\n"
               "task.sleep(0) kill(r) log(ch:try_send(1))\n"
               "local s = task.spawn(function() ch:send(1, 50) end)\n"
               "task.sleep(0) kill(s) log(ch:try_receive())\n"
               "s = task.spawn(function() ch:send('sent') end)\n"
               "task.sleep(0) log(ch:receive()) kill(s) collectgarbage() log(#ch)",
               "nil full EAGAIN\nnil empty EAGAIN\nsent\n0\ndone\n");
}

static void a_state_may_close_while_a_value_is_on_its_way(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "local ch = task.channel()\n"
                      "local t = task.spawn(function() ch:receive() end)\n"
                      "local u = task.spawn(function() ch:receive() end)\n"
                      "task.sleep(0) collectgarbage 'collect' ch:send({}) kill(t) u:cancel()");
  bench_finish(&b);
  fake_expect(&b.fake, "done\n");
  bench_close(&b);
}

// ---- where waits may be ----

static void waits_pass_through_coroutines_and_protected_calls(void **state) {
  (void)state;
  bench_expect("local ch = task.channel()\n"
               "task.spawn(function()\n"
               "  coroutine.wrap(function() coroutine.wrap(function()\n"
               "    pcall(function() for i = 1, 3 do ch:send(i) end end)\n"
               "  end)() ch:close() end)()\n"
               "end)\n"
               "for v in coroutine.wrap(function() for v in ch:each() do coroutine.yield(v) end "
               "end) do\n"
               "  log(v)\n"
               "end\n"
               "local proxy = setmetatable({}, {__index = function(_, k) return ch:receive() or k "
               "end})\n"
               "log(proxy.closed)",
               "1\n2\n3\nclosed\ndone\n");
}

static void where_lua_cannot_wait_the_error_names_both(void **state) {
  (void)state;
  // The same whether it would have to wait or not.
  bench_expect(
      "for capacity = 0, 2, 2 do\n"
      "  local ch = task.channel(capacity)\n"
      "  log(select(2, pcall(table.sort, {1, 2}, function() ch:send(1) end)))\n"
      "  log(select(2, pcall(string.gsub, 'x', 'x', function() ch:receive() end)))\n"
      "  log(select(2, pcall(table.sort, {1, 2}, ch:each())))\n"
      "end\n"
      "log(#task.channel(), pcall(table.sort, {1, 2}, function() task.channel():try_receive() "
      "end))",
      "test:3: channel:send cannot wait inside 'table.sort': Lua cannot suspend that function\n"
      "test:4: channel:receive cannot wait inside 'string.gsub': Lua cannot suspend that function\n"
      "bad argument #1 to '?' (perilune.Channel expected, got number)\n"
      "test:3: channel:send cannot wait inside 'table.sort': Lua cannot suspend that function\n"
      "test:4: channel:receive cannot wait inside 'string.gsub': Lua cannot suspend that function\n"
      "bad argument #1 to '?' (perilune.Channel expected, got number)\n"
      "0 true\ndone\n");
}

static void outside_tasks_one_can_only_try(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_State *L = b.fake.vm.L;
  assert_int_equal(luaL_dostring(L, "ch = task.channel(1) assert(ch:try_send(1))"), LUA_OK);
  assert_int_not_equal(luaL_dostring(L, "ch:receive()"), LUA_OK);
  assert_string_equal(
      lua_tostring(L, -1),
      "[string \"ch:receive()\"]:1: channel:receive waits, and there is no task here that could");
  assert_int_equal(luaL_dostring(L, "assert(ch:try_receive() == 1)"), LUA_OK);
  lua_settop(L, 0);
  bench_close(&b);
}

static void misuse_is_named(void **state) {
  (void)state;
  bench_expect(
      "local ch = task.channel(1)\n"
      "local function bad(f, ...) log((select(2, pcall(f, ...)):gsub('^test:%d+: ', ''))) end\n"
      "for _, c in ipairs {-1, 1.5, 'x', math.huge, true, 2^40} do\n"
      "  bad(function() task.channel(c) end)\n"
      "end\n"
      "bad(function() ch:send() end) bad(function() ch:send(nil, 1) end)\n"
      "bad(function() ch:try_send(nil) end)\n"
      "bad(function() ch:send(1, -1) end) bad(function() ch:send(1, 'soon') end)\n"
      "bad(function() ch:receive({}) end) bad(function() ch.receive() end)\n"
      "bad(function() ch.send({}, 1) end) bad(function() ch.close(1) end)\n"
      "log(#ch, getmetatable(ch), ch.no_such_method, tostring(ch):match('^perilune.Channel: '))",
      "task.channel: the capacity must be an integer from 0 to 536870912, not -1\n"
      "task.channel: the capacity must be an integer from 0 to 536870912, not 1.5\n"
      "task.channel: the capacity must be an integer from 0 to 536870912, not x\n"
      "task.channel: the capacity must be an integer from 0 to 536870912, not inf\n"
      "task.channel: the capacity must be an integer from 0 to 536870912, not true\n"
      "task.channel: the capacity must be an integer from 0 to 536870912, not 1099511627776.0\n"
      "channel:send: nil cannot be sent, since for a receiver it says that the channel is closed\n"
      "channel:send: nil cannot be sent, since for a receiver it says that the channel is closed\n"
      "channel:try_send: nil cannot be sent, since for a receiver it says that the channel is "
      "closed\n"
      "bad argument #2 to 'send' (a number of seconds of at least 0 is expected)\n"
      "bad argument #2 to 'send' (number expected, got string)\n"
      "bad argument #1 to 'receive' (number expected, got table)\n"
      "bad argument #1 to 'receive' (perilune.Channel expected, got no value)\n"
      "bad argument #1 to 'send' (perilune.Channel expected, got table)\n"
      "bad argument #1 to 'close' (perilune.Channel expected, got number)\n"
      "0 false nil perilune.Channel: \ndone\n");
}

// ---- memory ----

// Uses every operation; step() comes between any two.
#define EVERY_OPERATION                                                         \
  "for capacity = 0, 2 do\n"                                                    \
  "  local ch = task.channel(capacity) kept = kept or ch step()\n"              \
  "  local function spawn(...) local t = task.spawn(...) step() return t end\n" \
  "  local sender = spawn(function()\n"                                         \
  "    for i = 1, 6 do ch:send({i}) step() ch:send({i}, 100) step() end\n"      \
  "    ch:close()\n"                                                            \
  "  end)\n"                                                                    \
  "  local receiver = spawn(function()\n"                                       \
  "    for v in ch:each() do step() ch:receive(100) step() end\n"               \
  "  end)\n"                                                                    \
  "  sender:await() step() receiver:await() step()\n"                           \
  "  ch = task.channel(capacity) step()\n"                                      \
  "  log(ch:receive(0)) step() log(ch:try_receive()) step()\n"                  \
  "  for i = 1, capacity do ch:try_send({i}) step() end\n"                      \
  "  log(ch:send({}, 0)) step() log(ch:try_send({})) step()\n"                  \
  "  for i = 1, capacity do log(#ch, #ch:try_receive()) step() end\n"           \
  "  local cancelled = spawn(function() ch:receive() end)\n"                    \
  "  task.sleep(0) cancelled:cancel() step()\n"                                 \
  "  local ended = spawn(function() ch:receive() end)\n"                        \
  "  task.sleep(0) ch:try_send({'back'}) kill(ended) ended = nil step()\n"      \
  "  collectgarbage() log(ch:receive()[1]) step()\n"                            \
  "  ended = spawn(function() for i = 1, 9 do ch:send({i}) end end)\n"          \
  "  task.sleep(0) step() kill(ended) step() log(#ch) ch:close() step()\n"      \
  "end"

#define NEITHER "nil timeout ETIMEDOUT\nnil empty EAGAIN\nnil timeout ETIMEDOUT\nnil full EAGAIN\n"

static const char every_operation_logs[] =
    NEITHER "back\n0\n" NEITHER "1 1\nback\n1\n" NEITHER "2 1\n1 1\nback\n2\ndone\n";

static void a_collection_at_any_point_changes_nothing(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_gc(b.fake.vm.L, LUA_GCINC, 1, 1000, 4);  // a cycle after each few allocations
  fake_start(&b.fake, "step = collectgarbage\n" EVERY_OPERATION);
  bench_finish(&b);
  fake_expect(&b.fake, every_operation_logs);
  bench_close(&b);
}

static void what_has_left_the_channel_is_not_kept(void **state) {
  (void)state;
  bench_expect("local weak = setmetatable({}, {__mode = 'k'})\n"
               "local function new() local v = {} weak[v] = true return v end\n"
               "local function left() collectgarbage() collectgarbage()\n"
               "  local n = 0 for _ in pairs(weak) do n = n + 1 end return n end\n"
               "local ch, buffered = task.channel(), task.channel(2)\n"
               "for _ = 1, 3 do buffered:send(new()) buffered:receive() end log(left())\n"
               "task.spawn(function() ch:receive() end) task.sleep(0) ch:send(new())\n"
               "task.spawn(function() ch:send(new()) end) task.sleep(0) ch:receive()\n"
               "task.sleep(0) log(left())\n"
               "ch:send(new(), 0) log(left())\n"
               "for _, stop in ipairs {kill, function(t) t:cancel() end} do\n"
               "  local t = task.spawn(function() ch:send(new()) end)\n"
               "  task.sleep(0) stop(t) task.sleep(0) log(left())\n"
               "end\n"
               "task.spawn(function() ch:send(new()) end) task.sleep(0) log(left()) ch:close()\n"
               "task.sleep(0) log(left())",
               "0\n0\n0\n0\n0\n1\n0\ndone\n");
}

static void a_finaliser_may_send_while_a_receiver_is_about_to_wait(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_gc(b.fake.vm.L, LUA_GCINC, 1, 1000, 4);
  fake_start(&b.fake, "local got, tasks = 0, {}\n"
                      "for i = 1, 400 do tasks[i] = task.spawn(function()\n"
                      "  local ch = task.channel(1)\n"
                      "  setmetatable({}, {__gc = function() ch:try_send(i) end})\n"
                      "  for _ = 1, i % 23 do local _ = {} end\n"
                      "  if ch:receive() == i then got = got + 1 end end) end\n"
                      "task.sleep(0) collectgarbage() collectgarbage() task.sleep(0)\n"
                      "for i = 1, 400 do tasks[i]:cancel() end log(got)");
  bench_finish(&b);
  fake_expect(&b.fake, "400\ndone\n");
  bench_close(&b);
}

static void without_memory_operations_fail_and_channels_stay_usable(void **state) {
  (void)state;
  bench_without_memory("step = function() end\n" EVERY_OPERATION,
                       "local ch = kept or task.channel(1) while ch:try_receive() do end\n"
                       "ch = task.channel(1)\n"
                       "task.spawn(function() for i = 1, 9 do ch:send(i) end ch:close() end)\n"
                       "local n = 0 for v in ch:each() do n = n + 1 assert(v == n) end\n"
                       "assert(n == 9)");
}

static int count_allocations(lua_State *L) {
  uint64_t small = pl_heap_allocations(&pl_vm_of(L)->heap);
  lua_pushinteger(L, (lua_Integer)(small + pl_mem_stats().allocations));
  return 1;
}

static void a_hand_over_allocates_nothing(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_register(b.fake.vm.L, "count_allocations", count_allocations);
  fake_start(&b.fake, "local to, from = task.channel(), task.channel(3)\n"
                      "for _ = 1, 2 do task.spawn(function()\n"
                      "  for v in to:each() do from:send(v) end from:close() end) end\n"
                      "local function go(n)\n"
                      "  for i = 1, n do to:send(i) to:send(i) from:receive() from:receive() end\n"
                      "end\n"
                      "go(5) local before = count_allocations() go(1000)\n"
                      "log(count_allocations() - before) to:close()");
  bench_finish(&b);
  fake_expect(&b.fake, "0\ndone\n");
  bench_close(&b);
}

// ---- at random ----

static void random_schedules_agree_with_the_model(void **state) {
  (void)state;
  bench_model("tests/unit/api/channel_model.lua", 150, 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(capacity_0_hands_over_from_sender_to_receiver),
      cmocka_unit_test(capacity_n_lets_n_values_wait),
      cmocka_unit_test(large_channels_keep_their_order),
      cmocka_unit_test(values_pass_by_reference_and_false_is_one),
      cmocka_unit_test(each_ends_when_the_channel_is_closed_and_empty),
      cmocka_unit_test(a_closed_channel_takes_nothing_and_gives_what_it_has),
      cmocka_unit_test(closing_wakes_all_who_wait),
      cmocka_unit_test(a_value_that_was_handed_over_survives_closing),
      cmocka_unit_test(waits_take_a_time),
      cmocka_unit_test(who_timed_out_has_left_the_queue),
      cmocka_unit_test(receivers_and_senders_are_served_in_their_order),
      cmocka_unit_test(who_comes_later_never_overtakes),
      cmocka_unit_test(a_cancelled_wait_leaves_the_queue),
      cmocka_unit_test(what_completed_before_the_cancellation_counts),
      cmocka_unit_test(a_cancelled_task_can_still_try),
      cmocka_unit_test(a_value_whose_receiver_is_ended_goes_to_the_next),
      cmocka_unit_test(a_value_whose_receiver_is_ended_goes_back_to_the_front),
      cmocka_unit_test(ended_waits_leave_the_queue),
      cmocka_unit_test(a_state_may_close_while_a_value_is_on_its_way),
      cmocka_unit_test(waits_pass_through_coroutines_and_protected_calls),
      cmocka_unit_test(where_lua_cannot_wait_the_error_names_both),
      cmocka_unit_test(outside_tasks_one_can_only_try),
      cmocka_unit_test(misuse_is_named),
      cmocka_unit_test(a_collection_at_any_point_changes_nothing),
      cmocka_unit_test(what_has_left_the_channel_is_not_kept),
      cmocka_unit_test(a_finaliser_may_send_while_a_receiver_is_about_to_wait),
      cmocka_unit_test(without_memory_operations_fail_and_channels_stay_usable),
      cmocka_unit_test(a_hand_over_allocates_nothing),
      cmocka_unit_test(random_schedules_agree_with_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
