// Arithmetic on arrays of integers against 128-bit arithmetic that is cut to the type, and with
// numbers that are no integers of the type against f64.
#include "geometry/kernels_integer.h"

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

// The exact result fits 128 bits, but for a + b * c of u64, which is done without a sign.
#define WIDE(x) ((__int128)(x))
#define MOST(T) ((T)-1 > 0 ? (T)-1 : (T)(((uint64_t)1 << (sizeof(T) * 8 - 1)) - 1))
#define LEAST(T) ((T)-1 > 0 ? 0 : (T)(-WIDE(MOST(T)) - 1))
#define CUT(T, value) (T) cut(WIDE(value), WIDE(LEAST(T)), WIDE(MOST(T)))
static __int128 cut(__int128 x, __int128 least, __int128 most) {
  return x < least ? least : x > most ? most : x;
}
static __int128 magnitude(__int128 x) {
  return x < 0 ? -x : x;
}
// a * b and a + b * c, of which the greatest of u64 would look negative.
static __int128 product(__int128 a, __int128 b, __int128 c) {
  __int128 result;
  if (__builtin_mul_overflow(b, c, &result)) return (b < 0) == (c < 0) ? INT64_MAX * WIDE(4) : 0;
  return __builtin_add_overflow(a, result, &result) ? INT64_MAX * WIDE(4) : result;
}
static __int128 quotient(__int128 a, __int128 b) {
  if (b != 0) return a / b;
  return a > 0 ? INT64_MAX * WIDE(4) : a < 0 ? INT64_MIN * WIDE(4) : 0;
}

