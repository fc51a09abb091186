// Unit tests of server/geometry/form_reader.c: text to bytes, and what is refused with which words.
#include "geometry/form_reader.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "geometry/json_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGEST = 256 };

static struct pl_layouts *layouts;
static const struct pl_layout *kind, *bits, *wide;

static int make_layouts(void **state) {
  (void)state;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_enum_member kinds[] = {{PL_STRV("Ball"), 1}, {PL_STRV("Beam"), -2}};
  const struct pl_enum_member flags[] = {{PL_STRV("A"), 1}, {PL_STRV("B"), 2}};
  const struct pl_enum_member wides[] = {{PL_STRV("Last"), -1}};
  struct pl_enum_spec a = {PL_STRV("Kind"), PL_SCALAR_I8, kinds, 2, false, "test:1"};
  struct pl_enum_spec b = {PL_STRV("Bits"), PL_SCALAR_U16, flags, 2, true, "test:2"};
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

// The bytes stand at an odd address, in a block of their own; so does the text.
static int read_text(const struct pl_layout *layout, const char *json, char bytes[LARGEST],
                     char problem[PL_FORM_PROBLEM_MAX]) {
  size_t len = strlen(json);
  char *text = malloc(len ? len : 1), *block = malloc(layout->size + 1);
  assert_non_null(text);
  assert_non_null(block);
  assert_true(layout->size <= LARGEST);
  if (len) memcpy(text, json, len);
  memset(block, 0x55, layout->size + 1);
  int err = pl_form_read(pl_strv(text, len), layout, block + 1, problem);
  memcpy(bytes, block + 1, layout->size);
  free(text);
  free(block);
  return err;
}

static void expect(const struct pl_layout *layout, const char *json, const void *bytes) {
  char problem[PL_FORM_PROBLEM_MAX], found[LARGEST];
  if (read_text(layout, json, found, problem)) fail_msg("%s: %s", json, problem);
  assert_memory_equal(found, bytes, layout->size);
}

// What is read is what is written again.
static void expect_text(const struct pl_layout *layout, const char *json, const char *written) {
  char problem[PL_FORM_PROBLEM_MAX], bytes[LARGEST];
  struct pl_buf out = {0};
  if (read_text(layout, json, bytes, problem)) fail_msg("%s: %s", json, problem);
  assert_int_equal(pl_json_form_write(&out, layout, bytes), 0);
  struct pl_strv text = pl_buf_view(&out);
  if (!pl_strv_eq(text, pl_strv_of(written)))
    fail_msg("%.*s instead of %s", (int)text.len, text.data, written);
  pl_buf_deinit(&out);
}

static void expect_problem(const struct pl_layout *layout, const char *json, const char *words) {
  char problem[PL_FORM_PROBLEM_MAX], bytes[LARGEST];
  int err = read_text(layout, json, bytes, problem);
  if (!err) fail_msg("%s was taken", json);
  assert_true(err == PL_EINVAL || err == PL_ESYNTAX || err == PL_ELIMIT);
  if (strcmp(problem, words) != 0) fail_msg("%s: '%s' instead of '%s'", json, problem, words);
}

static void any_struct_is_an_object_or_a_list(void **state) {
  (void)state;
  const float ray[6] = {1, 2, 3, 4, 5, 0.1F}, mat[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_ray);
  expect(layout, "{\"origin\":[1,2,3],\"direction\":[4,5,0.1]}", ray);
  expect(layout, " { \"direction\" : [4.0,5e0,1e-1] ,\n \"origin\" : [1 , 2 , 3] } ", ray);
  expect(layout, "[[1,2,3],[4,5,0.1]]", ray);
  expect(layout, "[{\"x\":1,\"z\":3,\"y\":2},[4,5,0.1]]", ray);
  expect(pl_layout_builtin(PL_BUILTIN_mat3), "[1,2,3,4,5,6,7,8,9]", mat);
  expect(pl_layout_builtin(PL_BUILTIN_mat3), "{\"columns\":[[1,2,3],[4,5,6],[7,8,9]]}", mat);
  expect(pl_layout_builtin(PL_BUILTIN_vec3), "{\"x\":1,\"y\":2,\"z\":3}", mat);
}

static void bytes_between_fields_are_zero(void **state) {
  (void)state;
  expect(define("b:u8@4 a:u8[2]@0 c:u16@8"), "[1,[2,3],4]", "\x02\x03\0\0\x01\0\0\0\x04\0");
}

static void integers_are_exact(void **state) {
  (void)state;
  const struct pl_layout *wide_pair = define("a:i64 b:u64");
  expect_text(wide_pair, "[\"-9223372036854775808\",\"18446744073709551615\"]",
              "{\"a\":\"-9223372036854775808\",\"b\":\"18446744073709551615\"}");
  expect_text(wide_pair, "[-9223372036854775808,18446744073709551615]",
              "{\"a\":\"-9223372036854775808\",\"b\":\"18446744073709551615\"}");
  expect_text(wide_pair, "[1e18,1.8e19]",
              "{\"a\":\"1000000000000000000\",\"b\":\"18000000000000000000\"}");
  expect_text(define("a:u8 b:i8"), "[255.0,-128]", "{\"a\":255,\"b\":-128}");
}

static void ranges_are_named(void **state) {
  (void)state;
  const struct pl_layout *layout = define("a:u8 b:i16[2] c:f32 d:f16 e:i64 f:u64");
  expect_problem(layout, "{\"a\":256}",
                 "line 1, column 6: $.a: 256 is out of range for u8 (0 to 255)");
  expect_problem(layout, "{\"a\":-1}",
                 "line 1, column 6: $.a: -1 is out of range for u8 (0 to 255)");
  expect_problem(layout, "{\"a\":1.5}", "line 1, column 6: $.a: u8 must be an integer, not 1.5");
  expect_problem(layout, "{\"b\":[0,\n 32768]}",
                 "line 2, column 2: $.b[2]: 32768 is out of range for i16 (-32768 to 32767)");
  expect_problem(layout, "{\"c\":-3.5e38}",
                 "line 1, column 6: $.c: -3.5e38 is out of range for f32 (-3.4028235e38 to "
                 "3.4028235e38)");
  expect_problem(layout, "{\"d\":65520}",
                 "line 1, column 6: $.d: 65520 is out of range for f16 (-65504 to 65504)");
  expect_problem(layout, "{\"e\":9223372036854775808}",
                 "line 1, column 6: $.e: 9223372036854775808 is out of range for i64 "
                 "(-9223372036854775808 to 9223372036854775807)");
  expect_problem(layout, "{\"f\":\"18446744073709551616\"}",
                 "line 1, column 6: $.f: \"18446744073709551616\" is out of range for u64 (0 to "
                 "18446744073709551615)");
  expect_problem(layout, "{\"f\":1e300}",
                 "line 1, column 6: $.f: 1e300 is out of range for u64 (0 to "
                 "18446744073709551615)");
}

static void types_are_strict(void **state) {
  (void)state;
  const struct pl_layout *layout = define("a:f32 b:bool c:u64 d:dec128 e:u8");
  expect_problem(
      layout, "{\"a\":null}",
      "line 1, column 6: $.a: f32 must be a number, not null: NaN and infinities are not "
      "read");
  expect_problem(layout, "{\"a\":\"1\"}", "line 1, column 6: $.a: f32 must be a number, not \"1\"");
  expect_problem(layout, "{\"b\":1}", "line 1, column 6: $.b: bool must be true or false, not 1");
  expect_problem(layout, "{\"c\":\"1x\"}",
                 "line 1, column 6: $.c: u64 must be an integer or a string of one, not \"1x\"");
  expect_problem(layout, "{\"c\":\"\"}",
                 "line 1, column 6: $.c: u64 must be an integer or a string of one, not \"\"");
  expect_problem(layout, "{\"d\":\"NaN\"}",
                 "line 1, column 6: $.d: dec128 must be a decimal number or a string of one, not "
                 "\"NaN\"");
  expect_problem(layout, "{\"e\":{}}",
                 "line 1, column 6: $.e: u8 must be an integer, not an object");
  expect_problem(layout, "{\"e\":\"1\"}",
                 "line 1, column 6: $.e: u8 must be an integer, not \"1\"");
  expect_problem(layout, "7",
                 "line 1, column 1: $: Test must be an object or a list of its 5 fields, not 7");
  expect_problem(
      pl_layout_builtin(PL_BUILTIN_vec2), "null",
      "line 1, column 1: $: vec2 must be an object or a list of its 2 numbers, not null");
}

static void keys_are_strict(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_ray);
  expect_problem(
      layout, "{\"origin\":[1,2,3],\"dirction\":[1,2,3]}",
      "line 1, column 19: $: ray has no field \"dirction\" (did you mean \"direction\"?)");
  expect_problem(layout, "{\"origin\":[1,2,3],\"origin\":[1,2,3]}",
                 "line 1, column 19: $: the key \"origin\" occurs twice");
  expect_problem(layout, "{\"origin\":[1,2,3]\n}",
                 "line 2, column 1: $: ray lacks its field \"direction\"");
  expect_problem(layout, "{}", "line 1, column 2: $: ray lacks its field \"origin\"");
  expect_problem(layout, "{\"a\\u0000\\n\\u00e9\":1}",
                 "line 1, column 2: $: ray has no field \"a??\xc3\xa9\"");
  expect_problem(layout,
                 "{\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\":1}",
                 "line 1, column 2: $: ray has no field \"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9...\"");
}

