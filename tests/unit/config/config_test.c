// The table of keys: defaults, bounds of every row, messages, names.
#include "config/config.h"

#include "base/base.h"
#include "base/error.h"
#include "base/mem.h"
#include "config/kind.h"
#include "config/units.h"
#include "support.h"

#include <inttypes.h>
#include <stdio.h>

static void init_sets_the_defaults_of_the_contract(void **state) {
  struct subject *s = *state;
  assert_int_equal(s->config.workers, 1);
  assert_int_equal(s->config.listen.count, 1);
  assert_string_equal(s->config.listen.items[0].text, "127.0.0.1:8080");
  assert_string_equal(s->config.server_header, "perilune");
  assert_int_equal(s->config.log_level, PL_LOG_INFO);
  assert_int_equal(s->config.log_format, PL_CONFIG_LOG_FORMAT_AUTO);
  assert_true(s->config.log_access);
  assert_int_equal(s->config.limits_connections, PL_CONFIG_AUTO);
  assert_int_equal(s->config.limits_in_flight, 1024);
  assert_int_equal(s->config.limits_request_line_bytes, 8 << 10);
  assert_int_equal(s->config.limits_header_bytes, 32 << 10);
  assert_int_equal(s->config.limits_header_count, 100);
  assert_int_equal(s->config.limits_body_bytes, 8 << 20);
  assert_int_equal(s->config.limits_read_ahead_bytes, 64 << 10);
  assert_int_equal(s->config.limits_discard_bytes, 64 << 10);
  assert_int_equal(s->config.limits_chunk_ext_bytes, 16 << 10);
  assert_int_equal(s->config.limits_query, 1000);
  assert_int_equal(s->config.limits_cookies, 100);
  assert_int_equal(s->config.limits_json_depth, 128);
  assert_int_equal(s->config.limits_parts, 100);
  assert_int_equal(s->config.limits_memory_bytes, 256 << 20);
  assert_int_equal(s->config.timeouts_header_ms, 10000);
  assert_int_equal(s->config.timeouts_body_ms, 30000);
  assert_int_equal(s->config.timeouts_idle_ms, 60000);
  assert_int_equal(s->config.timeouts_request_ms, 30000);
  assert_int_equal(s->config.timeouts_write_ms, 30000);
  assert_null(s->config.lua_path);
  assert_null(s->config.lua_cpath);
  assert_int_equal(s->config.proxy_trusted.count, 0);
  assert_int_equal(s->config.drain_timeout_ms, 30000);
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    assert_int_equal(s->config.origins[key].source, PL_CONFIG_DEFAULT);
  }
}

static int units_of(const struct pl_config_kind *kind) {
  if (kind == &pl_config_kind_COUNT || kind == &pl_config_kind_COUNT_OR_AUTO) return PL_UNITS_COUNT;
  if (kind == &pl_config_kind_SIZE || kind == &pl_config_kind_SIZE_OR_NONE) return PL_UNITS_SIZE;
  return kind == &pl_config_kind_TIME_OR_NONE ? (int)PL_UNITS_TIME : -1;
}

static void try_number(struct subject *s, int key, uint64_t number, bool is_within) {
  char text[64];
  bool is_time = units_of(pl_config_keys[key].kind) == PL_UNITS_TIME;
  snprintf(text, sizeof text, "%" PRIu64 "%s", number, is_time ? "ms" : "");
  set_text(s, key, text);
  if (is_within) {
    expect_no_note(s);
    uint64_t stored;
    memcpy(&stored, (char *)&s->config + pl_config_keys[key].offset, sizeof stored);
    assert_int_equal(stored, number);
  } else {
    assert_int_equal(s->report.errors, 1);
    assert_non_null(strstr(s->report.notes[0].text, ": out of bounds: "));
  }
  forget_notes(s);
}

static void every_number_is_held_to_its_bounds(void **state) {
  struct subject *s = *state;
  int rows = 0;
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    const struct pl_config_key *row = &pl_config_keys[key];
    int units = units_of(row->kind);
    if (units < 0) continue;
    uint64_t min, max;
    assert_int_equal(pl_units_parse((enum pl_units)units, pl_strv_of(row->min), &min), 0);
    assert_int_equal(pl_units_parse((enum pl_units)units, pl_strv_of(row->max), &max), 0);
    if (min > 0) try_number(s, key, min - 1, false);
    try_number(s, key, min, true);
    try_number(s, key, max, true);
    try_number(s, key, max + 1, false);
    rows++;
  }
  assert_true(rows >= 20);
}

