/// A tree of boxes over boxes: which of many shapes a ray may hit, nearest first. Shapes are just
/// numbers here.
///
/// Our own and not Embree's: that is optional (structs.md 4.8), decides in f32 and by its own
/// rules, and a tree must answer as a loop over all shapes does, bit for bit.
///
/// Immutable once made. Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_ray.h"

struct pl_bvh;

/// One shape: its bounds, rounded outwards to f32, and a number.
struct pl_bvh_item {
  float bounds[6];  ///< {min, max}
  uint32_t name;
};

/// An item of these bounds.
struct pl_bvh_item pl_bvh_item_make(const double bounds[6], uint32_t name);

/// @param items put in another order; not kept
/// @param count 1 .. 2^30
/// Returns: NULL: out of memory.
PL_MUST_CHECK struct pl_bvh *pl_bvh_new(struct pl_bvh_item *items, size_t count);
void pl_bvh_free(struct pl_bvh *bvh);

/// What it holds, in bytes.
size_t pl_bvh_bytes(const struct pl_bvh *bvh);

/// A shape that may be hit. Returns: true: seen enough.
typedef bool pl_bvh_visit(void *ctx, uint32_t name);

/// Visits every shape whose bounds the ray meets (pl_query_ray_box) at t <= *limit, and perhaps
/// others. @param limit may become less meanwhile
void pl_bvh_walk(const struct pl_bvh *bvh, const struct pl_query_ray *ray, const float *limit,
                 pl_bvh_visit *visit, void *ctx);
