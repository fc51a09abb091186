// Flag > environment > file > default, and every problem of every source.
#include "config/load.h"

#include "base/base.h"
#include "base/error.h"
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

static char path[64];

static int make_file(void **state) {
  (void)state;
  strcpy(path, "/tmp/pl_load_test_XXXXXX");
  int fd = mkstemp(path);
  static const char text[] = "return {workers = 2, limits = {query = 20, parts = 20}}";
  bool is_written = fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1;
  close(fd);
  return is_written ? 0 : -1;
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path);
}

static struct pl_config_flag flag(const char *key, const struct pl_strv *value) {
  return (struct pl_config_flag){"--set", pl_strv_of(key), {PL_CONFIG_FORM_TEXT, value, 1}};
}

static void stronger_sources_win(void **state) {
  (void)state;
  struct pl_strv forty = PL_STRV("40");
  struct pl_config_flag flags[] = {flag("limits.parts", &forty)};
  char *const environment[] = {"PERILUNE_LIMITS_QUERY=30", "PERILUNE_LIMITS_PARTS=30", NULL};
  struct pl_config_sources sources = {path, false, environment, flags, 1};
  struct subject s = {0};
  assert_int_equal(pl_config_load(&s.config, &sources, &s.report), 0);
  expect_no_note(&s);
  assert_int_equal(s.config.limits_cookies, 100);
  assert_int_equal(s.config.workers, 2);
  assert_int_equal(s.config.limits_query, 30);
  assert_int_equal(s.config.limits_parts, 40);
  pl_config_deinit(&s.config);
}

static void later_flags_win(void **state) {
  (void)state;
  struct pl_strv three = PL_STRV("3"), four = PL_STRV("4");
  struct pl_config_flag flags[] = {flag("workers", &three), flag("workers", &four)};
  struct pl_config_sources sources = {.flags = flags, .flag_count = 2};
  struct subject s = {0};
  assert_int_equal(pl_config_load(&s.config, &sources, &s.report), 0);
  assert_int_equal(s.config.workers, 4);
  pl_config_deinit(&s.config);
}

static void all_problems_of_all_sources_are_told(void **state) {
  (void)state;
  struct pl_strv zero = PL_STRV("0");
  struct pl_config_flag flags[] = {flag("workers", &zero), flag("wrokers", &zero)};
  char *const environment[] = {"PERILUNE_LOG_ACCESS=maybe", NULL};
  struct pl_config_sources sources = {"/nowhere/f.lua", false, environment, flags, 2};
  struct subject s = {0};
  assert_int_equal(pl_config_load(&s.config, &sources, &s.report), PL_EINVAL);
  assert_int_equal(s.report.errors, 4);
  assert_string_equal(s.report.notes[3].text,
                      "--set: unknown key \"wrokers\": did you mean \"workers\"?");
  assert_int_equal(s.config.workers, 1);  // what is valid is there all the same
  pl_config_deinit(&s.config);
  pl_config_report_deinit(&s.report);
}

static void an_optional_file_may_be_missing(void **state) {
  (void)state;
  struct pl_config_sources sources = {.file = "/nowhere/f.lua", .is_file_optional = true};
  struct subject s = {0};
  assert_int_equal(pl_config_load(&s.config, &sources, &s.report), 0);
  pl_config_deinit(&s.config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stronger_sources_win),
      cmocka_unit_test(later_flags_win),
      cmocka_unit_test(all_problems_of_all_sources_are_told),
      cmocka_unit_test(an_optional_file_may_be_missing),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
