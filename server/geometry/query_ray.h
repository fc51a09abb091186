/// A ray as queries compute with it: in f64, whatever it was stored as. That costs little (memory
/// and the search for candidates decide), holds every product of f32 without overflow, and leaves
/// one rounding, that of the result, in most of what is returned.
///
/// Thread: any.
#pragma once

#include <float.h>
#include <math.h>
#include <stdbool.h>

/// Only finite rays with a direction become one of these (pl_query_ray_make).
struct pl_query_ray {
  double o[3];    ///< origin
  double d[3];    ///< direction, as long as it was given
  double inv[3];  ///< 1 / d; unused where d is 0
  double inv_dd;  ///< 1 / dot(d, d)
  float t_max;    ///< no hit behind it: FLT_MAX; 1 for a segment
};

static inline double pl_query_dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Swapping a and b changes the sign of each component and nothing else.
static inline void pl_query_cross(const double a[3], const double b[3], double out[3]) {
  out[0] = a[1] * b[2] - a[2] * b[1];
  out[1] = a[2] * b[0] - a[0] * b[2];
  out[2] = a[0] * b[1] - a[1] * b[0];
}

/// Returns: false: something is not finite, or the direction is zero: nothing is ever hit.
static inline bool pl_query_ray_make(struct pl_query_ray *ray, const double o[3], const double d[3],
                                     float t_max) {
  bool is_usable = false;
  for (int k = 0; k < 3; k++) {
    if (!isfinite(o[k]) || !isfinite(d[k])) return false;
    is_usable |= d[k] != 0;
    ray->o[k] = o[k];
    ray->d[k] = d[k];
    ray->inv[k] = 1 / d[k];
  }
  ray->inv_dd = 1 / pl_query_dot(d, d);
  ray->t_max = t_max;
  return is_usable;
}

/// Where a ray is between the faces of a box {min x y z, max x y z}: from *lo to *hi, widened by
/// more than the rounding of their computation. Each step is monotone in floating point, too: who
/// misses a box misses every box in it. A tree over shapes that answers as a loop over them all
/// rests on that (query_shape.h, query_bvh.h).
/// Returns: false: nowhere, or only behind the origin.
static inline bool pl_query_ray_box(const struct pl_query_ray *ray, const double box[6], double *lo,
                                    double *hi) {
  double from = -INFINITY, to = INFINITY;
  for (int k = 0; k < 3; k++) {
    double below = box[k] - ray->o[k], above = box[k + 3] - ray->o[k];
    if (ray->d[k] == 0) {
      if (below > 0 || above < 0) return false;
      continue;
    }
    below *= ray->inv[k];
    above *= ray->inv[k];
    double nearer = ray->inv[k] > 0 ? below : above, farther = ray->inv[k] > 0 ? above : below;
    from = nearer > from ? nearer : from;
    to = farther < to ? farther : to;
  }
  *lo = from - fabs(from) * 0x1p-50;
  *hi = to + fabs(to) * 0x1p-50;
  return *lo <= *hi && *hi >= 0;
}
