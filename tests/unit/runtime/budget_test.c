// Preemption and the limit on CPU, with the watchdog played by the test: every kind of hog ends;
// programs that are preempted at every instruction do what they do otherwise.
#include "runtime/budget.h"

#include <lualib.h>
#include <stdlib.h>

#include "hogs.h"
#include "programs.h"

enum { MS = 1000000, PROGRAMS = 120 };

static uint64_t killed(const struct hog_host *h) {
  return atomic_load(&h->budget.killed[PL_KILL_CPU]);
}

static void every_hog_ends_over_its_limit(void **state) {
  (void)state;
  for (size_t i = 0; i < PL_ARRAY_LEN(hogs); i++) {
    struct hog_host h;
    hog_open(&h, 1 * MS, 20 * MS);
    hog_tick(&h.budget, 500);
    struct pl_task *task = fake_start(&h.f, hogs[i].script);
    fake_run(&h.f);
    if (killed(&h) != 1) fail_msg("%s: %s", hogs[i].name, pl_buf_view(&h.f.text).data);
    assert_int_equal(task->state, PL_TASK_IDLE);
    assert_int_equal(pl_buf_append(&h.f.text, "", 1), 0);
    const char *text = pl_buf_view(&h.f.text).data;
    if (!strstr(text, "failed the task used more than 20ms of CPU without waiting") ||
        !strstr(text, "warn: the task used more than 20ms") || !strstr(text, "test:"))
      fail_msg("%s: %s", hogs[i].name, text);
    pl_buf_clear(&h.f.text);
    hog_close(&h);
  }
}

static void others_run_while_a_hog_lasts(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 30 * MS);
  hog_tick(&h.budget, 500);
  fake_start(&h.f, "while true do end");
  size_t hellos = 0;
  while (killed(&h) == 0) {
    fake_start(&h.f, "return 'hi'");
    hellos++;
    pl_run_turn(&h.f.vm);
  }
  assert_true(hellos >= 3);
  assert_true(atomic_load(&h.budget.preemptions) >= 3);
  pl_buf_clear(&h.f.text);
  hog_close(&h);
}

static void sockets_are_polled_after_each_slice(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  atomic_store(&h.budget.is_unwatched, true);
  for (int i = 0; i < 3; i++) fake_start(&h.f, "local x = 1 x = 2 x = 3");
  uint64_t before = atomic_load(&h.budget.preemptions);
  assert_int_equal(before, 3);
  assert_true(pl_run_turn(&h.f.vm));
  assert_int_equal(atomic_load(&h.budget.preemptions), before + 1);
  fake_run(&h.f);
  fake_expect(&h.f, "done\ndone\ndone\n");
  hog_close(&h);
}

// Two that each take many slices: each gets what it computes right.
static void preempted_tasks_compute_the_right_sums(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  const char *script = "local n = ... local sum = 0\n"
                       "for i = 1, 3000000 do sum = sum + i % 7 end return sum";
  hog_tick(&h.budget, 500);
  fake_start(&h.f, script);
  fake_start(&h.f, script);
  fake_run(&h.f);
  fake_expect(&h.f, "done 8999997\ndone 8999997\n");
  assert_true(atomic_load(&h.budget.preemptions) >= 2);
  hog_close(&h);
}

static void without_slices_nobody_is_preempted_and_the_limit_holds(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 0, 20 * MS);
  hog_tick(&h.budget, 500);
  fake_start(&h.f, "while true do end");
  assert_int_equal(killed(&h), 1);
  assert_int_equal(atomic_load(&h.budget.preemptions), 0);
  pl_buf_clear(&h.f.text);
  hog_close(&h);
}

// ---- accounting ----

static void a_wait_ends_what_was_counted_and_a_preemption_does_not(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  atomic_store(&h.budget.is_unwatched, true);
  struct pl_task *task = fake_start(&h.f, "local x = 1 wait() x = 2");
  assert_int_equal(task->state, PL_TASK_READY);
  uint64_t first = task->cpu_ns;
  assert_true(first >= 1 * MS);  // the slice that the watchdog has seen
  pl_run_turn(&h.f.vm);
  assert_true(task->cpu_ns > first);
  while (h.f.pending_count == 0) pl_run_turn(&h.f.vm);
  assert_int_equal(task->cpu_ns, 0);
  fake_run(&h.f);
  fake_expect(&h.f, "done\n");
  hog_close(&h);
}