static void lists_have_their_length(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_ray);
  expect_problem(layout, "[[1,2],[1,2,3]]",
                 "line 1, column 6: $.origin: has 2 values of f32 instead of 3");
  expect_problem(layout, "[[1,2,3,4],[1,2,3]]",
                 "line 1, column 9: $.origin: has more than 3 values of f32 instead of 3");
  expect_problem(layout, "[[1,2,3]]",
                 "line 1, column 9: $: has 1 values instead of the 2 fields of ray");
  expect_problem(layout, "[[1,2,3],[1,2,3],1]",
                 "line 1, column 18: $: has more than 2 values instead of the 2 fields of ray");
  expect_problem(define("a:u8[3]"), "[1]",
                 "line 1, column 2: $.a: must be a list of 3 values of u8, not 1");
}

static void enums_take_names_and_numbers(void **state) {
  (void)state;
  expect(kind, "\"Ball\"", "\x01");
  expect(kind, "-2", "\xfe");
  expect(kind, "77", "\x4d");
  expect(wide, "\"Last\"", "\xff\xff\xff\xff\xff\xff\xff\xff");
  expect(wide, "\"18446744073709551614\"", "\xfe\xff\xff\xff\xff\xff\xff\xff");
  expect_problem(kind, "\"Bal\"",
                 "line 1, column 1: $: Kind has no member \"Bal\" (did you mean \"Ball\"?)");
  expect_problem(kind, "\"1\"", "line 1, column 1: $: Kind has no member \"1\"");
  expect_problem(kind, "128", "line 1, column 1: $: 128 is out of range for Kind (-128 to 127)");
  expect_problem(wide, "\"99999999999999999999\"",
                 "line 1, column 1: $: \"99999999999999999999\" is out of range for Wide (0 to "
                 "18446744073709551615)");
}

