/// Spheres laid out so that a loop tests several at once, and that loop.
///
/// Immutable once made. Thread: any.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_shape.h"

enum {
  PL_QUERY_SPHERES_BLOCK = 16,   ///< the loop's step
  PL_QUERY_SPHERES_CHUNK = 256,  ///< most that one call looks at, a multiple of it
};

struct pl_query_spheres {
  float *x, *y, *z, *radius;  ///< columns, filled up to whole blocks
  float *reach;               ///< more than the radius squared
  double bounds[6];           ///< {min, max} of the centres
  size_t count;
};

/// Room for `count`, none of which can be hit until it is set. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_query_spheres_init(struct pl_query_spheres *spheres, size_t count);
void pl_query_spheres_deinit(struct pl_query_spheres *spheres);

/// Sets sphere i; each is set once.
void pl_query_spheres_set(struct pl_query_spheres *spheres, size_t i,
                          const struct pl_query_sphere *sphere);
struct pl_query_sphere pl_query_spheres_get(const struct pl_query_spheres *spheres, size_t i);

size_t pl_query_spheres_bytes(const struct pl_query_spheres *spheres);

/// Which of the spheres first .. first + PL_QUERY_SPHERES_CHUNK - 1 the ray's line may meet: all
/// that it does meet, and some that it just misses.
/// @param first a multiple of PL_QUERY_SPHERES_CHUNK
/// Returns: how many; their places are in `found`, ascending.
size_t pl_query_spheres_find(const struct pl_query_spheres *spheres, const struct pl_query_ray *ray,
                             size_t first, uint32_t found[PL_QUERY_SPHERES_CHUNK]);
