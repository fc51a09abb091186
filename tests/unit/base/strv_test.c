// Views: comparing with and without case, empty ones, trimming.
#include "base/strv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_literals_view_has_no_terminator(void **state) {
  (void)state;
  assert_int_equal(PL_STRV("abc").len, 3);
  assert_int_equal(PL_STRV("").len, 0);
  assert_int_equal(PL_STRV("a\0b").len, 3);
}

static void views_are_equal_by_content(void **state) {
  (void)state;
  char copy[] = "abc";
  assert_true(pl_strv_eq(PL_STRV("abc"), pl_strv_of(copy)));
  assert_false(pl_strv_eq(PL_STRV("abc"), PL_STRV("abd")));
  assert_false(pl_strv_eq(PL_STRV("abc"), PL_STRV("ab")));
  assert_false(pl_strv_eq(PL_STRV("abc"), PL_STRV("ABC")));
  assert_false(pl_strv_eq(PL_STRV("a\0b"), PL_STRV("a\0c")));
}

static void case_is_ignored_only_when_asked(void **state) {
  (void)state;
  assert_true(pl_strv_eq_nocase(PL_STRV("Content-Type"), PL_STRV("content-tYPE")));
  assert_false(pl_strv_eq_nocase(PL_STRV("Content-Type"), PL_STRV("content-typ")));
  assert_false(pl_strv_eq_nocase(PL_STRV("a-b"), PL_STRV("a_b")));
}

static void views_of_nothing_are_equal(void **state) {
  (void)state;
  assert_true(pl_strv_eq(pl_strv(NULL, 0), PL_STRV("")));
  assert_true(pl_strv_eq_nocase(pl_strv(NULL, 0), pl_strv(NULL, 0)));
}

static void trim_takes_spaces_and_tabs_from_both_ends(void **state) {
  (void)state;
  assert_true(pl_strv_eq(pl_strv_trim(PL_STRV(" \t a b\t ")), PL_STRV("a b")));
  assert_true(pl_strv_eq(pl_strv_trim(PL_STRV("a")), PL_STRV("a")));
  assert_int_equal(pl_strv_trim(PL_STRV(" \t ")).len, 0);
  assert_int_equal(pl_strv_trim(pl_strv(NULL, 0)).len, 0);
  assert_true(pl_strv_eq(pl_strv_trim(PL_STRV("\r\na\v")), PL_STRV("\r\na\v")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_literals_view_has_no_terminator),
      cmocka_unit_test(views_are_equal_by_content),
      cmocka_unit_test(case_is_ignored_only_when_asked),
      cmocka_unit_test(views_of_nothing_are_equal),
      cmocka_unit_test(trim_takes_spaces_and_tabs_from_both_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
