// Unit tests of server/http/target.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "http/target.h"

static void expect(const char *method, const char *target, enum pl_target_form form,
                   const char *host, const char *path, const char *query) {
  struct pl_target t;
  assert_int_equal(pl_target_parse(pl_strv_of(method), pl_strv_of(target), &t), 0);
  assert_int_equal(t.form, form);
  assert_true(pl_strv_eq(t.host, pl_strv_of(host)));
  assert_true(pl_strv_eq(t.raw_path, pl_strv_of(path)));
  assert_true(pl_strv_eq(t.raw_query, pl_strv_of(query)));
}

static void refuse(const char *method, const char *target) {
  struct pl_target t;
  assert_int_equal(pl_target_parse(pl_strv_of(method), pl_strv_of(target), &t), PL_EINVAL);
}

static void origin_form_is_cut_at_the_first_question_mark(void **state) {
  (void)state;
  expect("GET", "/", PL_TARGET_ORIGIN, "", "/", "");
  expect("GET", "/a%2Fb//c?x=1?y", PL_TARGET_ORIGIN, "", "/a%2Fb//c", "x=1?y");
  expect("BLARGH", "/?", PL_TARGET_ORIGIN, "", "/", "");
  expect("GET", "//host/a", PL_TARGET_ORIGIN, "", "//host/a", "");
  expect("GET", "/a\"{}|^\\`<>b", PL_TARGET_ORIGIN, "", "/a\"{}|^\\`<>b", "");
}

static void fragment_is_dropped(void **state) {
  (void)state;
  expect("GET", "/a?b#c?d", PL_TARGET_ORIGIN, "", "/a", "b");
  expect("GET", "/a#b?c", PL_TARGET_ORIGIN, "", "/a", "");
  expect("GET", "http://h#b", PL_TARGET_ABSOLUTE, "h", "/", "");
}

static void bytes_outside_visible_ascii_are_refused(void **state) {
  (void)state;
  for (int c = 1; c < 256; c++) {
    char target[] = {'/', 'a', (char)c, 'b', 0};
    struct pl_target t;
    int expected = c > 0x20 && c < 0x7f ? 0 : PL_EINVAL;
    assert_int_equal(pl_target_parse(PL_STRV("GET"), pl_strv(target, 4), &t), expected);
  }
  struct pl_target t;
  assert_int_equal(pl_target_parse(PL_STRV("GET"), PL_STRV("/a\0b"), &t), PL_EINVAL);
  refuse("GET", "");
}

static void absolute_form_gives_host_and_path(void **state) {
  (void)state;
  expect("GET", "http://example.com/foo?q=1", PL_TARGET_ABSOLUTE, "example.com", "/foo", "q=1");
  expect("GET", "HTTPS://a:8443?q", PL_TARGET_ABSOLUTE, "a:8443", "/", "q");
  expect("GET", "http://[::1]:8080/foo", PL_TARGET_ABSOLUTE, "[::1]:8080", "/foo", "");
  expect("GET", "http://127.0.0.1", PL_TARGET_ABSOLUTE, "127.0.0.1", "/", "");
  expect("GET", "http://a:/b", PL_TARGET_ABSOLUTE, "a:", "/b", "");
  expect("GET", "http://a%2Db:65535/", PL_TARGET_ABSOLUTE, "a%2Db:65535", "/", "");
}

static void absolute_form_is_strict(void **state) {
  (void)state;
  const char *bad[] = {
      "http://user:pass@example.com/",
      "http://a@b/",
      "http://",
      "http:///path",
      "http://:80/",
      "http://a:b/",
      "http://a:65536/",
      "http://a:99999999999999999999/",
      "http://[::1/",
      "http://[::1]x/",
      "http://[]/",
      "http://[1.2.3.4]/",
      "http://[::1%25lo]/",
      "http://a%2/",
      "http://a%zz/",
      "http://a|b/",
      "http://a]/",
      "http:/a",
      "ftp://a/",
      "s://]ufd/:",
      "foo/bar",
      "example.com:443",
      "?a",
      "#a",
      "httpx://a/",
      "http",
      "http://a:1:2/",
      "http://[[::1]]/",
      "http://[::1]:1]/",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) refuse("GET", bad[i]);
}

static void asterisk_is_for_options_only(void **state) {
  (void)state;
  expect("OPTIONS", "*", PL_TARGET_ASTERISK, "", "*", "");
  expect("OPTIONS", "http://a:80", PL_TARGET_ASTERISK, "a:80", "*", "");
  expect("OPTIONS", "http://a:80/", PL_TARGET_ABSOLUTE, "a:80", "/", "");
  expect("OPTIONS", "http://a:80?x", PL_TARGET_ABSOLUTE, "a:80", "/", "x");
  refuse("GET", "*");
  refuse("options", "*");
  refuse("OPTIONS", "*?a");
  refuse("OPTIONS", "**");
}

static void authority_is_for_connect_only_and_needs_a_port(void **state) {
  (void)state;
  expect("CONNECT", "example.com:443", PL_TARGET_AUTHORITY, "example.com:443", "", "");
  expect("CONNECT", "[::1]:443", PL_TARGET_AUTHORITY, "[::1]:443", "", "");
  refuse("CONNECT", "example.com");
  refuse("CONNECT", "example.com:");
  refuse("CONNECT", "/a");
  refuse("CONNECT", "http://a/");
  refuse("CONNECT", "*");
  refuse("GET", "a:443");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(origin_form_is_cut_at_the_first_question_mark),
      cmocka_unit_test(fragment_is_dropped),
      cmocka_unit_test(bytes_outside_visible_ascii_are_refused),
      cmocka_unit_test(absolute_form_gives_host_and_path),
      cmocka_unit_test(absolute_form_is_strict),
      cmocka_unit_test(asterisk_is_for_options_only),
      cmocka_unit_test(authority_is_for_connect_only_and_needs_a_port),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
