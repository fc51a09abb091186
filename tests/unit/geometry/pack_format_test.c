// string.pack formats as definitions: each code, taken or refused.
#include "geometry/pack_format.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct pl_schema schema;
static char problem[PL_SCHEMA_PROBLEM_MAX];

static int parse(const char *text) {
  return pl_pack_format_parse(pl_strv_of(text), &schema, problem);
}

static void pack_format_takes_what_has_a_size(void **state) {
  (void)state;
  static const char *const types[] = {"i8",  "u8",  "f32", "f64", "i8",  "i16",
                                      "i32", "i64", "u8",  "u16", "u32", "u64"};
  assert_int_equal(parse("<bB fd< i1i2i4i8 I1I2I4I8"), 0);
  assert_int_equal(schema.count, PL_ARRAY_LEN(types));
  for (size_t i = 0; i < schema.count; i++) {
    assert_true(pl_strv_eq(schema.fields[i].type.name, pl_strv_of(types[i])));
    assert_int_equal(schema.fields[i].type.count, 0);
    assert_int_equal(schema.fields[i].name.len, 0);
  }
  assert_int_equal(schema.fields[1].column, 3);
}

static void pack_format_takes_padding_and_bytes(void **state) {
  (void)state;
  assert_int_equal(parse("<bxxc16xI4xxx"), 0);
  assert_int_equal(schema.count, 3);
  assert_int_equal(schema.fields[1].skip, 2);
  assert_int_equal(schema.fields[1].type.count, 16);
  assert_int_equal(schema.fields[2].skip, 1);
  assert_int_equal(schema.tail, 3);
}

static void pack_format_refuses_what_has_none(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {"<fh", "'h' has the size of this machine's short: write i2, column 3"},
      {"<H", "'H' has the size of this machine's short: write I2, column 2"},
      {"<l", "'l' has the size of this machine's long: write i8, column 2"},
      {"<L", "'L' has the size of this machine's long: write I8, column 2"},
      {"<j", "'j' has the size of this machine's Lua integer: write i8, column 2"},
      {"<J", "'J' has the size of this machine's Lua integer: write I8, column 2"},
      {"<T", "'T' has the size of this machine's size_t: write I8, column 2"},
      {"<n", "'n' has the size of this machine's Lua number: write d, column 2"},
      {"<s4", "'s' has no fixed size, column 2"},
      {"<z", "'z' has no fixed size, column 2"},
      {"<!4f", "'!' aligns, which a struct does with align= or @offset, column 2"},
      {"<Xi4", "'X' aligns, which a struct does with align= or @offset, column 2"},
      {">f", "'>' is big-endian; structs are little-endian: write <, column 1"},
      {"<f>f", "'>' is big-endian; structs are little-endian: write <, column 3"},
      {"=f",
       "'=' has the byte order of this machine; structs are little-endian: write <, column 1"},
      {"<i", "'i' needs a size: 1, 2, 4 or 8, column 2"},
      {"<I3", "'I' has a size of 1, 2, 4 or 8, column 2"},
      {"<i16", "'i' has a size of 1, 2, 4 or 8, column 2"},
      {"<I99999999999999999999999", "'I' has a size of 1, 2, 4 or 8, column 2"},
      {"<c", "'c' needs a length from 1 to 65536, column 2"},
      {"<c0", "'c' needs a length from 1 to 65536, column 2"},
      {"<c65537", "'c' needs a length from 1 to 65536, column 2"},
      {"<q", "'q' is no format of string.pack, column 2"},
      {"<f4", "'4' is no format of string.pack, column 3"},
      {"<\n", "the byte 0x0a is no format of string.pack, column 2"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    assert_int_equal(parse(bad[i][0]), PL_ESYNTAX);
    assert_string_equal(problem, bad[i][1]);
  }
}

static void pack_format_has_the_limits_of_structs(void **state) {
  (void)state;
  char text[300] = "<";
  memset(text + 1, 'b', 256);
  assert_int_equal(parse(text), 0);
  text[257] = 'b';
  assert_int_equal(parse(text), PL_ELIMIT);
  assert_string_equal(problem, "'b' is one field too many: a struct has at most 256, column 258");
  static char padding[65540];
  memset(padding, 'x', sizeof padding - 1);
  padding[0] = '<';
  assert_int_equal(parse(padding), PL_ELIMIT);
  assert_string_equal(problem, "'x' is more padding than a struct may have bytes, column 65538");
}

static void pack_format_is_known_by_its_first_letter(void **state) {
  (void)state;
  assert_true(pl_pack_format_is(PL_STRV("<f")));
  assert_true(pl_pack_format_is(PL_STRV(">f")));
  assert_true(pl_pack_format_is(PL_STRV("=f")));
  assert_true(pl_pack_format_is(PL_STRV("!f")));
  assert_false(pl_pack_format_is(PL_STRV("x:f32")));
  assert_false(pl_pack_format_is(PL_STRV("")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pack_format_takes_what_has_a_size),
      cmocka_unit_test(pack_format_takes_padding_and_bytes),
      cmocka_unit_test(pack_format_refuses_what_has_none),
      cmocka_unit_test(pack_format_has_the_limits_of_structs),
      cmocka_unit_test(pack_format_is_known_by_its_first_letter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
