// Unit tests of server/http/percent.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "http/percent.h"

static void decode_takes_both_cases_and_works_in_place(void **state) {
  (void)state;
  char text[] = "a%2f%2F%c3%A9+%00";
  size_t len = 0;
  assert_int_equal(pl_percent_decode(pl_strv(text, sizeof text - 1), false, text, &len), 0);
  assert_int_equal(len, 7);
  assert_memory_equal(text, "a//\xc3\xa9+\0", 7);
}

static void decode_makes_plus_a_space_only_in_forms(void **state) {
  (void)state;
  char out[3];
  size_t len = 0;
  assert_int_equal(pl_percent_decode(PL_STRV("a+b"), true, out, &len), 0);
  assert_memory_equal(out, "a b", 3);
  assert_int_equal(pl_percent_decode(PL_STRV("a+b"), false, out, &len), 0);
  assert_memory_equal(out, "a+b", 3);
}

static void decode_refuses_incomplete_and_wrong_digits(void **state) {
  (void)state;
  const char *bad[] = {"%", "a%4", "%4", "%g0", "%0g", "%%41", "%+1", "% 1", "%u0041"};
  char out[16];
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++) {
    size_t len = 77;
    assert_int_equal(pl_percent_decode(pl_strv_of(bad[i]), true, out, &len), PL_EINVAL);
    assert_int_equal(len, 77);
  }
  size_t len = 77;  // what stands behind the view does not count
  assert_int_equal(pl_percent_decode(pl_strv("%41", 2), true, out, &len), PL_EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decode_takes_both_cases_and_works_in_place),
      cmocka_unit_test(decode_makes_plus_a_space_only_in_forms),
      cmocka_unit_test(decode_refuses_incomplete_and_wrong_digits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
