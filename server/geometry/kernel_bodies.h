/// Loops that do the same for every scalar, by an expression of the operands a, b and c. For
/// kernels_*.c only.
#pragma once

#include "geometry/kernel_loop.h"

/// Defines the loops VERB_N for T; `value` may use W, a type to compute in.
// What is loaded for element i, and what once: the last operand may be one value for all, in
// the loops VERB_N_one.
#define EACH(x, N, T) T x = pl_get_##N(in_##x + i * sizeof(T));
#define ONCE(x, N, T) T x = pl_get_##N(in_##x);
#define SCALAR_LOOP(NAME, N, T, once, each, value)                            \
  PL_ALWAYS_INLINE void NAME##_body(const struct pl_kernel_loop *loop) {      \
    char *dst = loop->dst;                                                    \
    const char *in_a = loop->in[0], *in_b = loop->in[1], *in_c = loop->in[2]; \
    size_t n = loop->n;                                                       \
    (void)in_b, (void)in_c;                                                   \
    once PL_INDEPENDENT for (size_t i = 0; i < n; i++) {                      \
      EACH(a, N, T)                                                           \
      each pl_put_##N(dst + i * sizeof(T), (T)(value));                       \
    }                                                                         \
  }                                                                           \
  PL_LOOPS(NAME)
#define BODY1(VERB, N, T, W, value) SCALAR_LOOP(VERB##_##N, N, T, , , value)
#define BODY2(VERB, N, T, W, value)                     \
  SCALAR_LOOP(VERB##_##N, N, T, , EACH(b, N, T), value) \
  SCALAR_LOOP(VERB##_##N##_one, N, T, ONCE(b, N, T), , value)
#define BODY3(VERB, N, T, W, value)                                   \
  SCALAR_LOOP(VERB##_##N, N, T, , EACH(b, N, T) EACH(c, N, T), value) \
  SCALAR_LOOP(VERB##_##N##_one, N, T, ONCE(c, N, T), EACH(b, N, T), value)
