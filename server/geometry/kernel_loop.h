/// How loops are written: scalars at any alignment, and the macros that compile a loop for more
/// than one kind of CPU. For kernels_*.c only.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "geometry/kernel.h"

#define PL_ALWAYS_INLINE static inline __attribute__((always_inline))

/// No iteration depends on another one: a destination is an operand's very bytes, or apart.
#ifdef __clang__
#define PL_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed"  // quotients of integers stay scalar
#else
#define PL_INDEPENDENT _Pragma("GCC ivdep")
#endif

/// Every scalar that loops compute with: X(suffix, C type, type in which a + b * c is exact).
#define PL_FLOATS(X)   \
  X(f32, float, float) \
  X(f64, double, double)
#define PL_INTEGERS(X)       \
  X(i8, int8_t, int32_t)     \
  X(i16, int16_t, int32_t)   \
  X(i32, int32_t, int64_t)   \
  X(i64, int64_t, __int128)  \
  X(u8, uint8_t, uint32_t)   \
  X(u16, uint16_t, uint32_t) \
  X(u32, uint32_t, uint64_t) \
  X(u64, uint64_t, unsigned __int128)
#define PL_NUMBERS(X) PL_FLOATS(X) PL_INTEGERS(X)

#define GET_AND_PUT(N, T, W)                            \
  PL_ALWAYS_INLINE T pl_get_##N(const char *at) {       \
    T value;                                            \
    memcpy(&value, at, sizeof value);                   \
    return value;                                       \
  }                                                     \
  PL_ALWAYS_INLINE void pl_put_##N(char *at, T value) { \
    memcpy(at, &value, sizeof value);                   \
  }
PL_NUMBERS(GET_AND_PUT)
#undef GET_AND_PUT

PL_ALWAYS_INLINE float pl_sqrt_f32(float x) {
  return sqrtf(x);
}
PL_ALWAYS_INLINE double pl_sqrt_f64(double x) {
  return sqrt(x);
}

/// Defines struct pl_loops NAME##_loops from the body NAME##_body(const struct pl_kernel_loop *),
/// which is PL_ALWAYS_INLINE. AVX2 is switched on without FMA: products are rounded on every CPU.
#if defined(__x86_64__)
#define PL_LOOPS(NAME)                                                                         \
  static void NAME##_base(const struct pl_kernel_loop *loop) {                                 \
    NAME##_body(loop);                                                                         \
  }                                                                                            \
  __attribute__((target("avx2"))) static void NAME##_avx2(const struct pl_kernel_loop *loop) { \
    NAME##_body(loop);                                                                         \
  }
#define PL_LOOPS_OF(NAME) \
  { NAME##_base, NAME##_avx2 }
#else
#define PL_LOOPS(NAME)                                         \
  static void NAME##_base(const struct pl_kernel_loop *loop) { \
    NAME##_body(loop);                                         \
  }
#define PL_LOOPS_OF(NAME) \
  { NAME##_base, NULL }
#endif
