// Children where it gets tight: started by finalisers, failing when their parent has nothing to
// wait for any more, cancelled by each other, by themselves and while they close.
#include "api/task_child.h"

#include "task_bench.h"

// Runs the script after these lines. closing(name): a variable that logs when and why it closes.
// raised(fn, ...): false and what says most about the error.
#define LINES                                                                        \
  "local function closing(name) return setmetatable({}, {__close = function(_, e)\n" \
  "  log(name, 'closed', e and (e.reason or e.message)) end}) end\n"                 \
  "local function raised(...) local ok, e = pcall(...)\n"                            \
  "  if type(e) ~= 'table' then return ok, e end\n"                                  \
  "  if e.code then return ok, e.code, e.reason end return ok, e.message end\n"

// Whether `part` was logged; forgets all that was.
static bool take_logged(struct bench *b, const char *part) {
  assert_int_equal(pl_buf_append(&b->fake.text, "", 1), 0);
  bool is_there = strstr(pl_buf_view(&b->fake.text).data, part) != NULL;
  if (!is_there) print_message("logged: %s\n", pl_buf_view(&b->fake.text).data);
  pl_buf_clear(&b->fake.text);
  return is_there;
}

// ---- finalisers ----

static void a_finaliser_outside_tasks_cannot_spawn_into_a_group(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "task.group(function(g) task.spawn(function()\n"
                      "  setmetatable({}, {__gc = function() log(pcall(g.spawn, g, print)) end})\n"
                      "end) task.sleep(9) end)");
  fake_run_ready(&b.fake);
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
  bench_finish(&b);
  fake_expect(&b.fake, "false group:spawn: there is no task here\ndone\n");
  bench_close(&b);
}

static void a_background_task_of_a_finaliser_begins_in_the_next_round(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "setmetatable({}, {__gc = function()\n"
                      "  task.background(function() log 'runs' task.sleep(1) log 'ran' end)\n"
                      "  log 'finalised' end})");
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT);
  fake_expect(&b.fake, "done\nfinalised\n");
  bench_finish(&b);
  fake_expect(&b.fake, "runs\nran\n");
  bench_close(&b);
}

// Each new task is garbage for a finaliser that makes another while the first is being made.
static void tasks_made_while_a_task_is_made_are_tasks_of_their_own(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  lua_gc(b.fake.vm.L, LUA_GCINC, 10, 1000, 0);
  fake_start(&b.fake,
             "started, ended, wrong = 0, 0, 0\n"
             "local function run(n) started = started + 1 local id = task.id() task.sleep(1)\n"
             "  if task.id() ~= id then wrong = wrong + 1 end ended = ended + 1 end\n"
             "local function litter(n) setmetatable({}, {__gc = function()\n"
             "  task.background(run) if n > 0 and not stop then litter(n - 1) end end}) end\n"
             "litter(300) for i = 1, 500 do task.spawn(run) end\n"
             "stop = true");
  bench_finish(&b);
  fake_start(&b.fake, "log(started > 510, started == ended, wrong)");
  fake_expect(&b.fake, "done\ntrue true 0\ndone\n");
  bench_close(&b);
}

// ---- failures that meet nobody who waits ----

static void a_root_that_does_not_wait_any_more_fails_with_its_child(void **state) {
  (void)state;
  bench_expect("task.spawn(function() error('x', 0) end) task.sleep(0) return 'fine'",
               "cancelled x\n");
}

static void a_background_task_fails_with_its_child(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, "task.background(function()\n"
                      "  task.spawn(function() error('x', 0) end) task.sleep(0) end)");
  bench_finish(&b);
  assert_true(take_logged(&b, "warn: a background task failed and nobody awaits it: x\n"));
  bench_close(&b);
}

// ---- who cancels whom ----

static void a_sibling_may_cancel_a_sibling(void **state) {
  (void)state;
  bench_expect(LINES
               "local a = task.spawn(function() local c <close> = closing 'a' task.sleep(9) end)\n"
               "local b = task.spawn(function() a:cancel 'by b' log(a:status()) end)\n"
               "b:await() log(raised(a.await, a)) log(a:status(), b:status())",
               "running\na closed by b\nfalse ECANCELED by b\ncancelled done\ndone\n");
}

