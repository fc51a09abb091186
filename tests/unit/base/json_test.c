// Most rows are the cases of Nicolas Seriot's JSONTestSuite that a reader of this kind can get
// wrong, written again by hand: each text with its tokens, or with the whole message of its
// refusal.
#include "base/json.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRACE_BYTES = 512 };

static void add(char *trace, const char *text, size_t len) {
  size_t used = strlen(trace);
  assert_true(used + len + 2 < TRACE_BYTES);
  memcpy(trace + used, text, len);
  trace[used + len] = ' ';
  trace[used + len + 1] = '\0';
}

static void add_string(char *trace, const char *kind, struct pl_strv s) {
  char text[TRACE_BYTES];
  size_t len = (size_t)snprintf(text, sizeof text, "%s", kind);
  for (size_t i = 0; i < s.len; i++) text[len++] = s.data[i] ? s.data[i] : '@';
  add(trace, text, len);
}

static void add_token(char *trace, int type, const union pl_json_token *token) {
  static const char *const words[] = {
      [PL_JSON_NULL] = "null",     [PL_JSON_FALSE] = "false", [PL_JSON_TRUE] = "true",
      [PL_JSON_ARRAY_BEGIN] = "[", [PL_JSON_ARRAY_END] = "]", [PL_JSON_OBJECT_BEGIN] = "{",
      [PL_JSON_OBJECT_END] = "}",
  };
  char text[64];
  switch (type) {
  case PL_JSON_INTEGER:
    add(trace, text, (size_t)snprintf(text, sizeof text, "i%lld", (long long)token->integer));
    break;
  case PL_JSON_FLOAT:
    add(trace, text, (size_t)snprintf(text, sizeof text, "f%.17g", token->number));
    break;
  case PL_JSON_STRING:
    add_string(trace, "s", token->string);
    break;
  case PL_JSON_KEY:
    add_string(trace, "k", token->string);
    break;
  default:
    add(trace, words[type], strlen(words[type]));
  }
}

// Reads a copy of the text without a terminator behind it, so that a sanitizer sees a read too far.
// Writes the tokens, or the message of the refusal, to trace. Returns: PL_JSON_END or the error.
static int trace_text(struct pl_strv text, unsigned depth_max, char trace[TRACE_BYTES]) {
  char *copy = malloc(text.len ? text.len : 1);
  assert_non_null(copy);
  if (text.len) memcpy(copy, text.data, text.len);
  struct pl_buf scratch = {0};
  struct pl_json_reader reader;
  union pl_json_token token;
  int type;
  trace[0] = '\0';
  pl_json_reader_init(&reader, pl_strv(copy, text.len), depth_max, &scratch);
  while ((type = pl_json_next(&reader, &token)) > PL_JSON_END) add_token(trace, type, &token);
  if (type == PL_ESYNTAX || type == PL_ELIMIT) {
    char message[PL_JSON_MESSAGE_BYTES];
    pl_json_explain(&reader, message);
    snprintf(trace, TRACE_BYTES, "%s", message);
  }
  pl_buf_deinit(&scratch);
  free(copy);
  return type;
}

struct row {
  struct pl_strv text;
  const char *trace;
};

#define ROW(text, trace) \
  { {"" text, sizeof(text) - 1}, trace }

static void expect_tokens(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char trace[TRACE_BYTES];
    int result = trace_text(rows[i].text, PL_JSON_DEPTH_DEFAULT, trace);
    if (result != PL_JSON_END)
      fail_msg("%.*s: %s", (int)rows[i].text.len, rows[i].text.data, trace);
    assert_string_equal(trace, rows[i].trace);
  }
}

static void expect_refusals(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char trace[TRACE_BYTES];
    int result = trace_text(rows[i].text, PL_JSON_DEPTH_DEFAULT, trace);
    if (result != PL_ESYNTAX) fail_msg("accepted: %.*s", (int)rows[i].text.len, rows[i].text.data);
    assert_string_equal(trace, rows[i].trace);
  }
}

#define TOKENS(rows) expect_tokens(rows, sizeof(rows) / sizeof((rows)[0]))
#define REFUSALS(rows) expect_refusals(rows, sizeof(rows) / sizeof((rows)[0]))

