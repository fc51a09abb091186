// binary16: every pattern, the borders of rounding, and a slow but obvious way as the measure.
#include "geometry/f16.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void f16_patterns_all_come_back(void **state) {
  (void)state;
  for (unsigned half = 0; half <= 0xffff; half++) {
    double value = pl_f16_to_double((uint16_t)half);
    assert_int_equal(pl_f16_from_double(value), half);
    assert_int_equal(!!signbit(value), half >> 15);
  }
}

static void f16_has_the_values_of_the_standard(void **state) {
  (void)state;
  static const struct {
    uint16_t half;
    double value;
  } rows[] = {
      {0x0000, 0.0},
      {0x3c00, 1.0},
      {0xc000, -2.0},
      {0x7bff, 65504.0},
      {0x0400, 0x1p-14},
      {0x0001, 0x1p-24},
      {0x03ff, 0x1p-14 - 0x1p-24},
      {0x3555, 0x1.554p-2},
      {0x7c00, HUGE_VAL},
      {0xfc00, -HUGE_VAL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    double value = pl_f16_to_double(rows[i].half);
    assert_true(value == rows[i].value);
    assert_int_equal(pl_f16_from_double(rows[i].value), rows[i].half);
  }
  assert_true(isnan(pl_f16_to_double(0x7e00)));
  assert_int_equal(pl_f16_from_double(-0.0), 0x8000);
  // A NaN whose payload is below what f16 has stays a NaN.
  uint64_t bits = UINT64_C(0xfff0000000000001);
  double nan = 0;
  memcpy(&nan, &bits, sizeof nan);
  assert_int_equal(pl_f16_from_double(nan), 0xfe00);
}

static void f16_rounds_to_nearest_even(void **state) {
  (void)state;
  static const struct {
    double value;
    uint16_t half;
  } rows[] = {
      {1 + 0x1p-11, 0x3c00},                // a tie: down to even
      {1 + 3 * 0x1p-11, 0x3c02},            // a tie: up to even
      {1 + 0x1p-11 + DBL_EPSILON, 0x3c01},  // just above the tie
      {65519.999, 0x7bff},
      {65520.0, 0x7c00},
      {-65520.0, 0xfc00},
      {1e300, 0x7c00},
      {0x1p-25, 0x0000},  // half of the least: to even, which is zero
      {0x1.0000000000001p-25, 0x0001},
      {3 * 0x1p-25, 0x0002},
      {0x1p-26, 0x0000},
      {DBL_MIN, 0x0000},
      {-DBL_TRUE_MIN, 0x8000},
      {0x1p-14 - 0x1p-26, 0x0400},  // a subnormal that rounds to a normal one
      {2 - 0x1p-12, 0x4000},        // a carry into the exponent
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    assert_int_equal(pl_f16_from_double(rows[i].value), rows[i].half);
}

// The nearest of all finite patterns, the even one of two. @param value 0 <= value < 65520
static uint16_t nearest(double value) {
  unsigned low = 0, high = 0x7c00;  // 65536 in its place
  while (high - low > 1) {
    unsigned middle = (low + high) / 2;
    if (pl_f16_to_double((uint16_t)middle) <= value)
      low = middle;
    else
      high = middle;
  }
  double above = high == 0x7c00 ? 65536.0 : pl_f16_to_double((uint16_t)high);
  double to_low = value - pl_f16_to_double((uint16_t)low), to_high = above - value;
  if (to_low == to_high) return (uint16_t)(low % 2 ? high : low);
  return (uint16_t)(to_low < to_high ? low : high);
}

static void f16_is_the_nearest_pattern(void **state) {
  (void)state;
  srand48(16);
  for (int i = 0; i < 200000; i++) {
    double value = ldexp(drand48(), (int)(lrand48() % 44) - 28);
    if (value >= 65520) continue;
    if (i % 3 == 0) value = (double)(float)value;
    assert_int_equal(pl_f16_from_double(value), nearest(value));
    assert_int_equal(pl_f16_from_double(-value), nearest(value) | 0x8000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(f16_patterns_all_come_back),
      cmocka_unit_test(f16_has_the_values_of_the_standard),
      cmocka_unit_test(f16_rounds_to_nearest_even),
      cmocka_unit_test(f16_is_the_nearest_pattern),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
