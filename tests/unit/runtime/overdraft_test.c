// Requests over their memory limit: those that hold it are found out, those that made garbage go
// on. The hook here is what budget.c's is, but for how it ends a task: it raises.
#include "runtime/overdraft.h"

#include "base/error.h"
#include "fake_host.h"

enum { LIMIT = 1 << 20, SEVERAL_STEPS = 3 };

static unsigned crossings, steps;

static void check_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  int rc;
  do {
    rc = pl_overdraft_step(L);
    steps++;
  } while (rc == PL_EAGAIN);
  lua_sethook(L, NULL, 0, 0);
  if (rc == PL_ELIMIT) luaL_error(L, "over");
}

static void arm(struct pl_heap *heap) {
  struct pl_vm *vm = PL_CONTAINER_OF(heap, struct pl_vm, heap);
  crossings++;
  lua_sethook(vm->sched.running, check_hook, LUA_MASKCOUNT, 1);
}

static int collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}

static void open_limited(struct fake *f, bool is_generational) {
  fake_open(f);
  fake_global(f, "collect", collect);
  f->vm.heap.on_over = arm;
  f->vm.request_memory = LIMIT;
  if (is_generational)
    lua_gc(f->vm.L, LUA_GCGEN, 0, 0);
  else
    lua_gc(f->vm.L, LUA_GCSTOP);
  crossings = steps = 0;
}

static const char hog[] = "local t = {} while true do t[#t + 1] = {} end";
static const char churn[] = "for i = 1, 100000 do local t = {i, {}} end return 'done'";

static void a_table_that_grows_for_ever_is_over(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    struct fake f;
    open_limited(&f, mode == 1);
    fake_start(&f, hog);
    fake_expect(&f, "failed over\n");
    assert_true(crossings > 0);
    fake_close(&f);
  }
}

static void garbage_is_not_held_against_a_request(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    struct fake f;
    open_limited(&f, mode == 1);
    fake_start(&f, churn);  // some 15 MB in all
    fake_expect(&f, "done done\n");
    if (mode == 0) assert_true(crossings > 5);
    fake_close(&f);
  }
}

static void a_large_heap_takes_several_steps(void **state) {
  (void)state;
  struct fake f;
  open_limited(&f, false);
  f.vm.request_memory = 0;
  fake_start(&f, "cache = {} for i = 1, 200000 do cache[i] = {i} end");
  f.vm.request_memory = LIMIT;
  fake_start(&f, churn);
  fake_expect(&f, "done\ndone done\n");
  assert_true(steps > SEVERAL_STEPS * crossings);
  fake_close(&f);
}

static void what_was_collected_elsewhere_is_not_held_against_it(void **state) {
  (void)state;
  struct fake f;
  open_limited(&f, false);
  fake_start(&f, "for round = 1, 20 do local t = {} for i = 1, 4000 do t[i] = {i} end t = nil "
                 "wait() end return 'done'");
  while (f.pending_count) {
    lua_gc(f.vm.L, LUA_GCCOLLECT);  // by nobody
    fake_complete(&f, 0);
    fake_run_ready(&f);
  }
  fake_expect(&f, "done done\n");
  assert_true(crossings > 2);
  fake_close(&f);
}

// @param is_collected  the garbage goes right after the request has begun
static size_t run_hog_after_garbage(bool is_collected, size_t *garbage) {
  struct fake f;
  open_limited(&f, false);
  f.vm.request_memory = 0;
  fake_start(&f, churn);
  *garbage = f.vm.heap.bytes;
  assert_true(*garbage > 5 * LIMIT);
  f.vm.request_memory = LIMIT;
  fake_start(&f, "wait() local t = {} while true do t[#t + 1] = {} end");
  if (is_collected) lua_gc(f.vm.L, LUA_GCCOLLECT);
  fake_run(&f);
  fake_expect(&f, "done done\nfailed over\n");
  size_t bytes = f.vm.heap.bytes;
  fake_close(&f);
  return bytes;
}

static void garbage_from_before_it_began_does_not_hide_it(void **state) {
  (void)state;
  size_t garbage;
  assert_true(run_hog_after_garbage(false, &garbage) < garbage + 2 * LIMIT);
  assert_true(run_hog_after_garbage(true, &garbage) < 4 * LIMIT);
}

static void children_and_their_parent_share_one_charge(void **state) {
  (void)state;
  static const char half[] = "local t = {} for i = 1, 6000 do t[i] = {i} end wait() return #t";
  struct fake f;
  open_limited(&f, false);
  struct pl_task *parent = fake_start(&f, half);
  assert_int_equal(crossings, 0);
  struct pl_task *child = pl_task_new(&f.vm, parent, &fake_ops, NULL);
  assert_ptr_equal(child->charge, parent->charge);
  assert_int_equal(luaL_loadstring(child->co, half), LUA_OK);
  pl_run_start(child, 0);
  unsigned seen = crossings;
  assert_true(seen > 0);
  fake_expect(&f, "failed over\n");
  fake_start(&f, half);  // another request
  assert_int_equal(crossings, seen);
  fake_run(&f);
  fake_expect(&f, "done 6000\ndone 6000\n");
  fake_close(&f);
}

static void nothing_is_over_without_a_limit(void **state) {
  (void)state;
  struct fake f;
  open_limited(&f, false);
  f.vm.request_memory = 0;
  fake_start(&f, churn);
  fake_expect(&f, "done done\n");
  assert_int_equal(crossings, 0);
  fake_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_table_that_grows_for_ever_is_over),
      cmocka_unit_test(garbage_is_not_held_against_a_request),
      cmocka_unit_test(a_large_heap_takes_several_steps),
      cmocka_unit_test(what_was_collected_elsewhere_is_not_held_against_it),
      cmocka_unit_test(garbage_from_before_it_began_does_not_hide_it),
      cmocka_unit_test(children_and_their_parent_share_one_charge),
      cmocka_unit_test(nothing_is_over_without_a_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
