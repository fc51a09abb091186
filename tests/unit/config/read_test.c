// The configuration file: what it may say, what it may not, and what happens to hostile ones.
#include "config/read.h"

#include "base/base.h"
#include "base/error.h"
#include "base/mem.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *const environment[] = {"APP_BODY=16k", "APP_EMPTY=", NULL};

static void read_text(struct subject *s, const char *text) {
  pl_config_read_text(&s->config, "f.lua", pl_strv_of(text), environment, &s->report);
}

static void read_sets_keys_of_every_form(void **state) {
  struct subject *s = *state;
  read_text(s, "return {listen = {8080, 'unix:/tmp/x'}, workers = 2.0, server_header = false,\n"
               "  log = {level = 'warn', access = false}, limits = {body = 4096, query = '7'},\n"
               "  timeouts = {idle = 0.5, body = '2m', write = false}, proxy = {trusted = '::1'}}");
  expect_no_note(s);
  expect_shown(s, PL_CONFIG_KEY_listen, "{\"127.0.0.1:8080\", \"unix:/tmp/x\"}");
  assert_int_equal(s->config.workers, 2);
  assert_null(s->config.server_header);
  assert_int_equal(s->config.log_level, PL_LOG_WARN);
  assert_false(s->config.log_access);
  assert_int_equal(s->config.limits_body_bytes, 4096);
  assert_int_equal(s->config.limits_query, 7);
  assert_int_equal(s->config.timeouts_idle_ms, 500);
  assert_int_equal(s->config.timeouts_body_ms, 120000);
  assert_int_equal(s->config.timeouts_write_ms, 0);
  assert_int_equal(s->config.proxy_trusted.count, 1);
  assert_int_equal(s->config.origins[PL_CONFIG_KEY_workers].source, PL_CONFIG_FILE);
  assert_string_equal(s->config.origins[PL_CONFIG_KEY_workers].name, "f.lua");
}

static void read_gives_env_and_its_default(void **state) {
  struct subject *s = *state;
  read_text(s, "return {limits = {body = env('APP_BODY', '1k'), query = env('APP_NONE', 5),\n"
               "  parts = env('APP_EMPTY', 6), cookies = env('APP_NONE')}}");
  expect_no_note(s);
  assert_int_equal(s->config.limits_body_bytes, 16 << 10);
  assert_int_equal(s->config.limits_query, 5);
  assert_int_equal(s->config.limits_parts, 6);
  assert_int_equal(s->config.limits_cookies, 100);
}

static void read_reports_all_problems_in_a_fixed_order(void **state) {
  struct subject *s = *state;
  read_text(s, "return {zzz = 1, limits = {boddy = 1, body = '10s'}, aaa = 2, workers = {},\n"
               "  log = 5, ['limits.body'] = 1, [1] = 2}");
  static const char *const expected[] = {
      "f.lua: workers = <a list of 0 values>: a whole number or \"auto\" is expected",
      "f.lua: limits.body = \"10s\": a size is expected (64k, 8m, 2g)",
      "f.lua: [\"limits.body\"]: a section is a table: log = { level = \"info\" }",
      "f.lua: log: a table of keys is expected",
      "f.lua: unknown key \"aaa\" (perilune config --help lists all)",
      "f.lua: unknown key \"limits.boddy\": did you mean \"limits.body\"?",
      "f.lua: unknown key \"zzz\" (perilune config --help lists all)",
      "f.lua: unknown key [1]: keys are names",
  };
  assert_int_equal(s->report.count, PL_ARRAY_LEN(expected));
  for (size_t i = 0; i < PL_ARRAY_LEN(expected); i++) {
    assert_string_equal(s->report.notes[i].text, expected[i]);
  }
}

static void read_names_the_line_of_a_lua_error(void **state) {
  struct subject *s = *state;
  read_text(s, "return {\n  workers = = 2\n}");
  expect_note(s, "f.lua:2: unexpected symbol near '='");
  forget_notes(s);
  read_text(s, "\n\nreturn nothing.here");
  assert_int_equal(s->report.count, 1);
  assert_memory_equal(s->report.notes[0].text, "f.lua:3: ", 9);
}

static void read_has_an_empty_environment(void **state) {
  struct subject *s = *state;
  static const char *const names[] = {"print",  "os",        "io",          "require", "pcall",
                                      "string", "load",      "dofile",      "rawset",  "_G",
                                      "error",  "coroutine", "debug",       "package", "next",
                                      "type",   "table",     "setmetatable"};
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) {
    char text[100];
    snprintf(text, sizeof text, "return {workers = %s == nil and 3 or 999}", names[i]);
    read_text(s, text);
    expect_no_note(s);
  }
  read_text(s, "return {workers = ('x').rep}");
  assert_int_equal(s->report.errors, 1);
}

