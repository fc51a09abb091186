// Scopes: nothing outlives one, what cancels its caller reaches all of it, and the first error is
// its outcome. group, all, map and race are made of them in lua/perilune/task.lua.
#include "api/task_scope.h"

#include "task_bench.h"

// Runs the script after these lines. closing(name): a variable that logs when and why it closes.
#define LINES                                                                        \
  "local function closing(name) return setmetatable({}, {__close = function(_, e)\n" \
  "  log(name, 'closed', e and (e.reason or e.message)) end}) end\n"                 \
  "local function raised(...) local ok, e = pcall(...)\n"                            \
  "  if type(e) ~= 'table' then return ok, e end\n"                                  \
  "  if e.code then return ok, e.code, e.reason end return ok, e.message end\n"

// ---- group ----

static void a_group_returns_its_values_after_all_children(void **state) {
  (void)state;
  bench_expect(LINES "log(task.group(function(g)\n"
                     "  g:spawn(function(...) task.sleep(2) log('two', ...) end, 1, 2)\n"
                     "  task.spawn(function() task.sleep(1) log 'one'\n"
                     "    task.spawn(function() task.sleep(5) log 'six' end) end)\n"
                     "  log 'body' return 'a', nil end))",
               "body\none\ntwo 1 2\nsix\na nil\ndone\n");
}

static void the_first_error_cancels_the_others_and_is_raised(void **state) {
  (void)state;
  bench_expect(
      LINES "log(raised(task.group, function(g)\n"
            "  g:spawn(function() local c <close> = closing 'sibling' task.sleep(9) end)\n"
            "  g:spawn(function() task.sleep(1) error {status = 418, message = 'tea'} end)\n"
            "  local c <close> = closing 'body' task.sleep(99) end)) log 'goes on' task.sleep(1)",
      "sibling closed parent\nbody closed tea\nfalse tea\ngoes on\ndone\n");
}

static void an_error_of_the_body_cancels_the_children(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.group, function(g)\n"
                     "  g:spawn(function() local c <close> = closing 'child' task.sleep(9) end)\n"
                     "  task.sleep(0) error('body', 0) end))",
               "child closed parent\nfalse body\ndone\n");
}

static void a_child_that_fails_when_the_body_is_over_is_the_outcome(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.group, function(g)\n"
                     "  g:spawn(function() local c <close> = closing 'child' task.sleep(9) end)\n"
                     "  g:spawn(function() task.sleep(1) error('late', 0) end) return 1 end))",
               "child closed parent\nfalse late\ndone\n");
}

static void a_body_that_keeps_the_error_to_itself_changes_nothing(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.group, function(g)\n"
                     "  g:spawn(function() error('kept', 0) end)\n"
                     "  log(raised(task.sleep, 9)) log(raised(task.sleep, 9)) return 1 end))",
               "false kept\nfalse kept\nfalse kept\ndone\n");
}

static void an_awaited_error_is_only_where_it_is_awaited(void **state) {
  (void)state;
  bench_expect(LINES "log(task.group(function(g)\n"
                     "  local t = g:spawn(function() task.sleep(1) error('x', 0) end)\n"
                     "  log(raised(t.await, t)) task.sleep(1) return 'fine' end))",
               "false x\nfine\ndone\n");
}

static void the_error_object_is_the_childs_own_with_its_traceback(void **state) {
  (void)state;
  bench_expect(LINES "local kept\nlocal function culprit() error {status = 409} end\n"
                     "local ok, e = pcall(task.group, function(g)\n"
                     "  g:spawn(function() culprit() end) kept = select(2, pcall(task.sleep, 1))\n"
                     "end) log(e == kept, e.status, e.traceback:find('culprit', 1, true) ~= nil)",
               "true 409 true\ndone\n");
}

static void cancelling_a_group_ends_it(void **state) {
  (void)state;
  bench_expect(
      LINES "log(raised(task.group, function(g)\n"
            "  g:spawn(function() local c <close> = closing 'child' task.sleep(9) end)\n"
            "  task.sleep(0) g:cancel 'enough' log(raised(g.spawn, g, print)) task.sleep(9) end))\n"
            "log(task.group(function(g) g:spawn(task.sleep, 9) task.sleep(0) g:cancel() return 7 "
            "end))",
      "false ECANCELED enough\nchild closed parent\nfalse ECANCELED enough\n7\ndone\n");
}

