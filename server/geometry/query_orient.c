// In f64 with a bound of the error (Shewchuk, "Adaptive precision floating-point arithmetic and
// fast robust geometric predicates", 1997, section 4.3); where that does not decide, exactly:
//
// the determinant is a sum of six products of two coordinates. Each coordinate is cut into two
// halves of at most 27 bits, so that a product of halves has 54 bits and is exact in long double,
// whose exponent reaches far beyond that of any product of doubles. The 24 terms are added as an
// expansion: numbers that do not overlap and whose sum is exact; the last that is not 0 has its
// sign.
#include "geometry/query_orient.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

_Static_assert(LDBL_MANT_DIG >= 54 && LDBL_MAX_EXP > 2 * DBL_MAX_EXP + 8 &&
                   LDBL_MIN_EXP < 2 * (DBL_MIN_EXP - DBL_MANT_DIG) - 8,
               "a product of halves of doubles is exact in long double");

enum { PRODUCTS = 6, TERMS = 4 * PRODUCTS };

// The upper 26 bits of its significand.
static double upper_half(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits &= ~(((uint64_t)1 << 27) - 1);
  memcpy(&x, &bits, sizeof bits);
  return x;
}

// Adds to the expansion e of n numbers, ascending. Returns: how many it has then.
static int grow(long double *e, int n, long double x) {
  int kept = 0;
  for (int i = 0; i < n; i++) {
    long double sum = x + e[i], part = sum - x;
    long double error = (x - (sum - part)) + (e[i] - part);
    if (error != 0) e[kept++] = error;
    x = sum;
  }
  if (x != 0) e[kept++] = x;
  return kept;
}

static int add_product(long double *e, int n, double x, double y) {
  double halves_x[2] = {upper_half(x), 0}, halves_y[2] = {upper_half(y), 0};
  halves_x[1] = x - halves_x[0];
  halves_y[1] = y - halves_y[0];
  for (int i = 0; i < 2; i++) {
    for (int j = 0; j < 2; j++) n = grow(e, n, (long double)halves_x[i] * halves_y[j]);
  }
  return n;
}

static int orient_exactly(const double a[2], const double b[2], const double p[2]) {
  long double e[TERMS];
  int n = add_product(e, 0, a[0], b[1]);
  n = add_product(e, n, -a[1], b[0]);
  n = add_product(e, n, b[0], p[1]);
  n = add_product(e, n, -b[1], p[0]);
  n = add_product(e, n, p[0], a[1]);
  n = add_product(e, n, -p[1], a[0]);
  return n == 0 ? 0 : e[n - 1] > 0 ? 1 : -1;
}

int pl_query_orient(const double a[2], const double b[2], const double p[2]) {
  double left = (a[0] - p[0]) * (b[1] - p[1]), right = (a[1] - p[1]) * (b[0] - p[0]);
  double area = left - right, size = fabs(left) + fabs(right);
  // (3 + 16 e) e with e = 2^-53, rounded up; the second term is for what underflows. What
  // overflows makes the comparison false.
  if (fabs(area) > size * 0x1.8000000000002p-52 + 0x1p-1000) {
    return area > 0 ? 1 : -1;
  }
  return orient_exactly(a, b, p);
}