static void flags_take_lists(void **state) {
  (void)state;
  expect(bits, "[]", "\0\0");
  expect(bits, "[\"B\",\"A\"]", "\x03\0");
  expect(bits, "[\"A\",32772]", "\x05\x80");
  expect(bits, "3", "\x03\0");
  expect(define("a:u8 b:Bits[2]"), "[9,[[\"A\"],[\"B\",\"B\"]]]", "\x09\x01\0\x02\0");
  expect_problem(bits, "[\"A\",\"Zebra\"]", "line 1, column 6: $[2]: Bits has no member \"Zebra\"");
  expect_problem(bits, "[[\"A\"]]", "line 1, column 2: $[1]: Bits must be an integer, not a list");
}

static void decimals_keep_their_digits(void **state) {
  (void)state;
  const struct pl_layout *layout = define("a:dec128");
  expect_text(layout, "[\"1.50\"]", "{\"a\":\"1.50\"}");
  expect_text(layout, "[1.50]", "{\"a\":\"1.50\"}");
  expect_text(layout, "[-12345678901234567890123456789012.34]",
              "{\"a\":\"-12345678901234567890123456789012.34\"}");
  expect_text(layout, "[1e-100]", "{\"a\":\"1E-100\"}");
  expect_problem(layout, "[\"1e7000\"]",
                 "line 1, column 2: $.a: \"1e7000\" does not fit into dec128 (34 digits, up to "
                 "9.99e6144)");
  expect_problem(layout, "[0.12345678901234567890123456789012345]",
                 "line 1, column 2: $.a: 0.123456789012345678901234567... does not fit into dec128 "
                 "(34 digits, up to 9.99e6144)");
}

