// The grace time: who ends by itself is left alone, who does not is ended from outside, children
// first. Shields and joins are told from Lua in tests/unit/api/task_scope_test.c.
#include "runtime/overdue.h"

#include "base/clock.h"
#include "fake_host.h"
#include "runtime/grace.h"

enum { GRACE_MS = 1000 };

static uint64_t timer_due_ms;  // what the vm has asked for last

static void set_grace_timer(void *ctx, uint64_t due_ms) {
  (void)ctx;
  timer_due_ms = due_ms;
}

static int lua_child(lua_State *L) {
  size_t len;
  const char *script = luaL_checklstring(L, 1, &len);
  struct pl_task *child = pl_task_new(pl_vm_of(L), pl_task_current(L), &fake_ops, NULL);
  assert_non_null(child);
  assert_int_equal(luaL_loadbufferx(child->co, script, len, "=child", "t"), LUA_OK);
  pl_run_start(child, 0);
  return 0;
}

static int return_nothing(lua_State *L, int status, lua_KContext ctx) {
  (void)L, (void)status, (void)ctx;
  return 0;
}

static void cancel_nothing(struct pl_wait *wait) {
  (void)wait;
}

// insist(): what waits although it is cancelled is back in the run queue at once. As a hog that was
// preempted.
static int lua_insist(lua_State *L) {
  struct pl_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  pl_wait_begin(L, w, "test.insist", cancel_nothing);
  return pl_wait_yield(L, 0, return_nothing);
}

static void open_fake(struct fake *f) {
  fake_open(f);
  f->vm.grace_ms = GRACE_MS;
  f->vm.host.set_grace_timer = set_grace_timer;
  fake_global(f, "child", lua_child);
  fake_global(f, "insist", lua_insist);
  timer_due_ms = 0;
}

// What a test's script begins with: closing(name) logs when it is closed, and by what.
#define CLOSING                                                                \
  "function closing(name) return setmetatable({}, {__close = function(_, e)\n" \
  "  log(name, 'closed', e and e.reason) end}) end\n"

static void who_ends_in_time_is_left_alone(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  uint64_t before_ms = pl_clock_ms();
  struct pl_task *task = fake_start(&f, CLOSING "local c <close> = closing 'a' wait()");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  assert_in_range(timer_due_ms, before_ms + GRACE_MS, pl_clock_ms() + GRACE_MS);
  fake_run(&f);
  fake_expect(&f, "a closed client\ncancelled cancelled (client)\n");
  pl_overdue_end(&f.vm, timer_due_ms + 1);
  assert_true(pl_list_is_empty(&f.vm.grace));
  fake_close(&f);
}

static void nobody_is_ended_before_the_time(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *task = fake_start(&f, CLOSING "local c <close> = closing 'a' wait()");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  pl_overdue_end(&f.vm, timer_due_ms - 1);
  assert_int_equal(f.vm.live_tasks, 1);
  fake_run(&f);
  fake_expect(&f, "a closed client\ncancelled cancelled (client)\n");
  fake_close(&f);
}

