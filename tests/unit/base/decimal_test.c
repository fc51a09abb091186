// The C library is the judge: strtod reads correctly and "%.*e" rounds correctly.
#include "base/decimal.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { PATTERNS = 1000000, PER_EXPONENT = 20, LONGEST_TEXT = 64 };

static uint64_t random_seed;

static uint64_t random_bits(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Significant digits in a decimal text.
static int count_digits(const char *text) {
  int count = 0, zeros = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text < '0' || *text > '9' || (count == 0 && *text == '0')) continue;
    count++;
    zeros = *text == '0' ? zeros + 1 : 0;
  }
  return count - zeros;
}

static void expect_reads_back(double value, char text[LONGEST_TEXT]) {
  size_t len = pl_decimal_write(value, text);
  assert_true(len <= PL_DECIMAL_BYTES);
  text[len] = '\0';
  if (bits_of(strtod(text, NULL)) != bits_of(value)) fail_msg("%.17g was written %s", value, text);
  if (!strpbrk(text, ".e")) fail_msg("%s does not look like a float", text);
}

// No text of fewer digits reads back the same, and none of as many is closer.
static void expect_shortest(double value) {
  char text[LONGEST_TEXT], best[LONGEST_TEXT];
  expect_reads_back(value, text);
  int digits = count_digits(text);
  if (digits > 1) {
    snprintf(best, sizeof best, "%.*e", digits - 2, value);
    if (strtod(best, NULL) == value) fail_msg("%s is shorter than %s", best, text);
  }
  snprintf(best, sizeof best, "%.*e", digits - 1, value);
  if (strtod(best, NULL) == value && strtold(best, NULL) != strtold(text, NULL)) {
    fail_msg("%s is closer than %s", best, text);
  }
}

static void write_makes_the_expected_text(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } rows[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {-1.0, "-1.0"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1.5, "1.5"},
      {100.0, "100.0"},
      {52.37403, "52.37403"},
      {0.0001, "0.0001"},
      {0.00001, "0.00001"},
      {0.000001, "1e-6"},
      {1e-7, "1e-7"},
      {1.5e-7, "1.5e-7"},
      {123456789012345680.0, "1.2345678901234568e17"},
      {12345678901234568.0, "12345678901234568.0"},
      {9007199254740993.0, "9007199254740992.0"},
      {1e17, "1e17"},
      {1e22, "1e22"},
      {1e23, "1e23"},
      {1e300, "1e300"},
      {-1e300, "-1e300"},
      {5e-324, "5e-324"},
      {DBL_MAX, "1.7976931348623157e308"},
      {DBL_MIN, "2.2250738585072014e-308"},
      {2.225073858507201e-308, "2.225073858507201e-308"},
      {9.5367431640625e-7, "9.5367431640625e-7"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[LONGEST_TEXT];
    text[pl_decimal_write(rows[i].value, text)] = '\0';
    assert_string_equal(text, rows[i].text);
  }
}

