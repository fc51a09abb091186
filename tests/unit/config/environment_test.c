// The environment: PERILUNE_<KEY>, PORT, and the names that are none of ours.
#include "config/environment.h"

#include "support.h"

static void variables_set_their_keys(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PERILUNE_LOG_LEVEL=debug", "PERILUNE_LIMITS_BODY=1m",
                               "PERILUNE_LISTEN=8081,8082", "HOME=/", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_no_note(s);
  assert_int_equal(s->config.log_level, PL_LOG_DEBUG);
  assert_int_equal(s->config.limits_body_bytes, 1 << 20);
  assert_int_equal(s->config.listen.count, 2);
  const struct pl_config_origin *origin = &s->config.origins[PL_CONFIG_KEY_log_level];
  assert_int_equal(origin->source, PL_CONFIG_ENVIRONMENT);
  assert_string_equal(origin->name, "PERILUNE_LOG_LEVEL");
}

static void port_listens_everywhere(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PORT=9000", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_no_note(s);
  expect_shown(s, PL_CONFIG_KEY_listen, "\"0.0.0.0:9000\"");
  assert_string_equal(s->config.origins[PL_CONFIG_KEY_listen].name, "PORT");
}

static void port_gives_way_to_perilune_listen(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PERILUNE_LISTEN=8081", "PORT=9000", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_shown(s, PL_CONFIG_KEY_listen, "\"127.0.0.1:8081\"");
}

static void port_is_one_port(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PORT=9000,9001", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  assert_int_equal(s->report.errors, 1);
  assert_memory_equal(s->report.notes[0].text, "PORT: listen = ", 15);
}

static void empty_variables_are_not_set(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PORT=", "PERILUNE_WORKERS=", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_no_note(s);
  assert_int_equal(s->config.origins[PL_CONFIG_KEY_listen].source, PL_CONFIG_DEFAULT);
}

static void a_wrong_value_names_its_variable(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PERILUNE_WORKERS=many", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_note(s, "PERILUNE_WORKERS: workers = \"many\": a whole number or \"auto\" is expected");
  assert_int_equal(s->report.errors, 1);
}

static void an_unknown_variable_is_a_warning(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PERILUNE_LOGLEVEL=debug", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_note(s, "unknown variable PERILUNE_LOGLEVEL: did you mean PERILUNE_LOG_LEVEL?");
  assert_true(s->report.notes[0].is_warning);
  assert_int_equal(s->report.errors, 0);
}

static void kubernetes_variables_are_none_of_ours(void **state) {
  struct subject *s = *state;
  char *const environment[] = {"PERILUNE_PORT=tcp://10.0.0.1:80", "PERILUNE_SERVICE_HOST=10.0.0.1",
                               "PERILUNE_PORT_80_TCP_ADDR=10.0.0.1", NULL};
  pl_config_read_environment(&s->config, environment, &s->report);
  expect_no_note(s);
  assert_int_equal(s->config.origins[PL_CONFIG_KEY_listen].source, PL_CONFIG_DEFAULT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SUBJECT_TEST(variables_set_their_keys),
      SUBJECT_TEST(port_listens_everywhere),
      SUBJECT_TEST(port_gives_way_to_perilune_listen),
      SUBJECT_TEST(port_is_one_port),
      SUBJECT_TEST(empty_variables_are_not_set),
      SUBJECT_TEST(a_wrong_value_names_its_variable),
      SUBJECT_TEST(an_unknown_variable_is_a_warning),
      SUBJECT_TEST(kubernetes_variables_are_none_of_ours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
