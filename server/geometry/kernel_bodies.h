/// Loops that do the same for every scalar, by an expression of the operands a, b and c. For
/// kernels_*.c only.
#pragma once

#include "geometry/kernel_loop.h"

/// Defines the loops VERB_N for T; `value` may use W, a type to compute in.
#define BODY1(VERB, N, T, W, value)                                            \
  PL_ALWAYS_INLINE void VERB##_##N##_body(const struct pl_kernel_loop *loop) { \
    char *dst = loop->dst;                                                     \
    const char *in_a = loop->in[0];                                            \
    size_t n = loop->n;                                                        \
    PL_INDEPENDENT                                                             \
    for (size_t i = 0; i < n; i++) {                                           \
      T a = pl_get_##N(in_a + i * sizeof(T));                                  \
      pl_put_##N(dst + i * sizeof(T), (T)(value));                             \
    }                                                                          \
  }                                                                            \
  PL_LOOPS(VERB##_##N)
#define BODY2(VERB, N, T, W, value)                                                 \
  PL_ALWAYS_INLINE void VERB##_##N##_body(const struct pl_kernel_loop *loop) {      \
    char *dst = loop->dst;                                                          \
    const char *in_a = loop->in[0], *in_b = loop->in[1];                            \
    size_t n = loop->n;                                                             \
    PL_INDEPENDENT                                                                  \
    for (size_t i = 0; i < n; i++) {                                                \
      T a = pl_get_##N(in_a + i * sizeof(T)), b = pl_get_##N(in_b + i * sizeof(T)); \
      pl_put_##N(dst + i * sizeof(T), (T)(value));                                  \
    }                                                                               \
  }                                                                                 \
  PL_LOOPS(VERB##_##N)
#define BODY3(VERB, N, T, W, value)                                                 \
  PL_ALWAYS_INLINE void VERB##_##N##_body(const struct pl_kernel_loop *loop) {      \
    char *dst = loop->dst;                                                          \
    const char *in_a = loop->in[0], *in_b = loop->in[1], *in_c = loop->in[2];       \
    size_t n = loop->n;                                                             \
    PL_INDEPENDENT                                                                  \
    for (size_t i = 0; i < n; i++) {                                                \
      T a = pl_get_##N(in_a + i * sizeof(T)), b = pl_get_##N(in_b + i * sizeof(T)); \
      T c = pl_get_##N(in_c + i * sizeof(T));                                       \
      pl_put_##N(dst + i * sizeof(T), (T)(value));                                  \
    }                                                                               \
  }                                                                                 \
  PL_LOOPS(VERB##_##N)
