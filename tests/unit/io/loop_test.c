// Turns of the loop: who runs when, what keeps it awake, and what is left at the end.
#include "io/loop.h"

#include "base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// What happened, one letter each.
struct fixture {
  struct pl_loop loop;
  char log[256];
  int turns_wanted;  // on_turn says so many times that it wants more
  int wakes;         // deferred items wake the loop so many times
  int stop_after;    // turns; 0 = never
  struct pl_timer timer;
};

struct item {
  struct pl_deferred deferred;
  struct fixture *f;
  char letter;
  int again;  // queues itself so many times
  struct pl_deferred *to_undefer;
};

static void note(struct fixture *f, char letter) {
  size_t len = strlen(f->log);
  if (len + 1 < sizeof f->log) f->log[len] = letter;
}

static bool on_turn(void *ctx) {
  struct fixture *f = ctx;
  note(f, 't');
  if (f->stop_after && --f->stop_after == 0) pl_loop_stop(&f->loop);
  return f->turns_wanted > 0 && f->turns_wanted--;
}

static void on_deferred(struct pl_deferred *d) {
  struct item *item = PL_CONTAINER_OF(d, struct item, deferred);
  note(item->f, item->letter);
  if (item->to_undefer) pl_loop_undefer(item->to_undefer);
  if (item->again > 0) {
    item->again--;
    pl_loop_defer(&item->f->loop, d);
  }
  if (item->f->wakes > 0) {
    item->f->wakes--;
    pl_loop_wake(&item->f->loop);
  }
}

static struct item make_item(struct fixture *f, char letter) {
  return (struct item){.deferred.fn = on_deferred, .f = f, .letter = letter};
}

// Prepare and poll alternate in libuv: a check handle notes each poll.
static void on_polled(uv_check_t *check) {
  note(check->data, 'p');
}

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  return f ? pl_loop_init(&f->loop, on_turn, f) : -1;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  int leaked = pl_loop_deinit(&f->loop);
  pl_mem_free(f);
  return leaked;
}

