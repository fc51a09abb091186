/// Polygons with numbers, and which of them a point is in (geometry.zones, structs.md 4.9): the
/// first in their order that has it, borders included (query_polygon.h).
///
/// Immutable and counted by reference. Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_polygon.h"

struct pl_zones;

struct pl_zone_spec {
  uint32_t id;  ///< what locate gives; not 0
  struct pl_polygon_rings rings;
};

/// Copies the points. Returns: 0 and *zones with one reference; PL_EINVAL and in `problem` what is
/// wrong and where, counted from 1 ("zones[2].holes[1] has fewer than 3 distinct points"),
/// PL_ELIMIT: more than 2^24 zones or 2^28 points in one, likewise; PL_ENOMEM.
PL_MUST_CHECK int pl_zones_new(const struct pl_zone_spec *specs, size_t count,
                               struct pl_zones **zones, char problem[PL_QUERY_PROBLEM_MAX]);

/// Returns: zones, for the new holder.
struct pl_zones *pl_zones_ref(struct pl_zones *zones);

/// NULL is allowed.
void pl_zones_unref(struct pl_zones *zones);

/// What they hold, in bytes.
size_t pl_zones_bytes(const struct pl_zones *zones);

/// About how many points a millisecond takes, a lower bound, >= 1.
size_t pl_zones_rate(const struct pl_zones *zones);

/// dst[i] = the id of the first zone that has points[i], 0: none, for i = first .. first + count -
/// 1. @param dst u32 @param points pl_polygon_takes them
void pl_zones_locate(const struct pl_zones *zones, const struct pl_span *dst,
                     const struct pl_span *points, size_t first, size_t count);
