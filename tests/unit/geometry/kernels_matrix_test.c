// Products of matrices and rotations, and cameras, against formulas of their own in f64.
#include "geometry/kernels_matrix.h"

#include "kernel_check.h"

static void load(double *to, const char *at, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = as_double(PL_SCALAR_F32, at + i * 4);
}

static void store(char *at, const double *from, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float single = (float)from[i];
    memcpy(at + i * 4, &single, 4);
  }
}

/// From a layout's columns to a whole 4 x 4, and back.
static void widen(double m[16], const char *at, size_t rows, size_t columns) {
  double packed[16];
  load(packed, at, rows * columns);
  for (size_t k = 0; k < 16; k++) m[k] = k % 5 == 0;
  for (size_t j = 0; j < columns; j++) {
    for (size_t i = 0; i < rows; i++) m[j * 4 + i] = packed[j * rows + i];
  }
}

static void square(char *out, const char *const in[], size_t rows, size_t columns) {
  double a[16], b[16], packed[16];
  widen(a, in[0], rows, columns);
  widen(b, in[1], rows, columns);
  for (size_t j = 0; j < columns; j++) {
    for (size_t i = 0; i < rows; i++) {
      double sum = 0;
      for (size_t k = 0; k < 4; k++) sum += a[k * 4 + i] * b[j * 4 + k];
      packed[j * rows + i] = sum;
    }
  }
  store(out, packed, rows * columns);
}

static void mat3_mul(char *out, const char *const in[]) {
  square(out, in, 3, 3);
}
static void mat4_mul(char *out, const char *const in[]) {
  square(out, in, 4, 4);
}
static void affine_mul(char *out, const char *const in[]) {
  square(out, in, 3, 4);
}

/// Hamilton's table of signs: i j k and 1.
static void hamilton(double *r, const double *a, const double *b) {
  static const int sign[4][4] = {{-1, 1, -1, 1}, {-1, -1, 1, 1}, {1, -1, -1, 1}, {1, 1, 1, 1}};
  static const int unit[4][4] = {{3, 2, 1, 0}, {2, 3, 0, 1}, {1, 0, 3, 2}, {0, 1, 2, 3}};
  double sum[4] = {0};
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) sum[unit[i][j]] += sign[i][j] * a[i] * b[j];
  }
  memcpy(r, sum, sizeof sum);
}

static void quat_mul(char *out, const char *const in[]) {
  double a[4], b[4];
  load(a, in[0], 4);
  load(b, in[1], 4);
  hamilton(a, a, b);
  store(out, a, 4);
}

static void dquat_mul(char *out, const char *const in[]) {
  double a[4], b[4];
  memcpy(a, in[0], sizeof a);
  memcpy(b, in[1], sizeof b);
  hamilton(a, a, b);
  memcpy(out, a, sizeof a);
}

static void transform_mul(char *out, const char *const in[]) {
  double a[10], b[10], v[4] = {0}, back[4];
  load(a, in[0], 10);
  load(b, in[1], 10);
  const double *q = a + 3;
  for (int k = 0; k < 3; k++) {
    v[k] = a[7 + k] * b[k];
    back[k] = -q[k];
  }
  // q v q* of any length is the turned v, |q| squared times; the formula in use takes |q| for 1.
  back[3] = q[3];
  double turned[4], length2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
  hamilton(turned, q, v);
  hamilton(turned, turned, back);
  for (int k = 0; k < 3; k++) {
    b[k] = a[k] + v[k] + (turned[k] - length2 * v[k]);
    b[7 + k] *= a[7 + k];
  }
  hamilton(b + 3, a + 3, b + 3);
  store(out, b, 10);
}

static void check(const char *verb, enum pl_builtin type, check_ref *ref, double slack) {
  check_kernel(&(struct check){
      verb, pl_layout_builtin(type), 1, {pl_layout_builtin(type)}, false, ref, -1.5, 1.5, slack});
}

static void products_apply_b_first(void **state) {
  (void)state;
  check("mul", PL_BUILTIN_mat3, mat3_mul, 1e-5);
  check("mul", PL_BUILTIN_mat4, mat4_mul, 1e-5);
  check("mul", PL_BUILTIN_affine, affine_mul, 1e-6);
  check("mul", PL_BUILTIN_quat, quat_mul, 1e-6);
  check("mul", PL_BUILTIN_dquat, dquat_mul, 1e-14);
  check("mul", PL_BUILTIN_transform, transform_mul, 1e-5);
}

/// A camera that looks along -z: depth 0 to 1 between 1 and 9, focal length 1.5.
static const float camera[16] = {1.5f, 0, 0,         0,  0, 1.5f, 0,         0,
                                 0,    0, -9 / 8.0f, -1, 0, 0,    -9 / 8.0f, 0};