static void a_task_may_cancel_itself(void **state) {
  (void)state;
  bench_expect(LINES "local t = task.spawn(function() local c <close> = closing 'self'\n"
                     "  task.self():cancel 'enough' log(raised(task.spawn, print))\n"
                     "  log(raised(task.sleep, 0)) return 'it may still return' end)\n"
                     "log(t:await()) log(t:status())",
               "false ECANCELED enough\nfalse ECANCELED enough\nself closed nil\n"
               "it may still return\ndone\ndone\n");
}

static void a_child_may_cancel_its_parent_and_goes_with_it(void **state) {
  (void)state;
  bench_expect(LINES "local parent = task.self()\n"
                     "task.spawn(function() local c <close> = closing 'child'\n"
                     "  parent:cancel 'by child' task.sleep(0) end)\n"
                     "local c <close> = closing 'parent' task.sleep(9)",
               "child closed parent\nparent closed by child\ncancelled cancelled (by child)\n");
}

static void a_task_that_has_ended_hands_the_cancellation_to_its_children(void **state) {
  (void)state;
  bench_expect(LINES "local t = task.spawn(function() task.spawn(function()\n"
                     "  local c <close> = closing 'child' task.sleep(9) end) return 'ended' end)\n"
                     "log(t:await()) t:cancel 'late' log(t:await()) task.sleep(1)\n"
                     "log(t:status()) t:cancel() log(t:await())",
               "ended\nended\nchild closed parent\ndone\nended\ndone\n");
}

static void a_shield_that_is_cancelled_itself_ends(void **state) {
  (void)state;
  bench_expect(LINES "local shield\n"
                     "task.spawn(function() task.sleep(0) shield:cancel 'the shield' end)\n"
                     "log(raised(task.shield, function() shield = task.self()\n"
                     "  local c <close> = closing 'shield' task.sleep(9) end)) task.sleep(1)",
               "shield closed the shield\nfalse ECANCELED the shield\ndone\n");
}

static void cancelling_a_group_from_its_child_raises_that_reason(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.group, function(g) g:spawn(function()\n"
                     "    g:cancel 'from inside' log(raised(g.spawn, g, print)) end)\n"
                     "  local c <close> = closing 'body' task.sleep(9) end)) task.sleep(1)",
               "false ECANCELED parent\nbody closed from inside\n"
               "false ECANCELED from inside\ndone\n");
}

static void a_group_is_cancelled_in_every_state(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.group, function(g) g:cancel 'first' g:cancel 'second'\n"
                     "  task.sleep(1) end))\n"
                     "log(task.group(function(g) g:cancel 'never waits' return 'values' end))\n"
                     "local kept log(raised(task.group, function(g) kept = g\n"
                     "  g:spawn(function() local c <close> = closing 'child' task.sleep(9) end)\n"
                     "  task.spawn(function() g:cancel 'body is over' end) return 1 end))\n"
                     "kept:cancel 'gone' kept:cancel() task.sleep(1)\n"
                     "task.spawn(function() task.sleep(1) kept:cancel 'from outside' end)\n"
                     "log(raised(task.group, function(g) kept = g task.sleep(9) end))",
               "false ECANCELED first\nvalues\nchild closed parent\ntrue 1\n"
               "false ECANCELED from outside\ndone\n");
}

static void only_the_cancellation_of_a_child_has_no_traceback(void **state) {
  (void)state;
  bench_expect("local t = task.spawn(task.sleep, 9) task.sleep(0) t:cancel 'enough'\n"
               "local ok, e = pcall(t.await, t) log(e.reason, e.traceback)\n"
               "local t = task.spawn(function() pcall(task.sleep, 9) error('x', 0) end)\n"
               "task.sleep(0) t:cancel() ok, e = pcall(t.await, t)\n"
               "log(e, e.traceback:find('stack traceback', 1, true) ~= nil)\n"
               "ok, e = xpcall(function() task.self():cancel() task.sleep(1) end,\n"
               "  require('perilune.native').on_error)\n"
               "log(e.reason, e.traceback:find('stack traceback', 1, true) ~= nil)",
               "enough nil\nx true\nparent true\ndone\n");
}

// ---- while it closes ----

