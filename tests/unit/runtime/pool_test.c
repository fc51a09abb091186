// The pool: reuse without allocation, ids that never repeat, what is dropped, no memory.
#include "runtime/pool.h"

#include "fake_host.h"

enum { WARM_UP = 1000, MEASURED = 10000 };

static const struct pl_task_ops silent_ops = {.on_gone = fake_ignore_gone};

// A handler that does next to nothing, as a C function: the script's own garbage is not the topic.
static int trivial(lua_State *L) {
  lua_pushinteger(L, 1);
  return 1;
}

static struct pl_task *new_silent(struct fake *f) {
  return pl_task_new(&f->vm, NULL, &silent_ops, NULL);
}

static void run_trivial(struct fake *f) {
  struct pl_task *task = new_silent(f);
  assert_non_null(task);
  lua_pushcfunction(task->co, trivial);
  pl_run_start(task, 0);
}

// base/mem.h's and those of Lua's own heap.
static uint64_t allocations(const struct fake *f) {
  return pl_mem_stats().allocations + pl_heap_allocations(&f->vm.heap);
}

static void ten_thousand_trivial_tasks_allocate_nothing(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  for (int i = 0; i < WARM_UP; i++) run_trivial(&f);
  uint64_t before = allocations(&f);
  for (int i = 0; i < MEASURED; i++) run_trivial(&f);
  assert_int_equal(allocations(&f) - before, 0);
  fake_close(&f);
}

static void a_batch_of_64_at_once_allocates_nothing_either(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  uint64_t before = 0;
  for (int round = 0; round < 20; round++) {
    if (round == 10) before = allocations(&f);
    struct pl_task *tasks[PL_POOL_IDLE_MIN];
    for (int i = 0; i < PL_POOL_IDLE_MIN; i++) {
      tasks[i] = new_silent(&f);
      assert_non_null(tasks[i]);
    }
    for (int i = 0; i < PL_POOL_IDLE_MIN; i++) {
      lua_pushcfunction(tasks[i]->co, trivial);
      pl_run_start(tasks[i], 0);
    }
  }
  assert_int_equal(allocations(&f) - before, 0);
  fake_close(&f);
}

static void ids_carry_the_worker_and_never_repeat(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  uint64_t last = 0;
  for (int i = 0; i < 100; i++) {
    struct pl_task *task = fake_start(&f, "wait()");
    assert_int_equal(task->id >> 54, 3);
    assert_true(task->id > last);
    last = task->id;
    fake_run(&f);
    assert_int_equal(task->id, 0);
  }
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void sixty_four_stay_when_all_are_over(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  for (int i = 0; i < 200; i++) fake_start(&f, "wait()");
  assert_int_equal(f.vm.pool.count, 0);
  fake_run(&f);
  assert_int_equal(f.vm.pool.count, PL_POOL_IDLE_MIN);
  pl_buf_clear(&f.text);
  fake_close(&f);
}

static void end_all(struct pl_task **tasks, int count) {
  for (int i = 0; i < count; i++) {
    lua_pushcfunction(tasks[i]->co, trivial);
    pl_run_start(tasks[i], 0);
  }
}

// Of a crowd a fifth ends at once, as after a slow turn, and is followed by as many, again and
// again.
static void the_more_are_alive_the_more_stay(void **state) {
  (void)state;
  enum { CROWD = 1000, BATCH = 200 };
  struct fake f;
  struct pl_task *tasks[CROWD];
  fake_open(&f);
  for (int i = 0; i < CROWD; i++) assert_non_null(tasks[i] = new_silent(&f));
  uint64_t before = 0;
  for (int round = 0; round < 10; round++) {
    if (round == 1) before = allocations(&f);  // each of them has run once
    end_all(tasks, BATCH);
    assert_int_equal(f.vm.pool.count, BATCH);
    for (int i = 0; i < BATCH; i++) assert_non_null(tasks[i] = new_silent(&f));
  }
  assert_int_equal(allocations(&f) - before, 0);
  end_all(tasks, CROWD / 2);
  assert_int_equal(f.vm.pool.count, PL_POOL_IDLE_MIN + CROWD / 2 / PL_POOL_ALIVE_PER_IDLE);
  end_all(tasks + CROWD / 2, CROWD / 2);
  assert_int_equal(f.vm.pool.count, PL_POOL_IDLE_MIN);
  fake_close(&f);
}

static void a_coroutine_is_used_again_after_a_failure(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  lua_State *co = fake_start(&f, "error('x', 0)")->co;
  lua_State *again = fake_start(&f, "local a, b, c = 1, 2, 3 return a + b + c, ...")->co;
  assert_ptr_equal(co, again);
  fake_expect(&f, "failed x\ndone 6\n");
  fake_close(&f);
}

// Lua collects and tries again when an allocation fails, so a single failure is not enough: the
// ceiling makes all of them fail from some point on.
static void no_memory_for_a_task_is_null_and_nothing_leaks(void **state) {
  (void)state;
  int failures = 0, successes = 0;
  for (size_t spare = 0; spare < 4096; spare += 16) {
    struct fake f;
    fake_open(&f);
    lua_gc(f.vm.L, LUA_GCCOLLECT);
    pl_heap_set_ceiling(&f.vm.heap, f.vm.heap.bytes + spare);
    struct pl_task *task = new_silent(&f);
    pl_heap_set_ceiling(&f.vm.heap, 0);
    if (task) {
      successes++;
      lua_pushcfunction(task->co, trivial);
      pl_run_start(task, 0);
    } else {
      failures++;
      run_trivial(&f);  // with memory it works again
    }
    fake_close(&f);
  }
  assert_true(failures > 0 && successes > 0);
}

static void no_memory_for_the_structs_is_null_too(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  pl_mem_fail_nth(1);
  struct pl_task *task = new_silent(&f);
  pl_mem_fail_nth(0);
  assert_null(task);
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ten_thousand_trivial_tasks_allocate_nothing),
      cmocka_unit_test(a_batch_of_64_at_once_allocates_nothing_either),
      cmocka_unit_test(ids_carry_the_worker_and_never_repeat),
      cmocka_unit_test(sixty_four_stay_when_all_are_over),
      cmocka_unit_test(the_more_are_alive_the_more_stay),
      cmocka_unit_test(a_coroutine_is_used_again_after_a_failure),
      cmocka_unit_test(no_memory_for_a_task_is_null_and_nothing_leaks),
      cmocka_unit_test(no_memory_for_the_structs_is_null_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
