// Points and directions by every kind of matrix, against formulas of their own in f64.
#include "geometry/kernels_transform.h"

#include "kernel_check.h"

enum { F32 = 4, F64 = 8 };

static void load(double *to, const char *at, size_t count, size_t size) {
  for (size_t i = 0; i < count; i++) {
    to[i] = as_double(size == F32 ? PL_SCALAR_F32 : PL_SCALAR_F64, at + i * size);
  }
}

static void store(char *at, const double *from, size_t count, size_t size) {
  for (size_t i = 0; i < count; i++) {
    float single = (float)from[i];
    memcpy(at + i * size, size == F32 ? (const void *)&single : (const void *)&from[i], size);
  }
}

/// m has `rows` rows; its columns are added up, the last one `w` times.
static void multiply(double *out, const double *m, size_t rows, const double *v, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    out[i] = 0;
    for (size_t k = 0; k < columns; k++) out[i] += m[k * rows + i] * v[k];
  }
}

/// q v q*, by Hamilton's product written out.
static void sandwich(double *v, const double *q) {
  double u[3] = {q[0], q[1], q[2]}, t[3], s = q[3], r[3];
  for (int k = 0; k < 3; k++)
    t[k] = 2 * (u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3]);
  for (int k = 0; k < 3; k++) {
    r[k] = v[k] + s * t[k] + u[(k + 1) % 3] * t[(k + 2) % 3] - u[(k + 2) % 3] * t[(k + 1) % 3];
  }
  memcpy(v, r, sizeof r);
}

// A reference for points (W = 1) and directions (W = 0) of 3 dimensions and SIZE bytes a number.
#define REFS(NAME, SIZE, W)                                         \
  static void mat3_##NAME(char *out, const char *const in[]) {      \
    double m[9], v[3], r[3];                                        \
    load(m, in[1], 9, F32);                                         \
    load(v, in[0], 3, SIZE);                                        \
    multiply(r, m, 3, v, 3);                                        \
    store(out, r, 3, SIZE);                                         \
  }                                                                 \
  static void mat4_##NAME(char *out, const char *const in[]) {      \
    double m[16], v[4] = {0, 0, 0, W}, r[4];                        \
    load(m, in[1], 16, F32);                                        \
    load(v, in[0], 3, SIZE);                                        \
    multiply(r, m, 4, v, 4);                                        \
    store(out, r, 3, SIZE);                                         \
  }                                                                 \
  static void affine_##NAME(char *out, const char *const in[]) {    \
    double m[12], v[4] = {0, 0, 0, W}, r[3];                        \
    load(m, in[1], 12, F32);                                        \
    load(v, in[0], 3, SIZE);                                        \
    multiply(r, m, 3, v, 4);                                        \
    store(out, r, 3, SIZE);                                         \
  }                                                                 \
  static void quat_##NAME(char *out, const char *const in[]) {      \
    double q[4], v[3];                                              \
    load(q, in[1], 4, F32);                                         \
    load(v, in[0], 3, SIZE);                                        \
    sandwich(v, q);                                                 \
    store(out, v, 3, SIZE);                                         \
  }                                                                 \
  static void dquat_##NAME(char *out, const char *const in[]) {     \
    double q[4], v[3];                                              \
    load(q, in[1], 4, F64);                                         \
    load(v, in[0], 3, SIZE);                                        \
    sandwich(v, q);                                                 \
    store(out, v, 3, SIZE);                                         \
  }                                                                 \
  static void transform_##NAME(char *out, const char *const in[]) { \
    double t[10], v[3];                                             \
    load(t, in[1], 10, F32);                                        \
    load(v, in[0], 3, SIZE);                                        \
    for (int k = 0; k < 3; k++) v[k] *= t[7 + k];                   \
    sandwich(v, t + 3);                                             \
    for (int k = 0; k < 3; k++) v[k] += (W)*t[k];                   \
    store(out, v, 3, SIZE);                                         \
  }
REFS(point, F32, 1)
REFS(direction, F32, 0)
REFS(dpoint, F64, 1)
REFS(ddirection, F64, 0)

#define FLAT_REF(NAME, SIZE, W)                         \
  static void NAME(char *out, const char *const in[]) { \
    double m[9], v[3] = {0, 0, W}, r[3];                \
    load(m, in[1], 9, F32);                             \
    load(v, in[0], 2, SIZE);                            \
    multiply(r, m, 3, v, 3);                            \
    store(out, r, 2, SIZE);                             \
  }
FLAT_REF(flat_point, F32, 1)
FLAT_REF(flat_direction, F32, 0)
FLAT_REF(flat_dpoint, F64, 1)
FLAT_REF(flat_ddirection, F64, 0)

static void vec4_by_mat4(char *out, const char *const in[]) {
  double m[16], v[4], r[4];
  load(m, in[1], 16, F32);
  load(v, in[0], 4, F32);
  multiply(r, m, 4, v, 4);
  store(out, r, 4, F32);
}

