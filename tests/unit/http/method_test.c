// Unit tests of server/http/method.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/request.h"

static void every_method_is_parsed_back_from_its_name(void **state) {
  (void)state;
  for (int m = 0; m < PL_METHOD_COUNT; m++) {
    enum pl_method parsed = PL_METHOD_COUNT;
    assert_true(pl_method_parse(pl_method_name((enum pl_method)m), &parsed));
    assert_int_equal(parsed, m);
  }
  assert_true(pl_strv_eq(pl_method_name(PL_METHOD_OPTIONS), PL_STRV("OPTIONS")));
}

static void parse_refuses_other_names_and_other_case(void **state) {
  (void)state;
  const char *bad[] = {"", "get", "GE", "GETS", "Get", "CONNECT", "TRACE", "BLARGH"};
  enum pl_method method = PL_METHOD_PUT;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(pl_method_parse(pl_strv_of(bad[i]), &method));
  assert_int_equal(method, PL_METHOD_PUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_method_is_parsed_back_from_its_name),
      cmocka_unit_test(parse_refuses_other_names_and_other_case),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
