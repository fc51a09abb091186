// Unit tests of server/http/cookie.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/cookie.h"

static char first[1024];

static int parse(const char *a, const char *b, size_t max, struct pl_arena *arena,
                 struct pl_pairs *out) {
  struct pl_header items[] = {{PL_STRV("cookie"), pl_strv_of(a)},
                              {PL_STRV("Host"), PL_STRV("x=y")},
                              {PL_STRV("Cookie"), pl_strv_of(b)}};
  struct pl_headers headers = {items, 3};
  pl_arena_init(arena, first, sizeof first);
  return pl_cookies_parse(&headers, max, arena, out);
}

static void expect_pair(const struct pl_pairs *pairs, size_t i, const char *name,
                        const char *value) {
  assert_true(i < pairs->count);
  assert_true(pl_strv_eq(pairs->items[i].name, pl_strv_of(name)));
  assert_true(pl_strv_eq(pairs->items[i].value, pl_strv_of(value)));
}

static void cookies_of_all_fields_are_listed(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs c;
  assert_int_equal(parse("a=1; b=x=%20y;a=2", "c=\"q u\"", 10, &arena, &c), 0);
  assert_int_equal(c.count, 4);
  expect_pair(&c, 0, "a", "1");
  expect_pair(&c, 1, "b", "x=%20y");
  expect_pair(&c, 2, "a", "2");
  expect_pair(&c, 3, "c", "q u");
}

static void pieces_that_are_no_cookies_are_skipped(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs c;
  assert_int_equal(parse(";;flag; =v; e= ; q=\"", "", 2, &arena, &c), 0);
  assert_int_equal(c.count, 2);
  expect_pair(&c, 0, "e", "");
  expect_pair(&c, 1, "q", "\"");
}

static void too_many_cookies_are_refused(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs c;
  assert_int_equal(parse("a=1;b=2", "c=3", 3, &arena, &c), 0);
  assert_int_equal(parse("a=1;b=2", "c=3", 2, &arena, &c), PL_ELIMIT);
}

static void no_cookies_cost_no_memory(void **state) {
  (void)state;
  struct pl_headers none = {NULL, 0};
  struct pl_arena arena;
  struct pl_pairs c;
  pl_arena_init(&arena, NULL, 0);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_cookies_parse(&none, 0, &arena, &c), 0);
  pl_mem_fail_nth(0);
  assert_int_equal(c.count, 0);
}

static void expect_written(const struct pl_cookie *cookie, const char *expected) {
  struct pl_buf out = {0};
  const char *problem = NULL;
  assert_int_equal(pl_cookie_write(cookie, &out, &problem), 0);
  assert_null(problem);
  struct pl_strv view = pl_buf_view(&out);
  assert_int_equal(view.len, strlen(expected));
  assert_memory_equal(view.data, expected, view.len);
  pl_buf_deinit(&out);
}

static void write_says_only_what_is_set(void **state) {
  (void)state;
  struct pl_cookie c = {.name = PL_STRV("a")};
  expect_written(&c, "a=");
  c.value = PL_STRV("b/c=d!#");
  c.is_http_only = true;
  c.same_site = PL_SAME_SITE_LAX;
  expect_written(&c, "a=b/c=d!#; HttpOnly; SameSite=Lax");
}

static void write_says_every_attribute(void **state) {
  (void)state;
  struct pl_cookie c = {
      .name = PL_STRV("id"),
      .value = PL_STRV("7"),
      .path = PL_STRV("/a b"),
      .domain = PL_STRV(".example.com"),
      .max_age = INT64_MIN,
      .has_max_age = true,
      .expires = 784111777,
      .has_expires = true,
      .is_secure = true,
      .is_http_only = true,
      .same_site = PL_SAME_SITE_STRICT,
  };
  expect_written(&c, "id=7; Path=/a b; Domain=.example.com; Max-Age=-9223372036854775808; "
                     "Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; HttpOnly; SameSite=Strict");
}

static void refuse(struct pl_cookie c, const char *word) {
  struct pl_buf out = {0};
  const char *problem = NULL;
  assert_int_equal(pl_cookie_write(&c, &out, &problem), PL_EINVAL);
  assert_non_null(strstr(problem, word));
  assert_int_equal(pl_buf_len(&out), 0);
  pl_buf_deinit(&out);
}

static void bytes_that_could_break_out_are_refused(void **state) {
  (void)state;
  const struct pl_strv n = PL_STRV("n");
  for (int i = 0; i < 256; i++) {
    char text[] = {'/', (char)i};
    struct pl_strv bad = pl_strv(text, 2);
    bool is_control = i < 0x20 || i == 0x7f;
    if (is_control || i == ';') refuse((struct pl_cookie){.name = n, .path = bad}, "path");
    if (is_control || i > 0x7f || (i && strchr(" \",;\\", i)))
      refuse((struct pl_cookie){.name = n, .value = bad}, "value");
    refuse((struct pl_cookie){.name = n, .domain = bad}, "domain");
    refuse((struct pl_cookie){.name = bad}, "name");
  }
  refuse((struct pl_cookie){.name = PL_STRV("")}, "name");
  refuse((struct pl_cookie){.name = PL_STRV("a=b")}, "name");
  refuse((struct pl_cookie){.name = n, .path = PL_STRV("a")}, "path");
  refuse((struct pl_cookie){.name = n, .expires = -1, .has_expires = true}, "expires");
  refuse((struct pl_cookie){.name = n, .expires = INT64_MAX, .has_expires = true}, "expires");
}

static void what_browsers_drop_is_refused(void **state) {
  (void)state;
  refuse((struct pl_cookie){.name = PL_STRV("a"), .same_site = PL_SAME_SITE_NONE}, "secure");
  refuse((struct pl_cookie){.name = PL_STRV("__secure-a")}, "secure");
  refuse((struct pl_cookie){.name = PL_STRV("__Host-a"), .path = PL_STRV("/")}, "secure");
  refuse((struct pl_cookie){.name = PL_STRV("__Host-a"), .is_secure = true}, "path");
  refuse((struct pl_cookie){.name = PL_STRV("__Host-a"),
                            .path = PL_STRV("/"),
                            .domain = PL_STRV("a"),
                            .is_secure = true},
         "domain");
  struct pl_cookie good = {.name = PL_STRV("__Host-a"), .path = PL_STRV("/"), .is_secure = true};
  expect_written(&good, "__Host-a=; Path=/; Secure");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cookies_of_all_fields_are_listed),
      cmocka_unit_test(pieces_that_are_no_cookies_are_skipped),
      cmocka_unit_test(too_many_cookies_are_refused),
      cmocka_unit_test(no_cookies_cost_no_memory),
      cmocka_unit_test(write_says_only_what_is_set),
      cmocka_unit_test(write_says_every_attribute),
      cmocka_unit_test(bytes_that_could_break_out_are_refused),
      cmocka_unit_test(what_browsers_drop_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
