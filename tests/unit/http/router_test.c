// Unit tests of server/http/router.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/router.h"

#include <stdio.h>

enum { GET = 1 << PL_METHOD_GET, POST = 1 << PL_METHOD_POST, HEAD_ = 1 << PL_METHOD_HEAD };

static int setup(void **state) {
  *state = pl_router_new();
  return *state ? 0 : -1;
}

static int teardown(void **state) {
  pl_router_free(*state);
  return 0;
}

static uint32_t add(struct pl_router *r, unsigned methods, const char *pattern) {
  uint32_t route = UINT32_MAX;
  struct pl_route_problem problem;
  assert_int_equal(pl_router_add(r, methods, pl_strv_of(pattern), &route, &problem), 0);
  return route;
}

// What a path leads to, as text: "3 a=1 b=2", "404", "405 GET, HEAD", "400".
static const char *look_up(struct pl_router *r, enum pl_method method, const char *raw) {
  static char text[512];
  char first[1024];
  struct pl_arena arena;
  struct pl_path path;
  struct pl_match m;
  pl_arena_init(&arena, first, sizeof first);
  assert_int_equal(pl_path_parse(pl_strv_of(raw), &arena, &path), 0);
  enum pl_route_verdict verdict = pl_router_match(r, method, &path, &m);
  if (verdict == PL_ROUTE_NOT_FOUND) snprintf(text, sizeof text, "404");
  if (verdict == PL_ROUTE_BAD_SLASH) snprintf(text, sizeof text, "400");
  if (verdict == PL_ROUTE_BAD_METHOD) {
    char allow[PL_ALLOW_MAX];
    size_t len = pl_router_write_allow(m.allowed, allow);
    assert_int_equal(len, strlen(allow));
    snprintf(text, sizeof text, "405 %s", allow);
  }
  if (verdict == PL_ROUTE_FOUND) {
    int len = snprintf(text, sizeof text, "%u", m.route);
    assert_int_equal(m.count, pl_router_capture_count(r, m.route));
    for (size_t i = 0; i < m.count; i++) {
      struct pl_strv name = pl_router_capture_name(r, m.route, i);
      len += snprintf(text + len, sizeof text - (size_t)len, " %.*s=%.*s", (int)name.len, name.data,
                      (int)m.captures[i].len, m.captures[i].data);
    }
  }
  pl_arena_reset(&arena);
  return text;
}

static const char *get(struct pl_router *r, const char *raw) {
  return look_up(r, PL_METHOD_GET, raw);
}

