// Tasks that are ended from outside: in which order what is closed, and what is left of them.
#include "runtime/kill.h"

#include "hogs.h"
#include "runtime/kill_error.h"

enum { MS = 1000000 };

static const char closer[] =
    "local function closer(n) return setmetatable({}, {__close = function(_, e)\n"
    "  log('closed', n, e) end}) end\n";

static const char *text_of(struct fake *f) {
  assert_int_equal(pl_buf_append(&f->text, "", 1), 0);
  const char *text = pl_buf_view(&f->text).data;
  f->text.end--;
  return text;
}

static struct pl_task *start_with_closer(struct fake *f, const char *script) {
  struct pl_buf text = {0};
  assert_int_equal(pl_buf_printf(&text, "%s%s", closer, script), 0);
  assert_int_equal(pl_buf_append(&text, "", 1), 0);
  struct pl_task *task = fake_start(f, pl_buf_view(&text).data);
  pl_buf_deinit(&text);
  return task;
}

static void expect_begin(struct fake *f, const char *expected) {
  const char *text = text_of(f);
  if (strncmp(text, expected, strlen(expected)) != 0) fail_msg("%s", text);
}

static void expect_part(struct fake *f, const char *expected) {
  const char *text = text_of(f);
  if (!strstr(text, expected)) fail_msg("'%s' is not in: %s", expected, text);
}

static void chains_are_closed_innermost_first_and_each_variable_once(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = start_with_closer(
      &f, "local a <close> = closer 'a'\n"
          "co = coroutine.create(function() local b <close> = closer 'b'\n"
          "  pcall(coroutine.wrap(function()\n"
          "    local c <close> = closer 'c' local d <close> = closer 'd' wait() end)) end)\n"
          "coroutine.resume(co)");
  pl_kill_task(task, PL_KILL_GRACE);
  assert_int_equal(f.cancels, 1);
  expect_begin(&f, "closed d nil\nclosed c nil\nclosed b nil\nclosed a nil\nwarn: the task went on "
                   "for longer than timeouts.grace");
  pl_buf_clear(&f.text);
  fake_start(&f, "log(coroutine.status(co)) log(coroutine.resume(co)) log(coroutine.close(co))");
  fake_expect(&f, "dead\nfalse cannot resume dead coroutine\ntrue\ndone\n");
  fake_close(&f);
}

