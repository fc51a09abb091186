// perilune.task over a loop whose time the test moves: sleeping, children, handles that outlive
// their tasks, failures on their way up, and little memory.
#include "api/api.h"

#include "api/task_handle.h"
#include "task_bench.h"

static int count_results(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)pl_results_count(L));
  return 1;
}

// ---- time ----

static void sleepers_wake_in_the_order_of_their_times(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "task.sleep(30) log 'thirty'");
  fake_start(&b.fake, "task.sleep(10) log 'ten'");
  fake_start(&b.fake, "task.sleep(20.5) log 'twenty'");
  bench_pass(&b, 5);
  fake_expect(&b.fake, "");
  bench_pass(&b, 15);
  fake_expect(&b.fake, "ten\ndone\n");
  bench_pass(&b, 100);
  fake_expect(&b.fake, "twenty\ndone\nthirty\ndone\n");
  bench_close(&b);
}

static void sleep_0_gives_way_without_a_timer(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "log 'a1' task.sleep(0) log 'a2' task.sleep(0) log 'a3'");
  fake_start(&b.fake, "log 'b1' task.sleep(0) log 'b2'");
  fake_run_ready(&b.fake);
  fake_expect(&b.fake, "a1\nb1\na2\nb2\ndone\na3\ndone\n");
  bench_close(&b);
}

static void sleep_takes_seconds(void **state) {
  (void)state;
  bench_expect(
      "for _, t in ipairs {-1, 0/0, 'x', {}} do log(select(2, pcall(task.sleep, t))) end\n"
      "log(select('#', task.sleep(1)), task.now() > 0)",
      "bad argument #1 to 'perilune.task.sleep' (a number of seconds of at least 0 is expected)\n"
      "bad argument #1 to 'perilune.task.sleep' (a number of seconds of at least 0 is expected)\n"
      "bad argument #1 to 'perilune.task.sleep' (number expected, got string)\n"
      "bad argument #1 to 'perilune.task.sleep' (number expected, got table)\n0 true\ndone\n");
}

static void a_cancelled_sleep_ends_at_once(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  struct pl_task *sleeper =
      fake_start(&b.fake, "local ok, e = pcall(task.sleep, 1000) log(ok, e.reason)");
  pl_task_cancel(sleeper, PL_CANCEL_CLIENT);
  fake_run_ready(&b.fake);
  fake_expect(&b.fake, "false client\ndone\n");
  bench_close(&b);
}

// ---- children ----

static void await_returns_what_the_child_returned_again_and_again(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(function(...) task.sleep(1) return nil, ... end, 1, 2)\n"
               "log(t:status()) log(task.result(t)) log(t:await()) log(t:await())\n"
               "log(t:status()) log(task.result(t))\n"
               "for _, v in ipairs {{}, 'x'} do\n"
               "  local kept = task.spawn(function() return v end)\n"
               "  log(kept:await() == v, kept:await() == v)\n"
               "end\n"
               "log(select('#', task.spawn(function() end):await()))\n"
               "log(task.spawn(function() return false end):await())",
               "running\n\nnil 1 2\nnil 1 2\ndone\ntrue nil 1 2\ntrue true\ntrue true\n"
               "0\nfalse\ndone\n");
}

static void await_raises_what_the_child_raised_again_and_again(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(function() task.sleep(1) error {status = 418} end)\n"
               "local ok, e = pcall(t.await, t) local ok2, e2 = pcall(t.await, t)\n"
               "log(ok, ok2, e == e2, e.status, t:status(), e.traceback ~= nil)\n"
               "log(select('#', task.result(t)), (task.result(t)), select(2, task.result(t)) == e)",
               "false false true 418 failed true\n2 false true\ndone\n");
}

static void several_may_await_one(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(function() task.sleep(5) return 7 end)\n"
               "local a = task.spawn(function() return t:await() + 1 end)\n"
               "local b = task.spawn(function() return t:await() + 2 end)\n"
               "log(a:await(), b:await(), t:await())",
               "8 9 7\ndone\n");
}

static void await_takes_a_time(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(function() task.sleep(50) return 'late' end)\n"
               "log(t:await(10)) log(t:await(0)) log(t:await(1000)) log(t:await(0))\n"
               "log(pcall(t.await, t, -1))",
               "nil timeout ETIMEDOUT\nnil timeout ETIMEDOUT\nlate\nlate\n"
               "false bad argument #2 to '?' (a number of seconds of at least 0 is expected)\n"
               "done\n");
}

