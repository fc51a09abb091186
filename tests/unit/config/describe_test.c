// Texts made of the configuration. The committed default file must be the one that is generated:
//   build/dev/perilune config --default > config/perilune.conf.lua
#include "config/describe.h"

#include "config/fit.h"
#include "config/read.h"
#include "support.h"

#include <stdio.h>

static void defaults_are_the_committed_file(void **state) {
  (void)state;
  struct pl_buf made = {0};
  assert_int_equal(pl_config_describe_defaults(&made), 0);
  FILE *file = fopen("config/perilune.conf.lua", "r");  // tests run in the repository's root
  assert_non_null(file);
  static char committed[1 << 16];
  size_t len = fread(committed, 1, sizeof committed - 1, file);
  fclose(file);
  committed[len] = '\0';
  assert_int_equal(pl_buf_append(&made, "", 1), 0);
  assert_string_equal(pl_buf_view(&made).data, committed);
  pl_buf_deinit(&made);
}

static void defaults_read_back_as_the_defaults(void **state) {
  struct subject *s = *state;
  struct pl_buf made = {0}, before = {0}, after = {0};
  assert_int_equal(pl_config_describe_defaults(&made), 0);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    assert_int_equal(pl_config_format(&s->config, key, &before), 0);
  }
  pl_config_read_text(&s->config, "f.lua", pl_buf_view(&made), NULL, &s->report);
  expect_no_note(s);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    assert_int_equal(s->config.origins[key].source, PL_CONFIG_FILE);
    assert_int_equal(pl_config_format(&s->config, key, &after), 0);
  }
  assert_true(pl_strv_eq(pl_buf_view(&before), pl_buf_view(&after)));
  pl_buf_deinit(&made);
  pl_buf_deinit(&before);
  pl_buf_deinit(&after);
}

static void no_line_is_longer_than_100_columns(void **state) {
  (void)state;
  struct pl_buf text = {0};
  assert_int_equal(pl_config_describe_defaults(&text), 0);
  assert_int_equal(pl_config_describe_keys(&text), 0);
  assert_int_equal(pl_buf_append(&text, "", 1), 0);
  for (const char *line = pl_buf_view(&text).data; *line; line += strcspn(line, "\n") + 1) {
    assert_in_range(strcspn(line, "\n"), 0, 100);
  }
  pl_buf_deinit(&text);
}

static void effective_names_each_origin(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_limits_query, "5");
  struct pl_buf text = {0};
  assert_int_equal(pl_config_describe_effective(&s->config, &text), 0);
  assert_int_equal(pl_buf_append(&text, "", 1), 0);
  const char *all = pl_buf_view(&text).data;
  assert_non_null(
      strstr(all, "\nlimits.query = 5                            -- command line: --set\n"));
  assert_non_null(strstr(all, "\nlimits.body = \"8m\"                          -- default\n"));
  pl_buf_deinit(&text);
}

static void a_lowered_default_says_why(void **state) {
  struct subject *s = *state;
  pl_config_fit_memory(&s->config, (uint64_t)256 << 20, 1, &s->report);
  struct pl_buf text = {0};
  assert_int_equal(pl_config_describe_effective(&s->config, &text), 0);
  assert_int_equal(pl_buf_append(&text, "", 1), 0);
  assert_non_null(strstr(pl_buf_view(&text).data,
                         "\nlimits.memory = \"110m\"                      -- default, lowered to "
                         "110m for the container's limit of 256m\n"));
  pl_buf_deinit(&text);
}

static void keys_name_their_variables(void **state) {
  (void)state;
  struct pl_buf text = {0};
  assert_int_equal(pl_config_describe_keys(&text), 0);
  assert_int_equal(pl_buf_append(&text, "", 1), 0);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    char name[64];
    pl_config_environment_name(&pl_config_keys[key], name, sizeof name);
    assert_non_null(strstr(pl_buf_view(&text).data, name));
  }
  pl_buf_deinit(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_the_committed_file),
      SUBJECT_TEST(defaults_read_back_as_the_defaults),
      cmocka_unit_test(no_line_is_longer_than_100_columns),
      SUBJECT_TEST(effective_names_each_origin),
      SUBJECT_TEST(a_lowered_default_says_why),
      cmocka_unit_test(keys_name_their_variables),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