static void write_integer_covers_the_ends_of_int64(void **state) {
  (void)state;
  static const struct {
    int64_t value;
    const char *text;
  } rows[] = {{0, "0"},
              {-1, "-1"},
              {1234567890, "1234567890"},
              {INT64_MAX, "9223372036854775807"},
              {INT64_MIN, "-9223372036854775808"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[LONGEST_TEXT];
    text[pl_decimal_write_integer(rows[i].value, text)] = '\0';
    assert_string_equal(text, rows[i].text);
  }
}

static void write_is_shortest_at_every_exponent(void **state) {
  (void)state;
  uint64_t random = random_seed;
  for (uint64_t exponent = 0; exponent < 0x7ff; exponent++) {
    expect_shortest(double_of(exponent << 52 | 1));
    if (exponent) expect_shortest(double_of(exponent << 52));  // the lower neighbour is closer
    for (int i = 0; i < PER_EXPONENT; i++) {
      expect_shortest(double_of(exponent << 52 | random_bits(&random) >> 12));
    }
  }
}

static void a_million_bit_patterns_read_back_the_same(void **state) {
  (void)state;
  uint64_t random = random_seed;
  char text[LONGEST_TEXT];
  for (int i = 0; i < PATTERNS; i++) {
    double value = double_of(random_bits(&random));
    if (isfinite(value)) expect_reads_back(value, text);
  }
}

static void expect_made(uint64_t digits, int exponent) {
  char text[LONGEST_TEXT];
  double made;
  snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
  if (!pl_decimal_make(digits, exponent, &made)) return;  // strtod decides
  if (bits_of(made) != bits_of(strtod(text, NULL))) fail_msg("%s was read %.17g", text, made);
}

static void make_rounds_like_strtod_at_every_exponent(void **state) {
  (void)state;
  uint64_t random = random_seed;
  for (int exponent = -400; exponent < 400; exponent++) {
    expect_made(1, exponent);
    expect_made(UINT64_C(9999999999999999999), exponent);
    expect_made(UINT64_C(9007199254740993), exponent);
    for (int i = 0; i < 5 * PER_EXPONENT; i++) {
      uint64_t digits = random_bits(&random) >> (random_bits(&random) % 64);
      expect_made(digits, exponent);
    }
  }
}

static void make_takes_ties_to_even(void **state) {
  (void)state;
  // 2^53 + 1, 2^53 + 3, and their halves, quarters, ... lie exactly between two floats.
  for (uint64_t odd = 1; odd < 2000; odd += 2) {
    uint64_t digits = (UINT64_C(1) << 53) + odd;
    expect_made(digits, 0);
    expect_made(digits * 5, -1);
    expect_made(digits * 25, -2);
    expect_made(digits * 10, -1);
  }
  double made;
  assert_true(pl_decimal_make(UINT64_C(9007199254740993), 0, &made));
  assert_true(made == 9007199254740992.0);
}

static void make_knows_zero_and_infinity(void **state) {
  (void)state;
  double made = 1;
  assert_true(pl_decimal_make(0, INT64_MAX, &made) && made == 0);
  assert_true(pl_decimal_make(1, -1000000000000, &made) && made == 0);
  assert_true(pl_decimal_make(1, 1000000000000, &made) && isinf(made));
  assert_true(pl_decimal_make(2, 308, &made) && isinf(made));
  assert_true(pl_decimal_make(UINT64_C(17976931348623157), 292, &made) && made == DBL_MAX);
  assert_true(pl_decimal_make(2, -324, &made) && made == 0);
  assert_true(pl_decimal_make(3, -324, &made) && bits_of(made) == 1);
}

static void read_takes_numbers_of_any_length(void **state) {
  (void)state;
  double value;
  assert_int_equal(pl_decimal_read(pl_strv("-0.5e-10,", 8), &value), 0);
  assert_true(value == -0.5e-10);
  char text[2000];
  memset(text, '9', sizeof text);
  text[1] = '.';
  assert_int_equal(pl_decimal_read(pl_strv(text, sizeof text), &value), 0);
  assert_true(value == 10.0);
  pl_mem_fail_nth(1);
  assert_true(pl_decimal_read(pl_strv(text, sizeof text), &value) < 0);
  pl_mem_fail_nth(0);
}

int main(void) {
  random_seed = (uint64_t)time(NULL);
  print_message("decimal_test: seed %llu\n", (unsigned long long)random_seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(write_makes_the_expected_text),
      cmocka_unit_test(write_integer_covers_the_ends_of_int64),
      cmocka_unit_test(write_is_shortest_at_every_exponent),
      cmocka_unit_test(a_million_bit_patterns_read_back_the_same),
      cmocka_unit_test(make_rounds_like_strtod_at_every_exponent),
      cmocka_unit_test(make_takes_ties_to_even),
      cmocka_unit_test(make_knows_zero_and_infinity),
      cmocka_unit_test(read_takes_numbers_of_any_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
