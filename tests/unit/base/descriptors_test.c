// The limit of open files goes up to the hard limit.
#include "base/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

static void raise_reaches_the_hard_limit(void **state) {
  (void)state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max = limit.rlim_max < 300 ? limit.rlim_max : 300;
  limit.rlim_cur = 100;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(pl_descriptors_raise(), limit.rlim_max);
  struct rlimit now;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
  assert_int_equal(now.rlim_cur, limit.rlim_max);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(raise_reaches_the_hard_limit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