static void broken_text_says_where(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_vec2);
  expect_problem(layout, "", "line 1, column 1: expected a value, found the end of the text");
  expect_problem(layout, "[1,2",
                 "line 1, column 5: expected ',' or ']', found the end of the text");
  expect_problem(layout, "[1,2] 3", "line 1, column 7: unexpected text behind the value");
  expect_problem(layout, "[NaN,1]", "line 1, column 2: NaN and Infinity are not JSON");
}

// Finds the only type that the next level is made of.
static const struct pl_layout *find_inner(void *ctx, struct pl_strv name) {
  return pl_strv_eq(name, PL_STRV("Inner")) ? *(const struct pl_layout **)ctx : NULL;
}

// The deepest struct there is can be read: an array in each level, flags in the last.
static void structs_nest_to_the_limit(void **state) {
  (void)state;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_layout *layout = define("a:Bits[1]");
  struct pl_buf front = {0}, text = {0};
  int depth = 0, err = 0;
  while (!err) {
    depth++;
    assert_int_equal(pl_buf_append(&front, depth % 2 ? "[[" : "{\"a\":[", depth % 2 ? 2 : 6), 0);
    pl_buf_clear(&text);
    struct pl_strv view = pl_buf_view(&front);
    assert_int_equal(pl_buf_printf(&text, "%.*s[\"A\"]", (int)view.len, view.data), 0);
    // The outermost is the first in `front`: closing brackets in the reverse order.
    for (int i = depth; i > 0; i--)
      assert_int_equal(pl_buf_append(&text, i % 2 ? "]]" : "]}", 2), 0);
    assert_int_equal(pl_buf_append(&text, "", 1), 0);
    expect(layout, pl_buf_view(&text).data, "\x01\0");
    struct pl_layout_scope scope = {find_inner, &layout};
    struct pl_struct_spec spec = {
        .name = PL_STRV("Deep"), .schema = PL_STRV("a:Inner[1]"), .align = 1, .where = "test:5"};
    err = pl_layouts_define(layouts, &spec, &scope, &layout, problem);
  }
  assert_int_equal(depth, PL_STRUCT_NESTING_MAX);
  pl_buf_deinit(&front);
  pl_buf_deinit(&text);
}

