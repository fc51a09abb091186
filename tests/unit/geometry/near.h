// Comparing with a reference in double precision.
#pragma once

#include "op_call.h"

#include <math.h>

// Within 4 units in the last place of an f32, or (beside a result of about 0) of the operands' size
// times 1e-12: both sides are computed in f64.
static inline bool is_near_f32(double got, double wanted, double size) {
  const double ulp = ldexp(1, (wanted == 0 ? -149 : ilogb(wanted)) - 23);
  return got == wanted || fabs(got - wanted) <= 4 * fmax(ulp, 0x1p-149) + size * 1e-12;
}

static inline void assert_near_f32(const double *got, const double *wanted, int n, double size,
                                   const char *what) {
  for (int i = 0; i < n; i++) {
    if (!is_near_f32(got[i], wanted[i], size)) {
      fail_msg("%s: component %d is %.9g, not %.9g", what, i, got[i], wanted[i]);
    }
  }
}

static inline void assert_close(const double *got, const double *wanted, int n, double bound,
                                const char *what) {
  for (int i = 0; i < n; i++) {
    if (!(fabs(got[i] - wanted[i]) <= bound)) {
      fail_msg("%s: component %d is %.12g, not %.12g", what, i, got[i], wanted[i]);
    }
  }
}

static inline double as_f32(double x) {
  return (double)(float)x;
}

static inline void random_f32(uint64_t *seed, double *to, int n, double size) {
  for (int i = 0; i < n; i++) to[i] = as_f32(op_random(seed, -size, size));
}

// Of length 1, as near as f32 can be.
static inline void random_unit(uint64_t *seed, double *to, int n) {
  double length = 0;
  while (length < 0.1) {
    random_f32(seed, to, n, 1);
    length = 0;
    for (int i = 0; i < n; i++) length += to[i] * to[i];
    length = sqrt(length);
  }
  for (int i = 0; i < n; i++) to[i] = as_f32(to[i] / length);
}
