// limits.memory and the container's limit: what becomes of a default, what is said of a figure.
#include "config/fit.h"

#include "support.h"

#define MIB ((uint64_t)1 << 20)

static void expect_origin(const struct subject *s, int key, const char *name) {
  assert_int_equal(s->config.origins[key].source, PL_CONFIG_DEFAULT);
  if (name)
    assert_string_equal(s->config.origins[key].name, name);
  else
    assert_null(s->config.origins[key].name);
}

static void fit(struct subject *s, uint64_t container, unsigned workers) {
  pl_config_fit_memory(&s->config, container, workers, &s->report);
}

static void a_default_that_fits_stays(void **state) {
  struct subject *s = *state;
  fit(s, 0, 1);
  fit(s, 2048 * MIB, 1);
  expect_shown(s, PL_CONFIG_KEY_limits_memory_bytes, "\"256m\"");
  expect_origin(s, PL_CONFIG_KEY_limits_memory_bytes, NULL);
  expect_shown(s, PL_CONFIG_KEY_limits_request_memory_bytes, "\"64m\"");
  expect_origin(s, PL_CONFIG_KEY_limits_request_memory_bytes, NULL);
  expect_no_note(s);
}

static void a_default_is_lowered_and_says_why(void **state) {
  struct subject *s = *state;
  fit(s, 256 * MIB, 1);  // less 32 + 4, half of it
  expect_shown(s, PL_CONFIG_KEY_limits_memory_bytes, "\"110m\"");
  expect_origin(s, PL_CONFIG_KEY_limits_memory_bytes,
                "lowered to 110m for the container's limit of 256m");
  expect_origin(s, PL_CONFIG_KEY_limits_request_memory_bytes, NULL);
  expect_no_note(s);
}

static void all_workers_at_their_ceiling_stay_below_the_limit(void **state) {
  (void)state;
  for (uint64_t mib = 32; mib <= 16384; mib += 37) {
    for (unsigned workers = 1; workers <= 16; workers += 3) {
      struct subject s = {0};
      assert_int_equal(pl_config_init(&s.config), 0);
      fit(&s, mib * MIB, workers);
      uint64_t most = 2 * workers * s.config.limits_memory_bytes;
      bool is_least = s.config.limits_memory_bytes == 4 * MIB;
      if (!is_least) assert_in_range(most, 1, mib * MIB - 16 * MIB - 4 * MIB * workers);
      pl_config_deinit(&s.config);
      pl_config_report_deinit(&s.report);
    }
  }
}

static void a_request_gets_no_more_than_its_worker(void **state) {
  struct subject *s = *state;
  fit(s, 128 * MIB, 1);
  expect_shown(s, PL_CONFIG_KEY_limits_memory_bytes, "\"54m\"");
  expect_shown(s, PL_CONFIG_KEY_limits_request_memory_bytes, "\"54m\"");
  expect_origin(s, PL_CONFIG_KEY_limits_request_memory_bytes, "lowered to 54m for limits.memory");
}

static void a_request_gets_no_more_than_the_users_figure(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_limits_memory_bytes, "16m");
  fit(s, 0, 1);
  expect_shown(s, PL_CONFIG_KEY_limits_request_memory_bytes, "\"16m\"");
  expect_no_note(s);
}

static void the_users_figures_stay_and_are_warned_about(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_limits_memory_bytes, "200m");
  set_text(s, PL_CONFIG_KEY_limits_request_memory_bytes, "300m");
  fit(s, 256 * MIB, 1);
  expect_no_note(s);
  fit(s, 256 * MIB, 2);
  expect_note(s, "limits.memory = 200m for each of 2 workers does not fit the container's limit of "
                 "256m (at most 108m would): the kernel may kill the server");
  assert_true(s->report.notes[0].is_warning);
  expect_shown(s, PL_CONFIG_KEY_limits_memory_bytes, "\"200m\"");
  expect_shown(s, PL_CONFIG_KEY_limits_request_memory_bytes, "\"300m\"");
}

static void no_bound_in_a_container_is_warned_about(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_limits_memory_bytes, "false");
  fit(s, 0, 1);
  expect_no_note(s);
  fit(s, 256 * MIB, 1);
  expect_note(s, "limits.memory = false does not fit the container's limit of "
                 "256m (at most 220m would): the kernel may kill the server");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SUBJECT_TEST(a_default_that_fits_stays),
      SUBJECT_TEST(a_default_is_lowered_and_says_why),
      cmocka_unit_test(all_workers_at_their_ceiling_stay_below_the_limit),
      SUBJECT_TEST(a_request_gets_no_more_than_its_worker),
      SUBJECT_TEST(a_request_gets_no_more_than_the_users_figure),
      SUBJECT_TEST(the_users_figures_stay_and_are_warned_about),
      SUBJECT_TEST(no_bound_in_a_container_is_warned_about),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
