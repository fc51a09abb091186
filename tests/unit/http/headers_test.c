// Unit tests of server/http/headers.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "http/headers.h"

static struct pl_header items[] = {
    {PL_STRV("Host"), PL_STRV("a")},
    {PL_STRV("X-Tag"), PL_STRV("one")},
    {PL_STRV("x-tag"), PL_STRV("two")},
};
static const struct pl_headers headers = {items, 3};

static void first_ignores_case_and_says_null_for_none(void **state) {
  (void)state;
  assert_true(pl_strv_eq(pl_headers_first(&headers, PL_STRV("X-TAG")), PL_STRV("one")));
  assert_null(pl_headers_first(&headers, PL_STRV("X-Ta")).data);
}

static void find_walks_over_repeated_names(void **state) {
  (void)state;
  size_t i = pl_headers_find(&headers, PL_STRV("x-Tag"), 0);
  assert_int_equal(i, 1);
  assert_int_equal(pl_headers_find(&headers, PL_STRV("x-Tag"), i + 1), 2);
  assert_int_equal(pl_headers_find(&headers, PL_STRV("x-Tag"), 3), 3);
  assert_int_equal(pl_headers_find(&headers, PL_STRV("x-Tag"), 9), 3);
}

static void token_allows_exactly_the_characters_of_rfc9110(void **state) {
  (void)state;
  const char *allowed = "!#$%&'*+-.^_`|~0123456789"
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0; c < 256; c++) {
    char byte = (char)c;
    bool expected = c != 0 && strchr(allowed, c) != NULL;
    assert_int_equal(pl_token_is_valid(pl_strv(&byte, 1)), expected);
  }
  assert_false(pl_token_is_valid(PL_STRV("")));
  assert_false(pl_token_is_valid(PL_STRV("a b")));
}

static void value_refuses_control_characters_but_tab(void **state) {
  (void)state;
  for (int c = 0; c < 256; c++) {
    char text[] = {'a', (char)c, 'b'};
    bool expected = c == '\t' || (c >= 0x20 && c != 0x7f);
    assert_int_equal(pl_header_value_is_valid(pl_strv(text, 3)), expected);
  }
  assert_true(pl_header_value_is_valid(PL_STRV("")));
}

static void has_token_compares_whole_elements(void **state) {
  (void)state;
  assert_true(pl_header_has_token(PL_STRV("keep-alive,\tClose "), PL_STRV("close")));
  assert_false(pl_header_has_token(PL_STRV("closed, not close"), PL_STRV("close")));
  assert_false(pl_header_has_token(PL_STRV("x=\"a, close, b\""), PL_STRV("close")));
  assert_false(pl_header_has_token(PL_STRV(""), PL_STRV("close")));
}

static void next_item_skips_empty_ones_and_keeps_quoted_commas(void **state) {
  (void)state;
  struct pl_strv rest = PL_STRV(" , a;x=\"1,\\\",2\" ,, b,"), item;
  assert_true(pl_header_next_item(&rest, &item));
  assert_true(pl_strv_eq(item, PL_STRV("a;x=\"1,\\\",2\"")));
  assert_true(pl_header_next_item(&rest, &item));
  assert_true(pl_strv_eq(item, PL_STRV("b")));
  assert_false(pl_header_next_item(&rest, &item));
}

static void next_param_reads_tokens_and_quoted_strings(void **state) {
  (void)state;
  struct pl_strv rest = PL_STRV("Text/html ; charset=utf-8;; title=\"a;\\\"b\" ");
  struct pl_header_param p;
  assert_true(pl_strv_eq(pl_header_take_type(&rest), PL_STRV("Text/html")));
  assert_int_equal(pl_header_next_param(&rest, &p), 0);
  assert_true(pl_strv_eq(p.name, PL_STRV("charset")));
  assert_true(pl_strv_eq(p.value, PL_STRV("utf-8")));
  assert_false(p.is_quoted);
  assert_int_equal(pl_header_next_param(&rest, &p), 0);
  assert_true(pl_strv_eq(p.value, PL_STRV("a;\\\"b")));
  assert_true(p.is_quoted);
  assert_int_equal(pl_header_next_param(&rest, &p), PL_EOF);
}

static void next_param_refuses_what_is_malformed(void **state) {
  (void)state;
  const char *bad[] = {"a", "=b", "a=", "a b=c", "a=\"", "a=\"b", "a=\"b\\\"", "a=\"b\"c", "a=b c"};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    struct pl_strv rest = pl_strv_of(bad[i]);
    struct pl_header_param p;
    assert_int_equal(pl_header_next_param(&rest, &p), PL_EINVAL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_ignores_case_and_says_null_for_none),
      cmocka_unit_test(find_walks_over_repeated_names),
      cmocka_unit_test(token_allows_exactly_the_characters_of_rfc9110),
      cmocka_unit_test(value_refuses_control_characters_but_tab),
      cmocka_unit_test(has_token_compares_whole_elements),
      cmocka_unit_test(next_item_skips_empty_ones_and_keeps_quoted_commas),
      cmocka_unit_test(next_param_reads_tokens_and_quoted_strings),
      cmocka_unit_test(next_param_refuses_what_is_malformed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
