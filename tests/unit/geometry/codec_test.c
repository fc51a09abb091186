// Scalars in and out of packed bytes: what fits, what is refused and in which words; structs
// compared.
#include "geometry/codec.h"

#include "base/error.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { I8 = PL_SCALAR_I8, I16, I32, I64, U8, U16, U32, U64, F16, F32, F64, DEC128 };

static struct pl_value integer(int64_t value) {
  return (struct pl_value){.kind = PL_VALUE_INTEGER, .integer = value};
}

static struct pl_value number(double value) {
  return (struct pl_value){.kind = PL_VALUE_NUMBER, .number = value};
}

static struct pl_value boolean(bool value) {
  return (struct pl_value){.kind = PL_VALUE_BOOL, .boolean = value};
}

static struct pl_value text(const char *value) {
  return (struct pl_value){.kind = PL_VALUE_TEXT, .text = pl_strv_of(value)};
}

static struct pl_value decimal(const char *value) {
  struct pl_value result = {.kind = PL_VALUE_DECIMAL};
  assert_int_equal(pl_decimal128_read(pl_strv_of(value), &result.decimal), 0);
  return result;
}

static const struct pl_layout *scalar(int kind) {
  return pl_layout_scalar((enum pl_scalar)kind);
}

static void stores(int kind, struct pl_value value, struct pl_value wanted) {
  unsigned char bytes[18];
  memset(bytes, 0xee, sizeof bytes);
  assert_int_equal(pl_codec_store(scalar(kind), false, bytes + 1, &value), PL_CODEC_OK);
  assert_int_equal(bytes[0], 0xee);
  assert_int_equal(bytes[1 + pl_scalar_size((enum pl_scalar)kind)], 0xee);
  struct pl_value got = pl_codec_load(scalar(kind), bytes + 1);
  assert_int_equal(got.kind, wanted.kind);
  if (got.kind == PL_VALUE_DECIMAL)
    assert_true(got.decimal.lo == wanted.decimal.lo && got.decimal.hi == wanted.decimal.hi);
  else if (got.kind == PL_VALUE_BOOL)
    assert_int_equal(got.boolean, wanted.boolean);
  else
    assert_memory_equal(&got.integer, &wanted.integer, 8);  // the bits of a number, too
}

static void refuses_finite(int kind, bool is_finite, struct pl_value value,
                           enum pl_codec_problem problem, const char *message) {
  unsigned char bytes[16], before[16];
  char out[256];
  memset(bytes, 0xee, sizeof bytes);
  memcpy(before, bytes, sizeof bytes);
  assert_int_equal(pl_codec_store(scalar(kind), is_finite, bytes, &value), problem);
  assert_memory_equal(bytes, before, sizeof bytes);
  pl_codec_explain(out, sizeof out, problem, PL_STRV("Shot"), PL_STRV("x"), scalar(kind), &value);
  assert_string_equal(out, message);
}

static void refuses(int kind, struct pl_value value, enum pl_codec_problem problem,
                    const char *message) {
  refuses_finite(kind, false, value, problem, message);
}

static void codec_keeps_integers_in_range(void **state) {
  (void)state;
  static const struct {
    int kind;
    int64_t least, most;
  } rows[] = {{I8, INT8_MIN, INT8_MAX},    {I16, INT16_MIN, INT16_MAX}, {I32, INT32_MIN, INT32_MAX},
              {I64, INT64_MIN, INT64_MAX}, {U8, 0, UINT8_MAX},          {U16, 0, UINT16_MAX},
              {U32, 0, UINT32_MAX},        {U64, INT64_MIN, INT64_MAX}};
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    char bytes[8];
    stores(rows[i].kind, integer(rows[i].least), integer(rows[i].least));
    stores(rows[i].kind, integer(rows[i].most), integer(rows[i].most));
    stores(rows[i].kind, integer(1), integer(1));
    if (pl_scalar_size((enum pl_scalar)rows[i].kind) == 8) continue;
    struct pl_value below = integer(rows[i].least - 1), above = integer(rows[i].most + 1);
    assert_int_equal(pl_codec_store(scalar(rows[i].kind), false, bytes, &below), PL_CODEC_RANGE);
    assert_int_equal(pl_codec_store(scalar(rows[i].kind), false, bytes, &above), PL_CODEC_RANGE);
  }
  refuses(U32, integer(-1), PL_CODEC_RANGE, "Shot.x: -1 is out of range for u32: 0 to 4294967295");
  refuses(I8, integer(INT64_MIN), PL_CODEC_RANGE,
          "Shot.x: -9223372036854775808 is out of range for i8: -128 to 127");
}

