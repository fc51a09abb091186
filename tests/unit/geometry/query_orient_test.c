// The sign of an area: against 128-bit integers, and where f64 alone fails.
#include "geometry/query_orient.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query.h"

static int naive(const double a[2], const double b[2], const double p[2]) {
  double area = (a[0] - p[0]) * (b[1] - p[1]) - (a[1] - p[1]) * (b[0] - p[0]);
  return (area > 0) - (area < 0);
}

static int by_integers(const int64_t v[6]) {
  __int128 area = (__int128)(v[0] - v[4]) * (v[3] - v[5]) - (__int128)(v[1] - v[5]) * (v[2] - v[4]);
  return (area > 0) - (area < 0);
}

// Integers of 53 bits times a power of two: what is exact in both.
static void sign_is_that_of_integers(void **state) {
  (void)state;
  uint64_t seed = 1;
  size_t naive_errors = 0, zeros = 0;
  for (int round = 0; round < 200000; round++) {
    int64_t v[6];
    double d[6];
    int exponent = (int)next_below(&seed, 4) * 500 - 1074;
    if (exponent > 900) exponent = 900;
    for (int k = 0; k < 4; k++) v[k] = (int64_t)(next_bits(&seed) >> 12);
    // p is on the line, or beside it by the least that there is.
    int64_t num = (int64_t)next_below(&seed, 9);
    for (int k = 0; k < 2; k++) {
      v[k + 2] = v[k] + (v[k + 2] - v[k]) / 8 * 8;
      v[k + 4] = v[k] + (v[k + 2] - v[k]) / 8 * num + (int64_t)next_below(&seed, 3) - 1;
    }
    for (int k = 0; k < 6; k++) d[k] = ldexp((double)v[k], exponent);
    int expected = by_integers(v), found = pl_query_orient(d, d + 2, d + 4);
    assert_int_equal(found, expected);
    naive_errors += naive(d, d + 2, d + 4) != expected;
    zeros += expected == 0;
  }
  assert_true(naive_errors > 1000);  // the inputs are hard
  assert_true(zeros > 1000);
}

static void subnormal_and_huge_coordinates_have_a_side(void **state) {
  (void)state;
  const double t = DBL_TRUE_MIN, m = DBL_MAX;
  const double origin[2] = {0, 0}, tiny[2] = {t, t}, tiny_above[2] = {t, 2 * t};
  const double huge[2] = {m, m}, huge_below[2] = {m, nextafter(m, 0)}, negative[2] = {-m, -m};
  assert_int_equal(pl_query_orient(origin, tiny, tiny_above), 1);
  assert_int_equal(pl_query_orient(tiny, origin, tiny_above), -1);
  assert_int_equal(pl_query_orient(negative, huge, origin), 0);
  assert_int_equal(pl_query_orient(negative, huge, tiny), 0);
  assert_int_equal(pl_query_orient(negative, huge, tiny_above), 1);
  assert_int_equal(pl_query_orient(negative, huge, huge_below), -1);
  assert_int_equal(pl_query_orient(origin, huge, huge), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sign_is_that_of_integers),
      cmocka_unit_test(subnormal_and_huge_coordinates_have_a_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
