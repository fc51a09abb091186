// Comparisons of every kind of scalar, also with numbers that are none of theirs; masks.
#include "geometry/kernels_mask.h"

#include "kernel_check.h"

#define REF(NAME, T, op)                                \
  static void NAME(char *out, const char *const in[]) { \
    T a, b;                                             \
    memcpy(&a, in[0], sizeof a);                        \
    memcpy(&b, in[1], sizeof b);                        \
    *out = a op b ? 1 : 0;                              \
  }
#define REFS(N, T)   \
  REF(lt_##N, T, <)  \
  REF(le_##N, T, <=) \
  REF(gt_##N, T, >)  \
  REF(ge_##N, T, >=) \
  REF(eq_##N, T, ==) \
  REF(ne_##N, T, !=)
REFS(f32, float)
REFS(f64, double)
REFS(i8, int8_t)
REFS(i16, int16_t)
REFS(i32, int32_t)
REFS(i64, int64_t)
REFS(u8, uint8_t)
REFS(u16, uint16_t)
REFS(u32, uint32_t)
REFS(u64, uint64_t)

static void check(const char *verb, enum pl_scalar scalar, check_ref *ref) {
  const struct pl_layout *layout = pl_layout_scalar(scalar);
  bool is_float = scalar == PL_SCALAR_F32 || scalar == PL_SCALAR_F64;
  check_kernel(&(struct check){verb, layout, 1, {layout}, is_float, ref, 0, 0, 0});
  // Few values, so that many are equal.
  check_kernel(&(struct check){verb, layout, 1, {layout}, is_float, ref, 0, 3, 0});
}

#define CHECK(N, SCALAR)                   \
  check("lt", PL_SCALAR_##SCALAR, lt_##N); \
  check("le", PL_SCALAR_##SCALAR, le_##N); \
  check("gt", PL_SCALAR_##SCALAR, gt_##N); \
  check("ge", PL_SCALAR_##SCALAR, ge_##N); \
  check("eq", PL_SCALAR_##SCALAR, eq_##N); \
  check("ne", PL_SCALAR_##SCALAR, ne_##N)

static void scalars_compare_as_in_c(void **state) {
  (void)state;
  CHECK(f32, F32);
  CHECK(f64, F64);
  CHECK(i8, I8);
  CHECK(i16, I16);
  CHECK(i32, I32);
  CHECK(i64, I64);
  CHECK(u8, U8);
  CHECK(u16, U16);
  CHECK(u32, U32);
  CHECK(u64, U64);
}

static bool compares(const char *verb, long double a, long double b) {
  if (strcmp(verb, "lt") == 0) return a < b;
  if (strcmp(verb, "le") == 0) return a <= b;
  if (strcmp(verb, "gt") == 0) return a > b;
  if (strcmp(verb, "ge") == 0) return a >= b;
  return strcmp(verb, "eq") == 0 ? a == b : a != b;
}

// long double holds every 64-bit integer.
#define BESIDE(T, SCALAR)                                                                        \
  do {                                                                                           \
    T v[] = {0,                                                                                  \
             1,                                                                                  \
             2,                                                                                  \
             3,                                                                                  \
             (T)-1,                                                                              \
             (T)-2,                                                                              \
             (T)((uint64_t)1 << (sizeof(T) * 8 - 1)),                                            \
             (T)(((uint64_t)1 << (sizeof(T) * 8 - 1)) - 1)};                                     \
    struct pl_span self = {(char *)v, 8, sizeof(T), pl_layout_scalar(SCALAR), 0};                \
    struct pl_span dst = {mask, 8, 1, pl_layout_scalar(PL_SCALAR_U8), 0};                        \
    struct pl_kernel_operand number = {.number = numbers[n]};                                    \
    const struct pl_kernel *kernel = pl_kernel_find(verbs[k], self.layout, &number, 1);          \
    pl_kernel_run(kernel, &dst, &self, &number, 0, 8);                                           \
    for (int i = 0; i < 8; i++) assert_int_equal(mask[i], compares(verbs[k], v[i], numbers[n])); \
  } while (0)

static void numbers_beside_integers_are_not_rounded(void **state) {
  (void)state;
  static const char *const verbs[] = {"lt", "le", "gt", "ge", "eq", "ne"};
  static const double numbers[] = {0,      -0.0,    0.5,    -0.5,   1,        2.5,      127,
                                   127.5,  128,     255,    256,    -128,     -128.5,   -129,
                                   32768,  65535.5, 0x1p31, 0x1p32, -0x1p31,  0x1p63,   -0x1p63,
                                   0x1p64, 1e300,   -1e300, NAN,    INFINITY, -INFINITY};
  char mask[8];
  for (size_t k = 0; k < PL_ARRAY_LEN(verbs); k++) {
    for (size_t n = 0; n < PL_ARRAY_LEN(numbers); n++) {
      BESIDE(int8_t, PL_SCALAR_I8);
      BESIDE(int16_t, PL_SCALAR_I16);
      BESIDE(int32_t, PL_SCALAR_I32);
      BESIDE(int64_t, PL_SCALAR_I64);
      BESIDE(uint8_t, PL_SCALAR_U8);
      BESIDE(uint16_t, PL_SCALAR_U16);
      BESIDE(uint32_t, PL_SCALAR_U32);
      BESIDE(uint64_t, PL_SCALAR_U64);
    }
  }
}

static void band_ref(char *out, const char *const in[]) {
  *out = *in[0] && *in[1];
}
static void bor_ref(char *out, const char *const in[]) {
  *out = *in[0] || *in[1];
}
static void bnot_ref(char *out, const char *const in[]) {
  *out = !*in[0];
}

static void masks_are_0_or_1_whatever_they_are_made_of(void **state) {
  (void)state;
  const struct pl_layout *u8 = pl_layout_scalar(PL_SCALAR_U8);
  check_kernel(&(struct check){"band", u8, 1, {u8}, false, band_ref, 0, 0, 0});
  check_kernel(&(struct check){"bor", u8, 1, {u8}, false, bor_ref, 0, 0, 0});
  check_kernel(&(struct check){"bnot", u8, 0, {0}, false, bnot_ref, 0, 0, 0});
  check_kernel(&(struct check){"bnot", u8, 0, {0}, false, bnot_ref, 0, 2, 0});
}

static void structs_have_no_order(void **state) {
  (void)state;
  struct pl_kernel_operand number = {.number = 1};
  assert_null(pl_kernel_find("lt", pl_layout_builtin(PL_BUILTIN_vec3), &number, 1));
  assert_null(pl_kernel_find("band", pl_layout_scalar(PL_SCALAR_U8), &number, 1));
  assert_null(pl_kernel_find("bnot", pl_layout_scalar(PL_SCALAR_U32), NULL, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scalars_compare_as_in_c),
      cmocka_unit_test(numbers_beside_integers_are_not_rounded),
      cmocka_unit_test(masks_are_0_or_1_whatever_they_are_made_of),
      cmocka_unit_test(structs_have_no_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