static void a_group_that_is_over_takes_no_children(void **state) {
  (void)state;
  bench_expect(LINES "local kept task.group(function(g) kept = g end)\n"
                     "log(raised(kept.spawn, kept, print)) kept:cancel()\n"
                     "log(select(2, pcall(task.group))) log(select(2, pcall(kept.spawn, kept)))",
               "false the group is over: it can have no more children\n"
               "bad argument #1 to 'task.group' (a function is expected, got no value)\n"
               "bad argument #1 to 'group:spawn' (a function is expected, got no value)\n"
               "done\n");
}

static void groups_nest(void **state) {
  (void)state;
  bench_expect(LINES
               "log(raised(task.group, function()\n"
               "  task.spawn(function() local c <close> = closing 'outer' task.sleep(9) end)\n"
               "  task.group(function()\n"
               "    task.spawn(function() local c <close> = closing 'inner' task.sleep(9) end)\n"
               "    task.sleep(1) error('deep', 0) end)\n"
               "  log 'not reached' end))",
               "inner closed parent\nouter closed parent\nfalse deep\ndone\n");
}

static void whoever_cancels_the_caller_reaches_the_whole_scope(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  struct pl_task *task = fake_start(
      &b.fake,
      LINES "local c <close> = closing 'caller'\n"
            "task.group(function(g) local c <close> = closing 'body'\n"
            "  g:spawn(function() local c <close> = closing 'child' task.timeout(5, function()\n"
            "    local c <close> = closing 'grandchild' task.sleep(9) end) end)\n"
            "  coroutine.wrap(function() pcall(task.sleep, 9) log 'kept' task.sleep(1) end)()\n"
            "end)");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&b.fake);
  fake_expect(&b.fake, "grandchild closed client\nkept\nbody closed client\nchild closed client\n"
                       "caller closed client\ncancelled cancelled (client)\n");
  bench_close(&b);
}

// ---- timeout ----

static void timeout_returns_what_was_in_time(void **state) {
  (void)state;
  bench_expect(LINES "log(task.timeout(5, function(...) task.sleep(1) return ... end, 1, nil, 3))\n"
                     "log(raised(task.timeout, 5, error, {message = 'own'}))",
               "1 nil 3\nfalse own\ndone\n");
}

static void timeout_cancels_what_is_late_and_raises(void **state) {
  (void)state;
  bench_expect(
      LINES "local ok, e = pcall(task.timeout, 2.5, function()\n"
            "  task.spawn(function() local c <close> = closing 'child' task.sleep(9) end)\n"
            "  local c <close> = closing 'body'\n"
            "  log(raised(task.sleep, 9)) log(raised(task.sleep, 0)) task.sleep(1) end)\n"
            "log(ok, e.code, e.status, e.message) task.sleep(1) log 'nothing remains'",
      "child closed timeout\nfalse ECANCELED timeout\nfalse ECANCELED timeout\n"
      "body closed timeout\nfalse ETIMEDOUT 504 timeout: the 2.5 s of task.timeout are over\n"
      "nothing remains\ndone\n");
}

static void only_the_timeout_that_is_over_says_so(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.timeout, 2, function()\n"
                     "  local ok, e = pcall(task.timeout, 50, task.sleep, 90)\n"
                     "  log(e.code, e.reason) error(e) end))\n"
                     "log(task.timeout(500, function()\n"
                     "  log(raised(task.timeout, 2, task.sleep, 9)) task.sleep(1) return 'on' "
                     "end))",
               "ECANCELED timeout\nfalse ETIMEDOUT timeout\n"
               "false ETIMEDOUT timeout\non\ndone\n");
}

