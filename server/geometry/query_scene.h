/// Spheres, boxes, triangles and planes that rays and segments are tested against
/// (geometry.scene, structs.md 4.9). What a hit is: query_shape.h.
///
/// intersect gives each query the hit with the least t, as it is returned: an f32. Of equal ones
/// it is that of the lower inst, then of the lower prim. t is in lengths of the direction; of a
/// segment it is 0 .. 1 from a to b. A hit at a t too large for f32 is none. A query that is not
/// finite, or whose direction is zero, hits nothing.
///
/// Results do not depend on how many shapes there are, on the CPU, or on the cut into ranges.
///
/// Immutable and counted by reference. Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_store.h"

struct pl_scene;

/// Copies the shapes. Returns: 0 and *scene with one reference; PL_EINVAL and in `problem` which
/// shape cannot be one (not finite, a negative radius, min above max, a normal of zero), counted
/// from 1; PL_ELIMIT: more than 2^28 of a kind, likewise; PL_ENOMEM.
PL_MUST_CHECK int pl_scene_new(const struct pl_scene_shapes *shapes, struct pl_scene **scene,
                               char problem[PL_QUERY_PROBLEM_MAX]);

/// Returns: scene, for the new holder.
struct pl_scene *pl_scene_ref(struct pl_scene *scene);

/// NULL is allowed.
void pl_scene_unref(struct pl_scene *scene);

/// What it holds, in bytes.
size_t pl_scene_bytes(const struct pl_scene *scene);

/// Whether queries may be of that layout: ray, segment.
bool pl_scene_takes(const struct pl_layout *layout);

/// About how many queries a millisecond takes, a lower bound, >= 1.
size_t pl_scene_rate(const struct pl_scene *scene);

/// dst[i] = the hit of queries[i], for i = first .. first + count - 1. No hit: t is infinite,
/// everything else 0. @param dst hit @param queries pl_scene_takes them
void pl_scene_intersect(const struct pl_scene *scene, const struct pl_span *dst,
                        const struct pl_span *queries, size_t first, size_t count);

/// The same, but only whether there is a hit: 1 or 0. @param dst u8
void pl_scene_occluded(const struct pl_scene *scene, const struct pl_span *dst,
                       const struct pl_span *queries, size_t first, size_t count);
