/// Elements of one layout, one behind the other at a fixed distance: an array, a slice of it, a
/// field of each element of another array, or a single value (count 1). Never owns its bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geometry/layout.h"

struct pl_span {
  char *data;     ///< the first element; any alignment
  size_t count;   ///< elements
  size_t stride;  ///< bytes from one to the next; 0: the same value again and again
  const struct pl_layout *layout;
  /// SoA: bytes from an element's scalar to its next scalar; the scalars of one kind lie side by
  /// side, stride bytes apart (stride is the scalar's size). 0: AoS.
  size_t column;
};

/// The bytes of element i of an AoS span.
static inline char *pl_span_at(const struct pl_span *span, size_t i) {
  return span->data + i * span->stride;
}

/// Whether the elements lie one behind the other without gaps.
static inline bool pl_span_is_dense(const struct pl_span *span) {
  return !span->column && span->stride == span->layout->size;
}
