// Unit tests of server/http/guard.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "http/guard.h"

#include <stdlib.h>

typedef int scan_fn(struct pl_strv input, struct pl_guard *g);

// Scans a copy of exactly that size, so that a sanitizer sees a read behind it.
static int scan(scan_fn *fn, struct pl_strv text, struct pl_guard *g) {
  char *copy = malloc(text.len ? text.len : 1);
  if (text.len) memcpy(copy, text.data, text.len);
  int result = fn(pl_strv(copy, text.len), g);
  free(copy);
  return result;
}

static void assert_head(struct pl_strv text, size_t length, size_t first_line, size_t lines) {
  struct pl_guard g;
  assert_int_equal(scan(pl_guard_scan, text, &g), 0);
  assert_int_equal(g.length, length);
  assert_int_equal(g.first_line, first_line);
  assert_int_equal(g.lines, lines);
  assert_int_equal(g.scanned, length ? length : text.len);
}

static void assert_refused(scan_fn *fn, struct pl_strv text) {
  struct pl_guard g;
  assert_int_equal(scan(fn, text, &g), PL_EPROTO);
  assert_non_null(g.problem);
}

static void scan_finds_the_end_of_a_head(void **state) {
  (void)state;
  assert_head(PL_STRV("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 27, 16, 2);
  assert_head(PL_STRV("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\n\r\0"), 27, 16, 2);
  assert_head(PL_STRV("GET / HTTP/1.0\r\n\r\n"), 18, 16, 1);
  assert_head(PL_STRV("\r\nGET"), 0, 2, 1);  // an empty first line is no end
}

static void scan_of_every_prefix_asks_for_more(void **state) {
  (void)state;
  static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t len = 0; len < sizeof text - 1; len++)
    assert_head(pl_strv(text, len), 0, len < 16 ? 0 : 16, len < 16 ? 0 : len < 25 ? 1 : 2);
}

static void scan_refuses_lines_that_readers_disagree_about(void **state) {
  (void)state;
  static const struct pl_strv bad[] = {
      PL_STRV("A\rB"),
      PL_STRV("A\r\r\n"),
      PL_STRV("A\n"),
      PL_STRV("A\r\nB\n"),
      PL_STRV("A\r\nB\r\n\n"),
      PL_STRV("A\0"),
      PL_STRV("A\r\nB: \0\r\n"),
      PL_STRV("A\r\n B"),
      PL_STRV("A\r\n\tB"),
      PL_STRV("A\r\n:"),
      PL_STRV("A\r\nB: c\r\n: d"),
      PL_STRV(" A"),
      PL_STRV("A\r\nB\rC\r\n"),
      PL_STRV("\n"),
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) assert_refused(pl_guard_scan, bad[i]);
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) assert_refused(pl_guard_scan_trailers, bad[i]);
}

static void scan_allows_a_last_cr_whose_lf_is_on_its_way(void **state) {
  (void)state;
  assert_head(PL_STRV("GET\r"), 0, 0, 0);
  assert_head(PL_STRV("GET\r\nA: b\r"), 0, 5, 1);
  assert_head(PL_STRV("GET\r\n\r"), 0, 5, 1);
}

static void trailers_may_be_empty(void **state) {
  (void)state;
  struct pl_guard g;
  assert_int_equal(scan(pl_guard_scan_trailers, PL_STRV("\r\nGET"), &g), 0);
  assert_int_equal(g.length, 2);
  assert_int_equal(g.lines, 0);
  assert_int_equal(scan(pl_guard_scan_trailers, PL_STRV("A: b\r\n\r\nGET"), &g), 0);
  assert_int_equal(g.length, 8);
  assert_int_equal(g.lines, 1);
  assert_int_equal(scan(pl_guard_scan_trailers, PL_STRV("A: b\r\n\r"), &g), 0);
  assert_int_equal(g.length, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scan_finds_the_end_of_a_head),
      cmocka_unit_test(scan_of_every_prefix_asks_for_more),
      cmocka_unit_test(scan_refuses_lines_that_readers_disagree_about),
      cmocka_unit_test(scan_allows_a_last_cr_whose_lf_is_on_its_way),
      cmocka_unit_test(trailers_may_be_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
