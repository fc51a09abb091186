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

// Differences of coordinates round here, and with them even the sign of the naive area (after
// Kettner et al., "Classroom examples of robustness problems in geometric computations").
static void sign_is_right_where_differences_round(void **state) {
  (void)state;
  const double a[2] = {12, 12}, b[2] = {24, 24};
  size_t wrong_signs = 0;
  for (int i = 0; i < 64; i++) {
    for (int j = 0; j < 64; j++) {
      double p[2] = {0.5 + i * 0x1p-53, 0.5 + j * 0x1p-53};
      int expected = (p[1] > p[0]) - (p[1] < p[0]);
      assert_int_equal(pl_query_orient(a, b, p), expected);
      wrong_signs += naive(a, b, p) * expected < 0;
    }
  }
  for (int i = 1; i < 2000; i++) {
    double far[2] = {0x1p53 + 2 * i, 0x1p53 + 2 * i}, p[2] = {0.1 * i, nextafter(0.1 * i, 1e9)};
    double q[2] = {1 + 0x1p-52 * i, 1 + 0x1p-52 * i}, r[2] = {q[0], nextafter(q[1], 0)};
    assert_int_equal(pl_query_orient(q, far, p), 1);
    assert_int_equal(pl_query_orient(far, q, r), 1);
    assert_int_equal(pl_query_orient(q, far, r), -1);
    wrong_signs += naive(q, far, p) < 0;
  }
  assert_true(wrong_signs > 0);
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
      cmocka_unit_test(sign_is_right_where_differences_round),
      cmocka_unit_test(subnormal_and_huge_coordinates_have_a_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