static void reads_structure(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("[]", "[ ] "),
      ROW("{}", "{ } "),
      ROW(" \t\r\n[ \n] ", "[ ] "),
      ROW("[[] ]", "[ [ ] ] "),
      ROW("[null, 1, \"1\", {}]", "[ null i1 s1 { } ] "),
      ROW("[1\n,2]", "[ i1 i2 ] "),
      ROW("{\"a\":[{\"b\":null},true],\"c\":false}", "{ ka [ { kb null } true ] kc false } "),
      ROW("{\"a\":1,\"a\":2}", "{ ka i1 ka i2 } "),
      ROW("{\"\":0}", "{ k i0 } "),
      ROW("{ \"a\" : {} , \"b\" : [] }", "{ ka { } kb [ ] } "),
      ROW("true", "true "),
      ROW("false", "false "),
      ROW("null", "null "),
      ROW("\"\"", "s "),
  };
  TOKENS(rows);
}

static void refuses_broken_structure(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("", "line 1, column 1: expected a value, found the end of the text"),
      ROW(" \n ", "line 2, column 2: expected a value, found the end of the text"),
      ROW("[1,]", "line 1, column 4: expected a value, found ']'"),
      ROW("[,1]", "line 1, column 2: expected a value, found ','"),
      ROW("[1,,2]", "line 1, column 4: expected a value, found ','"),
      ROW("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
      ROW("[1", "line 1, column 3: expected ',' or ']', found the end of the text"),
      ROW("[1}", "line 1, column 3: expected ',' or ']', found '}'"),
      ROW("[", "line 1, column 2: expected a value, found the end of the text"),
      ROW("]", "line 1, column 1: expected a value, found ']'"),
      ROW("[]]", "line 1, column 3: unexpected text behind the value"),
      ROW("[][]", "line 1, column 3: unexpected text behind the value"),
      ROW("1 x", "line 1, column 3: unexpected text behind the value"),
      ROW("[]\0", "line 1, column 3: unexpected text behind the value"),
      ROW("{",
          "line 1, column 2: expected a key in double quotes or '}', found the end of the text"),
      ROW("{a:1}", "line 1, column 2: expected a key in double quotes or '}', found 'a'"),
      ROW("{'a':1}", "line 1, column 2: expected a key in double quotes or '}', found '''"),
      ROW("{1:1}", "line 1, column 2: expected a key in double quotes or '}', found '1'"),
      ROW("{\"a\":1,}", "line 1, column 8: expected a key in double quotes, found '}'"),
      ROW("{\"a\" 1}", "line 1, column 6: expected ':', found '1'"),
      ROW("{\"a\",1}", "line 1, column 5: expected ':', found ','"),
      ROW("{\"a\"", "line 1, column 5: expected ':', found the end of the text"),
      ROW("{\"a\":}", "line 1, column 6: expected a value, found '}'"),
      ROW("{\"a\":1]", "line 1, column 7: expected ',' or '}', found ']'"),
      ROW("{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found '\"'"),
      ROW("{\n  \"a\": [1,\n         2 3]\n}", "line 3, column 12: expected ',' or ']', found '3'"),
      ROW("[\"\xd0\xbc\xd0\xb8\xd1\x80\", x]", "line 1, column 9: expected a value, found 'x'"),
      ROW("tru", "line 1, column 1: expected a value, found 't'"),
      ROW("True", "line 1, column 1: expected a value, found 'T'"),
      ROW("nul", "line 1, column 1: expected a value, found 'n'"),
      ROW("[truth]", "line 1, column 2: expected a value, found 't'"),
      ROW("nulll", "line 1, column 5: unexpected text behind the value"),
      ROW("// x\n1", "line 1, column 1: expected a value, found '/'"),
      ROW("[1] /* x */", "line 1, column 5: unexpected text behind the value"),
      ROW("\f[]", "line 1, column 1: expected a value, found byte 0x0c"),
      ROW("\xc2\xa0[]", "line 1, column 1: expected a value, found byte 0xc2"),
      ROW("\xef\xbb\xbf{}", "line 1, column 1: a byte order mark is not allowed"),
      ROW("[\xef\xbb\xbf]", "line 1, column 2: expected a value, found byte 0xef"),
  };
  REFUSALS(rows);
}

