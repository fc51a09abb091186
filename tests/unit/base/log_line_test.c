// Log lines: both forms, whatever bytes they carry, whatever their length.
#include "base/log_line.h"

#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct timespec WHEN = {.tv_sec = 951827696, .tv_nsec = 7999999};
#define TIME "2000-02-29T12:34:56.007Z"

static struct pl_log_field text_field(const char *name, struct pl_strv value) {
  return (struct pl_log_field){pl_strv_of(name), PL_LOG_STRING, {.string = value}};
}

static void assert_line(enum pl_log_format format, struct pl_strv message,
                        const struct pl_log_field *fields, size_t count, const char *expected) {
  char line[PL_LOG_LINE_BYTES];
  size_t len = pl_log_line_write(line, format, PL_LOG_INFO, WHEN, message, fields, count);
  assert_int_equal(line[len - 1], '\n');
  line[len - 1] = '\0';
  assert_string_equal(line, expected);
}

static void assert_is_json(const char *line, size_t len) {
  struct pl_buf scratch = {0};
  struct pl_json_reader reader;
  union pl_json_token token;
  pl_json_reader_init(&reader, pl_strv(line, len), 2, &scratch);
  int type = PL_JSON_NULL;
  while (type > PL_JSON_END) type = pl_json_next(&reader, &token);
  assert_int_equal(type, PL_JSON_END);
  pl_buf_deinit(&scratch);
}

static void every_kind_of_field_is_written_in_both_forms(void **state) {
  (void)state;
  const struct pl_log_field fields[] = {
      text_field("a", PL_STRV("x")),
      text_field("b", PL_STRV("two words")),
      {PL_STRV("c"), PL_LOG_INTEGER, {.integer = INT64_MIN}},
      {PL_STRV("d"), PL_LOG_FLOAT, {.number = 0.1}},
      {PL_STRV("e"), PL_LOG_FLOAT, {.number = -INFINITY}},
      {PL_STRV("f"), PL_LOG_BOOLEAN, {.boolean = true}},
      text_field("g", PL_STRV("")),
  };
  assert_line(PL_LOG_TEXT, PL_STRV("hi"), fields, PL_ARRAY_LEN(fields),
              TIME
              " info  hi a=x b=\"two words\" c=-9223372036854775808 d=0.1 e=-inf f=true g=\"\"");
  assert_line(PL_LOG_JSON, PL_STRV("hi"), fields, PL_ARRAY_LEN(fields),
              "{\"time\":\"" TIME "\",\"level\":\"info\",\"msg\":\"hi\",\"a\":\"x\","
              "\"b\":\"two words\",\"c\":-9223372036854775808,\"d\":0.1,\"e\":null,\"f\":true,"
              "\"g\":\"\"}");
}

static void dates_are_right_around_leap_days(void **state) {
  (void)state;
  static const struct {
    time_t time;
    const char *date;
  } cases[] = {{0, "1970-01-01T00:00:00"},          {951868799, "2000-02-29T23:59:59"},
               {951868800, "2000-03-01T00:00:00"},  {1735689599, "2024-12-31T23:59:59"},
               {1735689600, "2025-01-01T00:00:00"}, {1709164800, "2024-02-29T00:00:00"},
               {4107542400, "2100-03-01T00:00:00"}, {253402300799, "9999-12-31T23:59:59"}};
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    char line[PL_LOG_LINE_BYTES];
    pl_log_line_write(line, PL_LOG_TEXT, PL_LOG_WARN, (struct timespec){.tv_sec = cases[i].time},
                      PL_STRV("x"), NULL, 0);
    assert_memory_equal(line, cases[i].date, 19);
    assert_memory_equal(line + 19, ".000Z warn  x\n", 14);
  }
}

static void control_bytes_cannot_forge_a_line(void **state) {
  (void)state;
  struct pl_strv nasty = PL_STRV("a\nb\r\x1b[31m\tc\x7f\0d\xc2\x9b\"\\");
  const struct pl_log_field field = text_field("k", nasty);
  assert_line(PL_LOG_TEXT, nasty, &field, 1,
              TIME " info  a\n    b\\r\\x1b[31m    c\\x7f\\x00d\\u009b\"\\ "
                   "k=\"a\\nb\\r\\x1b[31m\\tc\\x7f\\x00d\\u009b\\\"\\\\\"");
  assert_line(PL_LOG_JSON, nasty, NULL, 0,
              "{\"time\":\"" TIME "\",\"level\":\"info\",\"msg\":\"a\\nb\\r\\u001b[31m\\tc\\u007f"
              "\\u0000d\\u009b\\\"\\\\\"}");
}

static void bytes_that_are_not_utf8_are_replaced(void **state) {
  (void)state;
  struct pl_strv bad = PL_STRV("\xc3\xa9\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82");
#define R "\xef\xbf\xbd"
  assert_line(PL_LOG_JSON, bad, NULL, 0,
              "{\"time\":\"" TIME "\",\"level\":\"info\",\"msg\":\"\xc3\xa9" R R R R R R R R R R R R
              "\"}");
#undef R
  assert_line(PL_LOG_TEXT, PL_STRV("\xc3\xa9\xff\xf0\x9f\x98\x80"), NULL, 0,
              TIME " info  \xc3\xa9\\xff\xf0\x9f\x98\x80");
}