static void codec_takes_floats_that_are_integers(void **state) {
  (void)state;
  stores(U8, number(255.0), integer(255));
  stores(I8, number(-0.0), integer(0));
  stores(I64, number(-0x1p63), integer(INT64_MIN));
  stores(U64, number(0x1p63), integer(INT64_MIN));
  stores(U64, number(0x1p64 - 2048), integer(-2048));
  refuses(U8, number(1.5), PL_CODEC_FRACTION, "Shot.x: 1.5 is no integer, which u8 is: 0 to 255");
  refuses(U8, number(NAN), PL_CODEC_FRACTION, "Shot.x: nan is no integer, which u8 is: 0 to 255");
  refuses(I64, number(-HUGE_VAL), PL_CODEC_FRACTION,
          "Shot.x: -inf is no integer, which i64 is: -9223372036854775808 to 9223372036854775807");
  refuses(U8, number(256.0), PL_CODEC_RANGE, "Shot.x: 256.0 is out of range for u8: 0 to 255");
  refuses(I64, number(0x1p63), PL_CODEC_RANGE,
          "Shot.x: 9.223372036854776e18 is out of range for i64: -9223372036854775808 to "
          "9223372036854775807");
  refuses(U64, number(0x1p64), PL_CODEC_RANGE,
          "Shot.x: 1.8446744073709552e19 is out of range for u64: 0 to 18446744073709551615");
  refuses(U64, number(-1.0), PL_CODEC_RANGE,
          "Shot.x: -1.0 is out of range for u64: 0 to 18446744073709551615");
}

static void codec_takes_decimal_text_for_64_bits(void **state) {
  (void)state;
  stores(U64, text("18446744073709551615"), integer(-1));
  stores(U64, text("-0"), integer(0));
  stores(I64, text("-9223372036854775808"), integer(INT64_MIN));
  stores(I64, text("0009223372036854775807"), integer(INT64_MAX));
  refuses(U64, text("18446744073709551616"), PL_CODEC_RANGE,
          "Shot.x: '18446744073709551616' is out of range for u64: 0 to 18446744073709551615");
  refuses(U64, text("-1"), PL_CODEC_RANGE,
          "Shot.x: '-1' is out of range for u64: 0 to 18446744073709551615");
  refuses(I64, text("9223372036854775808"), PL_CODEC_RANGE,
          "Shot.x: '9223372036854775808' is out of range for i64: -9223372036854775808 to "
          "9223372036854775807");
  refuses(I64, text("99999999999999999999999999999999999999999999"), PL_CODEC_RANGE,
          "Shot.x: '9999999999999999999999999999999999999999'... is out of range for i64: "
          "-9223372036854775808 to 9223372036854775807");
  refuses(I64, text(""), PL_CODEC_TEXT, "Shot.x: '' is no number for i64");
  refuses(I64, text("-"), PL_CODEC_TEXT, "Shot.x: '-' is no number for i64");
  refuses(I64, text("1.0"), PL_CODEC_TEXT, "Shot.x: '1.0' is no number for i64");
  refuses(I64, text("1\n"), PL_CODEC_TEXT, "Shot.x: '1?' is no number for i64");
  refuses(U32, text("1"), PL_CODEC_KIND, "Shot.x: '1' is no u32");
  refuses(F64, text("1"), PL_CODEC_KIND, "Shot.x: '1' is no f64");
}

static void codec_refuses_floats_that_would_become_infinite(void **state) {
  (void)state;
  stores(F32, number(FLT_MAX), number(FLT_MAX));
  stores(F32, number(0x1.fffffefffffffp127), number(FLT_MAX));
  stores(F32, number(0.1), number((double)0.1f));
  stores(F32, number(HUGE_VAL), number(HUGE_VAL));
  stores(F32, number(-0.0), number(-0.0));
  stores(F32, number(1e-60), number(0.0));
  stores(F64, number(DBL_MAX), number(DBL_MAX));
  stores(F64, integer(INT64_MAX), number(0x1p63));
  stores(F16, number(65519.0), number(65504.0));
  stores(F16, number(0.1), number(0x1.998p-4));
  refuses(F32, number(0x1.ffffffp127), PL_CODEC_OVERFLOW,
          "Shot.x: 3.4028235677973366e38 is too large for f32: at most 3.4028234663852886e+38");
  refuses(F32, number(-1e300), PL_CODEC_OVERFLOW,
          "Shot.x: -1e300 is too large for f32: at most 3.4028234663852886e+38");
  refuses(F16, number(65520), PL_CODEC_OVERFLOW,
          "Shot.x: 65520.0 is too large for f16: at most 65504");
  refuses(F16, integer(-70000), PL_CODEC_OVERFLOW,
          "Shot.x: -70000 is too large for f16: at most 65504");
  refuses(F64, decimal("1e309"), PL_CODEC_OVERFLOW,
          "Shot.x: 1E+309 is too large for f64: at most 1.7976931348623157e+308");
}