static void log_fields_of_result(struct pl_task *task) {
  struct fake *f = task->vm->host.ctx;
  lua_State *L = task->vm->L;
  assert_true(task->has_failed);
  assert_int_equal(pl_results_push(L, task->co, task->id), 1);
  assert_true(pl_value_is_error(L, -1));
  static const char *const names[] = {"status", "code", "reason", "traceback"};
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) {
    lua_getfield(L, -1, names[i]);
    fake_line(f, "", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

static int never_called(lua_State *L) {
  (void)L;
  fail();
  return 0;
}

static void the_result_is_an_error_object_with_the_chains_traceback(void **state) {
  (void)state;
  static const struct pl_task_ops ops = {.on_error = never_called, .on_end = log_fields_of_result};
  struct fake f;
  fake_open(&f);
  struct pl_task *task = pl_task_new(&f.vm, NULL, &ops, NULL);
  assert_int_equal(luaL_loadstring(task->co, "coroutine.wrap(function() wait() end)()"), LUA_OK);
  pl_run_start(task, 0);
  task->cpu_limit_ns = 1500 * (uint64_t)MS;
  pl_kill_task(task, PL_KILL_CPU);
  expect_part(&f, "\n503\nECPU\nkilled\nthe task used more than 1500ms of CPU without waiting");
  expect_part(&f, "stack traceback:\n\t[C]: in function 'wait'\n\t[string");
  expect_part(&f, "\nresumed by\nstack traceback:\n\t[C]: in ?\n\t[string");
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void memory_is_answered_with_500_and_the_others_with_503(void **state) {
  (void)state;
  assert_int_equal(pl_kill_error_status(PL_KILL_CPU), 503);
  assert_int_equal(pl_kill_error_status(PL_KILL_GRACE), 503);
  assert_int_equal(pl_kill_error_status(PL_KILL_MEMORY), 500);
}

static void a_ready_task_leaves_the_run_queue(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  atomic_store(&h.budget.is_unwatched, true);
  struct pl_task *hog = start_with_closer(&h.f, "local a <close> = closer 'a' while true do end");
  while (atomic_load(&h.budget.preemptions) < 100) pl_run_turn(&h.f.vm);
  atomic_store(&h.budget.is_unwatched, false);
  fake_start(&h.f, "return 'other'");
  pl_buf_clear(&h.f.text);
  assert_int_equal(hog->state, PL_TASK_READY);
  pl_kill_task(hog, PL_KILL_CPU);
  assert_int_equal(h.f.vm.sched.ready_count, 0);
  assert_int_equal(atomic_load(&h.budget.killed[PL_KILL_CPU]), 1);
  expect_begin(&h.f, "closed a nil\nwarn: the task used");
  fake_run(&h.f);
  pl_buf_clear(&h.f.text);
  hog_close(&h);
}

static void a_task_that_was_woken_already_can_be_killed(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = fake_start(&f, "wait() log 'never'");
  fake_complete(&f, 0);
  pl_kill_task(task, PL_KILL_GRACE);
  fake_run(&f);
  assert_int_equal(f.cancels, 0);
  assert_null(strstr(text_of(&f), "never"));
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void nothing_waits_while_it_is_closed(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task =
      fake_start(&f, "local a <close> = setmetatable({}, {__close = function()\n"
                     "  log(pcall(wait)) log(pcall(coroutine.wrap(wait))) end}) wait()");
  pl_kill_task(task, PL_KILL_GRACE);
  expect_begin(&f, "false test.wait cannot wait here: Lua cannot suspend this function\n"
                   "false test.wait cannot wait inside '?': Lua cannot suspend that function\n"
                   "warn: ");
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static int close_in_c(lua_State *L) {
  fake_line(lua_touserdata(L, lua_upvalueindex(1)), "", "closed in C");
  return 0;
}

static void a_closer_that_loops_gets_a_slice_and_others_of_c_still_run(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  fake_global(&h.f, "close_in_c", close_in_c);
  hog_tick(&h.budget, 500);
  struct pl_task *task = start_with_closer(
      &h.f, "local a <close> = setmetatable({}, {__close = close_in_c})\n"
            "coroutine.wrap(function()\n"
            "  local b <close> = setmetatable({}, {__close = function() log 'loops'\n"
            "    while true do pcall(coroutine.wrap(function() while true do end end)) end end})\n"
            "  local c <close> = closer 'c' wait() end)()");
  pl_kill_task(task, PL_KILL_GRACE);
  expect_begin(&h.f, "closed c nil\nloops\nclosed in C\nwarn: ");
  pl_buf_clear(&h.f.text);
  hog_close(&h);
}

// ---- an end that is due ----

static int arm_memory(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  pl_budget_arm_kill(&f->vm, PL_KILL_MEMORY);
  return 0;
}

static void an_armed_kill_ends_the_task_at_its_next_instruction(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "arm", arm_memory);
  start_with_closer(&f, "local a <close> = closer 'a'\n"
                        "pcall(coroutine.wrap(function() pcall(function() arm() log 'never' end)\n"
                        "  log 'never' end)) log 'never'");
  expect_begin(&f, "closed a nil\nwarn: the task held too much memory");
  assert_null(strstr(text_of(&f), "never"));
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void a_task_that_ends_in_time_is_not_killed(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "arm", arm_memory);
  fake_start(&f, "return arm()");
  fake_expect(&f, "done\n");
  fake_start(&f, "local x = 1 return x");
  fake_expect(&f, "done 1\n");
  fake_close(&f);
}

static void outside_of_tasks_nothing_is_armed(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  pl_budget_arm_kill(&f.vm, PL_KILL_MEMORY);
  assert_null(f.vm.sched.hook);
  fake_close(&f);
}

static void where_lua_cannot_yield_an_error_ends_it_and_closers_get_a_slice(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "arm", arm_memory);
  start_with_closer(&f, "local a <close> = closer 'a'\n"
                        "log(pcall(table.sort, {3, 2, 1}, function() arm() log 'never' end))\n"
                        "log(pcall(coroutine.wrap(function() local b <close> = closer 'b'\n"
                        "  error('x', 0) end)))\n"
                        "log 'goes on within the slice' return 'but this is not its result'");
  expect_begin(&f, "false not enough memory\nclosed b x\nfalse x\n"
                   "goes on within the slice\nclosed a nil\n"
                   "warn: the task held too much memory");
  expect_part(&f, "failed the task held too much memory");
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void the_part_that_can_yield_is_closed_from_outside(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "arm", arm_memory);
  start_with_closer(&f, "local a <close> = closer 'a'\n"
                        "table.sort({3, 2, 1}, function()\n"
                        "  coroutine.wrap(function() local b <close> = closer 'b'\n"
                        "    coroutine.wrap(function() local c <close> = closer 'c'\n"
                        "      arm() log 'never' end)() end)() end)");
  expect_begin(
      &f, "closed c nil\nclosed b nil\nclosed a test:");  // which line differs by Lua's version
  expect_part(&f, ": the task is being ended\nwarn: the task held");
  pl_buf_clear(&f.text);
  fake_close(&f);
}

// No signal comes here again: whoever goes on where the error came from must have the hook.
static void whoever_resumed_what_was_ended_is_ended_next(void **state) {
  (void)state;
  static const char *const inner[] = {"arm() local x = 1",
                                      "table.sort({3, 2, 1}, function() arm() local x = 1 end)"};
  for (size_t i = 0; i < PL_ARRAY_LEN(inner); i++) {
    struct fake f;
    fake_open(&f);
    fake_global(&f, "arm", arm_memory);
    struct pl_buf script = {0};
    assert_int_equal(
        pl_buf_printf(&script,
                      "local function inner() %s end table.sort({3, 2, 1}, function()\n"
                      "  while true do pcall(coroutine.wrap(inner)) end end)",
                      inner[i]),
        0);
    assert_int_equal(pl_buf_append(&script, "", 1), 0);
    fake_start(&f, pl_buf_view(&script).data);
    expect_begin(&f, "warn: the task held too much memory");
    pl_buf_deinit(&script);
    pl_buf_clear(&f.text);
    fake_close(&f);
  }
}

static void a_wait_within_the_last_slice_ends_it_as_well(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "arm", arm_memory);
  start_with_closer(&f, "pcall(table.sort, {3, 2, 1}, function() arm() log 'never' end)\n"
                        "local a <close> = closer 'a' wait() log 'never'");
  assert_int_equal(f.pending_count, 0);
  expect_begin(&f, "closed a nil\nwarn: ");
  pl_buf_clear(&f.text);
  fake_close(&f);
}

// ---- without memory ----

static void without_memory_a_task_is_ended_all_the_same(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  for (size_t spare = 0; spare < 6000; spare += 40) {
    struct pl_task *task = start_with_closer(
        &f, "local a <close> = closer 'a' coroutine.wrap(function() wait() end)()");
    lua_gc(f.vm.L, LUA_GCCOLLECT);
    lua_gc(f.vm.L, LUA_GCCOLLECT);
    pl_heap_set_ceiling(&f.vm.heap, f.vm.heap.bytes + spare);
    pl_kill_task(task, PL_KILL_MEMORY);
    pl_heap_set_ceiling(&f.vm.heap, 0);
    assert_int_equal(f.vm.live_tasks, 0);
    expect_part(&f, "warn: ");
    pl_buf_clear(&f.text);
  }
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chains_are_closed_innermost_first_and_each_variable_once),
      cmocka_unit_test(the_result_is_an_error_object_with_the_chains_traceback),
      cmocka_unit_test(memory_is_answered_with_500_and_the_others_with_503),
      cmocka_unit_test(a_ready_task_leaves_the_run_queue),
      cmocka_unit_test(a_task_that_was_woken_already_can_be_killed),
      cmocka_unit_test(nothing_waits_while_it_is_closed),
      cmocka_unit_test(a_closer_that_loops_gets_a_slice_and_others_of_c_still_run),
      cmocka_unit_test(an_armed_kill_ends_the_task_at_its_next_instruction),
      cmocka_unit_test(a_task_that_ends_in_time_is_not_killed),
      cmocka_unit_test(outside_of_tasks_nothing_is_armed),
      cmocka_unit_test(where_lua_cannot_yield_an_error_ends_it_and_closers_get_a_slice),
      cmocka_unit_test(the_part_that_can_yield_is_closed_from_outside),
      cmocka_unit_test(whoever_resumed_what_was_ended_is_ended_next),
      cmocka_unit_test(a_wait_within_the_last_slice_ends_it_as_well),
      cmocka_unit_test(without_memory_a_task_is_ended_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