static void run_noting_polls(struct fixture *f) {
  uv_check_t check;
  uv_check_init(&f->loop.uv, &check);
  check.data = f;
  uv_check_start(&check, on_polled);
  uv_unref((uv_handle_t *)&check);
  pl_loop_run(&f->loop);
  uv_close((uv_handle_t *)&check, NULL);
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

static void run_returns_at_once_when_there_is_nothing_to_do(void **state) {
  struct fixture *f = *state;
  pl_loop_run(&f->loop);
  assert_string_equal(f->log, "");
}

static void a_wake_gives_one_turn_and_then_the_loop_may_block(void **state) {
  struct fixture *f = *state;
  pl_loop_wake(&f->loop);
  pl_loop_wake(&f->loop);
  pl_loop_run(&f->loop);
  assert_string_equal(f->log, "t");
  assert_int_equal(uv_backend_timeout(&f->loop.uv), 0);  // nothing alive: libuv does not block
  uv_ref((uv_handle_t *)&f->loop.prepare);
  assert_int_equal(uv_backend_timeout(&f->loop.uv), -1);  // alive and idle: it blocks for ever
  uv_unref((uv_handle_t *)&f->loop.prepare);
}

static void on_turn_that_wants_more_lets_the_sockets_be_polled(void **state) {
  struct fixture *f = *state;
  f->turns_wanted = 3;
  pl_loop_wake(&f->loop);
  run_noting_polls(f);
  assert_memory_equal(f->log, "tptptpt", 7);
}

static void deferred_items_run_in_order_behind_on_turn(void **state) {
  struct fixture *f = *state;
  struct item a = make_item(f, 'a'), b = make_item(f, 'b'), c = make_item(f, 'c');
  pl_list_init(&a.deferred.link);
  pl_list_init(&b.deferred.link);
  pl_list_init(&c.deferred.link);
  pl_loop_defer(&f->loop, &a.deferred);
  pl_loop_defer(&f->loop, &c.deferred);
  pl_loop_defer(&f->loop, &b.deferred);
  pl_loop_defer(&f->loop, &a.deferred);  // queued already
  pl_loop_undefer(&c.deferred);
  pl_loop_undefer(&c.deferred);
  pl_loop_run(&f->loop);
  assert_string_equal(f->log, "tab");
}

static void an_item_deferred_by_an_item_waits_for_the_next_turn(void **state) {
  struct fixture *f = *state;
  struct item a = make_item(f, 'a'), b = make_item(f, 'b');
  a.again = 2;
  pl_list_init(&a.deferred.link);
  pl_list_init(&b.deferred.link);
  pl_loop_defer(&f->loop, &a.deferred);
  pl_loop_defer(&f->loop, &b.deferred);
  run_noting_polls(f);
  assert_memory_equal(f->log, "tabptapta", 9);
}

static void what_an_item_wakes_runs_without_a_poll_between(void **state) {
  struct fixture *f = *state;
  struct item a = make_item(f, 'a');
  pl_list_init(&a.deferred.link);
  f->wakes = 1;
  pl_loop_defer(&f->loop, &a.deferred);
  run_noting_polls(f);
  assert_memory_equal(f->log, "tat", 3);
}

static void rounds_without_a_poll_are_bounded(void **state) {
  struct fixture *f = *state;
  struct item a = make_item(f, 'a');
  pl_list_init(&a.deferred.link);
  a.again = f->wakes = 20;
  pl_loop_defer(&f->loop, &a.deferred);
  run_noting_polls(f);
  assert_ptr_equal(strchr(f->log, 'p'), f->log + 32);  // 16 times "ta"
}

static void undefer_works_on_an_item_of_the_running_step(void **state) {
  struct fixture *f = *state;
  struct item a = make_item(f, 'a'), b = make_item(f, 'b');
  pl_list_init(&a.deferred.link);
  pl_list_init(&b.deferred.link);
  pl_loop_defer(&f->loop, &a.deferred);
  pl_loop_defer(&f->loop, &b.deferred);
  a.to_undefer = &b.deferred;
  pl_loop_run(&f->loop);
  assert_string_equal(f->log, "ta");
}

static void stop_ends_run_and_run_goes_on_afterwards(void **state) {
  struct fixture *f = *state;
  f->turns_wanted = 5;
  f->stop_after = 2;
  pl_loop_wake(&f->loop);
  pl_loop_run(&f->loop);
  assert_string_equal(f->log, "tt");
  pl_loop_run(&f->loop);
  assert_string_equal(f->log, "tttttt");
}

static void on_expired(struct pl_timer *t) {
  (void)t;
}

// libuv must not block longer than the timer needs, however long the turn before the poll took.
static void a_slow_turn_shortens_the_wait_for_a_timer(void **state) {
  struct fixture *f = *state;
  f->timer.fn = on_expired;
  pl_timer_start(&f->loop.wheel, &f->timer, pl_clock_ms() + 1000000);
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);  // libuv's own handles are polled from now on
  uint64_t before = pl_loop_now_ms(&f->loop);
  pl_timer_start(&f->loop.wheel, &f->timer, before + 5);
  while (pl_clock_ms() <= before + 5) continue;  // a task that holds the CPU
  assert_in_range(uv_backend_timeout(&f->loop.uv), 1, 5);
  f->loop.prepare.prepare_cb(&f->loop.prepare);  // the turn itself, without libuv's poll
  assert_int_equal(uv_backend_timeout(&f->loop.uv), 0);
  pl_timer_stop(&f->loop.wheel, &f->timer);
}

// A turn that took turn_ms, after a poll that took poll_ms: libuv's calls, its clock set back.
static void take_turn(struct fixture *f, uint64_t poll_ms, uint64_t turn_ms) {
  uv_update_time(&f->loop.uv);
  f->loop.uv.time -= turn_ms;
  f->loop.turn_end_ms = pl_loop_now_ms(&f->loop) - poll_ms;
  pl_loop_begin_turn(&f->loop);
  uv_update_time(&f->loop.uv);  // as behind the sockets' callbacks
  pl_loop_begin_turn(&f->loop);
  f->loop.prepare.prepare_cb(&f->loop.prepare);
}