static void codec_keeps_to_finite_where_told(void **state) {
  (void)state;
  static const int kinds[] = {F16, F32, F64, DEC128};
  for (size_t i = 0; i < PL_ARRAY_LEN(kinds); i++) {
    char message[128];
    const char *name = scalar(kinds[i])->name.data;
    snprintf(message, sizeof message, "Shot.x: nan is not finite, which this %s has to be", name);
    refuses_finite(kinds[i], true, number(NAN), PL_CODEC_NOT_FINITE, message);
    snprintf(message, sizeof message, "Shot.x: -inf is not finite, which this %s has to be", name);
    refuses_finite(kinds[i], true, number(-HUGE_VAL), PL_CODEC_NOT_FINITE, message);
    char bytes[16];
    struct pl_value nan = number(NAN), one = number(1);
    assert_int_equal(pl_codec_store(scalar(kinds[i]), false, bytes, &nan), PL_CODEC_OK);
    assert_int_equal(pl_codec_store(scalar(kinds[i]), true, bytes, &one), PL_CODEC_OK);
  }
}

static void codec_takes_decimals_everywhere(void **state) {
  (void)state;
  stores(DEC128, integer(INT64_MIN), decimal("-9223372036854775808"));
  stores(DEC128, number(0.1), decimal("0.1"));
  stores(DEC128, text("1.10"), decimal("1.10"));
  stores(DEC128, decimal("1.10"), decimal("1.10"));
  stores(F64, decimal("0.1"), number(0.1));
  stores(F32, decimal("0.5"), number(0.5));
  stores(U8, decimal("200.0"), integer(200));
  stores(U64, decimal("18446744073709551615"), integer(-1));
  refuses(U8, decimal("1.5"), PL_CODEC_FRACTION,
          "Shot.x: 1.5 is no integer, which u8 is: 0 to 255");
  refuses(U8, decimal("256"), PL_CODEC_RANGE, "Shot.x: 256 is out of range for u8: 0 to 255");
  refuses(I64, decimal("1e30"), PL_CODEC_RANGE,
          "Shot.x: 1E+30 is out of range for i64: -9223372036854775808 to 9223372036854775807");
  refuses(DEC128, text("1.1.1"), PL_CODEC_TEXT, "Shot.x: '1.1.1' is no number for dec128");
  refuses(DEC128, text("12345678901234567890123456789012345"), PL_CODEC_DIGITS,
          "Shot.x: '12345678901234567890123456789012345' has more than the 34 digits, or a larger "
          "exponent, than dec128 has");
  refuses(DEC128, boolean(true), PL_CODEC_KIND, "Shot.x: true is no dec128");
}

static void codec_keeps_bools_apart(void **state) {
  (void)state;
  stores(PL_SCALAR_BOOL, boolean(true), boolean(true));
  stores(PL_SCALAR_BOOL, boolean(false), boolean(false));
  refuses(PL_SCALAR_BOOL, integer(1), PL_CODEC_KIND, "Shot.x: 1 is no bool");
  refuses(U8, boolean(true), PL_CODEC_KIND, "Shot.x: true is no u8");
  refuses(F64, boolean(false), PL_CODEC_KIND, "Shot.x: false is no f64");
  assert_true(pl_codec_load(scalar(PL_SCALAR_BOOL), "\x80").boolean);
}

static const struct pl_enum_member MEMBERS[] = {{PL_STRV("A"), 1}};
static const struct pl_layout KIND = {.name = PL_STRV("Kind"),
                                      .kind = PL_LAYOUT_ENUM,
                                      .scalar = PL_SCALAR_I8,
                                      .size = 1,
                                      .members = MEMBERS,
                                      .member_count = 1};