static void a_task_cannot_await_itself(void **state) {
  (void)state;
  bench_expect("log(pcall(function() task.self():await() end))",
               "false test:1: a task cannot await itself\ndone\n");
}

static void a_child_may_await_its_parent(void **state) {
  (void)state;
  bench_expect("local me = task.self()\n"
               "task.spawn(function() log('child has', me:await()) end) task.sleep(1) return 5",
               "done 5\nchild has 5\n");
}

static void an_awaiter_may_be_cancelled(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "slow = task.spawn(function() task.sleep(9) return 1 end) log(slow:await())");
  fake_run_ready(&b.fake);
  struct pl_task *second = fake_start(&b.fake, "slow:await()");
  struct pl_task *third = fake_start(&b.fake, "slow:await(100)");
  pl_task_cancel(second, PL_CANCEL_CLIENT);
  pl_task_cancel(third, PL_CANCEL_CLIENT);
  bench_finish(&b);
  fake_expect(&b.fake, "cancelled cancelled (client)\ncancelled cancelled (client)\n1\ndone\n");
  bench_close(&b);
}

static void the_result_waits_in_the_table_and_then_in_the_handle(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_register(b.fake.vm.L, "count_results", count_results);
  fake_start(&b.fake, "local t = task.spawn(function()\n"
                      "  task.spawn(task.sleep, 5) return 'kept' end)\n"
                      "log(count_results()) t:await() log(count_results(), t:await())\n"
                      "task.sleep(100) log(count_results(), t:await())");
  bench_finish(&b);
  fake_expect(&b.fake, "0\n3 kept\n1 kept\ndone\n");
  bench_close(&b);
}

static void a_handle_never_shows_the_slots_next_task(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "old = task.spawn(function() return 'old' end) old_id = task.id(old)");
  fake_run_ready(&b.fake);
  fake_expect(&b.fake, "done\n");
  fake_start(&b.fake, "local new = task.spawn(function() task.sleep(1) return 'new' end)\n"
                      "local new2 = task.spawn(function() task.sleep(1) return 'new2' end)\n"
                      "log(old:status(), task.id(old) == old_id, task.id(new) > old_id)\n"
                      "log(old:await(), (select(2, task.result(old))))\n"
                      "old:cancel() log(new:await(), new2:await(), old:await())");
  bench_finish(&b);
  fake_expect(&b.fake, "done true true\nold old\nnew new2 old\ndone\n");
  bench_close(&b);
}

static void spawns_whose_handle_nobody_keeps_leave_nothing(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  size_t heap = 0;
  for (int round = 0; round < 6; round++) {
    fake_start(&b.fake, "for i = 1, 500 do task.spawn(function() task.sleep(0) return {} end) end");
    fake_run_ready(&b.fake);
    assert_int_equal(pl_results_count(b.fake.vm.L), 0);
    lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
    if (round == 3) heap = b.fake.vm.heap.bytes;
  }
  assert_in_range(b.fake.vm.heap.bytes, 0, heap + 1024);
  pl_buf_clear(&b.fake.text);
  bench_close(&b);
}

// ---- cancelling and failing ----

static void cancel_gives_a_reason(void **state) {
  (void)state;
  bench_expect("for _, reason in ipairs {false, 'not needed'} do\n"
               "  local t = task.spawn(function()\n"
               "    local ok, e = pcall(task.sleep, 9) log(e.code, e.reason)\n"
               "    local ok, e = pcall(task.sleep, 0) log(e.code, e.reason)\n"
               "    task.sleep(1)\n"
               "  end)\n"
               "  task.sleep(0) t:cancel(reason or nil) t:cancel 'too late'\n"
               "  local ok, e = pcall(t.await, t) log(ok, e.reason, t:status())\n"
               "end",
               "ECANCELED parent\nECANCELED parent\nfalse parent cancelled\n"
               "ECANCELED not needed\nECANCELED not needed\nfalse not needed cancelled\ndone\n");
}

static void a_cancelled_child_is_no_failure(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(task.sleep, 9) task.sleep(0) t:cancel()\n"
               "task.sleep(1) log 'went on' log(t:status())",
               "went on\ncancelled\ndone\n");
}

