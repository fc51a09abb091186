// Schema text: what is read, and what is said about the rest.
#include "geometry/schema.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct pl_schema schema;
static char problem[PL_SCHEMA_PROBLEM_MAX];

static void read_text(const char *text) {
  int err = pl_schema_parse(pl_strv_of(text), &schema, problem);
  if (err) print_error("%s\n", problem);
  assert_int_equal(err, 0);
}

static void assert_name(struct pl_strv name, const char *wanted) {
  assert_true(pl_strv_eq(name, pl_strv_of(wanted)));
}

static void schema_reads_names_types_and_offsets(void **state) {
  (void)state;
  read_text("\n t:f32  tag:u8[8]\t_x9:Kind@32\r\ny:f32(finite)[3] z:f32[2](finite)@0 ");
  assert_int_equal(schema.count, 5);
  assert_name(schema.fields[0].name, "t");
  assert_name(schema.fields[0].type.name, "f32");
  assert_int_equal(schema.fields[0].type.count, 0);
  assert_int_equal(schema.fields[0].offset, -1);
  assert_int_equal(schema.fields[0].column, 5);
  assert_int_equal(schema.fields[1].type.count, 8);
  assert_name(schema.fields[2].name, "_x9");
  assert_int_equal(schema.fields[2].offset, 32);
  assert_true(schema.fields[3].type.is_finite && schema.fields[3].type.count == 3);
  assert_true(schema.fields[4].type.is_finite && schema.fields[4].type.count == 2);
  assert_int_equal(schema.fields[4].offset, 0);
  assert_int_equal(schema.align, PL_SCHEMA_ALIGN_UNSAID);
  assert_int_equal(schema.size, 0);
}

static void schema_reads_align_and_size(void **state) {
  (void)state;
  static const char *const words[] = {"natural", "1", "4", "8", "16"};
  static const int values[] = {0, 1, 4, 8, 16};
  for (size_t i = 0; i < PL_ARRAY_LEN(words); i++) {
    char text[64];
    snprintf(text, sizeof text, "a:u8 align=%s size=%zu", words[i], 16 + i);
    read_text(text);
    assert_int_equal(schema.align, values[i]);
    assert_int_equal(schema.size, 16 + i);
    assert_int_equal(schema.count, 1);
  }
  read_text("align:u8 size:u8");  // fields may be named so
  assert_int_equal(schema.count, 2);
  read_text("");
  assert_int_equal(schema.count, 0);
}

