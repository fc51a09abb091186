// Choosing, moving and sorting elements, in every arrangement, against plain loops.
#include "geometry/kernels_select.h"

#include "base/error.h"
#include "kernel_check.h"

static const struct check any = {.low = -100, .high = 100};

static struct array random_array(const struct pl_layout *layout, size_t count) {
  struct array array = array_new(layout, count, random_shape(layout), random_below(64));
  fill_array(&array, &any);
  return array;
}

static struct array random_mask(size_t count) {
  struct array mask = random_array(pl_layout_scalar(PL_SCALAR_U8), count);
  for (size_t i = 0; i < count; i++) *pl_span_at(&mask.span, i) = (char)(random_below(3) * 100);
  return mask;
}

static void put_index(const struct pl_span *span, size_t i, uint32_t index) {
  memcpy(pl_span_at(span, i), &index, sizeof index);
}

static uint32_t get_index(const struct pl_span *span, size_t i) {
  uint32_t index;
  memcpy(&index, pl_span_at(span, i), sizeof index);
  return index;
}

static const struct pl_layout *random_layout(void) {
  static const enum pl_builtin types[] = {PL_BUILTIN_vec2,  PL_BUILTIN_vec3, PL_BUILTIN_vec4,
                                          PL_BUILTIN_dvec3, PL_BUILTIN_mat4, PL_BUILTIN_color8};
  return pl_layout_builtin(types[random_below(PL_ARRAY_LEN(types))]);
}

static void assert_same(const struct pl_span *a, size_t i, const struct pl_span *b, size_t k) {
  char x[CHECK_VALUE], y[CHECK_VALUE];
  read_element(x, a, i);
  read_element(y, b, k);
  assert_memory_equal(x, y, a->layout->size);
}

static void select_keeps_what_the_mask_says_in_its_order(void **state) {
  (void)state;
  for (int trial = 0; trial < 300; trial++) {
    const struct pl_layout *layout = random_layout(), *u32 = pl_layout_scalar(PL_SCALAR_U32);
    size_t count = random_below(300), next = 0;
    struct array src = random_array(layout, count), mask = random_mask(count);
    size_t hits = pl_mask_count(&mask.span);
    struct array dst = random_array(layout, hits), indices = random_array(u32, hits);
    pl_kernel_select(&dst.span, &src.span, &mask.span);
    pl_mask_indices(&indices.span, &mask.span);
    for (size_t i = 0; i < count; i++) {
      if (!*pl_span_at(&mask.span, i)) continue;
      assert_int_equal(get_index(&indices.span, next), i + 1);
      assert_same(&dst.span, next++, &src.span, i);
    }
    assert_int_equal(next, hits);
    free(src.block);
    free(mask.block);
    free(dst.block);
    free(indices.block);
  }
}

static void gather_and_scatter_take_0_for_none(void **state) {
  (void)state;
  for (int trial = 0; trial < 300; trial++) {
    const struct pl_layout *layout = random_layout(), *u32 = pl_layout_scalar(PL_SCALAR_U32);
    size_t count = 1 + random_below(200), n = random_below(300);
    struct array all = random_array(layout, count), some = random_array(layout, n);
    struct array indices = random_array(u32, n), back = random_array(layout, count);
    char zero[CHECK_VALUE] = {0}, value[CHECK_VALUE];
    for (size_t i = 0; i < n; i++) put_index(&indices.span, i, (uint32_t)random_below(count + 1));
    pl_kernel_gather(&some.span, &all.span, &indices.span);
    pl_kernel_scatter(&back.span, &some.span, &indices.span);
    for (size_t i = 0; i < n; i++) {
      uint32_t from = get_index(&indices.span, i);
      read_element(value, &some.span, i);
      if (from == 0) assert_memory_equal(value, zero, layout->size);
      if (from == 0) continue;
      assert_same(&some.span, i, &all.span, from - 1);
      assert_same(&back.span, from - 1, &all.span, from - 1);
    }
    free(all.block);
    free(some.block);
    free(indices.block);
    free(back.block);
  }
}

static void scatter_leaves_the_rest_and_the_last_one_wins(void **state) {
  (void)state;
  float v[] = {1, 2, 3, 4}, from[] = {10, 20, 30};
  uint32_t to[] = {2, 0, 2};
  const struct pl_layout *f32 = pl_layout_scalar(PL_SCALAR_F32);
  struct pl_span dst = {(char *)v, 4, 4, f32, 0}, src = {(char *)from, 3, 4, f32, 0};
  struct pl_span indices = {(char *)to, 3, 4, pl_layout_scalar(PL_SCALAR_U32), 0};
  pl_kernel_scatter(&dst, &src, &indices);
  const float wanted[] = {1, 30, 3, 4}, filled[] = {1, 10, 3, 4};
  assert_memory_equal(v, wanted, sizeof v);
  src.stride = 0;
  pl_kernel_scatter(&dst, &src, &indices);
  assert_memory_equal(v, filled, sizeof v);
}

