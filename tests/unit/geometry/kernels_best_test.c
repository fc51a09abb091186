// argmin and argmax against a plain loop; totals of integers in 128 bits.
#include "geometry/kernels_best.h"

#include "kernel_reduce_check.h"

#define REFS(N, T, R, most, least)                                      \
  static void argmin_##N(char *out, const char *packed, size_t count) { \
    int64_t best = 0;                                                   \
    T so_far = 0, x;                                                    \
    for (size_t i = 0; i < count; i++) {                                \
      memcpy(&x, packed + i * sizeof x, sizeof x);                      \
      if (x == x && (best == 0 || x < so_far)) {                        \
        best = (int64_t)i + 1;                                          \
        so_far = x;                                                     \
      }                                                                 \
    }                                                                   \
    memcpy(out, &best, sizeof best);                                    \
  }                                                                     \
  static void argmax_##N(char *out, const char *packed, size_t count) { \
    int64_t best = 0;                                                   \
    T so_far = 0, x;                                                    \
    for (size_t i = 0; i < count; i++) {                                \
      memcpy(&x, packed + i * sizeof x, sizeof x);                      \
      if (x == x && (best == 0 || x > so_far)) {                        \
        best = (int64_t)i + 1;                                          \
        so_far = x;                                                     \
      }                                                                 \
    }                                                                   \
    memcpy(out, &best, sizeof best);                                    \
  }
#define INTEGER_REFS(N, T, R, most, least)                                 \
  REFS(N, T, R, most, least)                                               \
  static __int128 total_##N(const char *packed, size_t count) {            \
    __int128 sum = 0;                                                      \
    T x;                                                                   \
    for (size_t i = 0; i < count; i++) {                                   \
      memcpy(&x, packed + i * sizeof x, sizeof x);                         \
      sum += x;                                                            \
    }                                                                      \
    return sum;                                                            \
  }                                                                        \
  static void sum_##N(char *out, const char *packed, size_t count) {       \
    __int128 sum = total_##N(packed, count);                               \
    R result = (R)(sum > (most) ? (most) : sum < (least) ? (least) : sum); \
    memcpy(out, &result, sizeof result);                                   \
  }                                                                        \
  static void mean_##N(char *out, const char *packed, size_t count) {      \
    double mean = (double)total_##N(packed, count) / (double)count;        \
    memcpy(out, &mean, sizeof mean);                                       \
  }
REFS(f32, float, double, 0, 0)
REFS(f64, double, double, 0, 0)
#define I64(N, T) INTEGER_REFS(N, T, int64_t, (__int128)INT64_MAX, (__int128)INT64_MIN)
I64(i8, int8_t)
I64(i16, int16_t)
I64(i32, int32_t)
I64(i64, int64_t)
I64(u8, uint8_t)
I64(u16, uint16_t)
I64(u32, uint32_t)
INTEGER_REFS(u64, uint64_t, uint64_t, (__int128)UINT64_MAX, (__int128)0)

static void check(const char *verb, enum pl_scalar scalar, reduce_ref *ref) {
  check_reduction(&(struct check){verb, pl_layout_scalar(scalar), 0, {0}, false, NULL, 0, 0, 0},
                  ref);
}

#define CHECK_BEST(N, SCALAR)                      \
  check("argmin", PL_SCALAR_##SCALAR, argmin_##N); \
  check("argmax", PL_SCALAR_##SCALAR, argmax_##N)
#define CHECK_INTEGER(N, SCALAR)             \
  CHECK_BEST(N, SCALAR);                     \
  check("sum", PL_SCALAR_##SCALAR, sum_##N); \
  check("mean", PL_SCALAR_##SCALAR, mean_##N)

static void the_first_of_the_best_numbers_wins(void **state) {
  (void)state;
  CHECK_BEST(f32, F32);
  CHECK_BEST(f64, F64);
}

static void integers_are_totalled_exactly(void **state) {
  (void)state;
  CHECK_INTEGER(i8, I8);
  CHECK_INTEGER(i16, I16);
  CHECK_INTEGER(i32, I32);
  CHECK_INTEGER(i64, I64);
  CHECK_INTEGER(u8, U8);
  CHECK_INTEGER(u16, U16);
  CHECK_INTEGER(u32, U32);
  CHECK_INTEGER(u64, U64);
}

static int64_t best_of(const char *verb, const float *v, size_t count) {
  struct pl_span span = {(char *)v, count, 4, pl_layout_scalar(PL_SCALAR_F32), 0};
  int64_t best = -1;
  assert_ptr_equal(reduce_span(verb, &span, (char *)&best), pl_layout_scalar(PL_SCALAR_I64));
  return best;
}

static void nan_is_passed_over_and_infinity_is_not(void **state) {
  (void)state;
  const float v[] = {NAN, INFINITY, NAN, INFINITY}, none[] = {NAN, NAN}, zeros[] = {0, -0.0f, 0};
  assert_int_equal(best_of("argmin", v, 4), 2);
  assert_int_equal(best_of("argmax", v, 4), 2);
  assert_int_equal(best_of("argmin", none, 2), 0);
  assert_int_equal(best_of("argmax", none, 0), 0);
  assert_int_equal(best_of("argmin", zeros, 3), 1);
  assert_int_equal(best_of("argmax", zeros, 3), 1);
}

static void totals_stop_at_64_bits(void **state) {
  (void)state;
  const int64_t most[] = {INT64_MAX, INT64_MAX, -1};
  int64_t sum;
  struct pl_span span = {(char *)most, 3, 8, pl_layout_scalar(PL_SCALAR_I64), 0};
  assert_ptr_equal(reduce_span("sum", &span, (char *)&sum), span.layout);
  assert_true(sum == INT64_MAX);
  const int64_t even[] = {INT64_MAX, INT64_MIN, 5};
  span.data = (char *)even;
  reduce_span("sum", &span, (char *)&sum);
  assert_true(sum == 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_of_the_best_numbers_wins),
      cmocka_unit_test(integers_are_totalled_exactly),
      cmocka_unit_test(nan_is_passed_over_and_infinity_is_not),
      cmocka_unit_test(totals_stop_at_64_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
