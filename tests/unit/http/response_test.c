// Unit tests of server/http/response.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/response.h"

#define DATE_LINE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void assert_text(const struct pl_buf *out, const char *expected) {
  struct pl_strv text = pl_buf_view(out);
  if (text.len != strlen(expected)) print_error("%.*s\n", (int)text.len, text.data);
  assert_int_equal(text.len, strlen(expected));
  assert_memory_equal(text.data, expected, text.len);
}

static void assert_head(struct pl_response_head head, const char *expected) {
  struct pl_buf out = {0};
  if (!head.common.data) head.common = PL_STRV(DATE_LINE);
  assert_int_equal(pl_response_write_head(&out, &head), 0);
  assert_text(&out, expected);
  pl_buf_deinit(&out);
}

static void head_has_what_is_there_and_nothing_else(void **state) {
  (void)state;
  assert_head((struct pl_response_head){.status = 200, .framing = PL_FRAMING_LENGTH, .length = 0},
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Length: 0\r\n\r\n");
  assert_head((struct pl_response_head){.status = 404,
                                        .common = PL_STRV(DATE_LINE "Server: perilune\r\n"),
                                        .content_type = PL_STRV("text/plain"),
                                        .id = PL_STRV("id-1"),
                                        .headers = PL_STRV("X-A: b\r\nX-C: d\r\n"),
                                        .framing = PL_FRAMING_LENGTH,
                                        .length = UINT64_MAX,
                                        .connection = "close"},
              "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Server: perilune\r\nContent-Type: text/plain\r\n"
              "Content-Length: 18446744073709551615\r\nConnection: close\r\n"
              "X-Request-Id: id-1\r\nX-A: b\r\nX-C: d\r\n\r\n");
}

static void head_says_one_framing_at_most(void **state) {
  (void)state;
  assert_head((struct pl_response_head){.status = 204, .framing = PL_FRAMING_NONE, .length = 7},
              "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  assert_head((struct pl_response_head){.status = 200, .framing = PL_FRAMING_CHUNKED, .length = 7},
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Transfer-Encoding: chunked\r\n\r\n");
  assert_head((struct pl_response_head){.status = 200, .framing = PL_FRAMING_CLOSE, .length = 7},
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
}

static void head_of_an_unregistered_status_has_an_empty_phrase(void **state) {
  (void)state;
  assert_head((struct pl_response_head){.status = 599, .framing = PL_FRAMING_NONE},
              "HTTP/1.1 599 \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
}

static void head_larger_than_any_guess_fits(void **state) {
  (void)state;
  static char lines[70000];
  memset(lines, 'x', sizeof lines);
  struct pl_buf out = {0};
  struct pl_response_head head = {
      .status = 200, .common = PL_STRV(DATE_LINE), .headers = {lines, sizeof lines}};
  assert_int_equal(pl_response_write_head(&out, &head), 0);
  assert_true(pl_buf_len(&out) > sizeof lines);
  pl_buf_deinit(&out);
}

static void chunk_size_is_hexadecimal(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_response_write_chunk_size(&out, 0xab01), 0);
  assert_int_equal(pl_response_write_chunk_size(&out, 9), 0);
  assert_text(&out, "ab01\r\n9\r\n");
  pl_buf_deinit(&out);
}

static void problem_is_json_that_no_detail_can_break(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(
      pl_problem_write(&out, 400, PL_STRV("a \"b\" \\ \n\x7f\x01."), PL_STRV("id"), false), 0);
  assert_text(&out, "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                    "\"detail\":\"a \\\"b\\\" \\\\    .\",\"request_id\":\"id\"}\n");
  pl_buf_clear(&out);
  assert_int_equal(pl_problem_write(&out, 599, PL_STRV(""), PL_STRV(""), false), 0);
  assert_text(&out, "{\"type\":\"about:blank\",\"title\":\"\",\"status\":599}\n");
  pl_buf_deinit(&out);
}

static void problem_is_html_that_no_detail_can_break(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_problem_write(&out, 404, PL_STRV("<script>&\n"), PL_STRV("id"), true), 0);
  assert_int_equal(pl_buf_append(&out, "", 1), 0);
  const char *text = pl_buf_view(&out).data;
  assert_non_null(strstr(text, "<title>404 Not Found</title>"));
  assert_non_null(strstr(text, "<p>&lt;script&gt;&amp; </p>"));
  assert_non_null(strstr(text, "<small>id</small>"));
  assert_null(strstr(text, "<script"));
  pl_buf_deinit(&out);
}

static void out_of_memory_leaves_the_buffer_as_it_was(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_buf_append(&out, "kept", 4), 0);
  struct pl_response_head head = {
      .status = 200, .common = PL_STRV(DATE_LINE), .framing = PL_FRAMING_CHUNKED};
  pl_mem_fail_nth(1);
  assert_int_equal(pl_response_write_head(&out, &head), PL_ENOMEM);
  pl_mem_fail_nth(0);
  assert_text(&out, "kept");
  pl_buf_deinit(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(head_has_what_is_there_and_nothing_else),
      cmocka_unit_test(head_says_one_framing_at_most),
      cmocka_unit_test(head_of_an_unregistered_status_has_an_empty_phrase),
      cmocka_unit_test(head_larger_than_any_guess_fits),
      cmocka_unit_test(chunk_size_is_hexadecimal),
      cmocka_unit_test(problem_is_json_that_no_detail_can_break),
      cmocka_unit_test(problem_is_html_that_no_detail_can_break),
      cmocka_unit_test(out_of_memory_leaves_the_buffer_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