static void a_timeout_swallowed_inside_gives_the_values(void **state) {
  (void)state;
  bench_expect(LINES "log(task.timeout(1, function() pcall(task.sleep, 9) return 'late' end))\n"
                     "log(raised(task.timeout, 0, task.sleep, 9))\n"
                     "log(raised(task.timeout, -1, print)) log(raised(task.timeout, 1))",
               "late\nfalse ETIMEDOUT timeout\n"
               "false bad argument #1 to 'perilune.task.timeout' (a number of seconds of at least "
               "0 is expected)\n"
               "false bad argument #2 to 'perilune.task.timeout' (function expected, got no "
               "value)\ndone\n");
}

static void the_callers_end_says_more_than_the_timeout(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  struct pl_task *task = fake_start(&b.fake, LINES "log(raised(task.timeout, 5, task.sleep, 9))");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_DEADLINE);
  bench_finish(&b);
  fake_expect(&b.fake, "false ECANCELED deadline\ndone\n");
  bench_close(&b);
}

// ---- shield ----

static void a_shield_waits_although_the_caller_is_cancelled(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  struct pl_task *task = fake_start(
      &b.fake, LINES "local c <close> = setmetatable({}, {__close = function()\n"
                     "  log(raised(task.sleep, 1))\n"
                     "  log(task.shield(function(x) task.sleep(1)\n"
                     "    task.spawn(function() task.sleep(2) log 'child' end) return x end, 5))\n"
                     "  log(raised(task.sleep, 1)) end}) task.sleep(9)");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  bench_finish(&b);
  fake_expect(&b.fake, "false ECANCELED client\nchild\n5\nfalse ECANCELED client\n"
                       "cancelled cancelled (client)\n");
  bench_close(&b);
}

static void a_running_shield_is_left_alone(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  struct pl_task *task =
      fake_start(&b.fake, LINES "log(task.shield(function() task.sleep(2) return 1 end))\n"
                                "log(raised(task.sleep, 1))");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  bench_finish(&b);
  fake_expect(&b.fake, "1\nfalse ECANCELED client\ndone\n");
  bench_close(&b);
}

static void a_shield_ends_with_the_grace_time(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  bench_set_grace(&b, 5);
  struct pl_task *task =
      fake_start(&b.fake, LINES
                 "task.shield(function() local c <close> = closing 'shield' task.sleep(99) end)");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  bench_pass_grace(&b, 4);
  fake_expect(&b.fake, "");
  bench_pass_grace(&b, 6);
  fake_expect(&b.fake, "shield closed client\ncancelled cancelled (client)\n");
  bench_close(&b);
}

static void a_shield_opened_in_the_grace_time_has_what_is_left(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  bench_set_grace(&b, 5);
  struct pl_task *task = fake_start(
      &b.fake, LINES "pcall(task.sleep, 9)\n"
                     "log(raised(task.shield, function() local c <close> = closing 'shield'\n"
                     "  task.sleep(99) end))");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  bench_pass_grace(&b, 6);
  fake_expect(&b.fake, "shield closed client\nfalse ECANCELED client\ndone\n");
  bench_close(&b);
}

static void a_group_has_the_time_of_children_that_wait_for_the_cpu(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  bench_set_grace(&b, 5);
  struct pl_task *task = fake_start(
      &b.fake, LINES "task.group(function() task.group(function(g)\n"
                     "  g:spawn(function() local c <close> = closing 'child' task.sleep(9) end)\n"
                     "  task.sleep(9) end) end)");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  for (unsigned rounds = 1; rounds < 5; rounds++)
    pl_overdue_end(&b.fake.vm, pl_clock_ms() + rounds * 6000);
  fake_run_ready(&b.fake);
  fake_expect(&b.fake, "child closed client\ncancelled cancelled (client)\n");
  bench_close(&b);
}

static void children_of_a_shield_that_has_ended_are_cancelled_with_it(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  bench_set_grace(&b, 5);
  struct pl_task *task =
      fake_start(&b.fake, LINES "task.shield(function() task.spawn(function()\n"
                                "  local c <close> = closing 'child' task.sleep(99) end)\n"
                                "  task.sleep(1) end)");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  bench_pass(&b, 2);
  fake_expect(&b.fake, "");
  bench_pass_grace(&b, 6);
  fake_expect(&b.fake, "child closed client\ncancelled cancelled (client)\n");
  bench_close(&b);
}

