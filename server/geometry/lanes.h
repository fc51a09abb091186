/// From a struct's packed scalars, at any alignment, to f64 and back: an op loads its operands,
/// computes in f64, and stores its result rounded once (conventions.h).
///
/// Thread: any.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Returns: the nearest float; beyond the range an infinity, which C leaves open.
static inline float pl_lane_f32(double x) {
  const double limit = 0x1.ffffffp127;  // half a step beyond FLT_MAX
  if (x >= limit) return INFINITY;
  if (x <= -limit) return -INFINITY;
  return (float)x;
}

/// Returns: x cut towards zero and clamped to lo .. hi; NaN: 0.
static inline double pl_lane_clamp(double x, double lo, double hi) {
  if (isnan(x)) return 0;
  return x < lo ? lo : x > hi ? hi : trunc(x);
}

#define PL_LANES(lane, type, narrow)                                           \
  static inline void pl_load_##lane(double *to, const void *at, size_t n) {    \
    for (size_t i = 0; i < n; i++) {                                           \
      type one;                                                                \
      memcpy(&one, (const char *)at + i * sizeof one, sizeof one);             \
      to[i] = (double)one;                                                     \
    }                                                                          \
  }                                                                            \
  static inline void pl_store_##lane(void *at, const double *from, size_t n) { \
    for (size_t i = 0; i < n; i++) {                                           \
      const type one = (type)(narrow);                                         \
      memcpy((char *)at + i * sizeof one, &one, sizeof one);                   \
    }                                                                          \
  }

PL_LANES(f32, float, pl_lane_f32(from[i]))
PL_LANES(f64, double, from[i])
PL_LANES(i32, int32_t, pl_lane_clamp(from[i], INT32_MIN, INT32_MAX))
PL_LANES(u32, uint32_t, pl_lane_clamp(from[i], 0, UINT32_MAX))
PL_LANES(u8, uint8_t, pl_lane_clamp(from[i] + 0.5, 0, UINT8_MAX))  // color8: to the nearest
#undef PL_LANES
