// Ops of quaternions of f32 and f64: tolua's formulas in radians, one template for both.
#include <float.h>

#include "geometry/conventions.h"
#include "geometry/ops_tables.h"
#include "geometry/real.h"

static struct pl_q4 q4_negate(struct pl_q4 q) {
  return pl_q4(-q.x, -q.y, -q.z, -q.w);
}

static struct pl_q4 q4_inverse(struct pl_q4 q) {
  const double length2 = pl_q4_dot(q, q);
  const double k = length2 > DBL_MIN && isfinite(length2) ? 1 / length2 : 0;
  return k == 0 ? pl_q4(0, 0, 0, 0) : pl_q4(-q.x * k, -q.y * k, -q.z * k, q.w * k);
}

static struct pl_q4 q4_lerp(struct pl_q4 a, struct pl_q4 b, double t) {
  if (pl_q4_dot(a, b) < 0) b = q4_negate(b);
  return pl_q4_normalize(pl_q4(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t,
                               a.w + (b.w - a.w) * t));
}

static struct pl_q4 q4_rotate_towards(struct pl_q4 a, struct pl_q4 b, double max) {
  const double angle = pl_q4_angle(a, b);
  if (!(angle > 0)) return b;
  return pl_q4_slerp(a, b, fmin(1, max / angle));
}

static struct pl_q4 q4_euler(struct pl_v3 angles) {
  const double sx = sin(angles.x / 2), cx = cos(angles.x / 2);
  const double sy = sin(angles.y / 2), cy = cos(angles.y / 2);
  const double sz = sin(angles.z / 2), cz = cos(angles.z / 2);
  return pl_q4(cy * sx * cz + sy * cx * sz, sy * cx * cz - cy * sx * sz,
               cy * cx * sz - sy * sx * cz, cy * cx * cz + sy * sx * sz);
}

// Angles just below 0 stay: they are a rounded 0.
static double turn_up(double angle) {
  return angle < -0.0001 ? angle + 2 * PL_PI : angle;
}

// Looking straight up or down, y and z turn about the same axis: all of it is said to be y.
static struct pl_v3 q4_to_euler(struct pl_q4 q) {
  const double sine = 2 * (q.w * q.x - q.y * q.z);
  if (fabs(sine) >= 0.999) {
    const double side = sine > 0 ? 1 : -1;
    const double y = atan2(side * 2 * (q.x * q.y - q.w * q.z), 1 - 2 * (q.y * q.y + q.z * q.z));
    return pl_v3(turn_up(side * PL_PI / 2), turn_up(y), 0);
  }
  return pl_v3(turn_up(asin(sine)),
               turn_up(atan2(2 * (q.x * q.z + q.w * q.y), 1 - 2 * (q.x * q.x + q.y * q.y))),
               turn_up(atan2(2 * (q.x * q.y + q.w * q.z), 1 - 2 * (q.x * q.x + q.z * q.z))));
}

// tolua divides by sqrt(1 - sqrt(w)), which is not the length of the imaginary part.
static struct pl_v3 q4_to_angle_axis(struct pl_q4 q, double *angle) {
  const struct pl_v3 imaginary = pl_v3(q.x, q.y, q.z);
  const double sine = pl_v3_length(imaginary);
  *angle = 2 * atan2(sine, q.w);
  const struct pl_v3 axis = pl_v3_normalize(imaginary, 1e-12);
  if (pl_v3_dot(axis, axis) > 0) return axis;
  *angle = 0;
  return pl_v3(1, 0, 0);
}

static struct pl_q4 q4_look_rotation(struct pl_v3 forward, struct pl_v3 up) {
  const struct pl_v3 z = pl_v3_normalize(forward, 1e-6);
  if (pl_v3_dot(z, z) == 0) return pl_q4(0, 0, 0, 1);
  const struct pl_v3 x = pl_v3_normalize(pl_v3_cross(pl_v3_normalize(up, 0), z), 1e-6);
  if (pl_v3_dot(x, x) == 0) return pl_q4_from_to(pl_v3(0, 0, 1), z);
  return pl_q4_from_axes(x, pl_v3_cross(z, x), z);
}

// From the first three columns, `rows` f32 each.
static struct pl_q4 q4_from_columns(const char *at, int rows) {
  struct pl_v3 axes[3];
  for (int i = 0; i < 3; i++) {
    axes[i] = pl_v3_normalize(pl_v3_load(at + (size_t)i * (size_t)rows * sizeof(float)), 0);
  }
  return pl_q4_from_axes(axes[0], axes[1], axes[2]);
}

#define QUAT quat
#define VEC3 vec3
#define LOAD pl_load_f32
#define STORE pl_store_f32
#define OTHER dquat
#define OTHER_LOAD pl_load_f64
#include "geometry/quat_ops.def"
#undef QUAT
#undef VEC3
#undef LOAD
#undef STORE
#undef OTHER
#undef OTHER_LOAD

#define QUAT dquat
#define VEC3 dvec3
#define LOAD pl_load_f64
#define STORE pl_store_f64
#define OTHER quat
#define OTHER_LOAD pl_load_f32
#include "geometry/quat_ops.def"