static void closing_in_a_shield_that_is_ended_from_outside_may_cancel(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  bench_set_grace(&b, 5);
  struct pl_task *task = fake_start(
      &b.fake, "local function nest(n) if n > 0 then return task.shield(nest, n - 1) end\n"
               "  local me = task.self()\n"
               "  local c <close> = setmetatable({}, {__close = function() log 'closed'\n"
               "    me:cancel 'myself' log(me:status(), (pcall(task.sleep, 1))) end})\n"
               "  task.sleep(99) end nest(3)");
  fake_run_ready(&b.fake);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  for (unsigned seconds = 6; seconds < 30; seconds += 6) bench_pass_grace(&b, seconds);
  assert_int_equal(b.fake.vm.live_tasks, 0);
  assert_int_equal(pl_buf_append(&b.fake.text, "", 1), 0);
  assert_non_null(strstr(pl_buf_view(&b.fake.text).data, "closed\nrunning false\n"));
  pl_buf_clear(&b.fake.text);
  bench_close(&b);
}

// ---- all, map ----

static void all_gives_the_first_value_of_each(void **state) {
  (void)state;
  bench_expect(
      LINES "log(task.all(function() task.sleep(3) return 'a', 'x' end,\n"
            "  function() end, function() task.sleep(1) return 'c' end)) log(task.now() > 0)\n"
            "local r = task.all {user = function() task.sleep(1) return 'u' end,\n"
            "  posts = function() return 'p' end, none = function() end}\n"
            "log(r.user, r.posts, r.none)\n"
            "log(raised(task.all, function() task.sleep(9) end,\n"
            "  function() task.sleep(1) error('b', 0) end))\n"
            "log(raised(task.all, print, 5)) log(raised(task.all, {a = 5}))\n"
            "log(raised(task.all))",
      "a nil c\ntrue\nu p nil\nfalse b\n"
      "false bad argument #2 to 'task.all' (a function is expected, got number)\n"
      "false task.all: a function is expected for 'a', got a number\n"
      "false bad argument #1 to 'task.all' (a function is expected, got no value)\ndone\n");
}

static void map_keeps_the_order_and_the_limit(void **state) {
  (void)state;
  bench_expect(
      LINES "local running, most = 0, 0\n"
            "local function double(v, i) running = running + 1 most = math.max(most, running)\n"
            "  task.sleep(5 - v) running = running - 1 return v * 2 + i / 10 end\n"
            "log(table.concat(task.map({1, 2, 3, 4}, double), ' '), most)\n"
            "most = 0 log(table.concat(task.map({1, 2, 3, 4}, double, {limit = 2}), ' '), most)\n"
            "log(#task.map({}, double))\n"
            "log(raised(task.map, {1, 2}, function(v) if v == 1 then return 1 end end))\n"
            "for _, limit in ipairs {0, 1.5, 'x'} do log(raised(task.map, {}, print, {limit = "
            "limit})) end\n"
            "log(raised(task.map, {}, print, {limits = 1})) log(raised(task.map, 5, print))\n"
            "log(raised(task.map, {}))",
      "2.1 4.2 6.3 8.4 4\n2.1 4.2 6.3 8.4 2\n0\n"
      "false task.map: the function returned nil for item 2\n"
      "false task.map: limit = 0: a whole number of at least 1 is expected\n"
      "false task.map: limit = 1.5: a whole number of at least 1 is expected\n"
      "false task.map: limit = x: a whole number of at least 1 is expected\n"
      "false task.map: unknown option 'limits'\n"
      "false bad argument #1 to 'task.map' (a table is expected, got number)\n"
      "false bad argument #2 to 'task.map' (a function is expected, got no value)\ndone\n");
}

static void an_item_that_fails_ends_the_map(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.map, {1, 2, 3}, function(v) task.sleep(v * 10)\n"
                     "  if v == 2 then error('two', 0) end log(v) return v end))",
               "1\nfalse two\ndone\n");
}

// ---- where it waits ----

