// Unit tests of server/geometry/schema_out.c, and of what the four writers of schemas share: that
// they survive the want of memory. What they write is compiled and run by tests/api/schema_test.py.
#include "geometry/schema_out.h"
#include "base/error.h"
#include "base/mem.h"
#include "geometry/schema_c.h"
#include "geometry/schema_json.h"
#include "geometry/schema_python.h"
#include "geometry/schema_ts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct pl_layouts *layouts;
static const struct pl_layout *kind;

static int make_layouts(void **state) {
  (void)state;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_enum_member members[] = {{PL_STRV("Low"), INT64_MIN}, {PL_STRV("B"), -2}};
  struct pl_enum_spec spec = {PL_STRV("Kind"), PL_SCALAR_I64, members, 2, false, "test:1"};
  layouts = pl_layouts_new();
  return !layouts || pl_layouts_define_enum(layouts, &spec, &kind, problem);
}

static int free_layouts(void **state) {
  (void)state;
  pl_layouts_free(layouts);
  return 0;
}

static const struct pl_layout *find(void *ctx, struct pl_strv name) {
  (void)ctx;
  return pl_strv_eq(kind->name, name) ? kind : NULL;
}

static const struct pl_layout *define(const char *schema) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_layout_scope scope = {find, NULL};
  struct pl_struct_spec spec = {
      .name = PL_STRV("Test"), .schema = pl_strv_of(schema), .align = 1, .where = "test:2"};
  const struct pl_layout *layout = NULL;
  if (pl_layouts_define(layouts, &spec, &scope, &layout, problem)) fail_msg("%s", problem);
  return layout;
}

static void reserved_words_get_a_bar_and_stay_apart(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"class", "class_"}, {"class_", "class__"}, {"cla", "cla"},      {"lass", "lass"}, {"x", "x"},
      {"_", "_"},          {"__", "__"},          {"_class", "_class"}};
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    char word[PL_SCHEMA_WORD_MAX];
    assert_string_equal(pl_schema_word(pl_strv_of(rows[i][0]), " if class for ", word), rows[i][1]);
  }
  char longest[PL_LAYOUT_NAME_MAX + 1], word[PL_SCHEMA_WORD_MAX];
  memset(longest, 'a', PL_LAYOUT_NAME_MAX);
  longest[PL_LAYOUT_NAME_MAX] = '\0';
  assert_string_equal(pl_schema_word(pl_strv_of(longest), " if ", word), longest);
}

static void types_come_once_and_in_order(void **state) {
  (void)state;
  struct pl_schema_types types;
  const struct pl_layout *layout = define("a:ray b:Kind c:vec3[2] d:ray e:mat3 f:u8");
  assert_int_equal(pl_schema_types_init(&types, layout, false), 0);
  const char *const all[] = {"vec3", "ray", "Kind", "mat3", "Test"};
  assert_int_equal(types.count, PL_ARRAY_LEN(all));
  for (size_t i = 0; i < types.count; i++) assert_string_equal(types.items[i]->name.data, all[i]);
  pl_schema_types_deinit(&types);
  assert_int_equal(pl_schema_types_init(&types, pl_layout_builtin(PL_BUILTIN_mat4), true), 0);
  assert_int_equal(types.count, 1);
  pl_schema_types_deinit(&types);
  assert_int_equal(pl_schema_types_init(&types, pl_layout_scalar(PL_SCALAR_U8), false), 0);
  assert_int_equal(types.count, 1);
  pl_schema_types_deinit(&types);
}

static void order_is_by_offset(void **state) {
  (void)state;
  unsigned char order[PL_STRUCT_FIELDS_MAX];
  pl_schema_order(define("a:u8@9 b:u8@3 c:u32@4 d:u8@0"), order);
  assert_memory_equal(order, "\x03\x01\x02\x00", 4);
}

static void text_is_as_long_as_it_must(void **state) {
  (void)state;
  struct pl_buf out = {0};
  struct pl_schema_out to = {&out, 0};
  char longest[300];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  for (int i = 0; i < 50; i++) pl_schema_put(&to, "%d%s", i % 10, longest);
  assert_int_equal(to.err, 0);
  assert_int_equal(pl_buf_len(&out), 50 * 300);
  assert_memory_equal(pl_buf_view(&out).data + 300, "1xx", 3);
  pl_buf_deinit(&out);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  static int (*const writers[])(struct pl_buf *, const struct pl_layout *) = {
      pl_schema_write_c, pl_schema_write_json, pl_schema_write_ts, pl_schema_write_python};
  const struct pl_layout *layout = define("a:Kind b:vec3[2] c:hit d:mat4 e:f16 f:dec128 g:bool");
  for (size_t i = 0; i < PL_ARRAY_LEN(writers); i++) {
    int err = PL_ENOMEM;
    for (uint64_t nth = 1; err; nth++) {
      struct pl_buf out = {0};
      pl_mem_fail_nth(nth);
      err = writers[i](&out, layout);
      pl_mem_fail_nth(0);
      assert_true(err == 0 || err == PL_ENOMEM);
      if (!err) assert_true(nth > 2);
      pl_buf_deinit(&out);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reserved_words_get_a_bar_and_stay_apart),
      cmocka_unit_test(types_come_once_and_in_order),
      cmocka_unit_test(order_is_by_offset),
      cmocka_unit_test(text_is_as_long_as_it_must),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make_layouts, free_layouts);
}
