// Sums, means and boxes against plain C in long double; masks; what no element and NaN give.
#include "geometry/kernels_reduce.h"

#include "kernel_reduce_check.h"

// 64 bits of mantissa and numbers of one size: no rounding within the arrays of these tests.
#define SUM_REF(NAME, T, R, PARTS, by)                               \
  static void NAME(char *out, const char *packed, size_t count) {    \
    for (size_t k = 0; k < (PARTS); k++) {                           \
      long double sum = 0;                                           \
      for (size_t i = 0; i < count; i++) {                           \
        T x;                                                         \
        memcpy(&x, packed + (i * (PARTS) + k) * sizeof x, sizeof x); \
        sum += x;                                                    \
      }                                                              \
      R result = (R)((double)sum / (by));                            \
      memcpy(out + k * sizeof result, &result, sizeof result);       \
    }                                                                \
  }
SUM_REF(sum_f32, float, double, 1, 1)
SUM_REF(sum_vec2, float, float, 2, 1)
SUM_REF(sum_vec3, float, float, 3, 1)
SUM_REF(sum_vec4, float, float, 4, 1)
SUM_REF(sum_mat3, float, float, 9, 1)
SUM_REF(sum_dvec3, double, double, 3, 1)
SUM_REF(sum_ivec3, int32_t, double, 3, 1)
SUM_REF(mean_ivec3, int32_t, double, 3, (double)count)
SUM_REF(sum_uvec2, uint32_t, double, 2, 1)
SUM_REF(mean_f32, float, double, 1, (double)count)
SUM_REF(mean_vec3, float, float, 3, (double)count)

static void check_sum(const char *verb, const struct pl_layout *layout, reduce_ref *ref,
                      bool is_special) {
  double bound = is_special ? 0 : 1000;
  check_reduction(&(struct check){verb, layout, 0, {0}, false, NULL, -bound, bound, 0}, ref);
}

static void sums_are_exact_before_they_are_rounded(void **state) {
  (void)state;
  check_sum("sum", pl_layout_scalar(PL_SCALAR_F32), sum_f32, false);
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_vec2), sum_vec2, false);
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_vec3), sum_vec3, false);
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_vec4), sum_vec4, false);
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_mat3), sum_mat3, false);
  check_sum("mean", pl_layout_scalar(PL_SCALAR_F32), mean_f32, false);
  check_sum("mean", pl_layout_builtin(PL_BUILTIN_vec3), mean_vec3, false);
}

static void sums_of_integer_vectors_are_doubles(void **state) {
  (void)state;
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_ivec3), sum_ivec3, true);
  check_sum("mean", pl_layout_builtin(PL_BUILTIN_ivec3), mean_ivec3, true);
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_uvec2), sum_uvec2, true);
}

static void infinities_and_nan_go_through_sums(void **state) {
  (void)state;
  check_sum("sum", pl_layout_scalar(PL_SCALAR_F32), sum_f32, true);
  check_sum("sum", pl_layout_builtin(PL_BUILTIN_vec3), sum_vec3, true);
}

static void f64_sums_do_not_depend_on_where_they_are_cut(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_dvec3);
  struct check wide = {"sum", layout, 0, {0}, false, NULL, -1e3, 1e3, 0};
  char first[24], again[24];
  struct array array = array_new(layout, 5000, SHAPE_PACKED, 5);
  fill_array(&array, &wide);
  reduce_span("sum", &array.span, first);
  for (int i = 0; i < 200; i++) {
    reduce_span("sum", &array.span, again);
    assert_memory_equal(first, again, sizeof first);
  }
  free(array.block);
  wide.slack = 1e-14;
  check_reduction(&wide, sum_dvec3);
}

static void what_is_small_is_not_lost_in_a_sum(void **state) {
  (void)state;
  double near[] = {1e16, 1, -1e16}, sum;
  struct pl_span span = {(char *)near, 3, 8, pl_layout_scalar(PL_SCALAR_F64), 0};
  reduce_span("sum", &span, (char *)&sum);
  assert_true(sum == 1);
}