static void a_cancellation_while_a_task_closes_reaches_the_rest_of_it(void **state) {
  (void)state;
  bench_expect(LINES "local t = task.spawn(function() local outer <close> = closing 'outer'\n"
                     "  local c <close> = setmetatable({}, {__close = function(_, e)\n"
                     "    log('closes', e.message) log(raised(task.sleep, 2))\n"
                     "    log(raised(task.sleep, 2)) end}) error('own', 0) end)\n"
                     "task.sleep(1) t:cancel 'meanwhile' log(raised(t.await, t))",
               "closes own\nfalse ECANCELED meanwhile\nfalse ECANCELED meanwhile\n"
               "outer closed own\nfalse own\ndone\n");
}

static void an_error_in_close_replaces_the_cancellation(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake,
             LINES "local t = task.spawn(function() local outer <close> = closing 'outer'\n"
                   "  local c <close> = setmetatable({}, {__close = function(_, e)\n"
                   "    log('closes', e.reason) error('in close', 0) end})\n"
                   "  local inner <close> = closing 'inner' task.sleep(9) end)\n"
                   "task.sleep(1) t:cancel 'enough' task.sleep(1)\n"
                   "log(t:status()) log(raised(t.await, t))");
  bench_finish(&b);
  assert_true(take_logged(&b, "inner closed enough\ncloses enough\nouter closed in close\n"
                              "warn: a child task failed and nobody awaits it: in close\n"));
  bench_close(&b);
}

static void what_closes_cannot_wait_but_in_a_shield(void **state) {
  (void)state;
  bench_expect(LINES
               "local t = task.spawn(function()\n"
               "  local c <close> = setmetatable({}, {__close = function()\n"
               "    log(raised(task.sleep, 1)) log(raised(task.spawn, print))\n"
               "    log(raised(task.group, print)) log(raised(task.timeout, 1, print))\n"
               "    log(raised(task.all, print)) log(raised(task.map, {}, print))\n"
               "    log(task.shield(function() local child = task.spawn(function()\n"
               "      task.sleep(1) return 'child of a shield' end)\n"
               "      return task.timeout(5, child.await, child) end)) end}) task.sleep(9) end)\n"
               "task.sleep(1) t:cancel 'enough' log(raised(t.await, t))",
               "false ECANCELED enough\nfalse ECANCELED enough\nfalse ECANCELED enough\n"
               "false ECANCELED enough\nfalse ECANCELED enough\nfalse ECANCELED enough\n"
               "child of a shield\nfalse ECANCELED enough\ndone\n");
}

static void a_child_that_ends_while_its_parent_closes(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.group, function()\n"
                     "  local child = task.spawn(function() task.sleep(2) return 'ended' end)\n"
                     "  local c <close> = setmetatable({}, {__close = function()\n"
                     "    log(child:await()) end}) error('own', 0) end))\n"
                     "log(raised(task.group, function()\n"
                     "  local child = task.spawn(function() task.sleep(2) error('late', 0) end)\n"
                     "  local c <close> = setmetatable({}, {__close = function()\n"
                     "    log(raised(task.sleep, 9)) end}) error('own', 0) end))",
               "ended\nfalse own\nfalse late\nfalse late\ndone\n");
}

// ---- waiting for each other ----

static void tasks_cannot_await_each_other(void **state) {
  (void)state;
  bench_expect(LINES "local a, b, c\n"
                     "a = task.spawn(function() return b:await() end)\n"
                     "b = task.spawn(function() return c:await() end)\n"
                     "c = task.spawn(function() task.sleep(1) log(raised(a.await, a))\n"
                     "  log(a:await(1)) return 'c' end)\n"
                     "log(a:await())",
               "false task:await would never end: the task waits for this one\n"
               "nil timeout ETIMEDOUT\nc\ndone\n");
}

static void what_a_scope_runs_cannot_await_who_waits_for_the_scope(void **state) {
  (void)state;
  bench_expect(LINES
               "local me = task.self()\n"
               "log(task.group(function(g) local body = task.self()\n"
               "  log(raised(me.await, me))\n"
               "  g:spawn(function() log(raised(me.await, me)) log('body', body:await()) end)\n"
               "  return task.timeout(5, function() log(raised(me.await, me)) return 7 end)\n"
               "end)) task.spawn(function() log(me:await()) end) task.sleep(1) return 'me'",
               "false task:await would never end: the task waits for this one\n"
               "false task:await would never end: the task waits for this one\n"
               "false task:await would never end: the task waits for this one\n"
               "body 7\n7\ndone me\nme\n");
}

