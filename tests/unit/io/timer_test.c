// The timer wheel against a model that keeps due times in an array, in a time of the test's own;
// and once on libuv's clock.
#include "io/timer.h"

#include "base/clock.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// ---- a wheel with a uv loop below it that never runs ----

struct fixture {
  uv_loop_t uv;
  struct pl_wheel wheel;
};

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  if (!f || uv_loop_init(&f->uv) || pl_wheel_init(&f->wheel, &f->uv)) return -1;
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  pl_wheel_close(&f->wheel);
  uv_run(&f->uv, UV_RUN_DEFAULT);
  int rc = uv_loop_close(&f->uv);
  pl_mem_free(f);
  return rc;
}

// ---- random schedules ----

enum { TIMERS = 100 * 1000, STEPS = 20 * 1000, STARTS_PER_STEP = 20 };

struct entry {
  struct pl_timer timer;
  struct schedule *schedule;
  uint64_t due_ms;  // the model's; 0 = not running
};

struct schedule {
  struct pl_wheel *wheel;
  struct entry *entries;
  uint64_t random;
  uint64_t now_ms;   // the test's time
  uint64_t last_ms;  // the due time of the timer that fired last
  size_t running, fired, wrong;
};

static uint64_t next_random(struct schedule *s) {
  s->random ^= s->random << 13;
  s->random ^= s->random >> 7;
  s->random ^= s->random << 17;
  return s->random;
}

// From 0 ms to beyond the wheel's horizon, every order of magnitude alike.
static uint64_t random_delay(struct schedule *s) {
  unsigned bits = next_random(s) % 34;
  return next_random(s) & ((UINT64_C(1) << bits) - 1);
}

static void start_entry(struct entry *e, uint64_t due_ms, uint64_t earliest_ms) {
  struct schedule *s = e->schedule;
  if (!e->due_ms) s->running++;
  e->due_ms = due_ms > earliest_ms ? due_ms : earliest_ms;
  pl_timer_start(s->wheel, &e->timer, due_ms);
}

static void stop_entry(struct entry *e) {
  if (e->due_ms) e->schedule->running--;
  e->due_ms = 0;
  pl_timer_stop(e->schedule->wheel, &e->timer);
}

// Fires once, not early, in order; then stops or restarts itself or others.
static void on_fire(struct pl_timer *timer) {
  struct entry *e = PL_CONTAINER_OF(timer, struct entry, timer);
  struct schedule *s = e->schedule;
  s->wrong += pl_timer_is_running(timer) || e->due_ms == 0 || e->due_ms > s->now_ms ||
              e->due_ms < s->last_ms;
  s->last_ms = e->due_ms;
  s->fired++;
  s->running--;
  e->due_ms = 0;
  struct entry *other = &s->entries[next_random(s) % TIMERS];
  switch (next_random(s) % 8) {
  case 0:
    start_entry(e, s->now_ms + random_delay(s) % 100, s->now_ms + 1);
    break;
  case 1:
    stop_entry(other);
    break;
  case 2:
    start_entry(other, s->now_ms - next_random(s) % 100, s->now_ms + 1);
    break;
  default:
    break;
  }
}

static void check_nothing_is_late(const struct schedule *s) {
  for (size_t i = 0; i < TIMERS; i++) {
    const struct entry *e = &s->entries[i];
    if (e->due_ms && e->due_ms <= s->now_ms) fail_msg("due %lu at %lu", e->due_ms, s->now_ms);
    if ((e->due_ms != 0) != pl_timer_is_running(&e->timer)) fail_msg("timer %zu", i);
  }
}

static void advance_to(struct schedule *s, uint64_t now_ms) {
  s->now_ms = now_ms;
  pl_wheel_advance(s->wheel, now_ms);
}

static void check_bitmaps(const struct pl_wheel *wheel) {
  for (int level = 0; level < PL_WHEEL_LEVELS; level++) {
    for (int slot = 0; slot < PL_WHEEL_SLOTS; slot++) {
      const struct pl_timer *head = &wheel->slots[level][slot];
      assert_int_equal(wheel->occupied[level] >> slot & 1, head->next != head);
    }
  }
}

