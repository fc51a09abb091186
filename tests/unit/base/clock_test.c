// Clocks: never back, the date as HTTP writes it, the cached date made again in time.
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_clock_never_goes_back(void **state) {
  (void)state;
  uint64_t last = pl_clock_ns();
  for (int i = 0; i < 1000; i++) {
    uint64_t now = pl_clock_ns();
    assert_true(now >= last);
    last = now;
  }
}

static void ms_and_ns_are_the_same_clock(void **state) {
  (void)state;
  uint64_t before = pl_clock_ns() / 1000000u;
  uint64_t ms = pl_clock_ms();
  uint64_t after = pl_clock_ns() / 1000000u;
  assert_in_range(ms, before, after);
}

static void http_date_is_written_as_the_rfc_does(void **state) {
  (void)state;
  static const struct {
    time_t time;
    const char *text;
  } cases[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {951827696, "Tue, 29 Feb 2000 12:34:56 GMT"},
      {1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
      {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
  };
  char text[PL_HTTP_DATE_LEN + 1];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pl_clock_http_date(cases[i].time, text);
    assert_string_equal(text, cases[i].text);
    assert_int_equal(strlen(text), PL_HTTP_DATE_LEN);
  }
}

static void the_cached_date_is_made_again_only_when_it_is_due(void **state) {
  (void)state;
  struct pl_clock_date date = {0};
  const char *text = pl_clock_date(&date, 5000);
  assert_int_equal(strlen(text), PL_HTTP_DATE_LEN);
  assert_in_range(date.valid_until_ms, 5001, 6000);
  memset(date.text, 'x', PL_HTTP_DATE_LEN);
  assert_int_equal(pl_clock_date(&date, date.valid_until_ms - 1)[0], 'x');
  assert_int_not_equal(pl_clock_date(&date, date.valid_until_ms)[0], 'x');
}

static void the_cpu_clock_counts_work_and_no_waiting(void **state) {
  (void)state;
  uint64_t began = pl_clock_cpu_ns(), until = pl_clock_ns() + 20000000;
  struct timespec pause = {.tv_nsec = 20000000};
  nanosleep(&pause, NULL);
  assert_true(pl_clock_ns() >= until);
  uint64_t slept = pl_clock_cpu_ns() - began;
  assert_true(slept < 20000000);
  while (pl_clock_cpu_ns() - began < slept + 1000000) continue;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_clock_never_goes_back),
      cmocka_unit_test(ms_and_ns_are_the_same_clock),
      cmocka_unit_test(http_date_is_written_as_the_rfc_does),
      cmocka_unit_test(the_cached_date_is_made_again_only_when_it_is_due),
      cmocka_unit_test(the_cpu_clock_counts_work_and_no_waiting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
