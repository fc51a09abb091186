// Products of matrices, rotations and transforms (b first, then a), and points through a camera.
//
// mat3 and mat4 are multiplied in f32, sums from left to right; the others in f64 and rounded once.
// A product of transforms is exact where a's scale is the same on all axes: shear has no place in
// a transform.
//
// project(m, viewport) is m * (p, 1), divided by its w (all 0 where that is 0), x and y from -1..1
// to the viewport, depth as it is. The viewport is a rect, or a vec4 of x, y, width and height.
// unproject(m, viewport) is the way back, by the inverse of m; all 0 where there is none. Both in
// f64, rounded once.
#include "geometry/kernels_matrix.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"

// One element of each kind: packed bytes to packed bytes, which may be an operand's.
#define SQUARE(D)                                                                   \
  PL_ALWAYS_INLINE void mul_mat##D(char *dst, const char *at_a, const char *at_b) { \
    float a[(D) * (D)], b[(D) * (D)], c[(D) * (D)];                                 \
    memcpy(a, at_a, sizeof a);                                                      \
    memcpy(b, at_b, sizeof b);                                                      \
    for (int j = 0; j < (D); j++) {                                                 \
      for (int i = 0; i < (D); i++) {                                               \
        float sum = a[i] * b[j * (D)];                                              \
        for (int k = 1; k < (D); k++) sum += a[k * (D) + i] * b[j * (D) + k];       \
        c[j * (D) + i] = sum;                                                       \
      }                                                                             \
    }                                                                               \
    memcpy(dst, c, sizeof c);                                                       \
  }
SQUARE(3)
SQUARE(4)

PL_ALWAYS_INLINE void mul_affine(char *dst, const char *at_a, const char *at_b) {
  float a[12], b[12], c[12];
  memcpy(a, at_a, sizeof a);
  memcpy(b, at_b, sizeof b);
  for (int j = 0; j < 4; j++) {
    for (int i = 0; i < 3; i++) {
      double sum = (double)a[i] * b[j * 3];
      for (int k = 1; k < 3; k++) sum += (double)a[k * 3 + i] * b[j * 3 + k];
      c[j * 3 + i] = (float)(j == 3 ? sum + a[9 + i] : sum);
    }
  }
  memcpy(dst, c, sizeof c);
}

PL_ALWAYS_INLINE void mul_rotation(double c[4], const double a[4], const double b[4]) {
  const double x = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
  const double y = a[3] * b[1] + a[1] * b[3] + a[2] * b[0] - a[0] * b[2];
  const double z = a[3] * b[2] + a[2] * b[3] + a[0] * b[1] - a[1] * b[0];
  const double w = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
  c[0] = x, c[1] = y, c[2] = z, c[3] = w;
}

PL_ALWAYS_INLINE void load_f32(double *to, const char *at, int count) {
  for (int i = 0; i < count; i++) to[i] = pl_get_f32(at + (size_t)i * sizeof(float));
}

PL_ALWAYS_INLINE void store_f32(char *at, const double *from, int count) {
  for (int i = 0; i < count; i++) pl_put_f32(at + (size_t)i * sizeof(float), (float)from[i]);
}

PL_ALWAYS_INLINE void mul_quat(char *dst, const char *at_a, const char *at_b) {
  double a[4], b[4];
  load_f32(a, at_a, 4);
  load_f32(b, at_b, 4);
  mul_rotation(a, a, b);
  store_f32(dst, a, 4);
}

PL_ALWAYS_INLINE void mul_dquat(char *dst, const char *at_a, const char *at_b) {
  double a[4], b[4];
  memcpy(a, at_a, sizeof a);
  memcpy(b, at_b, sizeof b);
  mul_rotation(a, a, b);
  memcpy(dst, a, sizeof a);
}

// position + rotation * (scale * p), as kernels_transform.c turns a point.
PL_ALWAYS_INLINE void move(double p[3], const double t[10]) {
  const double *q = t + 3, *s = t + 7;
  const double x = s[0] * p[0], y = s[1] * p[1], z = s[2] * p[2];
  const double xx = 2 * q[0] * q[0], yy = 2 * q[1] * q[1], zz = 2 * q[2] * q[2];
  const double xy = 2 * q[0] * q[1], xz = 2 * q[0] * q[2], yz = 2 * q[1] * q[2];
  const double wx = 2 * q[3] * q[0], wy = 2 * q[3] * q[1], wz = 2 * q[3] * q[2];
  p[0] = (1 - (yy + zz)) * x + (xy - wz) * y + (xz + wy) * z + t[0];
  p[1] = (xy + wz) * x + (1 - (xx + zz)) * y + (yz - wx) * z + t[1];
  p[2] = (xz - wy) * x + (yz + wx) * y + (1 - (xx + yy)) * z + t[2];
}

