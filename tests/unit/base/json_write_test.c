// Strings around the ends of the writer's blocks, numbers, refusals, out of memory.
#include "base/json_write.h"
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
  struct pl_strv text;
  const char *json;
};

#define ROW(text, json) \
  { {"" text, sizeof(text) - 1}, json }

static void expect_text(struct pl_buf *out, const char *expected) {
  struct pl_strv text = pl_buf_view(out);
  if (!pl_strv_eq(text, pl_strv_of(expected))) {
    fail_msg("%.*s instead of %s", (int)text.len, text.data, expected);
  }
  pl_buf_clear(out);
}

static void strings_are_escaped_where_they_must_be(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("", "\"\""),
      ROW("plain", "\"plain\""),
      ROW("a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\""),
      ROW("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
      ROW("\0\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""),
      ROW("\"", "\"\\\"\""),
      ROW("\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e", "\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\""),
      ROW("\xe2\x80\xa8", "\"\xe2\x80\xa8\""),
  };
  struct pl_buf out = {0};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(pl_json_write_string(&out, rows[i].text), 0);
    expect_text(&out, rows[i].json);
  }
  pl_buf_deinit(&out);
}

static void strings_that_are_not_utf8_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t at;
  } rows[] = {{"\x80", 0},
              {"abc\xff", 3},
              {"\xc0\x80", 0},
              {"a\xed\xa0\x80", 1},
              {"\xf4\x90\x80\x80", 0},
              {"\xc3\xa9\xc3", 2},
              {"12345678\n\xe2\x82", 9}};
  struct pl_buf out = {0};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct pl_strv text = pl_strv_of(rows[i].text);
    assert_int_equal(pl_json_write_string(&out, text), PL_EINVAL);
    assert_int_equal(pl_json_find_invalid(text), rows[i].at);
  }
  assert_int_equal(pl_json_find_invalid(PL_STRV("\xc3\xa9x")), 3);
  pl_buf_deinit(&out);
}

// Every byte at every place of the eight that are looked at together, around the ends of the block.
static void every_ascii_byte_reads_back_at_every_offset(void **state) {
  (void)state;
  struct pl_buf out = {0}, scratch = {0};
  for (size_t len = 1; len < 300; len = len < 20 ? len + 1 : len * 2 - 3) {
    for (size_t at = 0; at < len; at += len < 20 ? 1 : 7) {
      for (int c = 0; c < 0x80; c++) {
        char text[300];
        memset(text, 'x', sizeof text);
        text[at] = (char)c;
        pl_buf_deinit(&out);  // so that the end of the block is where it matters
        assert_int_equal(pl_json_write_string(&out, pl_strv(text, len)), 0);
        struct pl_json_reader reader;
        union pl_json_token token;
        pl_json_reader_init(&reader, pl_buf_view(&out), 0, &scratch);
        assert_int_equal(pl_json_next(&reader, &token), PL_JSON_STRING);
        assert_true(pl_strv_eq(token.string, pl_strv(text, len)));
        assert_int_equal(pl_json_next(&reader, &token), PL_JSON_END);
      }
    }
  }
  pl_buf_deinit(&out);
  pl_buf_deinit(&scratch);
}

// The last byte of the string takes six, wherever the block ends (a sanitizer watches).
static void escapes_fit_at_the_end_of_the_block(void **state) {
  (void)state;
  char text[300];
  memset(text, 'x', sizeof text);
  for (size_t len = 1; len < sizeof text; len++) {
    struct pl_buf out = {0};
    text[len - 1] = '\x01';
    assert_int_equal(pl_json_write_string(&out, pl_strv(text, len)), 0);
    text[len - 1] = 'x';
    assert_int_equal(pl_buf_len(&out), len + 7);
    assert_true(out.end <= out.cap);
    pl_buf_deinit(&out);
  }
}

static void numbers_keep_their_kind(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_json_write_integer(&out, 1), 0);
  expect_text(&out, "1");
  assert_int_equal(pl_json_write_float(&out, 1), 0);
  expect_text(&out, "1.0");
  assert_int_equal(pl_json_write_float(&out, -0.0), 0);
  expect_text(&out, "-0.0");
  assert_int_equal(pl_json_write_integer(&out, INT64_MIN), 0);
  expect_text(&out, "-9223372036854775808");
  pl_buf_deinit(&out);
}

static void what_is_not_finite_is_refused(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_json_write_float(&out, NAN), PL_EINVAL);
  assert_int_equal(pl_json_write_float(&out, INFINITY), PL_EINVAL);
  assert_int_equal(pl_json_write_float(&out, -INFINITY), PL_EINVAL);
  assert_int_equal(pl_buf_len(&out), 0);
}

static void pieces_follow_each_other(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_json_write_byte(&out, '['), 0);
  for (int i = 0; i < 1000; i++) assert_int_equal(pl_json_write_byte(&out, ' '), 0);
  assert_int_equal(pl_json_write_raw(&out, PL_STRV("null")), 0);
  assert_int_equal(pl_json_write_raw(&out, pl_strv(NULL, 0)), 0);
  assert_int_equal(pl_json_write_byte(&out, ']'), 0);
  assert_int_equal(pl_buf_len(&out), 1006);
  assert_memory_equal(pl_buf_view(&out).data + 1000, " null]", 6);
  pl_buf_deinit(&out);
}

static void out_of_memory_is_reported_by_each(void **state) {
  (void)state;
  struct pl_buf out = {0};
  for (int i = 0; i < 5; i++) {
    pl_mem_fail_nth(1);
    int results[] = {i == 0 ? pl_json_write_byte(&out, 'x') : PL_ENOMEM,
                     i == 1 ? pl_json_write_raw(&out, PL_STRV("x")) : PL_ENOMEM,
                     i == 2 ? pl_json_write_string(&out, PL_STRV("x")) : PL_ENOMEM,
                     i == 3 ? pl_json_write_integer(&out, 1) : PL_ENOMEM,
                     i == 4 ? pl_json_write_float(&out, 1) : PL_ENOMEM};
    for (int j = 0; j < 5; j++) assert_int_equal(results[j], PL_ENOMEM);
    assert_int_equal(pl_buf_len(&out), 0);
  }
  pl_mem_fail_nth(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strings_are_escaped_where_they_must_be),
      cmocka_unit_test(strings_that_are_not_utf8_are_refused),
      cmocka_unit_test(every_ascii_byte_reads_back_at_every_offset),
      cmocka_unit_test(escapes_fit_at_the_end_of_the_block),
      cmocka_unit_test(numbers_keep_their_kind),
      cmocka_unit_test(what_is_not_finite_is_refused),
      cmocka_unit_test(pieces_follow_each_other),
      cmocka_unit_test(out_of_memory_is_reported_by_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
