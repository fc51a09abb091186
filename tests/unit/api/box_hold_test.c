// Boxes that answers are sent from: pinned, and alive, until the carrier lets go.
#include "api/box_hold.h"

#include "box_bench.h"

static void end_hold(struct box_bench *b) {
  b->hold.on_sent(b->hold.ctx);
}

static void a_held_box_cannot_be_written_or_moved_until_it_is_sent(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello");
  box_bench_run(&b,
                "box = keep() hold(box) log(pcall(write, box, 'x')) log(pcall(move, box)) "
                "log(body())",
                "false the bytes are in use by the answer to request 7f3a\n"
                "false the bytes are in use by the answer to request 7f3a\nhello\ndone\n");
  end_hold(&b);
  box_bench_run(&b, "write(box, 'j') log(body()) move(box)", "jello\ndone\n");
  box_bench_end(&b);
}

static void a_held_box_lives_on_without_its_script(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello");
  box_bench_run(&b, "hold(keep())", "done\n");
  box_bench_finish_exchange(&b);
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT, 0);
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT, 0);
  assert_memory_equal(b.hold.bytes->data, "hello", 5);
  assert_int_equal(b.account.bytes, 5);
  end_hold(&b);
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT, 0);
  assert_int_equal(b.account.bytes, 0);
  box_bench_end(&b);
}

static void a_box_may_be_held_twice(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello");
  box_bench_run(&b, "box = keep() hold(box)", "done\n");
  struct pl_hold first = b.hold;
  box_bench_run(&b, "hold(box)", "done\n");
  end_hold(&b);
  box_bench_run(&b, "log((pcall(write, box, 'x')))", "false\ndone\n");
  pl_box_hold_drop(&first);
  box_bench_run(&b, "log((pcall(write, box, 'x')))", "true\ndone\n");
  box_bench_end(&b);
}

static void a_stale_box_cannot_be_held(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello");
  box_bench_run(&b, "box = keep() move(box) log(pcall(hold, box))",
                "false stale view: its bytes were moved away at test:1\ndone\n");
  box_bench_end(&b);
}

// Each allocation fails in turn: then the box is not pinned.
static void a_hold_without_memory_pins_nothing(void **state) {
  (void)state;
  bool is_held = false;
  for (uint64_t nth = 1; !is_held; nth++) {
    struct box_bench b;
    box_bench_begin(&b, "hello");
    box_bench_run(&b, "box = keep()", "done\n");
    struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
    assert_int_equal(luaL_loadstring(task->co, "return pcall(hold, box)"), LUA_OK);
    pl_mem_fail_nth(nth);
    pl_run_start(task, 0);
    pl_mem_fail_nth(0);
    fake_run(&b.fake);
    pl_buf_clear(&b.fake.text);
    is_held = b.call.body_box->bytes->pins == 1;
    if (is_held) end_hold(&b);
    assert_int_equal(b.call.body_box->bytes->pins, 0);
    assert_true(nth < 100);
    box_bench_end(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_held_box_cannot_be_written_or_moved_until_it_is_sent),
      cmocka_unit_test(a_held_box_lives_on_without_its_script),
      cmocka_unit_test(a_box_may_be_held_twice),
      cmocka_unit_test(a_stale_box_cannot_be_held),
      cmocka_unit_test(a_hold_without_memory_pins_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
