// Spans of different bytes are told apart by their addresses alone.
#include "structs/overlap.h"

#include <stddef.h>
#include <stdint.h>

// Bytes from the first element's begin to the last one's end; count > 0.
static size_t extent_of(const struct pl_span *span) {
  size_t last = (span->count - 1) * span->stride;
  if (!span->column) return last + span->layout->size;
  size_t part = span->layout->size / span->layout->part_count;
  return last + (span->layout->part_count - 1) * span->column + part;
}

// Elements of both stand equally far apart: fields of the same structs, or every other element.
static bool interleaves(const struct pl_span *a, const struct pl_span *b) {
  if (a->column || b->column || a->stride != b->stride || a->stride == 0) return false;
  uintptr_t from = (uintptr_t)a->data, to = (uintptr_t)b->data;
  size_t stride = a->stride;
  size_t between = to >= from ? (to - from) % stride : (stride - (from - to) % stride) % stride;
  return between >= a->layout->size && between + b->layout->size <= stride;
}

bool pl_span_overlaps(const struct pl_span *a, const struct pl_span *b) {
  if (a->count == 0 || b->count == 0) return false;
  uintptr_t a_at = (uintptr_t)a->data, b_at = (uintptr_t)b->data;
  if (a_at + extent_of(a) <= b_at || b_at + extent_of(b) <= a_at) return false;
  return !interleaves(a, b);
}

bool pl_span_is_same(const struct pl_span *a, const struct pl_span *b) {
  return a->data == b->data && a->stride == b->stride && a->column == b->column &&
         a->layout->size == b->layout->size;
}