static void literal_beats_name_beats_rest(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/users/*rest");
  add(r, GET, "/users/:id");
  add(r, GET, "/users/me");
  assert_string_equal(get(r, "/users/me"), "2");
  assert_string_equal(get(r, "/users/7"), "1 id=7");
  assert_string_equal(get(r, "/users/me/x"), "0 rest=me/x");
  assert_string_equal(get(r, "/users/"), "0 rest=");
  assert_string_equal(get(r, "/users"), "404");
  assert_string_equal(get(r, "/"), "404");
}

static void dead_ends_are_left_again(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a/b/c/d");
  add(r, GET, "/a/:x/c/e");
  add(r, GET, "/:w/b/:y/f");
  add(r, GET, "/:w/*rest");
  assert_string_equal(get(r, "/a/b/c/d"), "0");
  assert_string_equal(get(r, "/a/b/c/e"), "1 x=b");
  assert_string_equal(get(r, "/a/b/c/f"), "2 w=a y=c");
  assert_string_equal(get(r, "/a/b/c/g"), "3 w=a rest=b/c/g");
  assert_string_equal(get(r, "/a/b"), "3 w=a rest=b");
  assert_string_equal(get(r, "/a"), "404");
}

static void unknown_first_segment_does_not_begin_anew(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a");
  assert_string_equal(get(r, "/x/a"), "404");
  assert_string_equal(get(r, "/a/a"), "404");
}

static void trailing_slash_is_significant(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a");
  add(r, GET, "/b/");
  add(r, GET, "/");
  add(r, GET, "//");
  assert_string_equal(get(r, "/a"), "0");
  assert_string_equal(get(r, "/a/"), "404");
  assert_string_equal(get(r, "/b"), "404");
  assert_string_equal(get(r, "/b/"), "1");
  assert_string_equal(get(r, "/"), "2");
  assert_string_equal(get(r, "//"), "3");
  assert_string_equal(get(r, "///"), "404");
}

static void name_needs_a_segment_that_is_not_empty(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a/:x/b");
  assert_string_equal(get(r, "/a//b"), "404");
  assert_string_equal(get(r, "/a/1/b"), "0 x=1");
}

static void captures_are_decoded(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/n/:x");
  add(r, GET, "/r/*x");
  add(r, GET, "/a b/100%");
  assert_string_equal(get(r, "/n/a%2Fb%20c"), "0 x=a/b c");
  assert_string_equal(get(r, "/r/a%20b/100%25/"), "1 x=a b/100%/");
  assert_string_equal(get(r, "/a%20b/%3100%25"), "2");
}

static void encoded_slash_in_the_rest_is_refused(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/r/*x");
  add(r, GET, "/:any/*x");
  assert_string_equal(get(r, "/r/a%2Fb"), "400");
  assert_string_equal(get(r, "/a%2Fb/c"), "1 any=a/b x=c");
  assert_string_equal(look_up(r, PL_METHOD_POST, "/r/a%2Fb"), "405 GET, HEAD, OPTIONS");
}

static void head_falls_back_to_get(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a");
  add(r, GET, "/b");
  add(r, HEAD_, "/b");
  add(r, POST, "/c");
  assert_string_equal(look_up(r, PL_METHOD_HEAD, "/a"), "0");
  assert_string_equal(look_up(r, PL_METHOD_HEAD, "/b"), "2");
  assert_string_equal(get(r, "/b"), "1");
  assert_string_equal(look_up(r, PL_METHOD_HEAD, "/c"), "405 POST, OPTIONS");
}

static void wrong_method_tells_all_that_match(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a/b");
  add(r, POST, "/a/:x");
  add(r, 1 << PL_METHOD_DELETE, "/*rest");
  assert_string_equal(look_up(r, PL_METHOD_PUT, "/a/b"), "405 GET, HEAD, POST, DELETE, OPTIONS");
  assert_string_equal(look_up(r, PL_METHOD_OPTIONS, "/a/c"), "405 POST, DELETE, OPTIONS");
  assert_string_equal(look_up(r, PL_METHOD_POST, "/a/b"), "1 x=b");
  assert_string_equal(look_up(r, PL_METHOD_DELETE, "/a/b"), "2 rest=a/b");
  assert_string_equal(look_up(r, PL_METHOD_DELETE, "/"), "2 rest=");
}

static void any_takes_every_method(void **state) {
  struct pl_router *r = *state;
  add(r, PL_METHODS_ALL, "/a");
  for (int m = 0; m < PL_METHOD_COUNT; m++)
    assert_string_equal(look_up(r, (enum pl_method)m, "/a"), "0");
  char allow[PL_ALLOW_MAX];
  pl_router_write_allow(PL_METHODS_ALL, allow);
  assert_string_equal(allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static void same_pattern_is_a_conflict_with_the_earlier_route(void **state) {
  struct pl_router *r = *state;
  struct pl_route_problem problem;
  uint32_t route = 77;
  add(r, GET, "/other");
  add(r, GET | POST, "/a/:x");
  add(r, 1 << PL_METHOD_PUT, "/a/:z");
  add(r, GET, "/f/*x");
  int err = pl_router_add(r, POST, PL_STRV("/a/:y"), &route, &problem);
  assert_int_equal(err, PL_EINVAL);
  assert_true(problem.is_conflict);
  assert_int_equal(problem.earlier, 1);
  assert_int_equal(route, 77);
  err = pl_router_add(r, PL_METHODS_ALL, PL_STRV("/f/*y"), &route, &problem);
  assert_int_equal(err, PL_EINVAL);
  assert_int_equal(problem.earlier, 3);
  assert_string_equal(look_up(r, PL_METHOD_PUT, "/a/1"), "2 z=1");
  assert_int_equal(add(r, GET, "/next"), 4);
}

static void bad_patterns_are_refused_with_a_reason(void **state) {
  const struct {
    const char *pattern, *text, *segment;
  } bad[] = {
      {"", "must begin with", ""},          {"a/b", "must begin with", "a/b"},
      {"/a/:", "name is missing", ":"},     {"/*", "name is missing", "*"},
      {"/*x/b", "must be the last", "b"},   {"/*x/", "must be the last", ""},
      {"/:x/b/:x", "only once", ":x"},      {"/:x/*x", "only once", "*x"},
      {"/:a-b", "letters, digits", ":a-b"}, {"/*.png", "letters, digits", "*.png"},
      {"/a/../b", "never match", ".."},     {"/.", "never match", "."},
  };
  struct pl_router *r = *state;
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    struct pl_route_problem problem;
    uint32_t route = 77;
    int err = pl_router_add(r, GET, pl_strv_of(bad[i].pattern), &route, &problem);
    assert_int_equal(err, PL_EINVAL);
    assert_non_null(strstr(problem.text, bad[i].text));
    assert_true(pl_strv_eq(problem.segment, pl_strv_of(bad[i].segment)));
    assert_false(problem.is_conflict);
    assert_int_equal(route, 77);
  }
  assert_int_equal(add(r, GET, "/a:b/c*d/x.y"), 0);
  assert_string_equal(get(r, "/a:b/c*d/x.y"), "0");
}

static void captures_and_segments_are_bounded(void **state) {
  struct pl_router *r = *state;
  char pattern[8 * (PL_ROUTER_MAX_SEGMENTS + 1)];
  struct pl_route_problem problem;
  uint32_t route;
  size_t len = 0, len32 = 0;
  for (int i = 0; i <= PL_ROUTER_MAX_CAPTURES; i++) {
    len32 = len;
    len += (size_t)sprintf(pattern + len, "/:n%d", i);
  }
  assert_int_equal(pl_router_add(r, GET, pl_strv(pattern, len32), &route, &problem), 0);
  int err = pl_router_add(r, GET, pl_strv(pattern, len), &route, &problem);
  assert_int_equal(err, PL_EINVAL);
  assert_non_null(strstr(problem.text, "at most 32 names"));
  memset(pattern, '/', sizeof pattern);
  err = pl_router_add(r, GET, pl_strv(pattern, PL_ROUTER_MAX_SEGMENTS), &route, &problem);
  assert_int_equal(err, 0);
  err = pl_router_add(r, GET, pl_strv(pattern, PL_ROUTER_MAX_SEGMENTS + 1), &route, &problem);
  assert_int_equal(err, PL_EINVAL);
  assert_non_null(strstr(problem.text, "at most 128 segments"));
}

static void thousands_of_routes_are_all_found(void **state) {
  struct pl_router *r = *state;
  char pattern[64], expected[64];
  for (int i = 0; i < 5000; i++) {
    snprintf(pattern, sizeof pattern, "/v%d/thing%d/:id", i % 7, i);
    assert_int_equal(add(r, GET, pattern), i);
  }
  for (int i = 0; i < 5000; i++) {
    snprintf(pattern, sizeof pattern, "/v%d/thing%d/x%d", i % 7, i, i);
    snprintf(expected, sizeof expected, "%d id=x%d", i, i);
    assert_string_equal(get(r, pattern), expected);
    snprintf(pattern, sizeof pattern, "/v%d/thing%d/x", (i + 1) % 7, i);
    assert_string_equal(get(r, pattern), "404");
  }
}

static void literals_of_every_length_are_told_apart(void **state) {
  struct pl_router *r = *state;
  char pattern[64], expected[8];
  for (int len = 1; len <= 40; len++) {  // the same text but for one byte, at each place
    for (int at = 0; at < len; at++) {
      memset(pattern, 'a', sizeof pattern);
      pattern[0] = '/';
      pattern[1 + at] = 'b';
      pattern[1 + len] = '\0';
      uint32_t route = add(r, GET, pattern);
      snprintf(expected, sizeof expected, "%u", route);
      assert_string_equal(get(r, pattern), expected);
    }
  }
}

static void matching_allocates_nothing(void **state) {
  struct pl_router *r = *state;
  add(r, GET, "/a/:x/*y");
  uint64_t before = pl_mem_stats().allocations;
  assert_string_equal(get(r, "/a/b/c/d"), "0 x=b y=c/d");
  assert_int_equal(pl_mem_stats().allocations, before);
}

static void add_survives_each_failed_allocation(void **state) {
  struct pl_router *r = *state;
  char pattern[64];
  int fails = 0;
  for (int i = 0; i < 40; i++) {
    snprintf(pattern, sizeof pattern, "/p%d/a%d/:x/:y/:z", i, i);
    struct pl_route_problem problem;
    uint32_t route = 77;
    int err = PL_ENOMEM;
    for (uint64_t n = 1; err; n++) {
      pl_mem_fail_nth(n);
      err = pl_router_add(r, GET, pl_strv_of(pattern), &route, &problem);
      pl_mem_fail_nth(0);
      if (!err) break;
      fails++;
      assert_int_equal(err, PL_ENOMEM);
      assert_int_equal(route, 77);
    }
    assert_int_equal(route, i);
  }
  assert_true(fails > 5);
  assert_string_equal(get(r, "/p39/a39/1/2/3"), "39 x=1 y=2 z=3");
  for (uint64_t n = 1; n <= 3; n++) {
    pl_mem_fail_nth(n);
    assert_null(pl_router_new());
    pl_mem_fail_nth(0);
  }
}

#define ROUTER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      ROUTER_TEST(literal_beats_name_beats_rest),
      ROUTER_TEST(dead_ends_are_left_again),
      ROUTER_TEST(unknown_first_segment_does_not_begin_anew),
      ROUTER_TEST(trailing_slash_is_significant),
      ROUTER_TEST(name_needs_a_segment_that_is_not_empty),
      ROUTER_TEST(captures_are_decoded),
      ROUTER_TEST(encoded_slash_in_the_rest_is_refused),
      ROUTER_TEST(head_falls_back_to_get),
      ROUTER_TEST(wrong_method_tells_all_that_match),
      ROUTER_TEST(any_takes_every_method),
      ROUTER_TEST(same_pattern_is_a_conflict_with_the_earlier_route),
      ROUTER_TEST(bad_patterns_are_refused_with_a_reason),
      ROUTER_TEST(captures_and_segments_are_bounded),
      ROUTER_TEST(thousands_of_routes_are_all_found),
      ROUTER_TEST(literals_of_every_length_are_told_apart),
      ROUTER_TEST(matching_allocates_nothing),
      ROUTER_TEST(add_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
