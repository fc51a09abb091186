// Unit tests of server/http/status.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/status.h"

static void phrase_is_found_and_empty_for_unknown_codes(void **state) {
  (void)state;
  assert_true(pl_strv_eq(pl_status_phrase(200), PL_STRV("OK")));
  assert_true(pl_strv_eq(pl_status_phrase(431), PL_STRV("Request Header Fields Too Large")));
  assert_int_equal(pl_status_phrase(299).len, 0);
  assert_int_equal(pl_status_phrase(-1).len, 0);
}

static void body_and_length_are_forbidden_where_rfc9110_says(void **state) {
  (void)state;
  for (int status = 100; status < 600; status++) {
    bool is_bare = status < 200 || status == 204;
    assert_int_equal(pl_status_has_length(status), !is_bare);
    assert_int_equal(pl_status_has_body(status), !is_bare && status != 205 && status != 304);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(phrase_is_found_and_empty_for_unknown_codes),
      cmocka_unit_test(body_and_length_are_forbidden_where_rfc9110_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