static void schema_says_what_is_wrong_and_where(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int code;
    const char *problem;
  } bad[] = {
      {"t", PL_ESYNTAX, "'t' has no type: write name:type, column 1"},
      {"a:u8 t :f32", PL_ESYNTAX, "'t' has no type: write name:type, column 6"},
      {"t:", PL_ESYNTAX, "a type is missing at the end, column 3"},
      {"t: f32", PL_ESYNTAX, "a type was expected, not the byte 0x20, column 3"},
      {"t:9", PL_ESYNTAX, "a type was expected, not '9', column 3"},
      {"9:u8", PL_ESYNTAX, "a field's name was expected, not '9', column 1"},
      {"a:u8 \xc3\xa4:u8", PL_ESYNTAX, "a field's name was expected, not the byte 0xc3, column 6"},
      {"a:u8,b:u8", PL_ESYNTAX, "white space was expected behind the field 'a', column 5"},
      {"a:u8[", PL_ESYNTAX, "an array's length is a number, column 6"},
      {"a:u8[0]", PL_ELIMIT, "an array's length is from 1 to 65536, column 6"},
      {"a:u8[65537]", PL_ELIMIT, "an array's length is from 1 to 65536, column 6"},
      {"a:u8[99999999999999999999]", PL_ELIMIT, "an array's length is from 1 to 65536, column 6"},
      {"a:u8[-1]", PL_ESYNTAX, "an array's length is a number, column 6"},
      {"a:u8[8", PL_ESYNTAX, "']' is missing behind an array's length, column 7"},
      {"a:u8[8][2]", PL_ESYNTAX, "an array has one length, column 8"},
      {"a:u8(big)", PL_ESYNTAX, "behind a type only '(finite)' may stand in brackets, column 5"},
      {"a:f32(finite)(finite)", PL_ESYNTAX, "'(finite)' stands twice, column 14"},
      {"a:u8@", PL_ESYNTAX, "an offset is a number, column 6"},
      {"a:u8@-1", PL_ESYNTAX, "an offset is a number, column 6"},
      {"a:u8@70000", PL_ELIMIT, "an offset is from 0 to 65536, column 6"},
      {"a:u8@0x10", PL_ESYNTAX, "white space was expected behind the field 'a', column 7"},
      {"align=3 a:u8", PL_ESYNTAX, "an alignment is natural, 1, 4, 8 or 16, column 7"},
      {"align=32 a:u8", PL_ESYNTAX, "an alignment is natural, 1, 4, 8 or 16, column 7"},
      {"align= a:u8", PL_ESYNTAX, "an alignment is a number, column 7"},
      {"align=naturally", PL_ESYNTAX, "white space was expected behind an alignment, column 14"},
      {"align=4 align=4", PL_ESYNTAX, "'align=' stands twice, column 15"},
      {"size=0", PL_ELIMIT, "a size is from 1 to 65536, column 6"},
      {"size=4 size=4", PL_ESYNTAX, "'size=' stands twice, column 13"},
      {"size=4b", PL_ESYNTAX, "white space was expected behind a size, column 7"},
      {"a:b:c", PL_ESYNTAX, "white space was expected behind the field 'a', column 4"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:u8", PL_ELIMIT,
       "a field's name has more than 64 letters, column 1"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    assert_int_equal(pl_schema_parse(pl_strv_of(bad[i].text), &schema, problem), bad[i].code);
    assert_string_equal(problem, bad[i].problem);
  }
  assert_int_equal(pl_schema_parse(pl_strv("a:u8\0b:u8", 9), &schema, problem), PL_ESYNTAX);
  assert_string_equal(problem, "white space was expected behind the field 'a', column 5");
  assert_int_equal(pl_schema_parse(pl_strv("align=4\0", 8), &schema, problem), PL_ESYNTAX);
}

// The bytes behind the text are the reader's business at no place.
static void schema_reads_no_byte_behind_the_text(void **state) {
  (void)state;
  const char *text = "align=natural a:f32[12](finite)@34 size=99";
  for (size_t len = 0; len <= strlen(text); len++) {
    char *copy = test_malloc(len ? len : 1);
    memcpy(copy, text, len);
    int err = pl_schema_parse(pl_strv(copy, len), &schema, problem);
    assert_true(err == 0 || err == PL_ESYNTAX || err == PL_ELIMIT);
    test_free(copy);
  }
}

static void schema_reads_a_type_alone(void **state) {
  (void)state;
  struct pl_schema_type type;
  assert_int_equal(pl_schema_parse_type(PL_STRV("u8[8]"), &type, problem), 0);
  assert_name(type.name, "u8");
  assert_int_equal(type.count, 8);
  static const char *const bad[][2] = {
      {"", "a type is missing at the end, column 1"},
      {"u8@3", "an offset stands beside the type, not in it, column 3"},
      {"u8 ", "something stands behind the type, column 3"},
      {" u8", "a type was expected, not the byte 0x20, column 1"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    assert_int_equal(pl_schema_parse_type(pl_strv_of(bad[i][0]), &type, problem), PL_ESYNTAX);
    assert_string_equal(problem, bad[i][1]);
  }
}

static void schema_knows_names(void **state) {
  (void)state;
  assert_true(pl_schema_is_name(PL_STRV("a")));
  assert_true(pl_schema_is_name(PL_STRV("_A9")));
  assert_false(pl_schema_is_name(PL_STRV("")));
  assert_false(pl_schema_is_name(PL_STRV("9a")));
  assert_false(pl_schema_is_name(PL_STRV("a.b")));
  assert_false(pl_schema_is_name(PL_STRV("a\n")));
  char name[65];
  memset(name, 'n', sizeof name);
  assert_true(pl_schema_is_name(pl_strv(name, 64)));
  assert_false(pl_schema_is_name(pl_strv(name, 65)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(schema_reads_names_types_and_offsets),
      cmocka_unit_test(schema_reads_align_and_size),
      cmocka_unit_test(schema_says_what_is_wrong_and_where),
      cmocka_unit_test(schema_reads_no_byte_behind_the_text),
      cmocka_unit_test(schema_reads_a_type_alone),
      cmocka_unit_test(schema_knows_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