static void read_refuses_bytecode(void **state) {
  struct subject *s = *state;
  read_text(s, "\x1bLua\x54");
  assert_int_equal(s->report.errors, 1);
  assert_non_null(strstr(s->report.notes[0].text, "binary chunk"));
}

static void read_stops_a_file_that_does_not_end(void **state) {
  struct subject *s = *state;
  read_text(s, "while true do end");
  expect_note(s, "f.lua:1: the file does not come to an end (10 million steps)");
}

static void read_stops_a_file_that_eats_memory(void **state) {
  struct subject *s = *state;
  read_text(s, "local s = 'x' while true do s = s .. s end");
  expect_note(s, "f.lua: not enough memory (a file may use 64 MB)");
  assert_false(s->report.is_out_of_memory);
}

static void read_survives_endless_recursion(void **state) {
  struct subject *s = *state;
  read_text(s, "local function f() return 1 + f() end return f()");
  assert_int_equal(s->report.errors, 1);
}

static void read_demands_a_table(void **state) {
  struct subject *s = *state;
  read_text(s, "workers = 2");
  expect_note(s, "f.lua: it returns nil: a table is expected (return { ... })");
}

static void read_refuses_odd_tables(void **state) {
  struct subject *s = *state;
  static const char *const texts[] = {
      "return {listen = {a = 1}}",
      "return {listen = {true}}",
      "return {listen = {{'8080'}}}",
      "return {listen = {'8080', x = 1}}",
      "return {listen = {[2] = '8080'}}",
      "return {proxy = {trusted = env}}",
      "return {log = {level = {'info'}}}",
      "return {workers = 0/0}",
      "return {workers = 2.5}",
      "return {log = {log = {level = 'info'}}}",
      "local t = {} t.log = t return t",
      "return {server_header = 'a\\0b'}",
      "return {[env] = 1}",
      "return {['a\\0b'] = 1}",
      "return {['log\\0'] = {}}",
      "return {lua = {path = true}}",
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(texts); i++) {
    read_text(s, texts[i]);
    assert_true(s->report.errors >= 1);
    forget_notes(s);
  }
}

static void read_takes_a_file_and_names_one_that_cannot_be_read(void **state) {
  struct subject *s = *state;
  char path[] = "/tmp/pl_read_test_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "return {workers = 4}", 20), 20);
  close(fd);
  pl_config_read_file(&s->config, path, false, NULL, &s->report);
  unlink(path);
  expect_no_note(s);
  assert_int_equal(s->config.workers, 4);
  pl_config_read_file(&s->config, path, true, NULL, &s->report);
  expect_no_note(s);
  pl_config_read_file(&s->config, "/nowhere/f.lua", false, NULL, &s->report);
  expect_note(s, "/nowhere/f.lua: cannot read it: No such file or directory");
  forget_notes(s);
  pl_config_read_file(&s->config, "/", true, NULL, &s->report);
  expect_note(s, "/: cannot read it: Is a directory");
  forget_notes(s);
  pl_config_read_file(&s->config, "/dev/null/f.lua", true, NULL, &s->report);
  expect_note(s, "/dev/null/f.lua: cannot read it: Not a directory");
}

static void read_survives_each_failed_allocation(void **state) {
  struct subject *s = *state;
  const char *text =
      "return {listen = {'8080', '9090'}, server_header = 'x', zzz = 1, workers = 0}";
  for (uint64_t nth = 1; nth < 400; nth++) {
    pl_mem_fail_nth(nth);
    read_text(s, text);
    pl_mem_fail_nth(0);
    assert_true(s->report.errors > 0 || s->report.is_out_of_memory);
    forget_notes(s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SUBJECT_TEST(read_sets_keys_of_every_form),
      SUBJECT_TEST(read_gives_env_and_its_default),
      SUBJECT_TEST(read_reports_all_problems_in_a_fixed_order),
      SUBJECT_TEST(read_names_the_line_of_a_lua_error),
      SUBJECT_TEST(read_has_an_empty_environment),
      SUBJECT_TEST(read_refuses_bytecode),
      SUBJECT_TEST(read_stops_a_file_that_does_not_end),
      SUBJECT_TEST(read_stops_a_file_that_eats_memory),
      SUBJECT_TEST(read_survives_endless_recursion),
      SUBJECT_TEST(read_demands_a_table),
      SUBJECT_TEST(read_refuses_odd_tables),
      SUBJECT_TEST(read_takes_a_file_and_names_one_that_cannot_be_read),
      SUBJECT_TEST(read_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