#define BOX_REF(NAME, T, PARTS)                                      \
  static void NAME(char *out, const char *packed, size_t count) {    \
    T box[2 * (PARTS)];                                              \
    for (size_t k = 0; k < (PARTS); k++) {                           \
      box[k] = INFINITY;                                             \
      box[(PARTS) + k] = -INFINITY;                                  \
      for (size_t i = 0; i < count; i++) {                           \
        T x;                                                         \
        memcpy(&x, packed + (i * (PARTS) + k) * sizeof x, sizeof x); \
        if (isnan(x)) continue;                                      \
        x += 0;                                                      \
        box[k] = (T)fmin(box[k], x);                                 \
        box[(PARTS) + k] = (T)fmax(box[(PARTS) + k], x);             \
      }                                                              \
    }                                                                \
    memcpy(out, box, sizeof box);                                    \
  }
BOX_REF(box_vec2, float, 2)
BOX_REF(box_vec3, float, 3)
BOX_REF(box_dvec2, double, 2)

static void boxes_hold_all_that_is_a_number(void **state) {
  (void)state;
  check_sum("aabb", pl_layout_builtin(PL_BUILTIN_vec2), box_vec2, true);
  check_sum("aabb", pl_layout_builtin(PL_BUILTIN_vec3), box_vec3, true);
  check_sum("aabb", pl_layout_builtin(PL_BUILTIN_dvec2), box_dvec2, true);
}

static const struct pl_layout *kind_of(const char *verb, const struct pl_layout *layout) {
  const struct pl_kernel *kernel = pl_kernel_find(verb, layout, NULL, 0);
  return kernel ? pl_kernel_reduced(kernel, layout) : NULL;
}

static void results_say_what_they_are(void **state) {
  (void)state;
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  assert_ptr_equal(kind_of("sum", vec3), vec3);
  assert_ptr_equal(kind_of("mean", vec3), vec3);
  assert_ptr_equal(kind_of("sum", pl_layout_builtin(PL_BUILTIN_uvec4)),
                   pl_layout_builtin(PL_BUILTIN_dvec4));
  assert_ptr_equal(kind_of("aabb", vec3), pl_layout_builtin(PL_BUILTIN_aabb));
  assert_ptr_equal(kind_of("aabb", pl_layout_builtin(PL_BUILTIN_vec2)),
                   pl_layout_builtin(PL_BUILTIN_rect));
  assert_ptr_equal(kind_of("aabb", pl_layout_builtin(PL_BUILTIN_dvec2)),
                   pl_layout_builtin(PL_BUILTIN_drect));
  assert_ptr_equal(kind_of("sum", pl_layout_scalar(PL_SCALAR_F32)),
                   pl_layout_scalar(PL_SCALAR_F64));
  assert_ptr_equal(kind_of("count", pl_layout_scalar(PL_SCALAR_U8)),
                   pl_layout_scalar(PL_SCALAR_I64));
  assert_ptr_equal(kind_of("any", pl_layout_scalar(PL_SCALAR_BOOL)),
                   pl_layout_scalar(PL_SCALAR_BOOL));
  assert_null(kind_of("aabb", pl_layout_builtin(PL_BUILTIN_vec4)));
  assert_null(kind_of("sum", pl_layout_builtin(PL_BUILTIN_ray)));
  assert_null(kind_of("any", pl_layout_scalar(PL_SCALAR_F32)));
}

static void any_all_and_count_take_every_byte_but_0_for_true(void **state) {
  (void)state;
  for (int trial = 0; trial < 300; trial++) {
    unsigned char mask[1000], any, all;
    size_t count = random_below(1000), hits = 0;
    int64_t counted;
    for (size_t i = 0; i < count; i++) {
      mask[i] = trial % 3 == 0 ? 0 : trial % 3 == 1 ? 255 : (unsigned char)(random_below(2) * 2);
      hits += mask[i] != 0;
    }
    struct pl_span span = {(char *)mask, count, 1, pl_layout_scalar(PL_SCALAR_U8), 0};
    reduce_span("any", &span, (char *)&any);
    reduce_span("all", &span, (char *)&all);
    reduce_span("count", &span, (char *)&counted);
    assert_int_equal(any, hits > 0);
    assert_int_equal(all, hits == count);
    assert_int_equal(counted, hits);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_are_exact_before_they_are_rounded),
      cmocka_unit_test(sums_of_integer_vectors_are_doubles),
      cmocka_unit_test(infinities_and_nan_go_through_sums),
      cmocka_unit_test(f64_sums_do_not_depend_on_where_they_are_cut),
      cmocka_unit_test(what_is_small_is_not_lost_in_a_sum),
      cmocka_unit_test(boxes_hold_all_that_is_a_number),
      cmocka_unit_test(results_say_what_they_are),
      cmocka_unit_test(any_all_and_count_take_every_byte_but_0_for_true),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
