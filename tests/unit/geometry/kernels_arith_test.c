// Arithmetic on arrays of f32 and f64: every verb against plain C, NaN and infinities included.
#include "geometry/kernels_arith.h"

#include "kernel_check.h"

#define IN(T, x, index) \
  T x;                  \
  memcpy(&x, in[index] + k * sizeof x, sizeof x)
#define REF(NAME, T, PARTS, value)                             \
  static inline void NAME(char *out, const char *const in[]) { \
    for (size_t k = 0; k < (PARTS); k++) {                     \
      IN(T, a, 0);                                             \
      IN(T, b, 1);                                             \
      IN(T, c, 2);                                             \
      (void)a, (void)b, (void)c;                               \
      T result = (T)(value);                                   \
      memcpy(out + k * sizeof result, &result, sizeof result); \
    }                                                          \
  }

// The nearest integer, of two the greater.
static double nearest(double x) {
  double rest, whole;
  if (!isfinite(x) || x == 0) return x;
  rest = modf(x, &whole);
  return (rest >= 0.5 ? whole + 1 : rest < -0.5 ? whole - 1 : whole) + 0.0;
}

// Every test value has room for this many scalars, whatever its struct has.
#define FLOAT_REFS(N, T, PARTS, SQRT, ABS, FLOOR, CEIL)                          \
  REF(add_##N##PARTS, T, PARTS, a + b)                                           \
  REF(sub_##N##PARTS, T, PARTS, a - b)                                           \
  REF(mul_##N##PARTS, T, PARTS, a *b)                                            \
  REF(div_##N##PARTS, T, PARTS, a / b)                                           \
  REF(mul_add_##N##PARTS, T, PARTS, a + (T)(b * c))                              \
  REF(min_##N##PARTS, T, PARTS, isnan(a) || isnan(b) ? NAN : a <= b ? a : b)     \
  REF(max_##N##PARTS, T, PARTS, isnan(a) || isnan(b) ? NAN : a >= b ? a : b)     \
  REF(lerp_##N##PARTS, T, PARTS, a + (T)((b - a) * (c > 1 ? 1 : c < 0 ? 0 : c))) \
  REF(lerp_unclamped_##N##PARTS, T, PARTS, a + (T)((b - a) * c))                 \
  REF(neg_##N##PARTS, T, PARTS, -a)                                              \
  REF(abs_##N##PARTS, T, PARTS, ABS(a))                                          \
  REF(floor_##N##PARTS, T, PARTS, FLOOR(a))                                      \
  REF(ceil_##N##PARTS, T, PARTS, CEIL(a))                                        \
  REF(round_##N##PARTS, T, PARTS, nearest(a))                                    \
  REF(sqrt_##N##PARTS, T, PARTS, SQRT(a))                                        \
  static inline void clamp_##N##PARTS(char *out, const char *const in[]) {       \
    char raised[CHECK_VALUE];                                                    \
    const char *up[] = {in[0], in[1], in[1]};                                    \
    const char *down[] = {raised, in[2], in[2]};                                 \
    max_##N##PARTS(raised, up);                                                  \
    min_##N##PARTS(out, down);                                                   \
  }
FLOAT_REFS(f32, float, 1, sqrtf, fabsf, floorf, ceilf)
FLOAT_REFS(f32, float, 3, sqrtf, fabsf, floorf, ceilf)
FLOAT_REFS(f32, float, 4, sqrtf, fabsf, floorf, ceilf)
FLOAT_REFS(f32, float, 16, sqrtf, fabsf, floorf, ceilf)
FLOAT_REFS(f64, double, 1, sqrt, fabs, floor, ceil)
FLOAT_REFS(f64, double, 2, sqrt, fabs, floor, ceil)
FLOAT_REFS(f64, double, 3, sqrt, fabs, floor, ceil)

#define CHECK(VERB, OPERANDS, SUFFIX) \
  check_kernel(&(struct check){       \
      #VERB, layout, OPERANDS, {layout, layout, layout}, true, VERB##_##SUFFIX, 0, 0, 0})
#define CHECK_FLOATS(SUFFIX)        \
  CHECK(add, 1, SUFFIX);            \
  CHECK(sub, 1, SUFFIX);            \
  CHECK(mul, 1, SUFFIX);            \
  CHECK(div, 1, SUFFIX);            \
  CHECK(mul_add, 2, SUFFIX);        \
  CHECK(min, 1, SUFFIX);            \
  CHECK(max, 1, SUFFIX);            \
  CHECK(clamp, 2, SUFFIX);          \
  CHECK(lerp, 2, SUFFIX);           \
  CHECK(lerp_unclamped, 2, SUFFIX); \
  CHECK(neg, 0, SUFFIX);            \
  CHECK(abs, 0, SUFFIX);            \
  CHECK(floor, 0, SUFFIX);          \
  CHECK(ceil, 0, SUFFIX);           \
  CHECK(round, 0, SUFFIX);          \
  CHECK(sqrt, 0, SUFFIX)

#define FLOATS_TEST(NAME, LAYOUT, SUFFIX)    \
  static void NAME(void **state) {           \
    (void)state;                             \
    const struct pl_layout *layout = LAYOUT; \
    CHECK_FLOATS(SUFFIX);                    \
  }
FLOATS_TEST(floats_are_computed_in_f32, pl_layout_scalar(PL_SCALAR_F32), f321)
FLOATS_TEST(vec3_component_by_component, pl_layout_builtin(PL_BUILTIN_vec3), f323)
FLOATS_TEST(colors_component_by_component, pl_layout_builtin(PL_BUILTIN_color), f324)
FLOATS_TEST(doubles_are_computed_in_f64, pl_layout_scalar(PL_SCALAR_F64), f641)
FLOATS_TEST(dvec2_component_by_component, pl_layout_builtin(PL_BUILTIN_dvec2), f642)
FLOATS_TEST(dvec3_component_by_component, pl_layout_builtin(PL_BUILTIN_dvec3), f643)

static void matrices_add_but_multiply_only_by_numbers(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_mat4);
  struct pl_kernel_operand own = {.span = {NULL, 1, 64, layout, 0}}, number = {.number = 2};
  CHECK(add, 1, f3216);
  CHECK(lerp, 2, f3216);
  const struct pl_kernel *scale = pl_kernel_find("mul", layout, &number, 1);
  assert_non_null(scale);
  assert_ptr_equal(pl_kernel_result(scale, layout), layout);
  assert_ptr_not_equal(pl_kernel_find("mul", layout, &own, 1), scale);
  assert_null(pl_kernel_find("div", layout, &own, 1));
}

static void boxes_and_rays_have_no_arithmetic(void **state) {
  (void)state;
  static const enum pl_builtin none[] = {PL_BUILTIN_ray,   PL_BUILTIN_aabb,      PL_BUILTIN_sphere,
                                         PL_BUILTIN_plane, PL_BUILTIN_transform, PL_BUILTIN_hit,
                                         PL_BUILTIN_lla,   PL_BUILTIN_color8};
  struct pl_kernel_operand number = {.number = 2};
  for (size_t i = 0; i < PL_ARRAY_LEN(none); i++) {
    assert_null(pl_kernel_find("add", pl_layout_builtin(none[i]), &number, 1));
  }
  assert_null(pl_kernel_find("add", pl_layout_scalar(PL_SCALAR_F16), &number, 1));
  assert_null(pl_kernel_find("nothing", pl_layout_scalar(PL_SCALAR_F32), &number, 1));
}

static void operands_of_another_type_find_no_loop(void **state) {
  (void)state;
  struct pl_kernel_operand other = {.span = {NULL, 1, 8, pl_layout_builtin(PL_BUILTIN_vec2), 0}};
  assert_null(pl_kernel_find("add", pl_layout_builtin(PL_BUILTIN_vec3), &other, 1));
  other.span.layout = pl_layout_scalar(PL_SCALAR_F64);
  assert_null(pl_kernel_find("mul", pl_layout_builtin(PL_BUILTIN_vec3), &other, 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floats_are_computed_in_f32),
      cmocka_unit_test(vec3_component_by_component),
      cmocka_unit_test(colors_component_by_component),
      cmocka_unit_test(doubles_are_computed_in_f64),
      cmocka_unit_test(dvec2_component_by_component),
      cmocka_unit_test(dvec3_component_by_component),
      cmocka_unit_test(matrices_add_but_multiply_only_by_numbers),
      cmocka_unit_test(boxes_and_rays_have_no_arithmetic),
      cmocka_unit_test(operands_of_another_type_find_no_loop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