static void scopes_wait_wherever_a_wait_can(void **state) {
  (void)state;
  bench_expect(LINES "local function f() return task.timeout(5, task.group, function()\n"
                     "  task.sleep(1) return 'v' end) end\n"
                     "log(pcall(coroutine.wrap(function() return coroutine.wrap(f)() end)))\n"
                     "for v in function(_, v) if not v then return f() end end do log(v) end\n"
                     "log(setmetatable({}, {__index = f}).field)\n"
                     "log(raised(table.sort, {2, 1}, f))",
               "true v\nv\nv\n"
               "false test:6: task.timeout cannot wait inside 'table.sort': Lua cannot suspend "
               "that function\n"
               "done\n");
}

static void with_little_memory_scopes_fail_and_nothing_leaks(void **state) {
  (void)state;
  static const char script[] =
      "return pcall(task.timeout, 5, function(...) local t = {}\n"
      "  task.group(function(g) for i = 1, 9 do t[i] = g:spawn(function(...)\n"
      "    task.sleep(1) return {i, ...} end, i) end task.sleep(2) end)\n"
      "  return task.all(function() return t[1]:await() end, function() return {} end) end, 1)";
  int done = 0;
  for (size_t spare = 0; spare < 60000; spare += 120) {
    struct bench b;
    bench_open(&b);
    struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
    assert_non_null(task);
    assert_int_equal(luaL_loadstring(task->co, script), LUA_OK);
    lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
    pl_heap_set_ceiling(&b.fake.vm.heap, b.fake.vm.heap.bytes + spare);
    pl_run_start(task, 0);
    bench_finish(&b);
    pl_heap_set_ceiling(&b.fake.vm.heap, 0);
    struct pl_strv text = pl_buf_view(&b.fake.text);
    done += text.len > 9 && memcmp(text.data, "done true", 9) == 0;
    pl_buf_clear(&b.fake.text);
    bench_close(&b);
  }
  assert_true(done > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_group_returns_its_values_after_all_children),
      cmocka_unit_test(the_first_error_cancels_the_others_and_is_raised),
      cmocka_unit_test(an_error_of_the_body_cancels_the_children),
      cmocka_unit_test(a_child_that_fails_when_the_body_is_over_is_the_outcome),
      cmocka_unit_test(a_body_that_keeps_the_error_to_itself_changes_nothing),
      cmocka_unit_test(an_awaited_error_is_only_where_it_is_awaited),
      cmocka_unit_test(the_error_object_is_the_childs_own_with_its_traceback),
      cmocka_unit_test(cancelling_a_group_ends_it),
      cmocka_unit_test(a_group_that_is_over_takes_no_children),
      cmocka_unit_test(groups_nest),
      cmocka_unit_test(whoever_cancels_the_caller_reaches_the_whole_scope),
      cmocka_unit_test(timeout_returns_what_was_in_time),
      cmocka_unit_test(timeout_cancels_what_is_late_and_raises),
      cmocka_unit_test(only_the_timeout_that_is_over_says_so),
      cmocka_unit_test(a_timeout_swallowed_inside_gives_the_values),
      cmocka_unit_test(the_callers_end_says_more_than_the_timeout),
      cmocka_unit_test(a_shield_waits_although_the_caller_is_cancelled),
      cmocka_unit_test(a_running_shield_is_left_alone),
      cmocka_unit_test(a_shield_ends_with_the_grace_time),
      cmocka_unit_test(a_shield_opened_in_the_grace_time_has_what_is_left),
      cmocka_unit_test(a_group_has_the_time_of_children_that_wait_for_the_cpu),
      cmocka_unit_test(children_of_a_shield_that_has_ended_are_cancelled_with_it),
      cmocka_unit_test(closing_in_a_shield_that_is_ended_from_outside_may_cancel),
      cmocka_unit_test(all_gives_the_first_value_of_each),
      cmocka_unit_test(map_keeps_the_order_and_the_limit),
      cmocka_unit_test(an_item_that_fails_ends_the_map),
      cmocka_unit_test(scopes_wait_wherever_a_wait_can),
      cmocka_unit_test(with_little_memory_scopes_fail_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