static void codec_keeps_unknown_enum_values(void **state) {
  (void)state;
  struct pl_value value = integer(-77), large = integer(200);
  signed char byte = 0;
  assert_int_equal(pl_codec_store(&KIND, false, &byte, &value), PL_CODEC_OK);
  assert_int_equal(byte, -77);
  assert_int_equal(pl_codec_load(&KIND, &byte).integer, -77);
  assert_int_equal(pl_codec_store(&KIND, false, &byte, &large), PL_CODEC_RANGE);
  char out[128];
  pl_codec_explain(out, sizeof out, PL_CODEC_RANGE, PL_STRV(""), PL_STRV(""), &KIND, &large);
  assert_string_equal(out, "200 is out of range for Kind: -128 to 127");
  pl_codec_explain(out, 8, PL_CODEC_RANGE, PL_STRV(""), PL_STRV(""), &KIND, &large);
  assert_string_equal(out, "200 is ");
}

// Loading and storing again gives the same bytes: for floats NaN payloads, too.
static void codec_gives_back_the_same_bytes(void **state) {
  (void)state;
  unsigned seed = 3;
  for (int kind = I8; kind <= DEC128; kind++) {
    for (int i = 0; i < 20000; i++) {
      unsigned char bytes[16], again[16] = {0};
      for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (unsigned char)rand_r(&seed);
      if (i % 4 == 0) memset(bytes + 2, i % 8 ? 0xff : 0x7f, 14);
      if (i % 16 == 0) bytes[2] = 0xbf;
      struct pl_value value = pl_codec_load(scalar(kind), bytes);
      assert_int_equal(pl_codec_store(scalar(kind), false, again, &value), PL_CODEC_OK);
      assert_memory_equal(bytes, again, pl_scalar_size((enum pl_scalar)kind));
    }
  }
  unsigned char nan[4] = {1, 0, 0x80, 0x7f}, again[4];  // a signalling one
  struct pl_value value = pl_codec_load(scalar(F32), nan);
  assert_int_equal(pl_codec_store(scalar(F32), false, again, &value), PL_CODEC_OK);
  assert_memory_equal(nan, again, 4);
  // A NaN of which only bits remain that f32 has not: it must not become infinite.
  uint64_t bits = UINT64_C(0x7ff0000000000001);
  value = number(0);
  memcpy(&value.number, &bits, 8);
  assert_int_equal(pl_codec_store(scalar(F32), false, again, &value), PL_CODEC_OK);
  assert_true(isnan(pl_codec_load(scalar(F32), again).number));
}

// A struct of every kind, and of an array and a nested one, with a gap.
static const struct pl_layout *define_mixed(struct pl_layouts *layouts) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  const struct pl_layout *layout = NULL;
  struct pl_struct_spec spec = {
      .name = PL_STRV("Mixed"),
      .schema = PL_STRV("f:f32@1 h:f16 d:f64 i:i32 u:u64 m:dec128 b:bool v:vec3[2] c:color8"),
      .align = 1};
  assert_int_equal(pl_layouts_define(layouts, &spec, NULL, &layout, problem), 0);
  return layout;
}

static void put(const struct pl_layout *layout, char *bytes, const char *field, size_t more,
                struct pl_value value) {
  const struct pl_field *found = pl_layout_field(layout, pl_strv_of(field));
  const struct pl_layout *type = found->type;
  if (type->kind == PL_LAYOUT_STRUCT) type = scalar(type->part);
  assert_int_equal(pl_codec_store(type, false, bytes + found->offset + more, &value), 0);
}