static void reads_numbers_as_integers_or_floats(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("0", "i0 "),
      ROW("-0", "i0 "),
      ROW("-0.0", "f-0 "),
      ROW("-1", "i-1 "),
      ROW("1.0", "f1 "),
      ROW("1e2", "f100 "),
      ROW("1E+2", "f100 "),
      ROW("1.5e-2", "f0.014999999999999999 "),
      ROW("0e1", "f0 "),
      ROW("0e+99999999999999999999", "f0 "),
      ROW("1e-400", "f0 "),
      ROW("1e-99999999999999999999", "f0 "),
      ROW("9223372036854775807", "i9223372036854775807 "),
      ROW("-9223372036854775808", "i-9223372036854775808 "),
      ROW("9223372036854775808", "f9.2233720368547758e+18 "),
      ROW("-9223372036854775809", "f-9.2233720368547758e+18 "),
      ROW("100000000000000000000", "f1e+20 "),
      ROW("123456789012345678901234567890", "f1.2345678901234568e+29 "),
      ROW("0.1", "f0.10000000000000001 "),
      ROW("1.7976931348623157e308", "f1.7976931348623157e+308 "),
      ROW("5e-324", "f4.9406564584124654e-324 "),
      ROW("0.000000000000000000000000000000000000000123", "f1.2300000000000001e-40 "),
      ROW("1.00000000000000000000000000000000000000001", "f1 "),
      ROW("9007199254740993.0000000000000000000000001", "f9007199254740994 "),
      ROW("[123e65,-1]", "[ f1.2300000000000001e+67 i-1 ] "),
  };
  TOKENS(rows);
}

static void refuses_broken_numbers(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("-", "line 1, column 2: expected a digit, found the end of the text"),
      ROW("+1", "line 1, column 1: expected a value, found '+'"),
      ROW(".5", "line 1, column 1: expected a value, found '.'"),
      ROW("1.", "line 1, column 3: expected a digit, found the end of the text"),
      ROW("[1.]", "line 1, column 4: expected a digit, found ']'"),
      ROW("1.e5", "line 1, column 3: expected a digit, found 'e'"),
      ROW("1e", "line 1, column 3: expected a digit, found the end of the text"),
      ROW("1e+", "line 1, column 4: expected a digit, found the end of the text"),
      ROW("1e-x", "line 1, column 4: expected a digit, found 'x'"),
      ROW("--1", "line 1, column 2: expected a digit, found '-'"),
      ROW("-a", "line 1, column 2: expected a digit, found 'a'"),
      ROW("[012]", "line 1, column 2: a number has a leading zero"),
      ROW("-01", "line 1, column 2: a number has a leading zero"),
      ROW("00", "line 1, column 1: a number has a leading zero"),
      ROW("0x1F", "line 1, column 2: unexpected text behind the value"),
      ROW("1_000", "line 1, column 2: unexpected text behind the value"),
      ROW("1.5f", "line 1, column 4: unexpected text behind the value"),
      ROW("[NaN]", "line 1, column 2: NaN and Infinity are not JSON"),
      ROW("[-Infinity]", "line 1, column 2: NaN and Infinity are not JSON"),
      ROW("Infinity", "line 1, column 1: NaN and Infinity are not JSON"),
      ROW("[nan]", "line 1, column 2: expected a value, found 'n'"),
      ROW("[1, 1e400]", "line 1, column 5: the number is too large"),
      ROW("-1e400", "line 1, column 1: the number is too large"),
      ROW("1e99999999999999999999", "line 1, column 1: the number is too large"),
      ROW("1234567890123456789012345e300", "line 1, column 1: the number is too large"),
      ROW("\xef\xbc\x91", "line 1, column 1: expected a value, found byte 0xef"),
  };
  REFUSALS(rows);
}

static void reads_strings(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("\"plain ascii, longer than eight bytes\"", "splain ascii, longer than eight bytes "),
      ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s\"\\/\b\f\n\r\t "),
      ROW("\"a\\nb\\nc\"", "sa\nb\nc "),
      ROW("\"\\u0041\\u00e9\\u20AC\\u20ac\"", "sA\xc3\xa9\xe2\x82\xac\xe2\x82\xac "),
      ROW("\"\\ud834\\uDD1E\"", "s\xf0\x9d\x84\x9e "),
      ROW("\"\\uD800\\uDC00 \\uDBFF\\uDFFF\"", "s\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf "),
      ROW("\"\\u0000x\"", "s@x "),
      ROW("\"\\uFFFE\\uFFFF\"", "s\xef\xbf\xbe\xef\xbf\xbf "),
      ROW("\"\\\\u0041\"", "s\\u0041 "),
      ROW("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\"",
          "s\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf "),
      ROW("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", "s\xf0\x90\x80\x80\xf4\x8f\xbf\xbf "),
      ROW("\"\xe2\x80\xa8\xe2\x80\xa9\x7f\"", "s\xe2\x80\xa8\xe2\x80\xa9\x7f "),
      ROW("{\"k\\ney\":\"v\"}", "{ kk\ney sv } "),
      ROW("[\"\\u0061\",\"plain\",\"\\u0062\"]", "[ sa splain sb ] "),
  };
  TOKENS(rows);
}