static void arrays_grow(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_ivec3);
  char problem[PL_FORM_PROBLEM_MAX];
  struct pl_buf text = {0};
  struct pl_bytes *bytes = NULL;
  enum { COUNT = 3000 };
  for (int i = 0; i < COUNT; i++)
    assert_int_equal(pl_buf_printf(&text, "%s[%d,%d,-1]", i ? "," : "[", i, i * 2), 0);
  assert_int_equal(pl_buf_append(&text, "]", 1), 0);
  assert_int_equal(
      pl_form_read_array(pl_buf_view(&text), layout, COUNT * layout->size, &bytes, problem), 0);
  assert_int_equal(bytes->size, COUNT * layout->size);
  for (int i = 0; i < COUNT; i++) {
    const int32_t row[] = {i, i * 2, -1};
    assert_memory_equal(bytes->data + (size_t)i * sizeof row, row, sizeof row);
  }
  pl_bytes_unref(bytes);
  assert_int_equal(
      pl_form_read_array(pl_buf_view(&text), layout, COUNT * layout->size - 1, &bytes, problem),
      PL_EMEMORY);
  assert_non_null(strstr(problem, "$[3000]: these are more than 35999 bytes of ivec3"));
  pl_buf_deinit(&text);
}

static void arrays_are_lists(void **state) {
  (void)state;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_vec2);
  char problem[PL_FORM_PROBLEM_MAX];
  struct pl_bytes *bytes = NULL;
  assert_int_equal(pl_form_read_array(PL_STRV("[]"), layout, 0, &bytes, problem), 0);
  assert_int_equal(bytes->size, 0);
  pl_bytes_unref(bytes);
  assert_int_equal(
      pl_form_read_array(PL_STRV("[1.5, 2]"), pl_layout_scalar(PL_SCALAR_F32), 8, &bytes, problem),
      0);
  assert_memory_equal(bytes->data, "\0\0\xc0\x3f\0\0\0\x40", 8);
  pl_bytes_unref(bytes);
  static const struct {
    const char *text, *problem;
  } rows[] = {
      {"{\"x\":1,\"y\":2}", "line 1, column 1: $: must be a list of values of vec2, not an object"},
      {"[1,2]", "line 1, column 2: $[1]: vec2 must be an object or a list of its 2 numbers, not 1"},
      {"[[1,2],[1,null]]", "line 1, column 11: $[2][2]: f32 must be a number, not null: NaN and "
                           "infinities are not read"},
      {"[[1,2]]]", "line 1, column 8: unexpected text behind the value"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    int err = pl_form_read_array(pl_strv_of(rows[i].text), layout, 1000, &bytes, problem);
    assert_true(err == PL_EINVAL || err == PL_ESYNTAX);
    assert_string_equal(problem, rows[i].problem);
  }
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const struct pl_layout *layout = define("a:Kind b:u8[500]");
  char problem[PL_FORM_PROBLEM_MAX];
  struct pl_buf text = {0};
  assert_int_equal(pl_buf_printf(&text, "[[\"B\\u0061ll\",[0"), 0);
  for (int i = 1; i < 500; i++) assert_int_equal(pl_buf_append(&text, ",7", 2), 0);
  assert_int_equal(pl_buf_append(&text, "]]]", 3), 0);
  int err = PL_ENOMEM;
  for (uint64_t nth = 1; err; nth++) {
    struct pl_bytes *bytes = NULL;
    pl_mem_fail_nth(nth);
    err = pl_form_read_array(pl_buf_view(&text), layout, 1 << 20, &bytes, problem);
    pl_mem_fail_nth(0);
    assert_true(err == 0 || err == PL_ENOMEM);
    if (!err) assert_true(nth > 2);
    pl_bytes_unref(bytes);
  }
  pl_buf_deinit(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_struct_is_an_object_or_a_list),
      cmocka_unit_test(bytes_between_fields_are_zero),
      cmocka_unit_test(integers_are_exact),
      cmocka_unit_test(ranges_are_named),
      cmocka_unit_test(types_are_strict),
      cmocka_unit_test(keys_are_strict),
      cmocka_unit_test(lists_have_their_length),
      cmocka_unit_test(enums_take_names_and_numbers),
      cmocka_unit_test(flags_take_lists),
      cmocka_unit_test(decimals_keep_their_digits),
      cmocka_unit_test(broken_text_says_where),
      cmocka_unit_test(structs_nest_to_the_limit),
      cmocka_unit_test(arrays_grow),
      cmocka_unit_test(arrays_are_lists),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make_layouts, free_layouts);
}
