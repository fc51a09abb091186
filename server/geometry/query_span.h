/// How queries read and write the elements of spans: a few scalars at a time, at any alignment,
/// array of structs or struct of arrays.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "geometry/span.h"

/// What a query's constructor writes about input that it refuses: one line, NUL-terminated.
enum { PL_QUERY_PROBLEM_MAX = 256 };

/// The built-in struct that elements are, or are derived from; PL_BUILTIN_NONE: none.
static inline enum pl_builtin pl_query_type(const struct pl_layout *layout) {
  while (layout && !layout->builtin) layout = layout->base;
  return layout ? (enum pl_builtin)layout->builtin : PL_BUILTIN_NONE;
}

/// The name of a layout for a problem's text; "nothing" for NULL.
static inline const char *pl_query_name(const struct pl_layout *layout) {
  return layout ? layout->name.data : "nothing";
}

/// The first `n` scalars of element i, which are f32.
static inline void pl_query_floats(const struct pl_span *span, size_t i, float *out, unsigned n) {
  const char *at = pl_span_at(span, i);
  if (!span->column) {
    memcpy(out, at, n * sizeof *out);
    return;
  }
  for (unsigned j = 0; j < n; j++) memcpy(out + j, at + j * span->column, sizeof *out);
}

/// The same, made f64, which holds every f32.
static inline void pl_query_widened(const struct pl_span *span, size_t i, double *out, unsigned n) {
  float narrow[16];
  pl_query_floats(span, i, narrow, n);
  for (unsigned j = 0; j < n; j++) out[j] = narrow[j];
}

/// The first `n` scalars of element i, which are f64.
static inline void pl_query_doubles(const struct pl_span *span, size_t i, double *out, unsigned n) {
  const char *at = pl_span_at(span, i);
  if (!span->column) {
    memcpy(out, at, n * sizeof *out);
    return;
  }
  for (unsigned j = 0; j < n; j++) memcpy(out + j, at + j * span->column, sizeof *out);
}

/// A point's coordinates: how many, and of which kind. dims 0: no point.
struct pl_query_point {
  unsigned dims;
  bool is_f64;
};

static inline struct pl_query_point pl_query_point_of(const struct pl_layout *layout) {
  switch (pl_query_type(layout)) {
  case PL_BUILTIN_vec2:
    return (struct pl_query_point){2, false};
  case PL_BUILTIN_vec3:
    return (struct pl_query_point){3, false};
  case PL_BUILTIN_dvec2:
    return (struct pl_query_point){2, true};
  case PL_BUILTIN_dvec3:
    return (struct pl_query_point){3, true};
  default:
    return (struct pl_query_point){0, false};
  }
}

/// Element i of points of that kind, as f64; what is behind its dims stays as it is.
static inline void pl_query_point_at(const struct pl_span *span, struct pl_query_point kind,
                                     size_t i, double out[3]) {
  if (kind.is_f64) {
    pl_query_doubles(span, i, out, kind.dims);
  } else {
    pl_query_widened(span, i, out, kind.dims);
  }
}