static void refuses_broken_strings(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("\"", "line 1, column 2: the string has no end"),
      ROW("\"abc", "line 1, column 5: the string has no end"),
      ROW("[\"a\\", "line 1, column 5: the string has no end"),
      ROW("\"a\\\"", "line 1, column 5: the string has no end"),
      ROW("\"\\x41\"", "line 1, column 2: invalid escape"),
      ROW("\"\\a\"", "line 1, column 2: invalid escape"),
      ROW("\"\\\0\"", "line 1, column 2: invalid escape"),
      ROW("\"\\U0041\"", "line 1, column 2: invalid escape"),
      ROW("\"\\u\"", "line 1, column 2: \\u needs four hexadecimal digits"),
      ROW("\"\\u00A", "line 1, column 2: \\u needs four hexadecimal digits"),
      ROW("\"ab\\u00Ag\"", "line 1, column 4: \\u needs four hexadecimal digits"),
      ROW("\"\\ud800\"", "line 1, column 2: lone surrogate"),
      ROW("\"\\udc00\"", "line 1, column 2: lone surrogate"),
      ROW("\"\\ud800\\ud800\"", "line 1, column 2: lone surrogate"),
      ROW("\"\\ud800\\u0041\"", "line 1, column 2: lone surrogate"),
      ROW("\"\\ud800\\n\"", "line 1, column 2: lone surrogate"),
      ROW("\"\\ud834\\uDd\"", "line 1, column 2: lone surrogate"),
      ROW("\"\\udd1e\\ud834\"", "line 1, column 2: lone surrogate"),
      ROW("\"a\tb\"", "line 1, column 3: a control character must be escaped"),
      ROW("\"a\nb\"", "line 1, column 3: a control character must be escaped"),
      ROW("\"a\0b\"", "line 1, column 3: a control character must be escaped"),
      ROW("\"0123456789abcde\x1f\"", "line 1, column 17: a control character must be escaped"),
      ROW("\"\\n\x01\"", "line 1, column 4: a control character must be escaped"),
      ROW("'a'", "line 1, column 1: expected a value, found '''"),
      ROW("\"\x80\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xff\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xc0\xaf\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xc1\xbf\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xe0\x9f\xbf\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xed\xa0\x80\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xed\xbf\xbf\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xf0\x8f\xbf\xbf\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xf4\x90\x80\x80\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xf5\x80\x80\x80\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xc3\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xe2\x82\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xf0\x9d\x84\"", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xc3", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xe2\x82", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xf0\x9d\x84", "line 1, column 2: invalid UTF-8"),
      ROW("\"\xc3\xa9\xc3\xa9\xff\"", "line 1, column 4: invalid UTF-8"),
      ROW("{\"a\xe9\":1}", "line 1, column 4: invalid UTF-8"),
  };
  REFUSALS(rows);
}