static void who_is_still_there_is_ended_from_outside(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *task =
      fake_start(&f, CLOSING "local c <close> = closing 'outer'\n"
                             "coroutine.wrap(function() local c <close> = closing 'inner'\n"
                             "  pcall(wait) insist() end)()");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  pl_run_turn(&f.vm);
  pl_overdue_end(&f.vm, timer_due_ms);
  assert_int_equal(f.vm.live_tasks, 0);
  assert_int_equal(f.vm.sched.ready_count, 0);
  assert_int_equal(pl_buf_append(&f.text, "", 1), 0);
  const char *text = pl_buf_view(&f.text).data;
  const char *inner = strstr(text, "inner closed"), *outer = strstr(text, "outer closed");
  assert_true(inner && outer && inner < outer);
  assert_non_null(strstr(text, "timeouts.grace"));
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void children_are_ended_before_their_parents(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *task =
      fake_start(&f, CLOSING "child [[local c <close> = closing 'b' child\n"
                             "  \"local c <close> = closing 'c' pcall(wait) insist()\"\n"
                             "  pcall(wait) insist()]]\n"
                             "local c <close> = closing 'a' pcall(wait) insist()");
  fake_run_ready(&f);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  pl_run_turn(&f.vm);
  pl_overdue_end(&f.vm, timer_due_ms);
  assert_int_equal(f.vm.live_tasks, 0);
  assert_int_equal(pl_buf_append(&f.text, "", 1), 0);
  const char *text = pl_buf_view(&f.text).data;
  const char *a = strstr(text, "a closed"), *b = strstr(text, "b closed");
  const char *c = strstr(text, "c closed");
  assert_true(a && b && c && c < b && b < a);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

// As with many: the run queue is longer than the grace time.
static void who_has_not_had_the_cpu_since_is_asked_again(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *task = fake_start(&f, CLOSING "child [[local c <close> = closing 'b' wait()]]\n"
                                                "local c <close> = closing 'a' wait()");
  fake_run_ready(&f);
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  for (unsigned rounds = 1; rounds < 5; rounds++)
    pl_overdue_end(&f.vm, pl_clock_ms() + rounds * (GRACE_MS + 1));
  fake_run(&f);
  fake_expect(&f, "b closed client\ncancelled cancelled (client)\na closed client\n"
                  "cancelled cancelled (client)\n");
  fake_close(&f);
}

static void the_timer_is_for_the_first_due(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *first = fake_start(&f, "wait()");
  struct pl_task *second = fake_start(&f, "wait()");
  struct pl_task *third = fake_start(&f, "wait()");
  pl_grace_add(first, 300);
  assert_int_equal(timer_due_ms, 300);
  pl_grace_add(second, 400);
  assert_int_equal(timer_due_ms, 300);
  pl_grace_add(third, 200);
  assert_int_equal(timer_due_ms, 200);
  assert_ptr_equal(pl_grace_task_at(f.vm.grace.next), third);
  assert_ptr_equal(pl_grace_task_at(f.vm.grace.next->next), first);
  fake_run(&f);
  assert_true(pl_list_is_empty(&f.vm.grace));
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void who_is_preempted_while_it_unwinds_gets_a_few_slices(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *task = fake_start(&f, "wait()");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  task->has_heard = true;  // as if it had run and stood in the queue again, its slice over
  task->late_slices = 1;
  pl_overdue_end(&f.vm, timer_due_ms);
  assert_int_equal(f.vm.live_tasks, 1);
  task->late_slices = UINT8_MAX;
  pl_overdue_end(&f.vm, timer_due_ms);
  assert_int_equal(f.vm.live_tasks, 0);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void a_shield_shares_what_is_left_of_its_parents_time(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  struct pl_task *parent = fake_start(&f, "wait()");
  struct pl_task *shield = fake_start(&f, "wait()");
  parent->cancelled = PL_CANCEL_CLIENT;
  pl_grace_add(parent, 300);  // long over: a time of its own would be a later one
  pl_grace_share(shield, parent);
  assert_int_equal(shield->grace_due_ms, 300);
  assert_int_equal(shield->sheltered_from, PL_CANCEL_CLIENT);
  parent->cancelled = PL_CANCEL_NONE;
  pl_list_remove(&shield->grace);
  shield->sheltered_from = PL_CANCEL_NONE;
  fake_run(&f);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void without_a_grace_time_nobody_is_ended(void **state) {
  (void)state;
  struct fake f;
  open_fake(&f);
  f.vm.grace_ms = 0;
  struct pl_task *task = fake_start(&f, "wait()");
  pl_task_cancel(task, PL_CANCEL_CLIENT);
  assert_true(pl_list_is_empty(&f.vm.grace));
  assert_int_equal(timer_due_ms, 0);
  fake_run(&f);
  fake_expect(&f, "cancelled cancelled (client)\n");
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_ends_in_time_is_left_alone),
      cmocka_unit_test(nobody_is_ended_before_the_time),
      cmocka_unit_test(who_is_still_there_is_ended_from_outside),
      cmocka_unit_test(children_are_ended_before_their_parents),
      cmocka_unit_test(who_has_not_had_the_cpu_since_is_asked_again),
      cmocka_unit_test(the_timer_is_for_the_first_due),
      cmocka_unit_test(who_is_preempted_while_it_unwinds_gets_a_few_slices),
      cmocka_unit_test(a_shield_shares_what_is_left_of_its_parents_time),
      cmocka_unit_test(without_a_grace_time_nobody_is_ended),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
