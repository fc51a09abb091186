// What "auto" stands for.
#include "config/resolve.h"

#include "base/error.h"
#include "support.h"

static void check(const struct subject *s, uint64_t descriptors, unsigned workers, int rc,
                  uint64_t expected) {
  uint64_t connections = 0;
  assert_int_equal(pl_config_connections(&s->config, descriptors, workers, &connections), rc);
  assert_int_equal(connections, expected);
}

static void auto_connections_leave_a_reserve(void **state) {
  struct subject *s = *state;
  check(s, 1024, 1, 0, 1024 - 64 - 8);
  check(s, 1024, 4, 0, 1024 - 64 - 32);
  check(s, 10072, 1, 0, 10000);
  check(s, 10071, 1, 0, 9999);
  check(s, UINT64_MAX, 1, 0, 10000);
  check(s, 73, 1, 0, 1);
  check(s, 72, 1, PL_ELIMIT, 0);
  check(s, 0, 1, PL_ELIMIT, 0);
}

static void explicit_connections_must_be_carried(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_limits_connections, "20000");
  check(s, 20072, 1, 0, 20000);
  check(s, 20071, 1, PL_ELIMIT, 19999);
}

static void workers_are_the_figure_or_the_cpus(void **state) {
  struct subject *s = *state;
  assert_int_equal(pl_config_workers(&s->config, 8), 1);
  set_text(s, PL_CONFIG_KEY_workers, "auto");
  assert_int_equal(pl_config_workers(&s->config, 8), 8);
  assert_int_equal(pl_config_workers(&s->config, 600), 512);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SUBJECT_TEST(auto_connections_leave_a_reserve),
      SUBJECT_TEST(explicit_connections_must_be_carried),
      SUBJECT_TEST(workers_are_the_figure_or_the_cpus),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
