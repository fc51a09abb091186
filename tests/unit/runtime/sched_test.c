// Waking the host, and who is running.
#include "runtime/sched.h"

#include "fake_host.h"

static void the_host_is_woken_when_the_queue_begins_to_fill(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "wait()");
  fake_start(&f, "wait()");
  assert_int_equal(f.wakes, 0);  // they ran at once, and wait
  fake_complete(&f, 0);
  assert_int_equal(f.wakes, 1);
  fake_complete(&f, 0);
  fake_run_ready(&f);
  fake_expect(&f, "done\ndone\n");
  fake_close(&f);
}

static int look(lua_State *L) {
  struct fake *f = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushboolean(L, f->vm.sched.running == L && f->vm.sched.current == pl_task_of(L));
  return 1;
}

static void running_is_the_innermost_coroutine(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_global(&f, "look", look);
  fake_start(&f, "local co = coroutine.wrap(function() log(look()) wait() log(look()) end)\n"
                 "log(look()) co() log(look())");
  assert_null(f.vm.sched.running);
  fake_run(&f);
  assert_null(f.vm.sched.running);
  assert_null(f.vm.sched.current);
  fake_expect(&f, "true\ntrue\ntrue\ntrue\ndone\n");
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_host_is_woken_when_the_queue_begins_to_fill),
      cmocka_unit_test(running_is_the_innermost_coroutine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