static void a_tasks_own_limit_wins_and_its_children_have_it_too(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 1000000 * (uint64_t)MS);
  hog_tick(&h.budget, 500);
  struct pl_task *parent = pl_task_new(&h.f.vm, NULL, &fake_ops, NULL);
  parent->cpu_limit_ns = 15 * MS;
  struct pl_task *child = pl_task_new(&h.f.vm, parent, &fake_ops, NULL);
  assert_int_equal(luaL_loadstring(parent->co, "wait()"), LUA_OK);
  assert_int_equal(luaL_loadstring(child->co, "while true do end"), LUA_OK);
  pl_run_start(parent, 0);
  pl_run_start(child, 0);
  fake_run(&h.f);
  assert_int_equal(killed(&h), 1);
  assert_int_equal(pl_buf_append(&h.f.text, "", 1), 0);
  assert_non_null(strstr(pl_buf_view(&h.f.text).data, "more than 15ms"));
  pl_buf_clear(&h.f.text);
  struct pl_task *next = pl_task_new(&h.f.vm, NULL, &fake_ops, NULL);
  assert_int_equal(next->cpu_limit_ns, 0);
  assert_int_equal(luaL_loadstring(next->co, "return 1"), LUA_OK);
  pl_run_start(next, 0);
  fake_expect(&h.f, "done 1\n");
  hog_close(&h);
}

// ---- what stays alone ----

static void our_own_lua_is_not_preempted(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  atomic_store(&h.budget.is_unwatched, true);
  struct pl_task *task = pl_task_new(&h.f.vm, NULL, &fake_ops, NULL);
  const char *script = "local n = 0 for i = 1, 1000 do n = n + i end return n";
  assert_int_equal(luaL_loadbuffer(task->co, script, strlen(script), "=perilune/x.lua"), LUA_OK);
  pl_run_start(task, 0);
  fake_expect(&h.f, "done 500500\n");
  assert_int_equal(atomic_load(&h.budget.preemptions), 0);
  hog_close(&h);
}

static void a_hook_that_is_left_over_goes_away(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  struct pl_task *task = fake_start(&h.f, "wait() local x = 1 wait() return x");
  pl_budget_insist(&h.f.vm, task->co);
  assert_non_null(lua_gethook(task->co));
  fake_complete(&h.f, 0);
  fake_run_ready(&h.f);
  assert_null(lua_gethook(task->co));
  fake_run(&h.f);
  fake_expect(&h.f, "done 1\n");
  assert_int_equal(atomic_load(&h.budget.preemptions), 0);
  hog_close(&h);
}

static void a_signal_for_a_run_that_is_over_does_nothing(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  fake_start(&h.f, "return 1");
  atomic_store(&h.budget.watched, atomic_load(&h.budget.switches) - 1);
  raise(PL_BUDGET_SIGNAL);
  assert_null(h.f.vm.sched.hook);
  fake_start(&h.f, "return 2");
  fake_expect(&h.f, "done 1\ndone 2\n");
  assert_int_equal(atomic_load(&h.budget.preemptions), 0);
  hog_close(&h);
}

static void a_vm_without_a_budget_has_no_limits(void **state) {
  (void)state;
  fake_script("for i = 1, 100000 do end return 1", "done 1\n");
}

// ---- at every instruction ----

static void programs_preempted_at_every_instruction_write_stock_luas_log(void **state) {
  (void)state;
  struct hog_host h;
  hog_open(&h, 1 * MS, 0);
  lua_State *stock = open_stock();
  for (int seed = 0; seed < PROGRAMS; seed++) {
    struct pl_buf expected = {0}, actual = {0};
    const char *text = generate(stock, seed);
    atomic_store(&h.budget.is_unwatched, true);
    start_program(&h.f, text, &actual);
    run_stock(stock, text, &expected);
    fake_run(&h.f);
    if (strcmp(text_of(&actual), text_of(&expected)) != 0) {
      fprintf(stderr, "--- program %d\n%s\n--- stock\n%s--- ours\n%s", seed, generate(stock, seed),
              text_of(&expected), text_of(&actual));
      fail();
    }
    pl_buf_deinit(&expected);
    pl_buf_deinit(&actual);
  }
  lua_close(stock);
  atomic_store(&h.budget.is_unwatched, false);
  assert_true(atomic_load(&h.budget.preemptions) > 100 * PROGRAMS);
  pl_buf_clear(&h.f.text);
  hog_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_hog_ends_over_its_limit),
      cmocka_unit_test(others_run_while_a_hog_lasts),
      cmocka_unit_test(sockets_are_polled_after_each_slice),
      cmocka_unit_test(preempted_tasks_compute_the_right_sums),
      cmocka_unit_test(without_slices_nobody_is_preempted_and_the_limit_holds),
      cmocka_unit_test(a_wait_ends_what_was_counted_and_a_preemption_does_not),
      cmocka_unit_test(a_tasks_own_limit_wins_and_its_children_have_it_too),
      cmocka_unit_test(our_own_lua_is_not_preempted),
      cmocka_unit_test(a_hook_that_is_left_over_goes_away),
      cmocka_unit_test(a_signal_for_a_run_that_is_over_does_nothing),
      cmocka_unit_test(a_vm_without_a_budget_has_no_limits),
      cmocka_unit_test(programs_preempted_at_every_instruction_write_stock_luas_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