static void a_failed_child_that_is_awaited_fails_only_there(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(function() task.sleep(1) error('x', 0) end)\n"
               "local ok, e = pcall(t.await, t) log(ok, e) task.sleep(1) return 'fine'",
               "false x\ndone fine\n");
}

static void a_failed_child_that_nobody_awaits_fails_its_parent(void **state) {
  (void)state;
  bench_expect("local sibling = task.spawn(function()\n"
               "  local ok, e = pcall(task.sleep, 99) log('sibling', e.code, e.reason) end)\n"
               "task.spawn(function() task.sleep(1) error {status = 418, message = 'tea'} end)\n"
               "local ok, e = pcall(task.sleep, 99) log(ok, e.status, e.message)\n"
               "task.sleep(99)",
               "sibling ECANCELED parent\nfalse 418 tea\ncancelled tea\n");
}

static void a_failed_grandchild_reaches_whoever_still_runs(void **state) {
  (void)state;
  bench_expect("task.spawn(function()\n"
               "  task.spawn(function() task.sleep(1) error('deep', 0) end)\n"
               "end)\n"
               "log(select(2, pcall(task.sleep, 99)))",
               "deep\ndone\n");
  bench_expect("task.spawn(function()\n"
               "  task.spawn(function() task.sleep(1) error('deep', 0) end) task.sleep(99)\n"
               "end)\n"
               "log(select(2, pcall(task.sleep, 99)))",
               "deep\ndone\n");
}

static void a_child_that_fails_after_the_end_is_reported(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "task.spawn(function() task.sleep(1) error('x', 0) end) return 'answered'");
  bench_finish(&b);
  assert_int_equal(pl_buf_append(&b.fake.text, "", 1), 0);
  const char *text = pl_buf_view(&b.fake.text).data;
  assert_non_null(strstr(text, "done answered\nwarn: a child task failed and nobody awaits it:"));
  pl_buf_clear(&b.fake.text);
  bench_close(&b);
}

// ---- who is who ----

static void identities(void **state) {
  (void)state;
  bench_expect("local me = task.self()\n"
               "log(me == task.self(), math.type(task.id()), task.id() == task.id(me))\n"
               "log(task.id(coroutine.running()) == task.id(), task.id(coroutine.create(print)) "
               "== task.id())\n"
               "log(task.id() >> 54, type(task.pointer(coroutine.running())))\n"
               "local t = task.spawn(function() return task.id(), task.self() end)\n"
               "local id, self = t:await() log(id == task.id(t), self == t, id > task.id())\n"
               "log(task.result(coroutine.running())) log(getmetatable(t), t.no_such_method)\n"
               "log(pcall(task.id, {})) log(pcall(task.spawn, 5)) log(pcall(task.result, 5))",
               "true integer true\ntrue true\n3 string\ntrue true true\n\nfalse nil\n"
               "false bad argument #1 to 'perilune.task.id' (task or thread expected, got table)\n"
               "false bad argument #1 to 'perilune.task.spawn' (function expected, got number)\n"
               "false bad argument #1 to 'perilune.task.result' (a task or its coroutine is "
               "expected)\ndone\n");
}

static void outside_tasks_there_is_nothing_to_do(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  assert_int_not_equal(luaL_dostring(b.fake.vm.L, "task.sleep(1)"), LUA_OK);
  assert_int_not_equal(luaL_dostring(b.fake.vm.L, "task.spawn(print)"), LUA_OK);
  assert_int_not_equal(luaL_dostring(b.fake.vm.L, "task.self()"), LUA_OK);
  assert_int_equal(luaL_dostring(b.fake.vm.L, "assert(task.now()) assert(not task.id())"), LUA_OK);
  lua_settop(b.fake.vm.L, 0);
  bench_close(&b);
}

static void every_row_is_documented(void **state) {
  (void)state;
  for (const struct pl_api_fn *row = pl_api_task.functions; row->name; row++) {
    assert_non_null(row->fn);
    assert_true(row->signature && row->signature[0] == '(' && row->doc && *row->doc);
  }
}

// ---- many, and with little memory ----