static void every_text_is_held_to_its_bounds(void **state) {
  struct subject *s = *state;
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    if (pl_config_keys[key].kind != &pl_config_kind_TEXT_OR_NONE) continue;
    uint64_t max;
    assert_int_equal(pl_units_parse(PL_UNITS_COUNT, pl_strv_of(pl_config_keys[key].max), &max), 0);
    char *text = pl_mem_zalloc(max + 2);
    assert_non_null(text);
    memset(text, 'x', max);
    set_text(s, key, text);
    expect_no_note(s);
    text[max] = 'x';
    set_text(s, key, text);
    assert_int_equal(s->report.errors, 1);
    forget_notes(s);
    set_text(s, key, "");
    assert_int_equal(s->report.errors, 1);
    forget_notes(s);
    pl_mem_free(text);
  }
}

static void every_kind_refuses_what_it_is_not(void **state) {
  struct subject *s = *state;
  struct pl_strv name = PL_STRV("function");
  struct pl_config_input other = {PL_CONFIG_FORM_OTHER, &name, 1};
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    pl_config_set(&s->config, key, &other, PL_CONFIG_FILE, "f", &s->report);
    assert_int_equal(s->report.errors, 1);
    assert_non_null(strstr(s->report.notes[0].text, " = <function>: "));
    forget_notes(s);
  }
}

static void a_scalar_is_not_a_list_of_one(void **state) {
  struct subject *s = *state;
  static const struct {
    int key;
    const char *word;
  } cases[] = {{PL_CONFIG_KEY_workers, "auto"},
               {PL_CONFIG_KEY_log_access, "true"},
               {PL_CONFIG_KEY_log_level, "info"},
               {PL_CONFIG_KEY_limits_body_bytes, "1k"},
               {PL_CONFIG_KEY_server_header, "x"}};
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    struct pl_strv item = pl_strv_of(cases[i].word);
    struct pl_config_input list = {PL_CONFIG_FORM_LIST, &item, 1};
    pl_config_set(&s->config, cases[i].key, &list, PL_CONFIG_FILE, "f", &s->report);
    assert_int_equal(s->report.errors, 1);
    assert_non_null(strstr(s->report.notes[0].text, "<a list of 1 value>"));
    forget_notes(s);
  }
}

static void set_names_key_value_and_what_is_expected(void **state) {
  struct subject *s = *state;
  static const struct {
    int key;
    const char *value;
    const char *message;
  } cases[] = {
      {PL_CONFIG_KEY_limits_body_bytes, "10s",
       "--set: limits.body = \"10s\": a size is expected (64k, 8m, 2g)"},
      {PL_CONFIG_KEY_limits_body_bytes, "2000g",
       "--set: limits.body = \"2000g\": out of bounds: 0 to 1024g"},
      {PL_CONFIG_KEY_timeouts_idle_ms, "64k",
       "--set: timeouts.idle = \"64k\": a time is expected (250ms, 10s, 2m, 24h; false = none)"},
      {PL_CONFIG_KEY_workers, "many",
       "--set: workers = \"many\": a whole number or \"auto\" is expected"},
      {PL_CONFIG_KEY_workers, "-1", "--set: workers = \"-1\": out of bounds: 1 to 512"},
      {PL_CONFIG_KEY_log_level, "loud",
       "--set: log.level = \"loud\": one of these is expected: debug|info|warn|error"},
      {PL_CONFIG_KEY_log_access, "yes", "--set: log.access = \"yes\": true or false is expected"},
      {PL_CONFIG_KEY_server_header, "a\r\nb",
       "--set: server_header = \"a\\x0d\\x0ab\": a text without control characters is expected "
       "(false = none)"},
      {PL_CONFIG_KEY_proxy_trusted, "10.0.0.0/8, 10.0.0.0/40",
       "--set: proxy.trusted = \"10.0.0.0/40\": an address or a network is expected (127.0.0.1, "
       "10.0.0.0/8, fd00::/8, unix)"},
      {PL_CONFIG_KEY_listen, "", "--set: listen = \"\": out of bounds: 1 to 64 addresses"},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    set_text(s, cases[i].key, cases[i].value);
    expect_note(s, cases[i].message);
    assert_int_equal(s->config.origins[cases[i].key].source, PL_CONFIG_DEFAULT);
    forget_notes(s);
  }
}

static void set_passes_on_why_an_address_is_wrong(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_listen, "8080,http://x:80");
  assert_int_equal(s->report.errors, 1);
  const char *text = s->report.notes[0].text;
  assert_non_null(strstr(text, "--set: listen = \"http://x:80\": "));
  assert_non_null(strstr(text, "not a URL"));
  expect_shown(s, PL_CONFIG_KEY_listen, "\"127.0.0.1:8080\"");
}

