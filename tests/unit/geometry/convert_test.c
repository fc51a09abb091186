// Structs as other structs of the same fields.
#include "geometry/convert.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct pl_layouts *layouts;
static const struct pl_layout *known[16];
static size_t known_count;
static char problem[PL_LAYOUT_PROBLEM_MAX];

static const struct pl_layout *find_known(void *ctx, struct pl_strv name) {
  (void)ctx;
  for (size_t i = known_count; i-- > 0;)
    if (pl_strv_eq(known[i]->name, name)) return known[i];
  return NULL;
}

static const struct pl_layout *define(const char *name, const char *schema) {
  static const struct pl_layout_scope scope = {find_known, NULL};
  struct pl_struct_spec spec = {.name = pl_strv_of(name), .schema = pl_strv_of(schema), .align = 1};
  const struct pl_layout *layout = NULL;
  assert_int_equal(pl_layouts_define(layouts, &spec, &scope, &layout, problem), 0);
  known[known_count++] = layout;
  return layout;
}

static int setup(void **state) {
  (void)state;
  known_count = 0;
  layouts = pl_layouts_new();
  return layouts ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  pl_layouts_free(layouts);
  return 0;
}

static struct pl_convert *plan_for(const struct pl_layout *to, const struct pl_layout *from) {
  struct pl_convert *plan = NULL;
  int err = pl_convert_new(to, from, &plan, problem);
  if (err) print_error("%s\n", problem);
  assert_int_equal(err, 0);
  return plan;
}

static void convert_reorders_and_widens(void **state) {
  (void)state;
  const struct pl_layout *from = define("Shot", "t:f32 prim:u8 n:vec3 tag:u8[3] ok:bool");
  const struct pl_layout *to = define("Wide", "ok:bool tag:u32[3] n:dvec3 prim:i64 t:f64");
  struct pl_convert *plan = plan_for(to, from);
  assert_false(pl_convert_is_copy(plan));
  char in[32] = {0}, out[64] = {0};
  float t = 1.5f, n[3] = {1, -2, 3};
  memcpy(in, &t, 4);
  in[4] = (char)200;
  memcpy(in + 5, n, 12);
  memcpy(in + 17, "\x01\x02\xff\x01", 4);
  struct pl_convert_failure failure;
  assert_int_equal(pl_convert_run(plan, out, in, &failure), 0);
  uint32_t tag[3];
  double wide[3], wide_t;
  int64_t prim;
  memcpy(tag, out + 1, 12);
  memcpy(wide, out + 13, 24);
  memcpy(&prim, out + 37, 8);
  memcpy(&wide_t, out + 45, 8);
  assert_int_equal(out[0], 1);
  assert_int_equal(tag[2], 255);
  assert_true(wide[0] == 1 && wide[1] == -2 && wide[2] == 3);
  assert_int_equal(prim, 200);
  assert_true(wide_t == 1.5);
  pl_convert_unref(plan);

  plan = plan_for(from, to);  // and back
  char again[32] = {0};
  assert_int_equal(pl_convert_run(plan, again, out, &failure), 0);
  assert_memory_equal(again, in, from->size);
  pl_convert_unref(plan);
}

static void convert_names_the_field_that_does_not_fit(void **state) {
  (void)state;
  const struct pl_layout *from_inner = define("In", "k:i32[2]");
  const struct pl_layout *from = define("From", "a:In[2] b:f64");
  const struct pl_layout *to_inner = define("Out", "k:u8[2]");
  const struct pl_layout *to = define("To", "a:Out[2] b:f32(finite)");
  (void)from_inner, (void)to_inner;
  struct pl_convert *plan = plan_for(to, from);
  struct pl_convert_failure failure;
  char in[24] = {0}, out[8], text[128];
  int32_t bad = 256;
  memcpy(in + 12, &bad, 4);
  assert_int_equal(pl_convert_run(plan, out, in, &failure), PL_EINVAL);
  pl_codec_explain(text, sizeof text, failure.problem, failure.owner, failure.field, failure.type,
                   &failure.value);
  assert_string_equal(text, "Out.k: 256 is out of range for u8: 0 to 255");
  double nan = NAN;
  memset(in, 0, sizeof in);
  memcpy(in + 16, &nan, 8);
  assert_int_equal(pl_convert_run(plan, out, in, &failure), PL_EINVAL);
  pl_codec_explain(text, sizeof text, failure.problem, failure.owner, failure.field, failure.type,
                   &failure.value);
  assert_string_equal(text, "To.b: nan is not finite, which this f32 has to be");
  pl_convert_unref(plan);
}