PL_ALWAYS_INLINE void mul_transform(char *dst, const char *at_a, const char *at_b) {
  double a[10], b[10];
  load_f32(a, at_a, 10);
  load_f32(b, at_b, 10);
  move(b, a);
  mul_rotation(b + 3, a + 3, b + 3);
  for (int i = 7; i < 10; i++) b[i] *= a[i];
  store_f32(dst, b, 10);
}

#define PRODUCT(TYPE, BYTES)                                             \
  PL_ALWAYS_INLINE void TYPE##_body(const struct pl_kernel_loop *loop) { \
    char *dst = loop->dst;                                               \
    const char *a = loop->in[0], *b = loop->in[1];                       \
    for (size_t i = 0; i < loop->n; i++) {                               \
      mul_##TYPE(dst + i * (BYTES), a + i * (BYTES), b + i * (BYTES));   \
    }                                                                    \
  }                                                                      \
  PL_LOOPS(TYPE)
PRODUCT(mat3, 36)
PRODUCT(mat4, 64)
PRODUCT(affine, 48)
PRODUCT(quat, 16)
PRODUCT(dquat, 32)
PRODUCT(transform, 40)

static bool accepts_same(const struct pl_kernel *kernel, const struct pl_layout *layout,
                         const struct pl_kernel_operand *operands) {
  return layout->builtin == kernel->type && operands[0].span.layout == layout;
}

// By the 2 x 2 minors of the two upper and the two lower rows.
static void invert(double out[16], const double m[16]) {
  const double s[6] = {m[0] * m[5] - m[4] * m[1],   m[0] * m[9] - m[8] * m[1],
                       m[0] * m[13] - m[12] * m[1], m[4] * m[9] - m[8] * m[5],
                       m[4] * m[13] - m[12] * m[5], m[8] * m[13] - m[12] * m[9]};
  const double c[6] = {m[2] * m[7] - m[6] * m[3],   m[2] * m[11] - m[10] * m[3],
                       m[2] * m[15] - m[14] * m[3], m[6] * m[11] - m[10] * m[7],
                       m[6] * m[15] - m[14] * m[7], m[10] * m[15] - m[14] * m[11]};
  const double k =
      1 / (s[0] * c[5] - s[1] * c[4] + s[2] * c[3] + s[3] * c[2] - s[4] * c[1] + s[5] * c[0]);
  const double adjugate[16] = {
      m[5] * c[5] - m[9] * c[4] + m[13] * c[3],   -m[1] * c[5] + m[9] * c[2] - m[13] * c[1],
      m[1] * c[4] - m[5] * c[2] + m[13] * c[0],   -m[1] * c[3] + m[5] * c[1] - m[9] * c[0],
      -m[4] * c[5] + m[8] * c[4] - m[12] * c[3],  m[0] * c[5] - m[8] * c[2] + m[12] * c[1],
      -m[0] * c[4] + m[4] * c[2] - m[12] * c[0],  m[0] * c[3] - m[4] * c[1] + m[8] * c[0],
      m[7] * s[5] - m[11] * s[4] + m[15] * s[3],  -m[3] * s[5] + m[11] * s[2] - m[15] * s[1],
      m[3] * s[4] - m[7] * s[2] + m[15] * s[0],   -m[3] * s[3] + m[7] * s[1] - m[11] * s[0],
      -m[6] * s[5] + m[10] * s[4] - m[14] * s[3], m[2] * s[5] - m[10] * s[2] + m[14] * s[1],
      -m[2] * s[4] + m[6] * s[2] - m[14] * s[0],  m[2] * s[3] - m[6] * s[1] + m[10] * s[0]};
  for (int i = 0; i < 16; i++) out[i] = isfinite(k) && k != 0 ? adjugate[i] * k : 0;
}

enum work { PROJECT, UNPROJECT };

/// A camera as the loops want it: the matrix or its inverse, then x, y, width, height.
struct camera {
  double m[16];
  double view[4];
};

static struct camera load_camera(const struct pl_kernel *kernel,
                                 const struct pl_kernel_operand *operands, size_t i) {
  struct camera camera;
  char matrix[64], view[16];
  pl_feed_gather(matrix, &operands[0].span, i, 1);
  pl_feed_gather(view, &operands[1].span, i, 1);
  load_f32(camera.m, matrix, 16);
  load_f32(camera.view, view, 4);
  if (kernel->work == UNPROJECT) invert(camera.m, camera.m);
  if (operands[1].span.layout->builtin == PL_BUILTIN_rect) {
    camera.view[2] -= camera.view[0];
    camera.view[3] -= camera.view[1];
  }
  return camera;
}

