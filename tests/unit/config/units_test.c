// Counts, sizes and times as text.
#include "config/units.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(enum pl_units units, const char *text, uint64_t expected) {
  uint64_t value = 0;
  assert_int_equal(pl_units_parse(units, pl_strv_of(text), &value), 0);
  assert_int_equal(value, expected);
}

static void check_fails(enum pl_units units, const char *text, int expected) {
  uint64_t value = 4711;
  assert_int_equal(pl_units_parse(units, pl_strv_of(text), &value), expected);
  assert_int_equal(value, 4711);
}

static void sizes_use_1024(void **state) {
  (void)state;
  check(PL_UNITS_SIZE, "0", 0);
  check(PL_UNITS_SIZE, "8192", 8192);
  check(PL_UNITS_SIZE, "64k", 65536);
  check(PL_UNITS_SIZE, "8m", 8388608);
  check(PL_UNITS_SIZE, "2g", UINT64_C(2147483648));
}

static void times_are_seconds_without_a_suffix(void **state) {
  (void)state;
  check(PL_UNITS_TIME, "10", 10000);
  check(PL_UNITS_TIME, "250ms", 250);
  check(PL_UNITS_TIME, "10s", 10000);
  check(PL_UNITS_TIME, "2m", 120000);
  check(PL_UNITS_TIME, "24h", 86400000);
}

static void times_may_have_decimals(void **state) {
  (void)state;
  check(PL_UNITS_TIME, "0.25", 250);
  check(PL_UNITS_TIME, "1.5s", 1500);
  check(PL_UNITS_TIME, "0.001", 1);
  check(PL_UNITS_TIME, "0.0009", 0);
  check(PL_UNITS_TIME, "1.5m", 90000);
}

static void parse_rejects_other_suffixes_and_forms(void **state) {
  (void)state;
  static const char *const wrong[] = {"",     "k",   "10s", "8M", "8mb", "8 m", "1.5k",
                                      "0x10", "1e3", " 8",  "8 ", "+8",  "-",   "--1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    check_fails(PL_UNITS_SIZE, wrong[i], PL_EINVAL);
  }
  check_fails(PL_UNITS_TIME, "10k", PL_EINVAL);
  check_fails(PL_UNITS_TIME, "1.", PL_EINVAL);
  check_fails(PL_UNITS_TIME, ".5", PL_EINVAL);
  check_fails(PL_UNITS_TIME, "0.0000000001", PL_EINVAL);
  check_fails(PL_UNITS_COUNT, "1k", PL_EINVAL);
  check_fails(PL_UNITS_COUNT, "1.5", PL_EINVAL);
}

static void parse_tells_too_large_from_wrong(void **state) {
  (void)state;
  check(PL_UNITS_COUNT, "18446744073709551615", UINT64_MAX);
  check_fails(PL_UNITS_COUNT, "18446744073709551616", PL_ELIMIT);
  check_fails(PL_UNITS_COUNT, "99999999999999999999999", PL_ELIMIT);
  check_fails(PL_UNITS_SIZE, "17179869184g", PL_ELIMIT);
  check_fails(PL_UNITS_TIME, "18446744073709551615h", PL_ELIMIT);
  check_fails(PL_UNITS_SIZE, "-1", PL_ELIMIT);
  check_fails(PL_UNITS_TIME, "-1.5s", PL_ELIMIT);
}

static void format_is_short_and_reads_back(void **state) {
  (void)state;
  static const struct {
    enum pl_units units;
    const char *text;
  } cases[] = {
      {PL_UNITS_COUNT, "1024"}, {PL_UNITS_SIZE, "0"},    {PL_UNITS_SIZE, "1"},
      {PL_UNITS_SIZE, "8k"},    {PL_UNITS_SIZE, "8193"}, {PL_UNITS_SIZE, "1g"},
      {PL_UNITS_TIME, "250ms"}, {PL_UNITS_TIME, "60s"},  {PL_UNITS_TIME, "1500ms"},
      {PL_UNITS_TIME, "2m"},    {PL_UNITS_TIME, "24h"},  {PL_UNITS_COUNT, "18446744073709551615"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint64_t value;
    char out[32];
    assert_int_equal(pl_units_parse(cases[i].units, pl_strv_of(cases[i].text), &value), 0);
    pl_units_format(cases[i].units, value, out, sizeof out);
    assert_string_equal(out, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_use_1024),
      cmocka_unit_test(times_are_seconds_without_a_suffix),
      cmocka_unit_test(times_may_have_decimals),
      cmocka_unit_test(parse_rejects_other_suffixes_and_forms),
      cmocka_unit_test(parse_tells_too_large_from_wrong),
      cmocka_unit_test(format_is_short_and_reads_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
