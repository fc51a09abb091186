// The bytes of server-sent events, and what may stand in them.
#include "http/event_stream.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct pl_strv none = {0};

static void assert_written(struct pl_event event, const char *expected) {
  struct pl_buf out = {0};
  assert_int_equal(pl_event_write(&out, &event), 0);
  assert_int_equal(pl_buf_append(&out, "", 1), 0);
  assert_string_equal(pl_buf_view(&out).data, expected);
  pl_buf_deinit(&out);
}

static void write_puts_every_field_on_a_line(void **state) {
  (void)state;
  assert_written((struct pl_event){PL_STRV("hello"), PL_STRV("greeting"), PL_STRV("7"), 100},
                 "event: greeting\nid: 7\nretry: 100\ndata: hello\n\n");
}

static void write_leaves_missing_fields_out(void **state) {
  (void)state;
  assert_written((struct pl_event){PL_STRV("x"), none, none, -1}, "data: x\n\n");
  assert_written((struct pl_event){none, none, none, 0}, "retry: 0\n\n");
}

static void write_keeps_empty_fields(void **state) {
  (void)state;
  assert_written((struct pl_event){PL_STRV(""), none, PL_STRV(""), -1}, "id: \ndata: \n\n");
}

// A line of data that begins like a field must not become one.
static void write_splits_data_at_every_kind_of_line_end(void **state) {
  (void)state;
  assert_written((struct pl_event){PL_STRV("a\nb\r\nevent: c\r\rd\n"), none, none, -1},
                 "data: a\ndata: b\ndata: event: c\ndata: \ndata: d\ndata: \n\n");
}

static void write_reports_out_of_memory(void **state) {
  (void)state;
  struct pl_buf out = {0};
  struct pl_event event = {PL_STRV("x"), none, none, -1};
  pl_mem_fail_nth(1);
  assert_int_equal(pl_event_write(&out, &event), PL_ENOMEM);
  pl_mem_fail_nth(0);
  pl_buf_deinit(&out);
}

static void fields_with_line_ends_or_nul_are_not_valid(void **state) {
  (void)state;
  assert_true(pl_event_field_is_valid(PL_STRV("")));
  assert_true(pl_event_field_is_valid(PL_STRV("caf\xc3\xa9: 1")));
  assert_false(pl_event_field_is_valid(PL_STRV("a\n")));
  assert_false(pl_event_field_is_valid(PL_STRV("\rb")));
  assert_false(pl_event_field_is_valid(PL_STRV("a\0b")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(write_puts_every_field_on_a_line),
      cmocka_unit_test(write_leaves_missing_fields_out),
      cmocka_unit_test(write_keeps_empty_fields),
      cmocka_unit_test(write_splits_data_at_every_kind_of_line_end),
      cmocka_unit_test(write_reports_out_of_memory),
      cmocka_unit_test(fields_with_line_ends_or_nul_are_not_valid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
