// Waiting: where it is refused, completion before and after the yield, cancellation, and
// completions that come too late.
#include "runtime/wait.h"

#include "fake_host.h"

static void a_wait_returns_where_it_was_called(void **state) {
  (void)state;
  fake_script("log(wait(1, nil, 'x')) log(wait()) return wait(2)", "1 nil x\n\ndone 2\n");
}

static void waits_pass_through_everything_that_lua_can_suspend(void **state) {
  (void)state;
  fake_script("log(pcall(wait, 1))\n"
              "log(xpcall(function() return wait(2) end, print))\n"
              "log(setmetatable({}, {__index = function(_, k) return wait(k) end}).three)\n"
              "log(setmetatable({}, {__add = function(a, b) return wait(b) end}) + 4)\n"
              "for v in function(_, v) v = (v or 0) + 1 if v < 3 then return wait(v) end end do\n"
              "  log('iterated', v)\n"
              "end\n"
              "do local c <close> = setmetatable({}, {__close = function() log(wait('closed')) "
              "end}) end\n"
              "log(pcall(function() wait() error('after', 0) end))",
              "true 1\ntrue 2\nthree\n4\niterated 1\niterated 2\nclosed\nfalse after\ndone\n");
}

static void a_wait_where_lua_cannot_suspend_names_the_function(void **state) {
  (void)state;
  fake_script(
      "log(select(2, pcall(table.sort, {2, 1}, function() assert(pcall(wait)) end)))\n"
      "log(select(2, pcall(string.gsub, 'x', 'x', function() wait() end)))\n"
      "log(select(2, pcall(tostring, setmetatable({}, {__tostring = wait}))))",
      "test:1: test.wait cannot wait inside 'table.sort': Lua cannot suspend that function\n"
      "test:2: test.wait cannot wait inside 'string.gsub': Lua cannot suspend that function\n"
      "test.wait cannot wait inside 'tostring': Lua cannot suspend that function\n"
      "done\n");
}

static void a_wait_in_a_coroutine_below_such_a_function_is_refused_too(void **state) {
  (void)state;
  fake_script("local ok, e = pcall(table.sort, {2, 1}, function()\n"
              "  local ok, e = coroutine.resume(coroutine.create(wait))\n"
              "  log(ok, e)\n"
              "end)",
              "false test.wait cannot wait inside 'table.sort': Lua cannot suspend that function\n"
              "done\n");
}

static void a_wait_outside_tasks_is_refused(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_getglobal(f.vm.L, "wait");
  assert_int_equal(lua_pcall(f.vm.L, 0, 0, 0), LUA_ERRRUN);
  assert_non_null(strstr(lua_tostring(f.vm.L, -1), "test.wait"));
  lua_settop(f.vm.L, 0);
  fake_close(&f);
}

static int nothing_waited(lua_State *L, int status, lua_KContext ctx) {
  (void)L, (void)status, (void)ctx;
  return 0;
}

static void never_cancelled(struct pl_wait *w) {
  (void)w;
  fail();
}

// A wait that is over before the task has yielded.
static int wait_that_is_over(lua_State *L) {
  struct pl_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  pl_wait_check(L, "test.now");
  pl_wait_begin(L, w, "test.now", never_cancelled);
  pl_wait_complete(w);
  return pl_wait_yield(L, 0, nothing_waited);
}

static void a_wait_may_be_over_before_the_yield(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "over", wait_that_is_over);
  fake_start(&f, "over() log 'a' coroutine.wrap(function() over() log 'b' end)() log 'c'");
  fake_expect(&f, "");  // it goes on in the next round, not at once
  fake_run_ready(&f);
  fake_expect(&f, "a\nb\nc\ndone\n");
  fake_close(&f);
}

static void what_completed_before_the_cancellation_is_delivered(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = fake_start(&f, "log(wait 'the result') wait() log 'not reached'");
  fake_complete(&f, 0);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  fake_run_ready(&f);
  fake_expect(&f, "the result\ncancelled cancelled (client)\n");
  assert_int_equal(f.cancels, 0);
  fake_close(&f);
}

static void cancellation_is_level_triggered(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = fake_start(
      &f, "local function try() local ok, e = pcall(wait) log(ok, e.code, e.reason) end\n"
          "try() try() coroutine.wrap(try)() return 1");
  pl_task_cancel(task, PL_CANCEL_DEADLINE);
  pl_task_cancel(task, PL_CANCEL_DRAIN);  // the first reason stays
  fake_run_ready(&f);
  fake_expect(&f, "false ECANCELED deadline\nfalse ECANCELED deadline\n"
                  "false ECANCELED deadline\ndone 1\n");
  assert_int_equal(f.cancels, 1);
  fake_close(&f);
}

static void close_variables_run_on_cancellation_inner_first(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task =
      fake_start(&f, "local function c(n) return setmetatable({}, {__close = function(_, e)\n"
                     "  log(n, e and e.reason, (pcall(wait)))\n"
                     "end}) end\n"
                     "local a <close> = c 'a'\n"
                     "local f = coroutine.wrap(function() local b <close> = c 'b' wait() end)\n"
                     "local d <close> = c 'd'\n"
                     "f()");
  pl_task_cancel(task, PL_CANCEL_KILL);
  fake_run_ready(&f);
  fake_expect(&f, "b killed false\nd killed false\na killed false\ncancelled cancelled (killed)\n");
  fake_close(&f);
}

static void a_completion_for_a_task_that_is_over_is_dropped(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *first = fake_start(&f, "wait()");
  struct pl_wait late = *first->wait;  // as an operation keeps it that does not know better
  fake_complete(&f, 0);
  fake_run_ready(&f);
  fake_expect(&f, "done\n");
  struct pl_task *second = fake_start(&f, "wait() return 'second'");
  assert_ptr_equal(first, second);  // the slot is used again
  pl_wait_complete(&late);
  assert_int_equal(f.vm.sched.dropped_completions, 1);
  fake_run_ready(&f);
  fake_expect(&f, "");
  fake_run(&f);
  fake_expect(&f, "done second\n");
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wait_returns_where_it_was_called),
      cmocka_unit_test(waits_pass_through_everything_that_lua_can_suspend),
      cmocka_unit_test(a_wait_where_lua_cannot_suspend_names_the_function),
      cmocka_unit_test(a_wait_in_a_coroutine_below_such_a_function_is_refused_too),
      cmocka_unit_test(a_wait_outside_tasks_is_refused),
      cmocka_unit_test(a_wait_may_be_over_before_the_yield),
      cmocka_unit_test(what_completed_before_the_cancellation_is_delivered),
      cmocka_unit_test(cancellation_is_level_triggered),
      cmocka_unit_test(close_variables_run_on_cancellation_inner_first),
      cmocka_unit_test(a_completion_for_a_task_that_is_over_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
