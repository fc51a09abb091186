// Unit tests of server/http/accept.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "http/accept.h"

static int quality(const char *accept, const char *type) {
  struct pl_header item = {PL_STRV("accept"), pl_strv_of(accept)};
  struct pl_headers headers = {&item, 1};
  return pl_accept_quality(&headers, pl_strv_of(type));
}

static bool prefers_html(const char *accept) {
  struct pl_header item = {PL_STRV("Accept"), pl_strv_of(accept)};
  struct pl_headers headers = {&item, 1};
  return pl_accept_prefers_html(&headers);
}

static void browsers_get_html_and_programs_do_not(void **state) {
  (void)state;
  assert_true(prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
                           "image/webp,*/*;q=0.8"));
  assert_true(prefers_html("text/*"));
  assert_true(prefers_html("application/json;q=0.5, TEXT/HTML;q=0.6"));
  assert_false(prefers_html("*/*"));
  assert_false(prefers_html("application/json"));
  assert_false(prefers_html("text/html, application/json"));
  assert_false(prefers_html("text/html;q=0.5, application/problem+json"));
  assert_false(prefers_html("text/html;q=0"));
  assert_false(prefers_html(""));
  struct pl_headers none = {NULL, 0};
  assert_false(pl_accept_prefers_html(&none));
}

static void most_specific_range_decides(void **state) {
  (void)state;
  const char *accept = "*/*;q=0.1, text/*;q=0.2, text/html;q=0.3, text/html;level=1;q=0.9";
  assert_int_equal(quality(accept, "text/html"), 300);
  assert_int_equal(quality(accept, "text/css"), 200);
  assert_int_equal(quality(accept, "image/png"), 100);
  assert_int_equal(quality("text/html;q=0.4, */*", "text/html"), 400);
  assert_int_equal(quality("text/html", "text/html5"), 0);
  assert_int_equal(quality("tex/*", "text/html"), 0);
  assert_int_equal(quality("text/*x", "text/html"), 0);
  struct pl_headers none = {NULL, 0};
  assert_int_equal(pl_accept_quality(&none, PL_STRV("text/html")), 1000);
}

static void quality_is_read_to_three_digits(void **state) {
  (void)state;
  assert_int_equal(quality("a/b;q=0.125", "a/b"), 125);
  assert_int_equal(quality("a/b; Q=1.000", "a/b"), 1000);
  assert_int_equal(quality("a/b;q=0.", "a/b"), 0);
  assert_int_equal(quality("a/b;x=\"q=0,1\"", "a/b"), 1000);
}

static void malformed_ranges_are_passed_over(void **state) {
  (void)state;
  const char *bad[] = {"a/b;q=2",   "a/b;q=1.001", "a/b;q=0.1234", "a/b;q=-1", "a/b;q=",
                       "a/b;q=0,5", "a/b;q",       "a/b;q=.5",     "a/b;q=0x1"};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) assert_int_equal(quality(bad[i], "a/b"), 0);
  assert_int_equal(quality("a/b;q=2, */*;q=0.5", "a/b"), 500);
}

static void structs_are_packed_unless_json_is_wanted_more(void **state) {
  (void)state;
  static const struct {
    const char *accept;
    enum pl_accept_form form;
  } rows[] = {
      {"*/*", PL_ACCEPT_PACKED},
      {"application/json", PL_ACCEPT_JSON},
      {"application/json, text/plain, */*", PL_ACCEPT_PACKED},
      {"application/json, */*;q=0.1", PL_ACCEPT_JSON},
      {"application/json;q=0.4, application/octet-stream;q=0.5", PL_ACCEPT_PACKED},
      {"application/*;q=0.3, application/json;q=0.4", PL_ACCEPT_JSON},
      {"application/octet-stream", PL_ACCEPT_PACKED},
      {"application/octet-stream;q=0, */*", PL_ACCEPT_JSON},
      {"application/json;q=0", PL_ACCEPT_NEITHER},
      {"text/html", PL_ACCEPT_NEITHER},
      {"text/html, */*;q=0.8", PL_ACCEPT_PACKED},
      {"*/*;q=0", PL_ACCEPT_NEITHER},
      {"", PL_ACCEPT_NEITHER},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    struct pl_header item = {PL_STRV("Accept"), pl_strv_of(rows[i].accept)};
    struct pl_headers headers = {&item, 1};
    if (pl_accept_form(&headers) != rows[i].form) fail_msg("%s", rows[i].accept);
  }
  struct pl_headers none = {NULL, 0};
  assert_int_equal(pl_accept_form(&none), PL_ACCEPT_PACKED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(browsers_get_html_and_programs_do_not),
      cmocka_unit_test(most_specific_range_decides),
      cmocka_unit_test(quality_is_read_to_three_digits),
      cmocka_unit_test(malformed_ranges_are_passed_over),
      cmocka_unit_test(structs_are_packed_unless_json_is_wanted_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
