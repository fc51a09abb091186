// Which points lie in one shape, or each in a shape of its own: vec3 in an aabb, bounds, sphere,
// plane, frustum or obb, vec2 in a rect, dvec2 in a drect. Borders are inside. Of a plane it is the
// side that its normal points to, of a frustum that side of all six. A NaN is outside of all.
//
// Computed in the points' type. Conditions are joined by &, so that there is nothing to branch on.
#include "geometry/kernels_inside.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"

PL_ALWAYS_INLINE int is_in_aabb(const float *p, const float *s) {
  return (p[0] >= s[0]) & (p[1] >= s[1]) & (p[2] >= s[2]) & (p[0] <= s[3]) & (p[1] <= s[4]) &
         (p[2] <= s[5]);
}

PL_ALWAYS_INLINE int is_in_bounds(const float *p, const float *s) {
  return (fabsf(p[0] - s[0]) <= s[3]) & (fabsf(p[1] - s[1]) <= s[4]) & (fabsf(p[2] - s[2]) <= s[5]);
}

PL_ALWAYS_INLINE int is_in_sphere(const float *p, const float *s) {
  const float x = p[0] - s[0], y = p[1] - s[1], z = p[2] - s[2];
  return (x * x + y * y + z * z <= s[3] * s[3]) & (s[3] >= 0);
}

PL_ALWAYS_INLINE int is_in_plane(const float *p, const float *s) {
  return s[0] * p[0] + s[1] * p[1] + s[2] * p[2] + s[3] >= 0;
}

PL_ALWAYS_INLINE int is_in_frustum(const float *p, const float *s) {
  return is_in_plane(p, s) & is_in_plane(p, s + 4) & is_in_plane(p, s + 8) &
         is_in_plane(p, s + 12) & is_in_plane(p, s + 16) & is_in_plane(p, s + 20);
}

// s: center, half, rotation. The point is turned back to the box's axes.
PL_ALWAYS_INLINE int is_in_obb(const float *p, const float *s) {
  const float x = s[6], y = s[7], z = s[8], w = s[9];
  const float xx = 2 * x * x, yy = 2 * y * y, zz = 2 * z * z;
  const float xy = 2 * x * y, xz = 2 * x * z, yz = 2 * y * z;
  const float wx = 2 * w * x, wy = 2 * w * y, wz = 2 * w * z;
  const float a = p[0] - s[0], b = p[1] - s[1], c = p[2] - s[2];
  return (fabsf((1 - (yy + zz)) * a + (xy + wz) * b + (xz - wy) * c) <= s[3]) &
         (fabsf((xy - wz) * a + (1 - (xx + zz)) * b + (yz + wx) * c) <= s[4]) &
         (fabsf((xz + wy) * a + (yz - wx) * b + (1 - (xx + yy)) * c) <= s[5]);
}

PL_ALWAYS_INLINE int is_in_rect(const float *p, const float *s) {
  return (p[0] >= s[0]) & (p[1] >= s[1]) & (p[0] <= s[2]) & (p[1] <= s[3]);
}

PL_ALWAYS_INLINE int is_in_drect(const double *p, const double *s) {
  return (p[0] >= s[0]) & (p[1] >= s[1]) & (p[0] <= s[2]) & (p[1] <= s[3]);
}

// The points of element i, and the shape: `shape` is where it is, and `how` when it is loaded.
#define LOOP(NAME, SHAPE, N, T, D, NUMBERS, STEP, PART, once, each)      \
  PL_ALWAYS_INLINE void NAME##_body(const struct pl_kernel_loop *loop) { \
    char *dst = loop->dst;                                               \
    const char *in = loop->in[0], *shapes = loop->in[1];                 \
    const size_t n = loop->n, step = STEP, part = PART;                  \
    T s[NUMBERS];                                                        \
    once PL_INDEPENDENT for (size_t i = 0; i < n; i++) {                 \
      T p[D];                                                            \
      each p[0] = pl_get_##N(in + i * step);                             \
      p[1] = pl_get_##N(in + i * step + part);                           \
      p[(D)-1] = pl_get_##N(in + i * step + ((D)-1) * part);             \
      dst[i] = (char)is_in_##SHAPE(p, s);                                \
    }                                                                    \
  }                                                                      \
  PL_LOOPS(NAME)
#define FIRST memcpy(s, shapes, sizeof s);
#define NEXT memcpy(s, shapes + i * sizeof s, sizeof s);
#define SHAPE(NAME, N, T, D, NUMBERS)                                           \
  LOOP(each_##NAME, NAME, N, T, D, NUMBERS, (D) * sizeof(T), sizeof(T), , NEXT) \
  LOOP(one_##NAME, NAME, N, T, D, NUMBERS, (D) * sizeof(T), sizeof(T), FIRST, ) \
  LOOP(columns_##NAME, NAME, N, T, D, NUMBERS, sizeof(T), loop->column[0], FIRST, )
SHAPE(aabb, f32, float, 3, 6)
SHAPE(bounds, f32, float, 3, 6)
SHAPE(sphere, f32, float, 3, 4)
SHAPE(plane, f32, float, 3, 4)
SHAPE(frustum, f32, float, 3, 24)
SHAPE(obb, f32, float, 3, 10)
SHAPE(rect, f32, float, 2, 4)
SHAPE(drect, f64, double, 2, 4)

static bool accepts(const struct pl_kernel *kernel, const struct pl_layout *layout,
                    const struct pl_kernel_operand *operands) {
  const struct pl_layout *shape = operands[0].span.layout;
  return shape && shape->builtin == kernel->tag && layout->builtin == kernel->type;
}

// Scalars of points a millisecond, in frustums.
enum { RATE = 60000 };

#define ROW(SHAPE, POINTS, SCALAR)                                                                 \
  {                                                                                                \
    .verb = "inside", .operand_count = 1, .part = SCALAR, .result = PL_KERNEL_MASK,                \
    .part_rate = RATE, .type = PL_BUILTIN_##POINTS, .tag = PL_BUILTIN_##SHAPE, .accepts = accepts, \
    .run = pl_feed_run_elements, .loops = PL_LOOPS_OF(each_##SHAPE),                               \
    .one = PL_LOOPS_OF(one_##SHAPE), .columns = PL_LOOPS_OF(columns_##SHAPE)                       \
  }
static const struct pl_kernel rows[] = {
    ROW(aabb, vec3, PL_SCALAR_F32),    ROW(bounds, vec3, PL_SCALAR_F32),
    ROW(sphere, vec3, PL_SCALAR_F32),  ROW(plane, vec3, PL_SCALAR_F32),
    ROW(frustum, vec3, PL_SCALAR_F32), ROW(obb, vec3, PL_SCALAR_F32),
    ROW(rect, vec2, PL_SCALAR_F32),    ROW(drect, dvec2, PL_SCALAR_F64)};

const struct pl_kernel_verb *pl_kernels_inside(void) {
  static const struct pl_kernel_verb verbs[] = {{"inside", rows, PL_ARRAY_LEN(rows)},
                                                {NULL, NULL, 0}};
  return verbs;
}