static void reserved_names_do_not_occur_twice_in_json(void **state) {
  (void)state;
  const struct pl_log_field fields[] = {text_field("level", PL_STRV("x")),
                                        text_field("a\"b", PL_STRV("y"))};
  assert_line(PL_LOG_JSON, PL_STRV("m"), fields, 2,
              "{\"time\":\"" TIME
              "\",\"level\":\"info\",\"msg\":\"m\",\"level_\":\"x\",\"a\\\"b\":\"y\"}");
}

// Messages of every length around the limit, of characters that take 1 to 6 bytes in the line.
static void long_lines_are_cut_and_stay_well_formed(void **state) {
  (void)state;
  static const char *const units[] = {"x",    "\xc3\xa9", "\xf0\x9f\x98\x80", "\n", "\"",
                                      "\x01", "\xff"};
  for (size_t u = 0; u < PL_ARRAY_LEN(units); u++) {
    size_t unit = strlen(units[u]);
    for (size_t units_count = 600; units_count<4200; units_count += units_count> 3900 ? 1 : 97) {
      size_t size = unit * units_count;
      char *text = malloc(size);
      for (size_t i = 0; i < size; i++) text[i] = units[u][i % unit];
      const struct pl_log_field fields[] = {
          {PL_STRV("n"), PL_LOG_INTEGER, {.integer = 1234567}},
          text_field("s", pl_strv(text, size)),
          {PL_STRV("b"), PL_LOG_BOOLEAN, {.boolean = false}},
      };
      char line[PL_LOG_LINE_BYTES + 1];
      line[PL_LOG_LINE_BYTES] = '!';
      size_t len = pl_log_line_write(line, PL_LOG_JSON, PL_LOG_ERROR, WHEN, pl_strv(text, size),
                                     fields, PL_ARRAY_LEN(fields));
      assert_in_range(len, 1, PL_LOG_LINE_BYTES);
      assert_is_json(line, len);
      assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
      if (2 * size > PL_LOG_LINE_BYTES) assert_memory_equal(line + len - 12, "\"cut\":true}\n", 12);
      len = pl_log_line_write(line, PL_LOG_TEXT, PL_LOG_ERROR, WHEN, pl_strv(text, size), fields,
                              PL_ARRAY_LEN(fields));
      assert_in_range(len, 1, PL_LOG_LINE_BYTES);
      assert_int_equal(line[len - 1], '\n');
      assert_int_equal(line[PL_LOG_LINE_BYTES], '!');
      free(text);
    }
  }
}

static void many_fields_are_cut_between_two(void **state) {
  (void)state;
  struct pl_log_field fields[700];
  for (size_t i = 0; i < PL_ARRAY_LEN(fields); i++) {
    fields[i] = (struct pl_log_field){PL_STRV("name"), PL_LOG_INTEGER, {.integer = (int64_t)i}};
  }
  char line[PL_LOG_LINE_BYTES];
  size_t len = pl_log_line_write(line, PL_LOG_JSON, PL_LOG_INFO, WHEN, PL_STRV("m"), fields, 700);
  assert_is_json(line, len);
  line[len - 1] = '\0';
  assert_non_null(strstr(line, ",\"cut\":true}"));
  assert_in_range(strstr(line, ",\"cut\"")[-1], (unsigned)'0', (unsigned)'9');
}

static void an_answered_request_names_what_it_has(void **state) {
  (void)state;
  struct pl_log_access access = {.method = PL_STRV("GET"),
                                 .path = PL_STRV("/a b"),
                                 .status = 200,
                                 .bytes = 1234,
                                 .duration_us = 56,
                                 .remote = PL_STRV("127.0.0.1")};
  char line[PL_LOG_LINE_BYTES];
  size_t len = pl_log_line_write_access(line, PL_LOG_TEXT, WHEN, &access);
  line[len] = '\0';
  assert_string_equal(line, TIME " info  request method=GET path=\"/a b\" status=200 bytes=1234 "
                                 "duration_us=56 remote=127.0.0.1\n");
  access.id = PL_STRV("i");
  access.route = PL_STRV("/:x");
  len = pl_log_line_write_access(line, PL_LOG_JSON, WHEN, &access);
  line[len] = '\0';
  assert_string_equal(line, "{\"time\":\"" TIME "\",\"level\":\"info\",\"msg\":\"request\","
                            "\"method\":\"GET\",\"path\":\"/a b\",\"status\":200,\"bytes\":1234,"
                            "\"duration_us\":56,\"request_id\":\"i\",\"remote\":\"127.0.0.1\","
                            "\"route\":\"/:x\"}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_of_field_is_written_in_both_forms),
      cmocka_unit_test(dates_are_right_around_leap_days),
      cmocka_unit_test(control_bytes_cannot_forge_a_line),
      cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
      cmocka_unit_test(reserved_names_do_not_occur_twice_in_json),
      cmocka_unit_test(long_lines_are_cut_and_stay_well_formed),
      cmocka_unit_test(many_fields_are_cut_between_two),
      cmocka_unit_test(an_answered_request_names_what_it_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
