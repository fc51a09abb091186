// Unit tests of server/geometry/json_form.c: bytes to text, every kind of field.
#include "geometry/json_form.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pl_layouts *layouts;
static const struct pl_layout *kind, *bits, *wide;

static int make_layouts(void **state) {
  (void)state;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_enum_member kinds[] = {{PL_STRV("Ball"), 1}, {PL_STRV("Beam"), -2}};
  const struct pl_enum_member flags[] = {
      {PL_STRV("None"), 0}, {PL_STRV("A"), 1}, {PL_STRV("B"), 2}, {PL_STRV("AB"), 3}};
  const struct pl_enum_member wides[] = {{PL_STRV("Last"), -1}};
  struct pl_enum_spec a = {PL_STRV("Kind"), PL_SCALAR_I8, kinds, 2, false, "test:1"};
  struct pl_enum_spec b = {PL_STRV("Bits"), PL_SCALAR_U16, flags, 4, true, "test:2"};
  struct pl_enum_spec c = {PL_STRV("Wide"), PL_SCALAR_U64, wides, 1, false, "test:3"};
  layouts = pl_layouts_new();
  return !layouts || pl_layouts_define_enum(layouts, &a, &kind, problem) ||
         pl_layouts_define_enum(layouts, &b, &bits, problem) ||
         pl_layouts_define_enum(layouts, &c, &wide, problem);
}

static int free_layouts(void **state) {
  (void)state;
  pl_layouts_free(layouts);
  return 0;
}

static const struct pl_layout *find(void *ctx, struct pl_strv name) {
  (void)ctx;
  const struct pl_layout *const all[] = {kind, bits, wide};
  for (size_t i = 0; i < PL_ARRAY_LEN(all); i++)
    if (pl_strv_eq(all[i]->name, name)) return all[i];
  return NULL;
}

static const struct pl_layout *define(const char *schema) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_layout_scope scope = {find, NULL};
  struct pl_struct_spec spec = {
      .name = PL_STRV("Test"), .schema = pl_strv_of(schema), .align = 1, .where = "test:4"};
  const struct pl_layout *layout = NULL;
  if (pl_layouts_define(layouts, &spec, &scope, &layout, problem)) fail_msg("%s", problem);
  return layout;
}

// The bytes stand at an odd address, in a block of their own.
static void expect(const struct pl_layout *layout, const void *bytes, const char *json) {
  struct pl_buf out = {0};
  char *block = malloc(layout->size + 1);
  assert_non_null(block);
  memcpy(block + 1, bytes, layout->size);
  assert_int_equal(pl_json_form_write(&out, layout, block + 1), 0);
  struct pl_strv text = pl_buf_view(&out);
  if (!pl_strv_eq(text, pl_strv_of(json)))
    fail_msg("%.*s instead of %s", (int)text.len, text.data, json);
  free(block);
  pl_buf_deinit(&out);
}

static void flat_types_are_lists_of_numbers(void **state) {
  (void)state;
  const float numbers[16] = {0.1F, -0.0F, 1e10F, 3, 4, 5, 6, 7, 8, 9};
  const double doubles[3] = {0.1, 1e-300, -2};
  expect(pl_layout_builtin(PL_BUILTIN_vec2), numbers, "[0.1,-0.0]");
  expect(pl_layout_builtin(PL_BUILTIN_quat), numbers, "[0.1,-0.0,10000000000.0,3.0]");
  expect(pl_layout_builtin(PL_BUILTIN_dvec3), doubles, "[0.1,1e-300,-2.0]");
  expect(pl_layout_builtin(PL_BUILTIN_color8), "\x00\x7f\x80\xff", "[0,127,128,255]");
  expect(pl_layout_builtin(PL_BUILTIN_mat3), numbers,
         "[0.1,-0.0,10000000000.0,3.0,4.0,5.0,6.0,7.0,8.0]");
  const char *const flat[] = {"vec2",  "vec3",  "vec4",  "ivec2",  "ivec3", "ivec4", "uvec2",
                              "uvec3", "uvec4", "dvec2", "dvec3",  "dvec4", "quat",  "dquat",
                              "color", "mat3",  "mat4",  "color8", "affine"};
  size_t count = 0;
  for (int i = 1; i < PL_BUILTIN_COUNT; i++)
    count += pl_json_form_is_flat(pl_layout_builtin((enum pl_builtin)i));
  assert_int_equal(count, PL_ARRAY_LEN(flat));
  for (size_t i = 0; i < count; i++)
    assert_true(pl_json_form_is_flat(pl_layout_find_builtin(pl_strv_of(flat[i]))));
}

static void other_structs_are_objects_in_field_order(void **state) {
  (void)state;
  const float numbers[24] = {1, 2, 3, 4, 5, 6};
  expect(pl_layout_builtin(PL_BUILTIN_ray), numbers,
         "{\"origin\":[1.0,2.0,3.0],\"direction\":[4.0,5.0,6.0]}");
  expect(pl_layout_builtin(PL_BUILTIN_plane), numbers, "{\"normal\":[1.0,2.0,3.0],\"d\":4.0}");
  expect(define("b:u8@4 a:u8@0 r:plane[1]@8"), "\x01\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
         "{\"b\":2,\"a\":1,\"r\":[{\"normal\":[0.0,0.0,0.0],\"d\":0.0}]}");
}

