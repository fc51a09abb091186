// Unit tests of server/http/date.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "http/date.h"

static const int64_t now = 1700000000;  // November 2023

static void expect(const char *text, int64_t expected) {
  int64_t time = -1;
  assert_int_equal(pl_http_date_parse(pl_strv_of(text), now, &time), 0);
  assert_int_equal(time, expected);
}

static void all_three_forms_are_read(void **state) {
  (void)state;
  expect("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
  expect("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
  expect("Sun Nov  6 08:49:37 1994", 784111777);
  expect("Wed Nov 16 08:49:37 1994", 784975777);
  expect("Thu, 01 Jan 1970 00:00:00 GMT", 0);
  expect("Tue, 29 Feb 2000 23:59:60 GMT", 951868800);
}

static void what_the_server_writes_is_read_back(void **state) {
  (void)state;
  // From the first year of dates to far ahead, in steps that meet every month and leap year.
  for (int64_t t = -60000000000; t < 200000000000; t += 86400 * 13 + 3601) {
    char text[PL_HTTP_DATE_LEN + 1];
    pl_clock_http_date((time_t)t, text);
    expect(text, t);
  }
}

static void two_digit_years_are_at_most_fifty_years_ahead(void **state) {
  (void)state;
  expect("Monday, 13-Nov-73 22:13:20 GMT", now + 86400 * INT64_C(18262));
  expect("Thursday, 15-Nov-73 22:13:20 GMT", now - 86400 * INT64_C(18261));
  expect("Saturday, 01-Jan-00 00:00:00 GMT", 946684800);
}

static void what_is_no_date_is_refused(void **state) {
  (void)state;
  const char *bad[] = {
      "",
      "0",
      "Sun",
      ",",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Xxx, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 31 Apr 1994 08:49:37 GMT",
      "Sun, 29 Feb 1900 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:00 GMT",
      "Sun, 06 Nov 1994 08:00:61 GMT",
      "Sun, 06 Nov 0000 08:00:00 GMT",
      "Sun, 06 Nov -994 08:00:00 GMT",
      "Sund, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  6 08:49:37 94",
      "Sun Nov  6 08:49:37 1994 GMT",
  };
  int64_t time = 77;
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++)
    assert_int_equal(pl_http_date_parse(pl_strv_of(bad[i]), now, &time), PL_EINVAL);
  assert_int_equal(time, 77);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_three_forms_are_read),
      cmocka_unit_test(what_the_server_writes_is_read_back),
      cmocka_unit_test(two_digit_years_are_at_most_fifty_years_ahead),
      cmocka_unit_test(what_is_no_date_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