static void codec_compares_components(void **state) {
  (void)state;
  struct pl_layouts *layouts = pl_layouts_new();
  assert_non_null(layouts);
  const struct pl_layout *mixed = define_mixed(layouts);
  char a[128], b[128];
  assert_true(mixed->size <= sizeof a);
#define RESET() (memset(a, 0, sizeof a), memset(b, 0, sizeof b), a[0] = 1)
  RESET();
  assert_true(pl_codec_same_values(mixed, a, b));  // the gap does not count
  static const struct {
    const char *field;
    size_t more;
  } floats[] = {{"f", 0}, {"h", 0}, {"d", 0}, {"v", 20}};
  for (size_t i = 0; i < PL_ARRAY_LEN(floats); i++) {
    RESET();
    put(mixed, a, floats[i].field, floats[i].more, number(-0.0));
    assert_true(pl_codec_same_values(mixed, a, b));
    put(mixed, b, floats[i].field, floats[i].more, number(0.25));
    assert_false(pl_codec_same_values(mixed, a, b));
    assert_true(pl_codec_near(mixed, a, b, 0.25));
    assert_false(pl_codec_near(mixed, a, b, 0.2499));
    assert_false(pl_codec_near(mixed, a, b, -1));
    assert_false(pl_codec_near(mixed, a, b, NAN));
    put(mixed, a, floats[i].field, floats[i].more, number(HUGE_VAL));
    assert_false(pl_codec_near(mixed, a, b, 1e9));
    put(mixed, b, floats[i].field, floats[i].more, number(HUGE_VAL));
    assert_true(pl_codec_near(mixed, a, b, 0));
    assert_false(pl_codec_has_nan(mixed, a));
    put(mixed, a, floats[i].field, floats[i].more, number(NAN));
    assert_true(pl_codec_has_nan(mixed, a));
    memcpy(b, a, sizeof a);
    assert_false(pl_codec_same_values(mixed, a, b));
    assert_false(pl_codec_near(mixed, a, b, 1e300));
  }
  RESET();
  put(mixed, a, "m", 0, decimal("1.10"));
  put(mixed, b, "m", 0, decimal("1.1"));
  assert_true(pl_codec_same_values(mixed, a, b));
  put(mixed, b, "m", 0, decimal("1.2"));
  assert_false(pl_codec_same_values(mixed, a, b));
  assert_true(pl_codec_near(mixed, a, b, 0.1));
  put(mixed, b, "m", 0, decimal("nan"));
  assert_true(pl_codec_has_nan(mixed, b));
  RESET();
  put(mixed, a, "u", 0, integer(-1));
  assert_false(pl_codec_near(mixed, a, b, 1));  // 2^64 - 1 and 0
  put(mixed, b, "u", 0, integer(-3));
  assert_true(pl_codec_near(mixed, a, b, 2));
  RESET();
  put(mixed, a, "i", 0, integer(INT32_MAX));
  put(mixed, b, "i", 0, integer(INT32_MIN));
  assert_false(pl_codec_near(mixed, a, b, 4294967294.0));
  assert_true(pl_codec_near(mixed, a, b, 4294967295.0));
  RESET();
  a[pl_layout_field(mixed, PL_STRV("b"))->offset] = 1;
  assert_false(pl_codec_near(mixed, a, b, 5));
  b[pl_layout_field(mixed, PL_STRV("b"))->offset] = 2;  // true is true
  assert_true(pl_codec_same_values(mixed, a, b));
  RESET();
  put(mixed, a, "c", 3, integer(9));
  assert_false(pl_codec_same_values(mixed, a, b));
  assert_false(pl_codec_has_nan(mixed, a));
#undef RESET
  const struct pl_layout *halves = NULL;
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_struct_spec spec = {.name = PL_STRV("H"), .schema = PL_STRV("h:f16[2]"), .align = 1};
  assert_int_equal(pl_layouts_define(layouts, &spec, NULL, &halves, problem), 0);
  assert_true(pl_codec_has_nan(halves, "\x00\x3c\x00\x7e"));
  assert_false(pl_codec_has_nan(halves, "\x00\x3c\x00\x7c"));
  pl_layouts_free(layouts);
}

// D6: every offset; UBSan and ASan watch.
static void codec_works_at_any_alignment(void **state) {
  (void)state;
  for (int kind = PL_SCALAR_BOOL; kind <= DEC128; kind++) {
    for (size_t offset = 0; offset < 64; offset++) {
      unsigned size = pl_scalar_size((enum pl_scalar)kind);
      char *bytes = test_malloc(offset + size);  // not a byte more
      struct pl_value value = kind == PL_SCALAR_BOOL ? boolean(true) : integer(100);
      assert_int_equal(pl_codec_store(scalar(kind), false, bytes + offset, &value), PL_CODEC_OK);
      assert_true(pl_codec_same_values(scalar(kind), bytes + offset, bytes + offset));
      assert_false(pl_codec_has_nan(scalar(kind), bytes + offset));
      test_free(bytes);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(codec_keeps_integers_in_range),
      cmocka_unit_test(codec_takes_floats_that_are_integers),
      cmocka_unit_test(codec_takes_decimal_text_for_64_bits),
      cmocka_unit_test(codec_refuses_floats_that_would_become_infinite),
      cmocka_unit_test(codec_keeps_to_finite_where_told),
      cmocka_unit_test(codec_takes_decimals_everywhere),
      cmocka_unit_test(codec_keeps_bools_apart),
      cmocka_unit_test(codec_keeps_unknown_enum_values),
      cmocka_unit_test(codec_gives_back_the_same_bytes),
      cmocka_unit_test(codec_compares_components),
      cmocka_unit_test(codec_works_at_any_alignment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