static void two_long_turns_in_a_row_are_a_lag(void **state) {
  struct fixture *f = *state;
  f->loop.lag_limit_ms = 10000;
  take_turn(f, 0, 15000);
  assert_false(pl_loop_is_lagging(&f->loop));  // one is one handler that nothing could stop
  take_turn(f, 0, 12000);
  assert_true(pl_loop_is_lagging(&f->loop));
  assert_in_range(f->loop.lag_ms, 12000, 13000);
  take_turn(f, 1, 7000);
  assert_true(pl_loop_is_lagging(&f->loop));  // not yet below half of the limit
  take_turn(f, 0, 0);
  assert_false(pl_loop_is_lagging(&f->loop));
  take_turn(f, 0, 15000);
  assert_false(pl_loop_is_lagging(&f->loop));
}

static void a_loop_that_had_to_wait_does_not_lag(void **state) {
  struct fixture *f = *state;
  f->loop.lag_limit_ms = 10000;
  take_turn(f, 0, 15000);
  take_turn(f, 2, 15000);  // it had nothing to do between the two
  assert_false(pl_loop_is_lagging(&f->loop));
  take_turn(f, 0, 15000);
  assert_true(pl_loop_is_lagging(&f->loop));
  f->loop.uv.time = f->loop.turn_end_ms + 2;  // the next event comes after a wait: nobody waited
  assert_false(pl_loop_is_lagging(&f->loop));
}

static void without_a_limit_no_lag_is_too_long(void **state) {
  struct fixture *f = *state;
  take_turn(f, 0, 15000);
  take_turn(f, 0, 15000);
  assert_true(f->loop.lag_ms >= 15000);
  assert_false(pl_loop_is_lagging(&f->loop));
}

static void deinit_counts_and_closes_a_handle_left_open(void **state) {
  (void)state;
  struct pl_loop *loop = pl_mem_alloc(sizeof *loop);
  assert_non_null(loop);
  uv_timer_t leaked;
  assert_int_equal(pl_loop_init(loop, NULL, NULL), 0);
  uv_timer_init(&loop->uv, &leaked);
  fflush(stderr);
  int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(null, STDERR_FILENO);
  int count = pl_loop_deinit(loop);
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(null);
  assert_int_equal(count, 1);
  pl_mem_free(loop);
}

static void init_reports_that_memory_ran_out(void **state) {
  (void)state;
  struct pl_loop *loop = pl_mem_alloc(sizeof *loop);
  assert_non_null(loop);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_loop_init(loop, NULL, NULL), UV_ENOMEM);
  pl_mem_free(loop);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(run_returns_at_once_when_there_is_nothing_to_do),
      TEST(a_wake_gives_one_turn_and_then_the_loop_may_block),
      TEST(on_turn_that_wants_more_lets_the_sockets_be_polled),
      TEST(deferred_items_run_in_order_behind_on_turn),
      TEST(an_item_deferred_by_an_item_waits_for_the_next_turn),
      TEST(what_an_item_wakes_runs_without_a_poll_between),
      TEST(rounds_without_a_poll_are_bounded),
      TEST(undefer_works_on_an_item_of_the_running_step),
      TEST(stop_ends_run_and_run_goes_on_afterwards),
      TEST(a_slow_turn_shortens_the_wait_for_a_timer),
      TEST(two_long_turns_in_a_row_are_a_lag),
      TEST(a_loop_that_had_to_wait_does_not_lag),
      TEST(without_a_limit_no_lag_is_too_long),
      cmocka_unit_test(deinit_counts_and_closes_a_handle_left_open),
      cmocka_unit_test(init_reports_that_memory_ran_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