static void integers_of_64_bits_are_strings(void **state) {
  (void)state;
  const int64_t numbers[4] = {INT64_MIN, -1, INT64_MIN, 7};
  expect(define("a:i64 b:u64 c:u64 d:i64"), numbers,
         "{\"a\":\"-9223372036854775808\",\"b\":\"18446744073709551615\","
         "\"c\":\"9223372036854775808\",\"d\":\"7\"}");
  expect(define("a:i8 b:i16 c:i32 d:u8 e:u16 f:u32"),
         "\x80\x00\x80\x00\x00\x00\x80\xff\xff\xff\xff\xff\xff\xff",
         "{\"a\":-128,\"b\":-32768,\"c\":-2147483648,\"d\":255,\"e\":65535,\"f\":4294967295}");
}

static void what_is_not_finite_is_null(void **state) {
  (void)state;
  struct {
    float a;
    float b;
    double c;
    uint16_t d;
    uint16_t e;
    char f[16];
  } values = {NAN, INFINITY, -INFINITY, 0x7c00, 0x2e66, {[15] = 0x78}};
  const struct pl_layout *layout = define("a:f32 b:f32 c:f64 d:f16 e:f16 f:dec128");
  char packed[36];
  memcpy(packed, &values, 20);
  memcpy(packed + 20, values.f, 16);
  expect(layout, packed, "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":0.1,\"f\":null}");
}

static void any_byte_but_0_is_true(void **state) {
  (void)state;
  expect(define("a:bool[3]"), "\x00\x01\xff", "{\"a\":[false,true,true]}");
}

static void enums_are_names_and_what_has_none_is_a_number(void **state) {
  (void)state;
  expect(kind, "\x01", "\"Ball\"");
  expect(kind, "\xfe", "\"Beam\"");
  expect(kind, "\xfd", "-3");
  expect(wide, "\xff\xff\xff\xff\xff\xff\xff\xff", "\"Last\"");
  expect(wide, "\xfe\xff\xff\xff\xff\xff\xff\xff", "\"18446744073709551614\"");
}

static void flags_are_lists_of_names(void **state) {
  (void)state;
  expect(bits, "\x00\x00", "[]");
  expect(bits, "\x02\x00", "[\"B\"]");
  expect(bits, "\x03\x00", "[\"A\",\"B\"]");
  expect(bits, "\x05\x80", "[\"A\",32772]");
  expect(bits, "\x04\x00", "[4]");
}

static void arrays_may_be_strided_or_soa(void **state) {
  (void)state;
  const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  struct pl_span span = {(char *)(uintptr_t)numbers, 2, 16, pl_layout_builtin(PL_BUILTIN_vec3), 0};
  struct pl_span soa = {(char *)(uintptr_t)numbers, 3, 4, pl_layout_builtin(PL_BUILTIN_vec3), 12};
  struct pl_buf out = {0};
  assert_int_equal(pl_json_form_write_span(&out, &span), 0);
  assert_int_equal(pl_json_form_write_span(&out, &soa), 0);
  assert_int_equal(pl_json_form_write_elements(&out, &soa, 1, 2), 0);
  span.count = 0;
  assert_int_equal(pl_json_form_write_span(&out, &span), 0);
  const char *expected = "[[1.0,2.0,3.0],[5.0,6.0,7.0]]"
                         "[[1.0,4.0,7.0],[2.0,5.0,8.0],[3.0,6.0,9.0]]"
                         "[2.0,5.0,8.0],[3.0,6.0,9.0]"
                         "[]";
  assert_true(pl_strv_eq(pl_buf_view(&out), pl_strv_of(expected)));
  pl_buf_deinit(&out);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const struct pl_layout *layout = define("a:i64 b:f32 c:f64 d:f16 e:dec128 f:Bits g:Kind h:bool");
  char bytes[64] = {0};
  struct pl_span span = {bytes, 20, 0, layout, 0};
  int err = PL_ENOMEM;
  for (uint64_t nth = 1; err; nth++) {
    struct pl_buf out = {0};
    pl_mem_fail_nth(nth);
    err = pl_json_form_write_span(&out, &span);
    pl_mem_fail_nth(0);
    assert_true(err == 0 || err == PL_ENOMEM);
    if (!err) assert_true(nth > 3);
    pl_buf_deinit(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flat_types_are_lists_of_numbers),
      cmocka_unit_test(other_structs_are_objects_in_field_order),
      cmocka_unit_test(integers_of_64_bits_are_strings),
      cmocka_unit_test(what_is_not_finite_is_null),
      cmocka_unit_test(any_byte_but_0_is_true),
      cmocka_unit_test(enums_are_names_and_what_has_none_is_a_number),
      cmocka_unit_test(flags_are_lists_of_names),
      cmocka_unit_test(arrays_may_be_strided_or_soa),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make_layouts, free_layouts);
}
