/// A polygon with holes and the points inside it.
///
/// A ring is a list of points, closed (its last point is its first) or not, in either direction; it
/// may cross itself: inside is what is crossed an odd number of times on the way out. Inside the
/// polygon is what is inside its ring or on it, and not inside a hole; who is on a hole's border is
/// not inside that hole. All decisions are exact (query_orient.h).
///
/// Immutable once made. Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_span.h"

struct pl_polygon;

struct pl_polygon_rings {
  struct pl_span ring;          ///< vec2 or dvec2
  const struct pl_span *holes;  ///< the same; copied, as all points are
  size_t hole_count;
};

/// Returns: 0 and *polygon; PL_EINVAL and in `problem` what is wrong and where, counted from 1: a
/// ring of fewer than 3 distinct points, a point that is not finite; PL_ELIMIT: more than 2^28
/// points, likewise; PL_ENOMEM.
PL_MUST_CHECK int pl_polygon_new(const struct pl_polygon_rings *rings, struct pl_polygon **polygon,
                                 char problem[PL_QUERY_PROBLEM_MAX]);

/// NULL is allowed.
void pl_polygon_free(struct pl_polygon *polygon);

/// What it holds, in bytes.
size_t pl_polygon_bytes(const struct pl_polygon *polygon);

/// {min x, min y, max x, max y} of its ring.
const double *pl_polygon_bounds(const struct pl_polygon *polygon);

/// Whether points may be of that layout: vec2, dvec2.
bool pl_polygon_takes(const struct pl_layout *layout);

/// About how many points a millisecond takes, a lower bound, >= 1.
size_t pl_polygon_rate(const struct pl_polygon *polygon);

/// A point that is not finite is inside nothing.
bool pl_polygon_has(const struct pl_polygon *polygon, const double point[2]);

/// dst[i] = 1 if points[i] is inside, else 0, for i = first .. first + count - 1. @param dst u8
void pl_polygon_inside(const struct pl_polygon *polygon, const struct pl_span *dst,
                       const struct pl_span *points, size_t first, size_t count);