// Each of the eight bytes that are looked at together is looked at.
static void finds_the_end_of_a_string_at_every_offset(void **state) {
  (void)state;
  for (size_t len = 0; len < 40; len++) {
    char text[64], expected[64];
    int size = snprintf(text, sizeof text, "[\"%.*s\"]", (int)len,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    snprintf(expected, sizeof expected, "[ s%.*s ] ", (int)len, text + 2);
    char trace[TRACE_BYTES];
    assert_int_equal(trace_text(pl_strv(text, (size_t)size), 1, trace), PL_JSON_END);
    assert_string_equal(trace, expected);
    text[2 + len] = '\x1f';
    assert_int_equal(trace_text(pl_strv(text, (size_t)size), 1, trace), PL_ESYNTAX);
  }
}

static void counts_depth_up_to_the_limit(void **state) {
  (void)state;
  char trace[TRACE_BYTES];
  assert_int_equal(trace_text(PL_STRV("[{\"a\":[]},[[]]]"), 3, trace), PL_JSON_END);
  assert_int_equal(trace_text(PL_STRV("[{\"a\":\n[]}]"), 2, trace), PL_ELIMIT);
  assert_string_equal(trace, "line 2, column 1: nested deeper than 2 levels");
  assert_int_equal(trace_text(PL_STRV("1"), 0, trace), PL_JSON_END);
  assert_int_equal(trace_text(PL_STRV("[]"), 0, trace), PL_ELIMIT);
}

static void a_nesting_bomb_ends_at_the_largest_limit(void **state) {
  (void)state;
  enum { BOMB = 100000 };
  char *text = malloc(2 * BOMB);
  assert_non_null(text);
  struct pl_buf scratch = {0};
  struct pl_json_reader reader;
  union pl_json_token token;
  int type;
  memset(text, '[', BOMB);
  pl_json_reader_init(&reader, pl_strv(text, BOMB), UINT32_MAX, &scratch);
  while ((type = pl_json_next(&reader, &token)) > PL_JSON_END) {}
  assert_int_equal(type, PL_ELIMIT);
  assert_int_equal(reader.depth, PL_JSON_DEPTH_MAX);

  memset(text + PL_JSON_DEPTH_MAX, ']', PL_JSON_DEPTH_MAX);
  pl_json_reader_init(&reader, pl_strv(text, 2 * PL_JSON_DEPTH_MAX), PL_JSON_DEPTH_MAX, &scratch);
  while ((type = pl_json_next(&reader, &token)) > PL_JSON_END) {}
  assert_int_equal(type, PL_JSON_END);
  pl_buf_deinit(&scratch);
  free(text);
}

// Objects and arrays in turn, at every level: the bits of different levels do not disturb each
// other.
static void remembers_the_kind_of_every_level(void **state) {
  (void)state;
  enum { LEVELS = 300 };
  char text[LEVELS * 6 + 1] = "";
  for (int i = 0; i < LEVELS; i++) strcat(text, i % 3 ? "[" : "{\"\":");
  strcat(text, "0");
  for (int i = LEVELS - 1; i >= 0; i--) strcat(text, i % 3 ? "]" : "}");
  struct pl_buf scratch = {0};
  struct pl_json_reader reader;
  union pl_json_token token;
  int type;
  pl_json_reader_init(&reader, pl_strv_of(text), LEVELS, &scratch);
  while ((type = pl_json_next(&reader, &token)) > PL_JSON_END) {}
  assert_int_equal(type, PL_JSON_END);
}

static void only_strings_with_escapes_need_memory(void **state) {
  (void)state;
  char trace[TRACE_BYTES];
  pl_mem_fail_nth(1);
  assert_int_equal(trace_text(PL_STRV("[\"plain\",1,2.5,{\"a\":null}]"), 8, trace), PL_JSON_END);
  assert_int_equal(trace_text(PL_STRV("[\"\\n\"]"), 8, trace), PL_ENOMEM);
  pl_mem_fail_nth(0);
}

static void a_number_of_a_million_digits_is_read(void **state) {
  (void)state;
  enum { DIGITS = 1000000 };
  char *text = malloc(DIGITS);
  assert_non_null(text);
  memset(text, '3', DIGITS);
  text[1] = '.';
  struct pl_json_reader reader;
  union pl_json_token token;
  pl_json_reader_init(&reader, pl_strv(text, DIGITS), 8, NULL);
  assert_int_equal(pl_json_next(&reader, &token), PL_JSON_FLOAT);
  assert_true(token.number == 10.0 / 3);
  memset(text, '3', DIGITS);
  pl_json_reader_init(&reader, pl_strv(text, DIGITS), 8, NULL);
  assert_int_equal(pl_json_next(&reader, &token), PL_ESYNTAX);
  assert_string_equal(reader.reason, "the number is too large");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_structure),
      cmocka_unit_test(refuses_broken_structure),
      cmocka_unit_test(reads_numbers_as_integers_or_floats),
      cmocka_unit_test(refuses_broken_numbers),
      cmocka_unit_test(reads_strings),
      cmocka_unit_test(refuses_broken_strings),
      cmocka_unit_test(finds_the_end_of_a_string_at_every_offset),
      cmocka_unit_test(counts_depth_up_to_the_limit),
      cmocka_unit_test(a_nesting_bomb_ends_at_the_largest_limit),
      cmocka_unit_test(remembers_the_kind_of_every_level),
      cmocka_unit_test(only_strings_with_escapes_need_memory),
      cmocka_unit_test(a_number_of_a_million_digits_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