/// m * (p, 1), divided by its w.
PL_ALWAYS_INLINE void divide(double p[3], const double m[16]) {
  double q[4];
  for (int i = 0; i < 4; i++) q[i] = m[i] * p[0] + m[4 + i] * p[1] + m[8 + i] * p[2] + m[12 + i];
  for (int i = 0; i < 3; i++) p[i] = q[3] == 0 ? 0 : q[i] / q[3];
}

PL_ALWAYS_INLINE void project(double p[3], const struct camera *camera) {
  divide(p, camera->m);
  for (int i = 0; i < 2; i++) {
    p[i] = (p[i] * 0.5 + 0.5) * camera->view[2 + i] + camera->view[i];
  }
}

PL_ALWAYS_INLINE void unproject(double p[3], const struct camera *camera) {
  for (int i = 0; i < 2; i++) {
    p[i] = 2 * (p[i] - camera->view[i]) / camera->view[2 + i] - 1;
  }
  divide(p, camera->m);
}

static void store(char *at, const double p[3], enum pl_scalar part) {
  for (size_t i = 0; i < 3; i++) pl_feed_number(at + i * pl_scalar_size(part), part, p[i]);
}

static void run_camera(const struct pl_kernel *kernel, const struct pl_span *dst,
                       const struct pl_span *self, const struct pl_kernel_operand *operands,
                       size_t first, size_t count) {
  bool is_one = operands[0].span.stride == 0 && operands[1].span.stride == 0;
  struct camera camera = load_camera(kernel, operands, first);
  for (size_t i = first; i < first + count; i++) {
    char at[3 * sizeof(double)];
    double p[3];
    pl_feed_gather(at, self, i, 1);
    for (size_t k = 0; k < 3; k++) {
      p[k] = kernel->part == PL_SCALAR_F64 ? pl_get_f64(at + k * 8) : pl_get_f32(at + k * 4);
    }
    if (!is_one) camera = load_camera(kernel, operands, i);
    if (kernel->work == PROJECT) {
      project(p, &camera);
    } else {
      unproject(p, &camera);
    }
    store(at, p, kernel->part);
    pl_feed_scatter(dst, i, 1, at);
  }
}

static bool accepts_camera(const struct pl_kernel *kernel, const struct pl_layout *layout,
                           const struct pl_kernel_operand *operands) {
  const struct pl_layout *matrix = operands[0].span.layout, *view = operands[1].span.layout;
  return layout->builtin == kernel->type && matrix && matrix->builtin == PL_BUILTIN_mat4 && view &&
         (view->builtin == PL_BUILTIN_rect || view->builtin == PL_BUILTIN_vec4);
}

// Scalars a millisecond.
enum { RATE = 100000, RATE_CAMERA = 15000 };

#define ROW(TYPE, SCALAR)                                                        \
  {                                                                              \
    .verb = "mul", .operand_count = 1, .part = SCALAR, .result = PL_KERNEL_SAME, \
    .part_rate = RATE, .type = PL_BUILTIN_##TYPE, .accepts = accepts_same,       \
    .run = pl_feed_run_elements, .loops = PL_LOOPS_OF(TYPE)                      \
  }
static const struct pl_kernel products[] = {
    ROW(mat3, PL_SCALAR_F32), ROW(mat4, PL_SCALAR_F32),  ROW(affine, PL_SCALAR_F32),
    ROW(quat, PL_SCALAR_F32), ROW(dquat, PL_SCALAR_F64), ROW(transform, PL_SCALAR_F32)};

#define CAMERA(VERB, TYPE, SCALAR, WORK)                                                          \
  {                                                                                               \
    .verb = VERB, .operand_count = 2, .part = SCALAR, .result = PL_KERNEL_SAME,                   \
    .part_rate = RATE_CAMERA, .type = PL_BUILTIN_##TYPE, .work = WORK, .accepts = accepts_camera, \
    .run = run_camera                                                                             \
  }
static const struct pl_kernel into_view[] = {CAMERA("project", vec3, PL_SCALAR_F32, PROJECT),
                                             CAMERA("project", dvec3, PL_SCALAR_F64, PROJECT)};
static const struct pl_kernel from_view[] = {CAMERA("unproject", vec3, PL_SCALAR_F32, UNPROJECT),
                                             CAMERA("unproject", dvec3, PL_SCALAR_F64, UNPROJECT)};

const struct pl_kernel_verb *pl_kernels_matrix(void) {
  static const struct pl_kernel_verb verbs[] = {{"mul", products, PL_ARRAY_LEN(products)},
                                                {"project", into_view, PL_ARRAY_LEN(into_view)},
                                                {"unproject", from_view, PL_ARRAY_LEN(from_view)},
                                                {NULL, NULL, 0}};
  return verbs;
}