static void project_ref(char *out, const char *const in[]) {
  double p[3], view[4];
  load(p, in[0], 3);
  load(view, in[2], 4);
  double w = -p[2], clip[3] = {1.5 * p[0], 1.5 * p[1], -9 / 8.0 * (p[2] + 1)};
  double screen[3] = {view[0] + (clip[0] / w + 1) / 2 * view[2],
                      view[1] + (clip[1] / w + 1) / 2 * view[3], clip[2] / w};
  store(out, screen, 3);
}

/// Points before the camera, one viewport: what the verb makes of them.
static void run_camera(const char *verb, char *to, const float *points, size_t count,
                       const struct pl_layout *view, const float *viewport) {
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  struct pl_span self = {(char *)points, count, 12, vec3, 0}, dst = {to, count, 12, vec3, 0};
  struct pl_kernel_operand operands[] = {
      {.span = {(char *)camera, 1, 0, pl_layout_builtin(PL_BUILTIN_mat4), 0}},
      {.span = {(char *)viewport, 1, 0, view, 0}}};
  const struct pl_kernel *kernel = pl_kernel_find(verb, vec3, operands, 2);
  assert_non_null(kernel);
  pl_kernel_run(kernel, &dst, &self, operands, 0, count);
}

static void random_points(float *points, size_t count) {
  for (size_t i = 0; i < count * 3; i++) {
    float unit = (float)random_below(100000) / 100000;
    points[i] = i % 3 == 2 ? -1 - 8 * unit : 4 * unit - 2;
  }
}

static void project_divides_and_scales_to_the_viewport(void **state) {
  (void)state;
  enum { COUNT = 500 };
  float points[COUNT * 3], screen[COUNT * 3], viewport[4] = {10, 20, 640, 480}, wanted[3];
  float corners[4] = {10, 20, 650, 500};
  random_points(points, COUNT);
  run_camera("project", (char *)screen, points, COUNT, pl_layout_builtin(PL_BUILTIN_vec4),
             viewport);
  for (size_t i = 0; i < COUNT; i++) {
    const char *in[] = {(char *)(points + 3 * i), NULL, (char *)viewport};
    project_ref((char *)wanted, in);
    for (size_t k = 0; k < 3; k++) {
      assert_float_equal(screen[3 * i + k], wanted[k], 1e-6 * (1 + fabsf(wanted[k])));
    }
  }
  float again[COUNT * 3];
  run_camera("project", (char *)again, points, COUNT, pl_layout_builtin(PL_BUILTIN_rect), corners);
  assert_memory_equal(again, screen, sizeof screen);
}

static void unproject_is_the_way_back(void **state) {
  (void)state;
  enum { COUNT = 500 };
  float points[COUNT * 3], screen[COUNT * 3], back[COUNT * 3], viewport[4] = {10, 20, 640, 480};
  const struct pl_layout *vec4 = pl_layout_builtin(PL_BUILTIN_vec4);
  random_points(points, COUNT);
  run_camera("project", (char *)screen, points, COUNT, vec4, viewport);
  run_camera("unproject", (char *)back, screen, COUNT, vec4, viewport);
  for (size_t i = 0; i < COUNT * 3; i++) assert_float_equal(back[i], points[i], 1e-4);
}

static void what_lies_at_the_eye_projects_to_the_middle(void **state) {
  (void)state;
  float eye[3] = {0, 0, 0}, viewport[4] = {0, 0, 100, 50}, screen[3];
  const struct pl_layout *vec4 = pl_layout_builtin(PL_BUILTIN_vec4);
  run_camera("project", (char *)screen, eye, 1, vec4, viewport);
  const float middle[3] = {50, 25, 0};
  assert_memory_equal(screen, middle, sizeof middle);
}

static void a_matrix_without_inverse_unprojects_to_zero(void **state) {
  (void)state;
  const struct pl_layout *dvec3 = pl_layout_builtin(PL_BUILTIN_dvec3);
  double p[3] = {1, 2, 3}, zero[3] = {0, 0, 0};
  float m[16] = {1, 1, 1, 1}, viewport[4] = {0, 0, 1, 1};
  struct pl_span self = {(char *)p, 1, 24, dvec3, 0};
  struct pl_kernel_operand operands[] = {
      {.span = {(char *)m, 1, 0, pl_layout_builtin(PL_BUILTIN_mat4), 0}},
      {.span = {(char *)viewport, 1, 0, pl_layout_builtin(PL_BUILTIN_rect), 0}}};
  const struct pl_kernel *kernel = pl_kernel_find("unproject", dvec3, operands, 2);
  pl_kernel_run(kernel, &self, &self, operands, 0, 1);
  assert_memory_equal(p, zero, sizeof zero);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_apply_b_first),
      cmocka_unit_test(project_divides_and_scales_to_the_viewport),
      cmocka_unit_test(unproject_is_the_way_back),
      cmocka_unit_test(what_lies_at_the_eye_projects_to_the_middle),
      cmocka_unit_test(a_matrix_without_inverse_unprojects_to_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