static void convert_takes_64_bits_as_numbers(void **state) {
  (void)state;
  struct pl_convert_failure failure;
  int64_t minus = -1, out = 0;
  double number = 0;
  struct pl_convert *plan =
      plan_for(pl_layout_scalar(PL_SCALAR_F64), pl_layout_scalar(PL_SCALAR_U64));
  assert_int_equal(pl_convert_run(plan, &number, &minus, &failure), 0);
  assert_true(number == 0x1p64);
  pl_convert_unref(plan);
  plan = plan_for(pl_layout_scalar(PL_SCALAR_I64), pl_layout_scalar(PL_SCALAR_U64));
  assert_int_equal(pl_convert_run(plan, &out, &minus, &failure), PL_EINVAL);
  assert_int_equal(failure.problem, PL_CODEC_RANGE);
  pl_convert_unref(plan);
  plan = plan_for(pl_layout_scalar(PL_SCALAR_U64), pl_layout_scalar(PL_SCALAR_I64));
  assert_int_equal(pl_convert_run(plan, &out, &minus, &failure), PL_EINVAL);
  char text[128];
  pl_codec_explain(text, sizeof text, failure.problem, failure.owner, failure.field, failure.type,
                   &failure.value);
  assert_string_equal(text, "-1 is out of range for u64: 0 to 18446744073709551615");
  pl_convert_unref(plan);
  plan = plan_for(pl_layout_scalar(PL_SCALAR_U64), pl_layout_scalar(PL_SCALAR_U64));
  assert_true(pl_convert_is_copy(plan));
  assert_int_equal(pl_convert_run(plan, &out, &minus, &failure), 0);
  assert_int_equal(out, -1);
  pl_convert_unref(plan);
}

static void convert_knows_when_it_is_a_copy(void **state) {
  (void)state;
  const struct pl_layout *a = define("A", "x:f32 y:f32 n:vec3");
  const struct pl_layout *b = define("B", "x:f32 y:f32 n:vec3");
  const struct pl_layout *gap = define("C", "x:f32 y:f32 n:vec3 size=24");
  const struct pl_layout *swapped = define("D", "y:f32 x:f32 n:vec3");
  const struct pl_layout *finite = define("E", "x:f32(finite) y:f32 n:vec3");
  struct {
    const struct pl_layout *to, *from;
    bool is_copy;
  } rows[] = {{b, a, true}, {a, a, true}, {gap, a, false}, {swapped, a, false}, {finite, a, false}};
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    struct pl_convert *plan = plan_for(rows[i].to, rows[i].from);
    assert_int_equal(pl_convert_is_copy(plan), rows[i].is_copy);
    pl_convert_unref(plan);
  }
  struct pl_convert *plan = plan_for(gap, a);
  struct pl_convert_failure failure;
  char in[20], out[24];
  memset(in, 7, sizeof in);
  memset(out, 9, sizeof out);
  assert_int_equal(pl_convert_run(plan, out, in, &failure), 0);
  assert_memory_equal(out, in, 20);
  assert_int_equal(out[20], 9);
  pl_convert_unref(plan);
}

static void convert_refuses_other_fields(void **state) {
  (void)state;
  const struct pl_layout *from = define("From", "a:u8 v:vec3 t:u8[2]");
  static const char *const rows[][2] = {
      {"a:u8 v:vec3", "From has the field 't', To has not"},
      {"a:u8 v:vec3 t:u8[2] z:u8", "To.z: From has no such field"},
      {"a:u8 v:vec3 t:u8[3]", "To.t: From has an array of another length there (2, not 3)"},
      {"a:u8 v:vec3 t:u8", "To.t: From has an array of another length there (2, not 0)"},
      {"a:bool v:vec3 t:u8[2]", "To.a: u8 does not become bool"},
      {"a:u8 v:f32 t:u8[2]", "To.v: vec3 does not become f32"},
      {"a:u8 v:vec2 t:u8[2]", "To.v: vec3 has the field 'z', vec2 has not"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    struct pl_convert *plan = NULL;
    const struct pl_layout *to = define("To", rows[i][0]);
    assert_int_equal(pl_convert_new(to, from, &plan, problem), PL_EINVAL);
    assert_string_equal(problem, rows[i][1]);
    assert_null(plan);
  }
}

static void convert_survives_each_allocation_that_fails(void **state) {
  (void)state;
  const struct pl_layout *from = define("From", "a:u8 v:vec3 t:u8[2]");
  const struct pl_layout *to = define("To", "t:u16[2] v:vec3 a:u8");
  int64_t before = pl_mem_stats().bytes;
  uint64_t nth = 1;
  for (int err = PL_ENOMEM; err; nth++) {
    struct pl_convert *plan = NULL;
    assert_true(nth < 10);
    pl_mem_fail_nth(nth);
    err = pl_convert_new(to, from, &plan, problem);
    pl_mem_fail_nth(0);
    assert_true(err == 0 || err == PL_ENOMEM);
    pl_convert_unref(plan);
    assert_int_equal(pl_mem_stats().bytes, before);
  }
  assert_true(nth > 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(convert_reorders_and_widens),      TEST(convert_names_the_field_that_does_not_fit),
      TEST(convert_takes_64_bits_as_numbers), TEST(convert_knows_when_it_is_a_copy),
      TEST(convert_refuses_other_fields),     TEST(convert_survives_each_allocation_that_fails),
  };
#undef TEST
  return cmocka_run_group_tests(tests, NULL, NULL);
}