static void random_schedule_fires_each_timer_once_in_order_and_never_early(void **state) {
  struct fixture *f = *state;
  struct schedule s = {.wheel = &f->wheel, .random = 88172645463325252u};
  s.entries = pl_mem_zalloc(TIMERS * sizeof *s.entries);
  assert_non_null(s.entries);
  s.now_ms = f->wheel.now_ms;
  for (size_t i = 0; i < TIMERS; i++) {
    s.entries[i].schedule = &s;
    s.entries[i].timer.fn = on_fire;
    start_entry(&s.entries[i], s.now_ms + random_delay(&s), s.now_ms + 1);
  }
  for (int step = 0; step < STEPS; step++) {
    for (int i = 0; i < STARTS_PER_STEP; i++) {
      struct entry *e = &s.entries[next_random(&s) % TIMERS];
      if (next_random(&s) % 4) {
        start_entry(e, s.now_ms + random_delay(&s), s.now_ms + 1);
      } else {
        stop_entry(e);
      }
    }
    // Mostly small steps, sometimes a loop that was stuck or a machine that slept.
    advance_to(&s, s.now_ms + (step % 100 ? next_random(&s) % 8 : random_delay(&s)));
    if (step % 1000 == 0) check_nothing_is_late(&s);
  }
  check_bitmaps(s.wheel);
  size_t before = s.fired;
  assert_true(before > TIMERS);
  while (s.running) advance_to(&s, s.now_ms + (UINT64_C(1) << 33));
  assert_true(s.fired > before);
  assert_int_equal(s.wrong, 0);
  check_nothing_is_late(&s);
  check_bitmaps(s.wheel);
  assert_int_equal(s.wheel->armed_ms, UINT64_MAX);
  pl_mem_free(s.entries);
}

// ---- single rules ----

struct probe {
  struct pl_timer timer;
  struct pl_wheel *wheel;
  int fired;
  struct pl_timer *to_stop;
  uint64_t restart_ms;
};

static void on_probe(struct pl_timer *timer) {
  struct probe *p = PL_CONTAINER_OF(timer, struct probe, timer);
  p->fired++;
  if (p->to_stop) pl_timer_stop(p->wheel, p->to_stop);
  if (p->restart_ms) pl_timer_start(p->wheel, timer, p->restart_ms);
}

static struct probe make_probe(struct fixture *f) {
  return (struct probe){.timer = {.fn = on_probe}, .wheel = &f->wheel};
}

static void a_timer_cascades_to_its_exact_millisecond(void **state) {
  struct fixture *f = *state;
  static const uint64_t delays[] = {
      1,      63,       64,       65,        4095,       4096,       4097,       262143,    262144,
      262145, 16777215, 16777216, 123456789, 1073741823, 1073741824, 1073741825, 5000000000};
  for (size_t i = 0; i < PL_ARRAY_LEN(delays); i++) {
    for (uint64_t offset = 0; offset < 130; offset++) {  // whatever the wheel's own time
      struct probe p = make_probe(f);
      uint64_t due = f->wheel.now_ms + delays[i];
      pl_timer_start(&f->wheel, &p.timer, due);
      pl_wheel_advance(&f->wheel, due - 1);
      assert_int_equal(p.fired, 0);
      pl_wheel_advance(&f->wheel, due);
      assert_int_equal(p.fired, 1);
    }
  }
}

static void a_due_time_in_the_past_fires_in_the_next_turn(void **state) {
  struct fixture *f = *state;
  struct probe p = make_probe(f);
  pl_timer_start(&f->wheel, &p.timer, 0);
  assert_true(pl_timer_is_running(&p.timer));
  assert_int_equal(p.fired, 0);
  pl_wheel_advance(&f->wheel, f->wheel.now_ms + 1);
  assert_int_equal(p.fired, 1);
}

static void a_restart_inside_a_late_callback_waits_for_the_next_turn(void **state) {
  struct fixture *f = *state;
  struct probe p = make_probe(f);
  uint64_t start = f->wheel.now_ms;
  p.restart_ms = start + 7;
  pl_timer_start(&f->wheel, &p.timer, start + 5);
  pl_wheel_advance(&f->wheel, start + 100000);  // would fire 99,995 times if it counted on
  assert_int_equal(p.fired, 1);
  assert_true(pl_timer_is_running(&p.timer));
  p.restart_ms = 0;
  pl_wheel_advance(&f->wheel, start + 100001);
  assert_int_equal(p.fired, 2);
}

