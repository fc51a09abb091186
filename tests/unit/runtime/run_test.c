// Rounds, order, and when the loop is let in.
#include "runtime/run.h"

#include "fake_host.h"

static int nothing_waited(lua_State *L, int status, lua_KContext ctx) {
  (void)L, (void)status, (void)ctx;
  return 0;
}

static void never_cancelled(struct pl_wait *w) {
  (void)w;
  fail();
}

// Goes to the end of the run queue.
static int give_way(lua_State *L) {
  struct pl_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  pl_wait_begin(L, w, "test.give_way", never_cancelled);
  pl_wait_complete(w);
  return pl_wait_yield(L, 0, nothing_waited);
}

static void tasks_take_turns_in_order(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "give_way", give_way);
  fake_start(&f, "log 'a1' give_way() log 'a2' give_way() log 'a3'");
  fake_start(&f, "log 'b1' give_way() log 'b2' give_way() log 'b3'");
  fake_expect(&f, "a1\nb1\n");
  assert_true(pl_run_turn(&f.vm));
  fake_expect(&f, "a2\nb2\n");
  assert_false(pl_run_turn(&f.vm));
  fake_expect(&f, "a3\ndone\nb3\ndone\n");
  assert_false(pl_run_turn(&f.vm));
  fake_close(&f);
}

static int start_two(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  fake_start(f, "log 'inner 1'");
  fake_start(f, "log 'inner 2'");
  return 0;
}

static void a_task_started_by_a_task_waits_for_the_next_round(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "start_two", start_two);
  fake_start(&f, "start_two() log 'outer'");
  fake_expect(&f, "outer\ndone\n");
  fake_run_ready(&f);
  fake_expect(&f, "inner 1\ndone\ninner 2\ndone\n");
  fake_close(&f);
}

static void a_turn_ends_after_256_resumes(void **state) {
  (void)state;
  enum { TASKS = 1000 };
  struct fake f;
  fake_open(&f);
  for (int i = 0; i < TASKS; i++) fake_start(&f, "wait()");
  while (f.pending_count > 0) fake_complete(&f, 0);
  uint64_t before = f.vm.sched.resumes;
  assert_true(pl_run_turn(&f.vm));
  assert_in_range(f.vm.sched.resumes - before, 1, PL_RUN_RESUMES_PER_TURN);
  fake_run_ready(&f);
  assert_int_equal(f.vm.sched.resumes - before, TASKS);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tasks_take_turns_in_order),
      cmocka_unit_test(a_task_started_by_a_task_waits_for_the_next_round),
      cmocka_unit_test(a_turn_ends_after_256_resumes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
