// Names and texts of codes: ours, the system's, and numbers that nobody has named.
#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void listed_codes_have_the_listed_name_and_text(void **state) {
  (void)state;
#define X(symbol, number, text)                            \
  assert_int_equal(symbol, number);                        \
  assert_string_equal(pl_error_name(symbol), &#symbol[3]); \
  assert_string_equal(pl_error_text(symbol), text);
#include "base/error.def"
#undef X
}

static void system_codes_are_named_by_the_system(void **state) {
  (void)state;
  assert_string_equal(pl_error_name(-ECONNREFUSED), "ECONNREFUSED");
  assert_string_equal(pl_error_name(-ENOENT), "ENOENT");
  assert_string_equal(pl_error_text(-ENOENT), "No such file or directory");
}

static void listed_system_codes_have_the_systems_numbers(void **state) {
  (void)state;
  assert_int_equal(PL_ENOMEM, -ENOMEM);
  assert_int_equal(PL_EAGAIN, -EAGAIN);
  assert_int_equal(PL_EINVAL, -EINVAL);
  assert_int_equal(PL_EPIPE, -EPIPE);
  assert_int_equal(PL_ECONNRESET, -ECONNRESET);
  assert_int_equal(PL_ETIMEDOUT, -ETIMEDOUT);
  assert_int_equal(PL_ECANCELED, -ECANCELED);
}

static void unknown_codes_have_a_name_all_the_same(void **state) {
  (void)state;
  const int codes[] = {1, 0, -3999, -4000, -30000, INT_MAX, INT_MIN};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (codes[i] != 0) assert_string_equal(pl_error_name(codes[i]), "UNKNOWN");
    assert_non_null(pl_error_text(codes[i]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(listed_codes_have_the_listed_name_and_text),
      cmocka_unit_test(system_codes_are_named_by_the_system),
      cmocka_unit_test(listed_system_codes_have_the_systems_numbers),
      cmocka_unit_test(unknown_codes_have_a_name_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
