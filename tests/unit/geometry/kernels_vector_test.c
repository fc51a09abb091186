// Vectors as a whole: dot, length, distance, normalize and cross against plain C.
#include "geometry/kernels_vector.h"

#include "kernel_check.h"

#define LOAD(T, D)                   \
  T a[4] = {0}, b[4] = {0};          \
  memcpy(a, in[0], sizeof(T) * (D)); \
  memcpy(b, in[1], sizeof(T) * (D));
#define REFS(N, T, D, SQRT, SHORT)                                          \
  static T sum_##N##D(const T *a, const T *b) {                             \
    T sum = a[0] * b[0];                                                    \
    for (int k = 1; k < (D); k++) sum += a[k] * b[k];                       \
    return sum;                                                             \
  }                                                                         \
  static void dot_##N##D(char *out, const char *const in[]) {               \
    LOAD(T, D)                                                              \
    T dot = sum_##N##D(a, b);                                               \
    memcpy(out, &dot, sizeof dot);                                          \
  }                                                                         \
  static void length2_##N##D(char *out, const char *const in[]) {           \
    const char *twice[] = {in[0], in[0]};                                   \
    dot_##N##D(out, twice);                                                 \
  }                                                                         \
  static void length_##N##D(char *out, const char *const in[]) {            \
    T square, length;                                                       \
    length2_##N##D((char *)&square, in);                                    \
    length = SQRT(square);                                                  \
    memcpy(out, &length, sizeof length);                                    \
  }                                                                         \
  static void distance_##N##D(char *out, const char *const in[]) {          \
    LOAD(T, D)                                                              \
    for (int k = 0; k < (D); k++) a[k] -= b[k];                             \
    const char *apart[] = {(const char *)a};                                \
    length_##N##D(out, apart);                                              \
  }                                                                         \
  static void normalize_##N##D(char *out, const char *const in[]) {         \
    LOAD(T, D)                                                              \
    T length, inverse;                                                      \
    length_##N##D((char *)&length, in);                                     \
    inverse = length > SHORT && isfinite(length) ? 1 / length : 0;          \
    for (int k = 0; k < (D); k++) b[k] = inverse == 0 ? 0 : a[k] * inverse; \
    memcpy(out, b, sizeof(T) * (D));                                        \
  }
REFS(f32, float, 2, sqrtf, 1e-5f)
REFS(f32, float, 3, sqrtf, 1e-5f)
REFS(f32, float, 4, sqrtf, 1e-5f)
REFS(f64, double, 2, sqrt, 1e-12)
REFS(f64, double, 3, sqrt, 1e-12)
REFS(f64, double, 4, sqrt, 1e-12)

#define CROSS(N, T)                                          \
  static void cross_##N(char *out, const char *const in[]) { \
    LOAD(T, 3)                                               \
    T c[3];                                                  \
    for (int k = 0; k < 3; k++) {                            \
      int l = (k + 1) % 3, m = (k + 2) % 3;                  \
      c[k] = a[l] * b[m] - a[m] * b[l];                      \
    }                                                        \
    memcpy(out, c, sizeof c);                                \
  }
CROSS(f32, float)
CROSS(f64, double)

#define CHECK(VERB, OPERANDS, REF) \
  check_kernel(&(struct check){VERB, layout, OPERANDS, {layout}, false, REF, 0, 0, 0})

#define VECTOR_TEST(TYPE, N)                                               \
  static void TYPE##_as_a_whole(void **state) {                            \
    (void)state;                                                           \
    const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_##TYPE); \
    CHECK("dot", 1, dot_##N);                                              \
    CHECK("length", 0, length_##N);                                        \
    CHECK("length2", 0, length2_##N);                                      \
    CHECK("distance", 1, distance_##N);                                    \
    CHECK("normalize", 0, normalize_##N);                                  \
  }
VECTOR_TEST(vec2, f322)
VECTOR_TEST(vec3, f323)
VECTOR_TEST(vec4, f324)
VECTOR_TEST(quat, f324)
VECTOR_TEST(dvec2, f642)
VECTOR_TEST(dvec3, f643)
VECTOR_TEST(dvec4, f644)

static void cross_is_for_three_dimensions(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_vec3);
  struct pl_kernel_operand flat = {.span = {NULL, 1, 8, pl_layout_builtin(PL_BUILTIN_vec2), 0}};
  CHECK("cross", 1, cross_f32);
  layout = pl_layout_builtin(PL_BUILTIN_dvec3);
  CHECK("cross", 1, cross_f64);
  assert_null(pl_kernel_find("cross", flat.span.layout, &flat, 1));
}

static void normalize_gives_zero_without_a_direction(void **state) {
  (void)state;
  float v[] = {1e-5f, 0, 0, 3, 0, 4, INFINITY, 1, 1, NAN, 1, 1, 0, 2e-5f, 0};
  const float wanted[] = {0, 0, 0, 3 * (1 / 5.0f), 0, 4 * (1 / 5.0f), 0, 0, 0, 0, 0, 0, 0, 1, 0};
  struct pl_span span = {(char *)v, 5, 12, pl_layout_builtin(PL_BUILTIN_vec3), 0};
  const struct pl_kernel *kernel = pl_kernel_find("normalize", span.layout, NULL, 0);
  pl_kernel_run(kernel, &span, &span, NULL, 0, 5);
  for (size_t i = 0; i < 15; i++) assert_float_equal(v[i], wanted[i], 1e-7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vec2_as_a_whole),
      cmocka_unit_test(vec3_as_a_whole),
      cmocka_unit_test(vec4_as_a_whole),
      cmocka_unit_test(quat_as_a_whole),
      cmocka_unit_test(dvec2_as_a_whole),
      cmocka_unit_test(dvec3_as_a_whole),
      cmocka_unit_test(dvec4_as_a_whole),
      cmocka_unit_test(cross_is_for_three_dimensions),
      cmocka_unit_test(normalize_gives_zero_without_a_direction),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