static void check(const char *verb, enum pl_builtin points, enum pl_builtin matrix, check_ref *ref,
                  double slack) {
  check_kernel(&(struct check){verb,
                               pl_layout_builtin(points),
                               1,
                               {pl_layout_builtin(matrix)},
                               false,
                               ref,
                               -1.5,
                               1.5,
                               slack});
}

#define CHECK_ALL(VERB, POINTS, NAME, SLACK)                                 \
  check(VERB, PL_BUILTIN_##POINTS, PL_BUILTIN_mat3, mat3_##NAME, SLACK);     \
  check(VERB, PL_BUILTIN_##POINTS, PL_BUILTIN_mat4, mat4_##NAME, SLACK);     \
  check(VERB, PL_BUILTIN_##POINTS, PL_BUILTIN_affine, affine_##NAME, SLACK); \
  check(VERB, PL_BUILTIN_##POINTS, PL_BUILTIN_quat, quat_##NAME, SLACK);     \
  check(VERB, PL_BUILTIN_##POINTS, PL_BUILTIN_dquat, dquat_##NAME, SLACK);   \
  check(VERB, PL_BUILTIN_##POINTS, PL_BUILTIN_transform, transform_##NAME, SLACK)

static void points_move_and_turn(void **state) {
  (void)state;
  CHECK_ALL("transform", vec3, point, 1e-5);
  CHECK_ALL("transform", dvec3, dpoint, 1e-13);
}

static void directions_turn_and_stay(void **state) {
  (void)state;
  CHECK_ALL("transform_direction", vec3, direction, 1e-5);
  CHECK_ALL("transform_direction", dvec3, ddirection, 1e-13);
}

static void flat_points_take_a_mat3(void **state) {
  (void)state;
  check("transform", PL_BUILTIN_vec2, PL_BUILTIN_mat3, flat_point, 1e-5);
  check("transform", PL_BUILTIN_dvec2, PL_BUILTIN_mat3, flat_dpoint, 1e-13);
  check("transform_direction", PL_BUILTIN_vec2, PL_BUILTIN_mat3, flat_direction, 1e-5);
  check("transform_direction", PL_BUILTIN_dvec2, PL_BUILTIN_mat3, flat_ddirection, 1e-13);
}

static void vec4_takes_all_of_a_mat4(void **state) {
  (void)state;
  check("transform", PL_BUILTIN_vec4, PL_BUILTIN_mat4, vec4_by_mat4, 1e-5);
}

static void one_for_all_gives_the_bits_of_many(void **state) {
  (void)state;
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  const struct pl_layout *transform = pl_layout_builtin(PL_BUILTIN_transform);
  float points[300], one_by_one[300], at_once[300], matrices[1000];
  for (int i = 0; i < 300; i++) points[i] = (float)(random_below(2000) / 7.0);
  for (int i = 0; i < 10; i++) matrices[i] = (float)(random_below(2000) / 700.0);
  for (int i = 10; i < 1000; i++) matrices[i] = matrices[i % 10];
  struct pl_span self = {(char *)points, 100, 12, vec3, 0}, to_one = self, to_each = self;
  to_one.data = (char *)at_once;
  to_each.data = (char *)one_by_one;
  struct pl_kernel_operand one = {.span = {(char *)matrices, 1, 0, transform, 0}}, each = one;
  each.span.count = 100;
  each.span.stride = 40;
  const struct pl_kernel *kernel = pl_kernel_find("transform", vec3, &one, 1);
  pl_kernel_run(kernel, &to_one, &self, &one, 0, 100);
  pl_kernel_run(kernel, &to_each, &self, &each, 0, 100);
  assert_memory_equal(at_once, one_by_one, sizeof at_once);
}

static void what_turns_nothing_is_refused(void **state) {
  (void)state;
  struct pl_kernel_operand m = {.span = {NULL, 1, 0, pl_layout_builtin(PL_BUILTIN_vec3), 0}};
  struct pl_kernel_operand number = {.number = 2};
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  assert_null(pl_kernel_find("transform", vec3, &m, 1));
  assert_null(pl_kernel_find("transform", vec3, &number, 1));
  assert_null(pl_kernel_find("transform", vec3, NULL, 0));
  m.span.layout = pl_layout_builtin(PL_BUILTIN_mat4);
  assert_null(pl_kernel_find("transform", pl_layout_builtin(PL_BUILTIN_ivec3), &m, 1));
  assert_null(pl_kernel_find("transform", pl_layout_builtin(PL_BUILTIN_vec2), &m, 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(points_move_and_turn),
      cmocka_unit_test(directions_turn_and_stay),
      cmocka_unit_test(flat_points_take_a_mat3),
      cmocka_unit_test(vec4_takes_all_of_a_mat4),
      cmocka_unit_test(one_for_all_gives_the_bits_of_many),
      cmocka_unit_test(what_turns_nothing_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
