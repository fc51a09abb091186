// Elements brought from one arrangement into another, and numbers into scalars.
#include "geometry/feed.h"

#include "kernel_check.h"

static const struct check any = {.low = -100, .high = 100};

static void copies_go_between_all_arrangements(void **state) {
  (void)state;
  static const enum pl_builtin types[] = {PL_BUILTIN_vec3, PL_BUILTIN_dvec2, PL_BUILTIN_mat4,
                                          PL_BUILTIN_color8, PL_BUILTIN_ray};
  for (int trial = 0; trial < 400; trial++) {
    const struct pl_layout *layout = pl_layout_builtin(types[trial % 5]);
    size_t count = random_below(500), first = count ? random_below(count) : 0;
    enum shape from = trial % 11 ? random_shape(layout) : SHAPE_ONE;
    struct array src = array_new(layout, count ? count : 1, from, random_below(64));
    struct array dst = array_new(layout, count, random_shape(layout), random_below(64));
    char a[CHECK_VALUE], b[CHECK_VALUE], untouched[CHECK_VALUE];
    memset(untouched, 0xA5, sizeof untouched);
    fill_array(&src, &any);
    pl_feed_copy(&dst.span, &src.span, first, count - first);
    for (size_t i = 0; i < count; i++) {
      read_element(a, &dst.span, i);
      read_element(b, &src.span, i);
      assert_memory_equal(a, i < first ? untouched : b, layout->size);
    }
    free(src.block);
    free(dst.block);
  }
}

static void structs_of_mixed_parts_are_copied_whole(void **state) {
  (void)state;
  const struct pl_layout *hit = pl_layout_builtin(PL_BUILTIN_hit);
  char from[320], to[10 * 37], packed[320];
  for (size_t i = 0; i < sizeof from; i++) from[i] = (char)random_bits();
  struct pl_span src = {from, 10, 32, hit, 0}, dst = {to, 10, 37, hit, 0};
  struct pl_span again = {packed, 10, 32, hit, 0};
  pl_feed_copy(&dst, &src, 0, 10);
  pl_feed_copy(&again, &dst, 0, 10);
  assert_memory_equal(packed, from, sizeof from);
}

static int64_t as_integer(enum pl_scalar scalar, double number) {
  int64_t value = 0;
  pl_feed_number((char *)&value, scalar, number);
  unsigned unused = 64 - 8 * pl_scalar_size(scalar);
  bool is_signed = scalar >= PL_SCALAR_I8 && scalar <= PL_SCALAR_I64;
  uint64_t up = (uint64_t)value << unused;
  return is_signed ? (int64_t)up >> unused : (int64_t)(up >> unused);
}

static void numbers_are_cut_to_what_integers_hold(void **state) {
  (void)state;
  assert_int_equal(as_integer(PL_SCALAR_I8, 127.9), 127);
  assert_int_equal(as_integer(PL_SCALAR_I8, 1e9), 127);
  assert_int_equal(as_integer(PL_SCALAR_I8, -1e9), -128);
  assert_int_equal(as_integer(PL_SCALAR_I16, -2.9), -2);
  assert_int_equal(as_integer(PL_SCALAR_U8, -1), 0);
  assert_int_equal(as_integer(PL_SCALAR_U8, INFINITY), 255);
  assert_int_equal(as_integer(PL_SCALAR_U32, 0x1p40), UINT32_MAX);
  assert_int_equal(as_integer(PL_SCALAR_I64, 0x1p80), INT64_MAX);
  assert_int_equal(as_integer(PL_SCALAR_I64, -INFINITY), INT64_MIN);
  assert_int_equal(as_integer(PL_SCALAR_U64, 0x1p80), -1);
  assert_int_equal(as_integer(PL_SCALAR_I32, NAN), 0);
}

static void numbers_are_rounded_to_f32(void **state) {
  (void)state;
  float single;
  double number;
  pl_feed_number((char *)&single, PL_SCALAR_F32, 0.1);
  pl_feed_number((char *)&number, PL_SCALAR_F64, 0.1);
  assert_true(single == 0.1f);
  assert_true(number == 0.1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_go_between_all_arrangements),
      cmocka_unit_test(structs_of_mixed_parts_are_copied_whole),
      cmocka_unit_test(numbers_are_cut_to_what_integers_hold),
      cmocka_unit_test(numbers_are_rounded_to_f32),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
