// Unit tests of server/http/path.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/path.h"

// Segments are given joined by "|".
static void expect(const char *raw, const char *text, const char *segments) {
  char first[256], joined[256];
  struct pl_arena arena;
  struct pl_path p;
  pl_arena_init(&arena, first, sizeof first);
  assert_int_equal(pl_path_parse(pl_strv_of(raw), &arena, &p), 0);
  size_t len = 0;
  for (size_t i = 0; i < p.count; i++) {
    if (i) joined[len++] = '|';
    memcpy(joined + len, p.segments[i].data, p.segments[i].len);
    len += p.segments[i].len;
  }
  joined[len] = '\0';
  assert_string_equal(joined, segments);
  assert_int_equal(p.text.len, strlen(text));
  assert_memory_equal(p.text.data, text, p.text.len);
  pl_arena_reset(&arena);
}

static void refuse(struct pl_strv raw) {
  char first[64];
  struct pl_arena arena;
  struct pl_path p;
  pl_arena_init(&arena, first, sizeof first);
  assert_int_equal(pl_path_parse(raw, &arena, &p), PL_EINVAL);
  pl_arena_reset(&arena);
}

static void plain_path_is_split_without_a_copy(void **state) {
  (void)state;
  struct pl_strv raw = PL_STRV("/api/v1/.well-known/x.txt/...");
  struct pl_arena arena;
  struct pl_path p;
  pl_arena_init(&arena, NULL, 0);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_path_parse(raw, &arena, &p), 0);
  pl_mem_fail_nth(0);
  assert_int_equal(p.count, 5);
  assert_ptr_equal(p.text.data, raw.data);
  for (size_t i = 0; i < p.count; i++)
    assert_true(p.segments[i].data > raw.data && p.segments[i].data < raw.data + raw.len);
  assert_true(pl_strv_eq(p.segments[2], PL_STRV(".well-known")));
}

static void empty_segments_stay(void **state) {
  (void)state;
  expect("/", "/", "");
  expect("//a", "//a", "|a");
  expect("/a/", "/a/", "a|");
  expect("/a//b/", "/a//b/", "a||b|");
  expect("/%61//", "/a//", "a||");
}

static void segments_are_decoded_once(void **state) {
  (void)state;
  expect("/a%20b/%c3%a9", "/a b/\xc3\xa9", "a b|\xc3\xa9");
  expect("/%252e%252e/x", "/%252e%252e/x", "%2e%2e|x");
  expect("/a+b", "/a+b", "a+b");
  expect("/100%25", "/100%25", "100%");
}

static void dot_segments_are_removed_encoded_ones_too(void **state) {
  (void)state;
  expect("/a/./b", "/a/b", "a|b");
  expect("/a/../b", "/b", "b");
  expect("/..", "/", "");
  expect("/../../etc/passwd", "/etc/passwd", "etc|passwd");
  expect("/a/b/..", "/a/", "a|");
  expect("/a/.", "/a/", "a|");
  expect("/.", "/", "");
  expect("/a/%2e%2E/b", "/b", "b");
  expect("/a/.%2e/%2e/b/%2e", "/b/", "b|");
  expect("/a//../b", "/a/b", "a|b");
  expect("/a/..b/.../c", "/a/..b/.../c", "a|..b|...|c");
}

static void encoded_slash_never_separates(void **state) {
  (void)state;
  expect("/a%2fb/c", "/a%2Fb/c", "a/b|c");
  expect("/..%2f..%2fetc", "/..%2F..%2Fetc", "../../etc");
  expect("/a%252Fb", "/a%252Fb", "a%2Fb");
}

static void bad_encoding_and_nul_are_refused(void **state) {
  (void)state;
  refuse(PL_STRV("/a%"));
  refuse(PL_STRV("/a%2/b"));
  refuse(PL_STRV("/%zz"));
  refuse(PL_STRV("/a%00b"));
  refuse(PL_STRV("/%00/.."));
  refuse(PL_STRV("/%zz/.."));
  refuse(PL_STRV("*"));
  refuse(PL_STRV(""));
  refuse(PL_STRV("a/b"));
}

static void path_of_many_segments_is_split_too(void **state) {
  (void)state;
  char raw[2 * 300], first[64];
  for (int i = 0; i < 300; i++) memcpy(raw + 2 * i, "/x", 2);
  struct pl_arena arena;
  struct pl_path p;
  pl_arena_init(&arena, first, sizeof first);
  for (size_t n = PL_PATH_LOCAL - 1; n <= 300; n++) {
    assert_int_equal(pl_path_parse(pl_strv(raw, 2 * n), &arena, &p), 0);
    assert_int_equal(p.count, n);
    assert_true(pl_strv_eq(p.text, pl_strv(raw, 2 * n)));
    assert_true(pl_strv_eq(p.segments[n - 1], PL_STRV("x")));
    pl_arena_reset(&arena);
  }
}

static void rest_is_decoded_and_refuses_encoded_slashes(void **state) {
  (void)state;
  char first[256];
  struct pl_arena arena;
  struct pl_path p;
  struct pl_strv rest;
  pl_arena_init(&arena, first, sizeof first);
  assert_int_equal(pl_path_parse(PL_STRV("/a%2Fb/c%20d/100%25/"), &arena, &p), 0);
  assert_int_equal(pl_path_rest(&p, 1, &rest), 0);
  assert_true(pl_strv_eq(rest, PL_STRV("c d/100%/")));
  assert_int_equal(pl_path_rest(&p, 0, &rest), PL_EINVAL);
  assert_int_equal(pl_path_rest(&p, 3, &rest), 0);
  assert_int_equal(rest.len, 0);
  assert_int_equal(pl_path_parse(PL_STRV("/a/b%2F"), &arena, &p), 0);
  assert_int_equal(pl_path_rest(&p, 1, &rest), PL_EINVAL);
  assert_int_equal(pl_path_parse(PL_STRV("/a/b"), &arena, &p), 0);
  assert_int_equal(pl_path_rest(&p, 0, &rest), 0);
  assert_true(pl_strv_eq(rest, PL_STRV("a/b")));
  pl_arena_reset(&arena);
}

static void parse_survives_each_failed_allocation(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_path p;
  char raw[200];
  for (int i = 0; i < 50; i++) memcpy(raw + 4 * i, "/%2F", 4);
  int err = PL_ENOMEM;
  for (uint64_t n = 1; err; n++) {
    pl_arena_init(&arena, NULL, 0);
    pl_mem_fail_nth(n);
    err = pl_path_parse(pl_strv(raw, sizeof raw), &arena, &p);
    pl_mem_fail_nth(0);
    assert_true(err == 0 || err == PL_ENOMEM);
    assert_true(n < 10);
    pl_arena_reset(&arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_path_is_split_without_a_copy),
      cmocka_unit_test(empty_segments_stay),
      cmocka_unit_test(segments_are_decoded_once),
      cmocka_unit_test(dot_segments_are_removed_encoded_ones_too),
      cmocka_unit_test(encoded_slash_never_separates),
      cmocka_unit_test(bad_encoding_and_nul_are_refused),
      cmocka_unit_test(path_of_many_segments_is_split_too),
      cmocka_unit_test(rest_is_decoded_and_refuses_encoded_slashes),
      cmocka_unit_test(parse_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