static const char storm[] =
    "local random, wrong, made = math.random, 0, 0\n"
    "local function body(depth, value)\n"
    "  local children = {}\n"
    "  for i = 1, random(0, 3) do\n"
    "    local kind = random(5)\n"
    "    if kind == 1 then task.sleep(0)\n"
    "    elseif kind == 2 then wait()\n"
    "    elseif kind == 3 then task.sleep(random() * 10)\n"
    "    elseif depth < 6 and made < 100000 then\n"
    "      made = made + 1\n"
    "      children[#children + 1] = {made, task.spawn(body, depth + 1, made)}\n"
    "    end\n"
    "  end\n"
    "  for _, child in ipairs(children) do\n"
    "    if random(4) > 1 and child[2]:await() ~= child[1] then wrong = wrong + 1 end\n"
    "  end\n"
    "  for _, child in ipairs(children) do\n"
    "    if random(4) == 1 and child[2]:await() ~= child[1] then wrong = wrong + 1 end\n"
    "  end\n"
    "  return value\n"
    "end\n"
    "while made < 100000 do\n"
    "  made = made + 1\n"
    "  local t = task.spawn(body, 0, made)\n"
    "  if made % 50 == 0 and t:await() == nil then wrong = wrong + 1 end\n"
    "end\n"
    "log(wrong)";

static void a_hundred_thousand_tasks_in_random_order(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  srand(1);
  fake_start(&b.fake, storm);
  for (unsigned step = 1; b.fake.vm.live_tasks > 0; step++) {
    assert_true(step < 10000000);
    fake_run_ready(&b.fake);
    if (b.fake.pending_count > 0) fake_complete(&b.fake, (size_t)rand() % b.fake.pending_count);
    pl_wheel_advance(&b.loop.wheel, b.loop.wheel.now_ms + (unsigned)rand() % 50);
  }
  fake_expect(&b.fake, "0\ndone\n");
  bench_close(&b);
}

static void with_little_memory_children_fail_and_nothing_leaks(void **state) {
  (void)state;
  for (size_t spare = 0; spare < 12000; spare += 100) {
    struct bench b;
    bench_open(&b);
    struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
    assert_non_null(task);
    const char *script = "local t = task.spawn(function(a) task.sleep(1) return a, {} end, 1)\n"
                         "task.spawn(function() error('x') end)\n"
                         "pcall(t.await, t) pcall(t.await, t, 1) t:cancel('reason')";
    assert_int_equal(luaL_loadstring(task->co, script), LUA_OK);
    lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
    pl_heap_set_ceiling(&b.fake.vm.heap, b.fake.vm.heap.bytes + spare);
    pl_run_start(task, 0);
    bench_finish(&b);
    pl_heap_set_ceiling(&b.fake.vm.heap, 0);
    pl_buf_clear(&b.fake.text);
    fake_start(&b.fake, "return task.spawn(function() task.sleep(1) return 'fine' end):await()");
    bench_finish(&b);
    fake_expect(&b.fake, "done fine\n");
    bench_close(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sleepers_wake_in_the_order_of_their_times),
      cmocka_unit_test(sleep_0_gives_way_without_a_timer),
      cmocka_unit_test(sleep_takes_seconds),
      cmocka_unit_test(a_cancelled_sleep_ends_at_once),
      cmocka_unit_test(await_returns_what_the_child_returned_again_and_again),
      cmocka_unit_test(await_raises_what_the_child_raised_again_and_again),
      cmocka_unit_test(several_may_await_one),
      cmocka_unit_test(await_takes_a_time),
      cmocka_unit_test(a_task_cannot_await_itself),
      cmocka_unit_test(a_child_may_await_its_parent),
      cmocka_unit_test(an_awaiter_may_be_cancelled),
      cmocka_unit_test(the_result_waits_in_the_table_and_then_in_the_handle),
      cmocka_unit_test(a_handle_never_shows_the_slots_next_task),
      cmocka_unit_test(spawns_whose_handle_nobody_keeps_leave_nothing),
      cmocka_unit_test(cancel_gives_a_reason),
      cmocka_unit_test(a_cancelled_child_is_no_failure),
      cmocka_unit_test(a_failed_child_that_is_awaited_fails_only_there),
      cmocka_unit_test(a_failed_child_that_nobody_awaits_fails_its_parent),
      cmocka_unit_test(a_failed_grandchild_reaches_whoever_still_runs),
      cmocka_unit_test(a_child_that_fails_after_the_end_is_reported),
      cmocka_unit_test(identities),
      cmocka_unit_test(outside_tasks_there_is_nothing_to_do),
      cmocka_unit_test(every_row_is_documented),
      cmocka_unit_test(a_hundred_thousand_tasks_in_random_order),
      cmocka_unit_test(with_little_memory_children_fail_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