static void a_module_is_not_required_by_tasks_that_its_loader_waits_for(void **state) {
  (void)state;
  bench_expect(LINES
               "package.preload.a = function() task.all(function() return require 'b' end,\n"
               "  function() return require 'c' end) return 'a' end\n"
               "package.preload.b = function() task.sleep(1) return 'b' end\n"
               "package.preload.c = function() task.sleep(1) return require 'a' end\n"
               "log(raised(require, 'a'))\n"
               "package.preload.d = function() return task.spawn(require, 'd'):await() end\n"
               "log(raised(require, 'd'))\n"
               "package.preload.e = function() task.spawn(function() log((require 'e')) end)\n"
               "  task.sleep(1) return 'e' end log((require 'e')) task.sleep(0)",
               "false module 'a' is required again while it loads (a loop of modules)\n"
               "false module 'd' is required again while it loads (a loop of modules)\n"
               "e\ne\ndone\n");
}

// ---- times that are over together ----

static void nested_timeouts_of_the_same_time_raise_the_outer_one(void **state) {
  (void)state;
  bench_expect(LINES "log(raised(task.timeout, 2, function()\n"
                     "  log(raised(task.timeout, 2, function()\n"
                     "    log(raised(task.timeout, 2, task.sleep, 9)) task.sleep(0) end))\n"
                     "  task.sleep(0) end)) task.sleep(1)",
               "false ECANCELED timeout\nfalse ECANCELED timeout\nfalse ETIMEDOUT timeout\ndone\n");
}

static void a_timeout_and_its_completion_in_one_advance(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b);
  fake_start(&b.fake, LINES "log(raised(task.timeout, 1, task.sleep, 2)) log 'one'");
  fake_start(&b.fake, LINES "log(raised(task.timeout, 2, function() task.sleep(1) return 'in time' "
                            "end)) log(raised(task.sleep, 0))");
  fake_start(&b.fake, LINES "log(raised(task.timeout, 2, function() task.sleep(1)\n"
                            "  log(raised(task.sleep, 0)) return 'kept' end))");
  bench_pass(&b, 100);
  fake_expect(&b.fake, "false ECANCELED timeout\nfalse ETIMEDOUT timeout\none\ndone\ntrue in time\n"
                       "true kept\ndone\ntrue nil\ndone\n");
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_finaliser_outside_tasks_cannot_spawn_into_a_group),
      cmocka_unit_test(a_background_task_of_a_finaliser_begins_in_the_next_round),
      cmocka_unit_test(a_root_that_does_not_wait_any_more_fails_with_its_child),
      cmocka_unit_test(a_background_task_fails_with_its_child),
      cmocka_unit_test(a_sibling_may_cancel_a_sibling),
      cmocka_unit_test(a_task_may_cancel_itself),
      cmocka_unit_test(a_child_may_cancel_its_parent_and_goes_with_it),
      cmocka_unit_test(a_task_that_has_ended_hands_the_cancellation_to_its_children),
      cmocka_unit_test(a_shield_that_is_cancelled_itself_ends),
      cmocka_unit_test(cancelling_a_group_from_its_child_raises_that_reason),
      cmocka_unit_test(a_group_is_cancelled_in_every_state),
      cmocka_unit_test(only_the_cancellation_of_a_child_has_no_traceback),
      cmocka_unit_test(a_cancellation_while_a_task_closes_reaches_the_rest_of_it),
      cmocka_unit_test(an_error_in_close_replaces_the_cancellation),
      cmocka_unit_test(what_closes_cannot_wait_but_in_a_shield),
      cmocka_unit_test(a_child_that_ends_while_its_parent_closes),
      cmocka_unit_test(tasks_cannot_await_each_other),
      cmocka_unit_test(what_a_scope_runs_cannot_await_who_waits_for_the_scope),
      cmocka_unit_test(a_module_is_not_required_by_tasks_that_its_loader_waits_for),
      cmocka_unit_test(nested_timeouts_of_the_same_time_raise_the_outer_one),
      cmocka_unit_test(a_timeout_and_its_completion_in_one_advance),
      cmocka_unit_test(tasks_made_while_a_task_is_made_are_tasks_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
