/// What the tests of queries share: spans at any alignment, and numbers that are the same each run.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "geometry/query_span.h"

/// A span over `count` elements of `size` bytes.
static inline struct pl_span span_over(void *data, size_t count, const struct pl_layout *layout) {
  return (struct pl_span){data, count, layout->size, layout, 0};
}

static inline uint64_t next_bits(uint64_t *state) {
  *state += 0x9e3779b97f4a7c15u;
  uint64_t z = *state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/// From lo to hi.
static inline double next_number(uint64_t *state, double lo, double hi) {
  return lo + (hi - lo) * (double)(next_bits(state) >> 11) * 0x1p-53;
}

/// Below n.
static inline size_t next_below(uint64_t *state, size_t n) {
  return (size_t)(next_bits(state) % n);
}