#define INTEGER_REFS(N, T)                                        \
  REF(add_##N, T, 1, CUT(T, WIDE(a) + b))                         \
  REF(sub_##N, T, 1, CUT(T, WIDE(a) - b))                         \
  REF(mul_##N, T, 1, CUT(T, product(0, a, b)))                    \
  REF(div_##N, T, 1, CUT(T, quotient(a, b)))                      \
  REF(mul_add_##N, T, 1, CUT(T, product(a, b, c)))                \
  REF(min_##N, T, 1, a < b ? a : b)                               \
  REF(max_##N, T, 1, a > b ? a : b)                               \
  REF(clamp_##N, T, 1, (a > b ? a : b) < c ? (a > b ? a : b) : c) \
  REF(neg_##N, T, 1, CUT(T, -WIDE(a)))                            \
  REF(abs_##N, T, 1, CUT(T, magnitude(a)))
INTEGER_REFS(i8, int8_t)
INTEGER_REFS(i16, int16_t)
INTEGER_REFS(i32, int32_t)
INTEGER_REFS(i64, int64_t)
INTEGER_REFS(u8, uint8_t)
INTEGER_REFS(u16, uint16_t)
INTEGER_REFS(u32, uint32_t)
INTEGER_REFS(u64, uint64_t)

#define CHECK(VERB, OPERANDS, SUFFIX) \
  check_kernel(&(struct check){       \
      #VERB, layout, OPERANDS, {layout, layout, layout}, false, VERB##_##SUFFIX, 0, 0, 0})
#define INTEGERS_TEST(N, SCALAR)                               \
  static void integers_are_cut_to_##N(void **state) {          \
    (void)state;                                               \
    const struct pl_layout *layout = pl_layout_scalar(SCALAR); \
    CHECK(add, 1, N);                                          \
    CHECK(sub, 1, N);                                          \
    CHECK(mul, 1, N);                                          \
    CHECK(div, 1, N);                                          \
    CHECK(mul_add, 2, N);                                      \
    CHECK(min, 1, N);                                          \
    CHECK(max, 1, N);                                          \
    CHECK(clamp, 2, N);                                        \
    CHECK(neg, 0, N);                                          \
    CHECK(abs, 0, N);                                          \
  }
INTEGERS_TEST(i8, PL_SCALAR_I8)
INTEGERS_TEST(i16, PL_SCALAR_I16)
INTEGERS_TEST(i32, PL_SCALAR_I32)
INTEGERS_TEST(i64, PL_SCALAR_I64)
INTEGERS_TEST(u8, PL_SCALAR_U8)
INTEGERS_TEST(u16, PL_SCALAR_U16)
INTEGERS_TEST(u32, PL_SCALAR_U32)
INTEGERS_TEST(u64, PL_SCALAR_U64)

static void run_i32(const char *verb, int32_t *values, size_t count, double b, double c) {
  struct pl_span span = {(char *)values, count, 4, pl_layout_scalar(PL_SCALAR_I32), 0};
  struct pl_kernel_operand operands[] = {{.number = b}, {.number = c}};
  size_t operand_count = isnan(c) ? 1 : 2;
  const struct pl_kernel *kernel = pl_kernel_find(verb, span.layout, operands, operand_count);
  assert_non_null(kernel);
  pl_kernel_run(kernel, &span, &span, operands, 0, count);
}

static void whole_numbers_count_as_integers(void **state) {
  (void)state;
  int32_t v[] = {7, -7, INT32_MAX, 0}, added[] = {8, -6, INT32_MAX, 1};
  run_i32("add", v, 4, 1, NAN);
  assert_memory_equal(v, added, sizeof v);
}

static void other_numbers_are_not_rounded_before(void **state) {
  (void)state;
  int32_t halved[] = {7, -7, INT32_MIN, 0}, half[] = {3, -3, INT32_MIN / 2, 0};
  run_i32("mul", halved, 4, 0.5, NAN);
  assert_memory_equal(halved, half, sizeof half);
  int32_t most[] = {7, -7, INT32_MIN, 0}, all[] = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
  run_i32("add", most, 4, 1e10, NAN);
  assert_memory_equal(most, all, sizeof all);
  int32_t mixed[] = {7, -7, 100, 0}, summed[] = {12, -1, 105, 5};
  run_i32("mul_add", mixed, 4, 2.5, 2.25);
  assert_memory_equal(mixed, summed, sizeof summed);
}

static void no_number_is_zero(void **state) {
  (void)state;
  int32_t v[] = {7, -7}, zero[] = {0, 0};
  struct pl_span span = {(char *)v, 2, 4, pl_layout_scalar(PL_SCALAR_I32), 0};
  struct pl_kernel_operand nan = {.number = NAN};
  pl_kernel_run(pl_kernel_find("add", span.layout, &nan, 1), &span, &span, &nan, 0, 2);
  assert_memory_equal(v, zero, sizeof v);
}

static void vectors_of_integers_take_a_scalar_each(void **state) {
  (void)state;
  int32_t v[] = {1, 2, 3, 4, 5, 6}, s[] = {10, -1}, wanted[] = {10, 20, 30, -4, -5, -6};
  struct pl_span span = {(char *)v, 2, 12, pl_layout_builtin(PL_BUILTIN_ivec3), 0};
  struct pl_kernel_operand each = {.span = {(char *)s, 2, 4, pl_layout_scalar(PL_SCALAR_I32), 0}};
  pl_kernel_run(pl_kernel_find("mul", span.layout, &each, 1), &span, &span, &each, 0, 2);
  assert_memory_equal(v, wanted, sizeof v);
}

static void fractions_have_no_lerp(void **state) {
  (void)state;
  struct pl_kernel_operand two[] = {{.number = 2}, {.number = 0.5}};
  assert_null(pl_kernel_find("lerp", pl_layout_scalar(PL_SCALAR_I32), two, 2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers_are_cut_to_i8),
      cmocka_unit_test(integers_are_cut_to_i16),
      cmocka_unit_test(integers_are_cut_to_i32),
      cmocka_unit_test(integers_are_cut_to_i64),
      cmocka_unit_test(integers_are_cut_to_u8),
      cmocka_unit_test(integers_are_cut_to_u16),
      cmocka_unit_test(integers_are_cut_to_u32),
      cmocka_unit_test(integers_are_cut_to_u64),
      cmocka_unit_test(whole_numbers_count_as_integers),
      cmocka_unit_test(other_numbers_are_not_rounded_before),
      cmocka_unit_test(no_number_is_zero),
      cmocka_unit_test(vectors_of_integers_take_a_scalar_each),
      cmocka_unit_test(fractions_have_no_lerp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
