// The kept body and the box that scripts get it in: the same bytes, counted once.
#include "api/body_reader.h"

#include "box_bench.h"

static void a_box_is_made_of_the_bodys_own_bytes(void **state) {
  (void)state;
  struct box_bench b;
  struct pl_bytes_copies before = pl_bytes_copies();
  box_bench_begin(&b, "hello world");
  const char *data = b.x.body->data;
  box_bench_run(&b, "log(counted()) box = keep() log(counted()) log(rawequal(box, keep()))",
                "0 11\n11 11\ntrue\ndone\n");
  assert_ptr_equal(b.call.body_box->data, data);
  assert_int_equal(pl_bytes_copies().bytes, before.bytes);
  assert_true(pl_bytes_is_alone(b.call.body_box->bytes));  // it may be moved to another worker
  box_bench_end(&b);
}

static void what_is_written_to_the_box_is_the_body(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello world");
  box_bench_run(&b, "log(body()) log(counted()) write(keep(), 'HELLO') log(body()) log(counted())",
                "hello world\n11 11\nHELLO world\n11 11\ndone\n");
  box_bench_end(&b);
}

static void a_body_that_was_moved_away_is_stale(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello world");
  box_bench_run(&b, "move(keep()) log(pcall(body)) log(counted())",
                "false stale view: its bytes were moved away at test:1\n0 0\ndone\n");
  box_bench_end(&b);
}

static void a_body_of_no_bytes_has_a_box_too(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, NULL);
  box_bench_run(&b, "log(rawequal(keep(), keep()), #body()) log(counted())", "true 0\n0 0\ndone\n");
  box_bench_end(&b);
}

static void the_box_outlives_the_exchange_when_a_script_keeps_it(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello world");
  box_bench_run(&b, "box = keep()", "done\n");
  box_bench_finish_exchange(&b);
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT, 0);
  box_bench_run(&b, "write(box, 'still') log(select(2, counted())) box = nil", "11\ndone\n");
  lua_gc(b.fake.vm.L, LUA_GCCOLLECT, 0);
  assert_int_equal(b.account.bytes, 0);
  box_bench_end(&b);
}

static void a_finished_exchange_gives_no_box(void **state) {
  (void)state;
  struct box_bench b;
  box_bench_begin(&b, "hello world");
  b.call.is_finished = true;
  box_bench_run(&b, "log(pcall(keep))", "false cancelled (client)\ndone\n");
  box_bench_end(&b);
}

// Each allocation fails in turn: the body is there, or it has failed, and nothing is left.
static void a_box_without_memory_is_an_error_that_stays(void **state) {
  (void)state;
  bool is_done = false;
  for (uint64_t nth = 1; !is_done; nth++) {
    struct box_bench b;
    box_bench_begin(&b, nth % 2 ? "hello world" : NULL);
    struct pl_task *task = pl_task_new(&b.fake.vm, NULL, &fake_ops, NULL);
    assert_int_equal(luaL_loadstring(task->co, "return pcall(keep)"), LUA_OK);
    assert_non_null(pl_buf_reserve(&b.fake.text, 1024));  // the log is not what fails
    pl_mem_fail_nth(nth);
    pl_run_start(task, 0);
    pl_mem_fail_nth(0);
    fake_run(&b.fake);
    assert_int_equal(pl_buf_append(&b.fake.text, "", 1), 0);
    is_done = strncmp(pl_buf_view(&b.fake.text).data, "done true", 9) == 0 && nth > 6;
    pl_buf_clear(&b.fake.text);
    if (b.call.body_state == PL_BODY_KEPT)
      box_bench_run(&b, "return #body()", nth % 2 ? "done 11\n" : "done 0\n");
    else if (b.call.body_state == PL_BODY_FAILED)
      box_bench_run(&b, "return select(2, pcall(body)).status", "done 503\n");
    assert_true(nth < 100);
    box_bench_end(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_box_is_made_of_the_bodys_own_bytes),
      cmocka_unit_test(what_is_written_to_the_box_is_the_body),
      cmocka_unit_test(a_body_that_was_moved_away_is_stale),
      cmocka_unit_test(a_body_of_no_bytes_has_a_box_too),
      cmocka_unit_test(the_box_outlives_the_exchange_when_a_script_keeps_it),
      cmocka_unit_test(a_finished_exchange_gives_no_box),
      cmocka_unit_test(a_box_without_memory_is_an_error_that_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
