// A state's life: memory in, memory out, limits, and failing to begin.
#include "runtime/vm.h"

#include "base/error.h"
#include "fake_host.h"

static void closing_gives_everything_back(void **state) {
  (void)state;
  fake_script("t = {} for i = 1, 1000 do t[i] = {} end", "done\n");
}

static void the_heap_is_counted(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_gc(f.vm.L, LUA_GCCOLLECT);
  size_t counted = (size_t)lua_gc(f.vm.L, LUA_GCCOUNT) * 1024;
  counted += (size_t)lua_gc(f.vm.L, LUA_GCCOUNTB);
  assert_int_equal(f.vm.heap.bytes, counted);
  fake_start(&f, "kept = string.rep('x', 100000)");
  assert_true(f.vm.heap.bytes >= counted + 100000);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void over_the_ceiling_a_task_fails_and_the_state_lives_on(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  pl_heap_set_ceiling(&f.vm.heap, f.vm.heap.bytes + (1 << 20));
  fake_start(&f, "local t = {} for i = 1, 1e9 do t[i] = {i} end");
  pl_heap_set_ceiling(&f.vm.heap, 0);
  fake_expect(&f, "failed not enough memory\n");
  fake_start(&f, "return 'alive'");
  fake_expect(&f, "done alive\n");
  fake_close(&f);
}

static void every_coroutine_knows_its_vm(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  struct pl_task *task = fake_start(&f, "co = coroutine.create(print) wait()");
  assert_ptr_equal(pl_vm_of(task->co), &f.vm);
  lua_getglobal(f.vm.L, "co");
  assert_ptr_equal(pl_vm_of(lua_tothread(f.vm.L, -1)), &f.vm);
  lua_State *foreign = lua_newthread(f.vm.L);  // as a C module makes it
  assert_ptr_equal(pl_vm_of(foreign), &f.vm);
  assert_null(pl_task_of(foreign));
  lua_settop(f.vm.L, 0);
  fake_run(&f);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void ids_go_on_where_the_last_generation_ended(void **state) {
  (void)state;
  struct fake f;
  struct pl_host host = {.ctx = &f, .wake = fake_wake, .warn = fake_warn};
  struct pl_vm vm;
  assert_int_equal(pl_vm_init(&vm, &host, 1, 41), 0);
  struct pl_task *task = pl_task_new(&vm, NULL, &fake_ops, NULL);
  assert_int_equal(task->id, (uint64_t)1 << 54 | 42);
  task->ops = &(struct pl_task_ops){.on_gone = fake_ignore_gone};
  assert_int_equal(luaL_loadstring(task->co, "return"), LUA_OK);
  pl_run_start(task, 0);
  pl_vm_deinit(&vm);
}

static int idle_calls;

static void count_idle(struct pl_vm *vm) {
  assert_int_equal(vm->live_tasks, 0);
  idle_calls++;
}

static void on_idle_comes_when_the_last_task_is_gone(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  f.vm.on_idle = count_idle;
  idle_calls = 0;
  fake_start(&f, "wait()");
  fake_start(&f, "wait()");
  fake_complete(&f, 0);
  fake_run_ready(&f);
  assert_int_equal(idle_calls, 0);
  fake_run(&f);
  assert_int_equal(idle_calls, 1);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void without_memory_init_fails_cleanly(void **state) {
  (void)state;
  struct fake f;
  struct pl_host host = {.ctx = &f, .wake = fake_wake, .warn = fake_warn};
  int64_t before = pl_mem_stats().bytes;
  int failures = 0;
  for (uint64_t nth = 1;; nth++) {
    struct pl_vm vm;
    pl_mem_fail_nth(nth);
    int status = pl_vm_init(&vm, &host, 0, 0);
    pl_mem_fail_nth(0);
    if (status == 0) pl_vm_deinit(&vm);
    assert_int_equal(pl_mem_stats().bytes, before);
    if (status == 0 && nth > 2) break;
    failures += status == PL_ENOMEM;
  }
  assert_in_range(failures, 3, 100000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(closing_gives_everything_back),
      cmocka_unit_test(the_heap_is_counted),
      cmocka_unit_test(over_the_ceiling_a_task_fails_and_the_state_lives_on),
      cmocka_unit_test(every_coroutine_knows_its_vm),
      cmocka_unit_test(ids_go_on_where_the_last_generation_ended),
      cmocka_unit_test(on_idle_comes_when_the_last_task_is_gone),
      cmocka_unit_test(without_memory_init_fails_cleanly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