static void a_stop_inside_a_callback_holds_for_the_same_slot(void **state) {
  struct fixture *f = *state;
  struct probe first = make_probe(f), second = make_probe(f), third = make_probe(f);
  uint64_t due = f->wheel.now_ms + 1000;
  pl_timer_start(&f->wheel, &first.timer, due);
  pl_timer_start(&f->wheel, &second.timer, due);
  pl_timer_start(&f->wheel, &third.timer, due);
  first.to_stop = &second.timer;
  third.to_stop = &third.timer;  // itself, already stopped: harmless
  pl_wheel_advance(&f->wheel, due);
  assert_int_equal(first.fired, 1);
  assert_int_equal(second.fired, 0);
  assert_int_equal(third.fired, 1);
}

static void a_start_moves_a_running_timer(void **state) {
  struct fixture *f = *state;
  struct probe p = make_probe(f);
  uint64_t now = f->wheel.now_ms;
  pl_timer_start(&f->wheel, &p.timer, now + 10);
  pl_timer_start(&f->wheel, &p.timer, now + 5000);
  pl_wheel_advance(&f->wheel, now + 4999);
  assert_int_equal(p.fired, 0);
  pl_timer_start(&f->wheel, &p.timer, now + 5001);
  pl_wheel_advance(&f->wheel, now + 5001);
  assert_int_equal(p.fired, 1);
}

static void uv_is_armed_for_the_earliest_and_stopped_with_the_last(void **state) {
  struct fixture *f = *state;
  struct probe a = make_probe(f), b = make_probe(f);
  const uv_handle_t *uv = (const uv_handle_t *)&f->wheel.uv;
  uint64_t now = f->wheel.now_ms;
  assert_false(uv_is_active(uv));
  pl_timer_start(&f->wheel, &a.timer, now + 60000);
  assert_int_equal(f->wheel.armed_ms, now + 60000);
  pl_timer_start(&f->wheel, &b.timer, now + 5);
  assert_int_equal(f->wheel.armed_ms, now + 5);
  pl_timer_stop(&f->wheel, &b.timer);
  assert_true(uv_is_active(uv));
  pl_timer_stop(&f->wheel, &a.timer);
  assert_false(uv_is_active(uv));
  pl_timer_start(&f->wheel, &a.timer, now + 7);
  assert_int_equal(f->wheel.armed_ms, now + 7);
  pl_wheel_advance(&f->wheel, now + 7);
  assert_false(uv_is_active(uv));
}

static void close_stops_what_is_still_in_the_wheel(void **state) {
  (void)state;
  uv_loop_t uv;
  struct pl_wheel *wheel = pl_mem_alloc(sizeof *wheel);
  assert_non_null(wheel);
  assert_int_equal(uv_loop_init(&uv), 0);
  assert_int_equal(pl_wheel_init(wheel, &uv), 0);
  struct pl_timer near = {.fn = on_probe}, far = {.fn = on_probe};
  pl_timer_start(wheel, &near, wheel->now_ms + 1);
  pl_timer_start(wheel, &far, wheel->now_ms + 100000000);
  pl_wheel_close(wheel);
  assert_false(pl_timer_is_running(&near));
  assert_false(pl_timer_is_running(&far));
  uv_run(&uv, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&uv), 0);
  pl_mem_free(wheel);
}

static void on_libuvs_clock_a_timer_is_never_early(void **state) {
  struct fixture *f = *state;
  for (uint64_t delay = 1; delay < 12; delay++) {
    struct probe p = make_probe(f);
    uint64_t due = pl_clock_ms() + delay;
    pl_timer_start(&f->wheel, &p.timer, due);
    uv_run(&f->uv, UV_RUN_DEFAULT);  // returns when no timer is running
    assert_int_equal(p.fired, 1);
    assert_true(pl_clock_ms() >= due);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(random_schedule_fires_each_timer_once_in_order_and_never_early),
      TEST(a_timer_cascades_to_its_exact_millisecond),
      TEST(a_due_time_in_the_past_fires_in_the_next_turn),
      TEST(a_restart_inside_a_late_callback_waits_for_the_next_turn),
      TEST(a_stop_inside_a_callback_holds_for_the_same_slot),
      TEST(a_start_moves_a_running_timer),
      TEST(uv_is_armed_for_the_earliest_and_stopped_with_the_last),
      cmocka_unit_test(close_stops_what_is_still_in_the_wheel),
      TEST(on_libuvs_clock_a_timer_is_never_early),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