static void an_index_too_great_is_named(void **state) {
  (void)state;
  uint32_t v[] = {1, 0, 4, 5, UINT32_MAX};
  struct pl_span indices = {(char *)v, 5, 4, pl_layout_scalar(PL_SCALAR_U32), 0};
  assert_int_equal(pl_indices_check(&indices, 4), 4);
  assert_int_equal(pl_indices_check(&indices, 5), 5);
  assert_int_equal(pl_indices_check(&indices, UINT32_MAX), 0);
  assert_int_equal(pl_indices_check(&indices, 0), 1);
}

/// -1, 0, 1; NaN is above all.
static int order(enum pl_scalar scalar, const char *a, const char *b) {
  long double x, y;
#define AS(T)                \
  do {                       \
    T s, t;                  \
    memcpy(&s, a, sizeof s); \
    memcpy(&t, b, sizeof t); \
    x = (long double)s;      \
    y = (long double)t;      \
  } while (0)
  switch (scalar) {
  case PL_SCALAR_F32:
    AS(float);
    break;
  case PL_SCALAR_F64:
    AS(double);
    break;
  case PL_SCALAR_I8:
    AS(int8_t);
    break;
  case PL_SCALAR_I16:
    AS(int16_t);
    break;
  case PL_SCALAR_I32:
    AS(int32_t);
    break;
  case PL_SCALAR_I64:
    AS(int64_t);
    break;
  case PL_SCALAR_U16:
    AS(uint16_t);
    break;
  case PL_SCALAR_U32:
    AS(uint32_t);
    break;
  case PL_SCALAR_U64:
    AS(uint64_t);
    break;
  default:
    AS(uint8_t);
  }
  if (isnan(x) || isnan(y)) return (isnan(x) != 0) - (isnan(y) != 0);
  return x < y ? -1 : x > y;
}

static void check_sorted(const struct pl_span *dst, const struct pl_span *keys, enum pl_scalar s) {
  char *is_seen = calloc(keys->count + 1, 1);
  assert_non_null(is_seen);
  for (size_t i = 0; i < keys->count; i++) {
    uint32_t at = get_index(dst, i);
    assert_true(at >= 1 && at <= keys->count && !is_seen[at]);
    is_seen[at] = 1;
    if (i == 0) continue;
    uint32_t before = get_index(dst, i - 1);
    int way = order(s, pl_span_at(keys, before - 1), pl_span_at(keys, at - 1));
    assert_true(way < 0 || (way == 0 && before < at));
  }
  free(is_seen);
}

static void sorting_is_stable_and_puts_nan_last(void **state) {
  (void)state;
  static const enum pl_scalar scalars[] = {
      PL_SCALAR_F32, PL_SCALAR_F64, PL_SCALAR_I8,  PL_SCALAR_I16, PL_SCALAR_I32,
      PL_SCALAR_I64, PL_SCALAR_U8,  PL_SCALAR_U16, PL_SCALAR_U32, PL_SCALAR_U64};
  for (int trial = 0; trial < 300; trial++) {
    enum pl_scalar scalar = scalars[trial % 10];
    struct check wide = {.low = 0, .high = trial % 3 ? 0 : 5};
    size_t count = random_below(trial % 7 ? 200 : 3000);
    struct array keys = random_array(pl_layout_scalar(scalar), count);
    struct array dst = random_array(pl_layout_scalar(PL_SCALAR_U32), count);
    void *room = malloc(pl_sort_room(count) + 1);
    assert_non_null(room);
    fill_array(&keys, &wide);
    assert_int_equal(pl_sort_order(&dst.span, &keys.span, room), 0);
    check_sorted(&dst.span, &keys.span, scalar);
    free(room);
    free(keys.block);
    free(dst.block);
  }
}

static void only_numbers_are_keys(void **state) {
  (void)state;
  char room[64];
  uint32_t v[1];
  struct pl_span dst = {(char *)v, 1, 4, pl_layout_scalar(PL_SCALAR_U32), 0}, keys = dst;
  keys.layout = pl_layout_scalar(PL_SCALAR_F16);
  assert_int_equal(pl_sort_order(&dst, &keys, room), PL_EINVAL);
  keys.layout = pl_layout_builtin(PL_BUILTIN_vec3);
  assert_int_equal(pl_sort_order(&dst, &keys, room), PL_EINVAL);
  keys.layout = pl_layout_scalar(PL_SCALAR_U8);
  keys.count = (size_t)UINT32_MAX + 1;
  assert_int_equal(pl_sort_order(&dst, &keys, room), PL_ELIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(select_keeps_what_the_mask_says_in_its_order),
      cmocka_unit_test(gather_and_scatter_take_0_for_none),
      cmocka_unit_test(scatter_leaves_the_rest_and_the_last_one_wins),
      cmocka_unit_test(an_index_too_great_is_named),
      cmocka_unit_test(sorting_is_stable_and_puts_nan_last),
      cmocka_unit_test(only_numbers_are_keys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