static void set_shortens_a_long_value_in_its_message(void **state) {
  struct subject *s = *state;
  char text[500] = {0};
  memset(text, 'z', sizeof text - 1);
  set_text(s, PL_CONFIG_KEY_workers, text);
  assert_int_equal(s->report.errors, 1);
  assert_true(strlen(s->report.notes[0].text) < 150);
  assert_non_null(strstr(s->report.notes[0].text, "\"...: "));
}

static void set_remembers_the_origin(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_limits_query, "5");
  const struct pl_config_origin *origin = &s->config.origins[PL_CONFIG_KEY_limits_query];
  assert_int_equal(origin->source, PL_CONFIG_FLAG);
  assert_string_equal(origin->name, "--set");
}

static void false_means_none(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_timeouts_idle_ms, "false");
  set_text(s, PL_CONFIG_KEY_limits_memory_bytes, "false");
  set_text(s, PL_CONFIG_KEY_server_header, "false");
  expect_no_note(s);
  assert_int_equal(s->config.timeouts_idle_ms, 0);
  assert_true(s->config.limits_memory_bytes == PL_CONFIG_UNBOUNDED);
  assert_null(s->config.server_header);
}

static void lists_in_text_are_split_at_commas(void **state) {
  struct subject *s = *state;
  set_text(s, PL_CONFIG_KEY_listen, " 8080 , [::1]:9090,unix:/tmp/x ");
  set_text(s, PL_CONFIG_KEY_proxy_trusted, "10.0.0.0/8,unix");
  expect_no_note(s);
  expect_shown(s, PL_CONFIG_KEY_listen, "{\"127.0.0.1:8080\", \"[::1]:9090\", \"unix:/tmp/x\"}");
  expect_shown(s, PL_CONFIG_KEY_proxy_trusted, "{\"10.0.0.0/8\", \"unix\"}");
}

static void a_list_has_a_largest_length(void **state) {
  struct subject *s = *state;
  char text[65 * 5 + 1] = "";
  for (int i = 0; i < 64; i++) strcat(text, "8080,");
  set_text(s, PL_CONFIG_KEY_listen, text);
  expect_no_note(s);
  assert_int_equal(s->config.listen.count, 64);
  strcat(text, "8080,");
  set_text(s, PL_CONFIG_KEY_listen, text);
  assert_int_equal(s->report.errors, 1);
  assert_non_null(strstr(s->report.notes[0].text, ": out of bounds: 1 to 64 addresses"));
}

static void environment_names_are_unique_and_not_kubernetes(void **state) {
  (void)state;
  char names[PL_CONFIG_KEYS][64];
  for (int key = 0; key < PL_CONFIG_KEYS; key++) {
    pl_config_environment_name(&pl_config_keys[key], names[key], sizeof names[key]);
    assert_int_not_equal(strncmp(names[key], "PERILUNE_PORT", 13), 0);
    assert_int_not_equal(strncmp(names[key], "PERILUNE_SERVICE_", 17), 0);
    for (int other = 0; other < key; other++) assert_string_not_equal(names[key], names[other]);
  }
  assert_string_equal(names[PL_CONFIG_KEY_log_level], "PERILUNE_LOG_LEVEL");
  assert_string_equal(names[PL_CONFIG_KEY_limits_in_flight], "PERILUNE_LIMITS_IN_FLIGHT");
}

static void init_survives_each_failed_allocation(void **state) {
  (void)state;
  int64_t before = pl_mem_stats().bytes;
  for (uint64_t nth = 1;; nth++) {
    struct pl_config config;
    pl_mem_fail_nth(nth);
    int rc = pl_config_init(&config);
    pl_mem_fail_nth(0);
    if (rc == 0) {
      pl_config_deinit(&config);
      assert_true(nth > 2);
      break;
    }
    assert_int_equal(rc, PL_ENOMEM);
    assert_int_equal(pl_mem_stats().bytes, before);
  }
  assert_int_equal(pl_mem_stats().bytes, before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SUBJECT_TEST(init_sets_the_defaults_of_the_contract),
      SUBJECT_TEST(every_number_is_held_to_its_bounds),
      SUBJECT_TEST(every_text_is_held_to_its_bounds),
      SUBJECT_TEST(every_kind_refuses_what_it_is_not),
      SUBJECT_TEST(a_scalar_is_not_a_list_of_one),
      SUBJECT_TEST(set_names_key_value_and_what_is_expected),
      SUBJECT_TEST(set_passes_on_why_an_address_is_wrong),
      SUBJECT_TEST(set_shortens_a_long_value_in_its_message),
      SUBJECT_TEST(set_remembers_the_origin),
      SUBJECT_TEST(false_means_none),
      SUBJECT_TEST(lists_in_text_are_split_at_commas),
      SUBJECT_TEST(a_list_has_a_largest_length),
      cmocka_unit_test(environment_names_are_unique_and_not_kubernetes),
      cmocka_unit_test(init_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
