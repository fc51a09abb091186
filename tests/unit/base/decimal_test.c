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

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// The text reads back as the same float, directly and by way of a double, and fewer digits do not.
static void expect_shortest_f32(float value) {
  char text[LONGEST_TEXT], fewer[LONGEST_TEXT];
  text[pl_decimal_write_f32(value, text)] = '\0';
  float direct = strtof(text, NULL), doubly = (float)strtod(text, NULL);
  if (memcmp(&direct, &value, sizeof value) != 0 || memcmp(&doubly, &value, sizeof value) != 0) {
    fail_msg("%.9g was written %s", (double)value, text);
  }
  int digits = count_digits(text);
  if (digits < 2) return;
  snprintf(fewer, sizeof fewer, "%.*e", digits - 2, (double)value);
  if (strtof(fewer, NULL) == value) fail_msg("%s is longer than %s", text, fewer);
}

static void f32_is_shortest_and_reads_back(void **state) {
  (void)state;
  static const struct {
    float value;
    const char *text;
  } rows[] = {{0.1F, "0.1"},
              {-0.0F, "-0.0"},
              {1.0F, "1.0"},
              {16777216, "16777216.0"},
              {1e10F, "10000000000.0"},
              {FLT_MAX, "3.4028235e38"},
              {FLT_MIN, "1.1754944e-38"},
              {1e-45F, "1e-45"},
              {-1.5F, "-1.5"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[LONGEST_TEXT];
    text[pl_decimal_write_f32(rows[i].value, text)] = '\0';
    assert_string_equal(text, rows[i].text);
  }
  uint64_t random = random_seed;
  for (uint32_t exponent = 0; exponent < 0xff; exponent++) {
    expect_shortest_f32(float_of(exponent << 23));
    expect_shortest_f32(float_of(exponent << 23 | 1));
    expect_shortest_f32(float_of(exponent << 23 | 0x7fffff));
    for (int i = 0; i < 400; i++) {
      expect_shortest_f32(float_of(exponent << 23 | ((uint32_t)random_bits(&random) & 0x7fffff)));
    }
  }
}

// By the definition of binary16.
static double half_value(unsigned bits) {
  unsigned biased = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  double value = biased ? ldexp(1024 + fraction, (int)biased - 25) : ldexp(fraction, -24);
  return bits >> 15 ? -value : value;
}

// Whether the number between two neighbours would be rounded to the one with these bits.
static bool is_nearest(double number, unsigned bits, unsigned neighbour) {
  double own = fabs(number - half_value(bits)), other = fabs(number - half_value(neighbour));
  return own < other || (own == other && bits % 2 == 0);
}

static void every_f16_reads_back(void **state) {
  (void)state;
  for (unsigned bits = 0; bits < 0x10000; bits++) {
    if ((bits >> 10 & 0x1f) == 0x1f) continue;
    char text[LONGEST_TEXT];
    text[pl_decimal_write_f16((uint16_t)bits, text)] = '\0';
    double read = strtod(text, NULL);
    bool is_largest = (bits & 0x7fff) == 0x7bff;
    if (bits & 0x7fff) assert_true(is_nearest(read, bits, bits - 1));
    if (!is_largest) assert_true(is_nearest(read, bits, bits + 1));
    assert_int_equal(signbit(read) != 0, bits >> 15);
    assert_true(count_digits(text) <= 5);
  }
  char text[LONGEST_TEXT];
  text[pl_decimal_write_f16(0x2e66, text)] = '\0';
  assert_string_equal(text, "0.1");
  text[pl_decimal_write_f16(0x7bff, text)] = '\0';
  assert_string_equal(text, "65500.0");
}

int main(void) {
  random_seed = (uint64_t)time(NULL);
  print_message("decimal_test: seed %llu\n", (unsigned long long)random_seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(write_makes_the_expected_text),
      cmocka_unit_test(write_integer_covers_the_ends_of_int64),
      cmocka_unit_test(write_is_shortest_at_every_exponent),
      cmocka_unit_test(a_million_bit_patterns_read_back_the_same),
      cmocka_unit_test(f32_is_shortest_and_reads_back),
      cmocka_unit_test(every_f16_reads_back),
      cmocka_unit_test(make_rounds_like_strtod_at_every_exponent),
      cmocka_unit_test(make_takes_ties_to_even),
      cmocka_unit_test(make_knows_zero_and_infinity),
      cmocka_unit_test(read_takes_numbers_of_any_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
