// The command line's words: the ways to write an option, and what is refused.
#include "cli/options.h"

#include "base/base.h"
#include "base/error.h"
#include "base/mem.h"
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PARSE(options, command, ...)                                          \
  pl_options_parse(options, command, PL_ARRAY_LEN(((char *[]){__VA_ARGS__})), \
                   (char *[]){__VA_ARGS__})

static void parse_takes_every_way_to_write_a_value(void **state) {
  (void)state;
  struct pl_options o;
  assert_int_equal(PARSE(&o, &pl_command_run, "-l", "8080", "-l9090", "--listen", "7070",
                         "--listen=6060", "a.lua"),
                   0);
  assert_int_equal(o.listen.value.count, 4);
  static const char *const expected[] = {"8080", "9090", "7070", "6060"};
  for (size_t i = 0; i < 4; i++) {
    assert_true(pl_strv_eq(o.listen.value.items[i], pl_strv_of(expected[i])));
  }
  assert_string_equal(o.argument, "a.lua");
  assert_int_equal(o.flag_count, 1);
  pl_options_deinit(&o);
}

static void parse_makes_flags_of_keys(void **state) {
  (void)state;
  struct pl_options o;
  assert_int_equal(PARSE(&o, &pl_command_run, "-w", "auto", "--set", "log.level=debug", "-l", "1",
                         "--set=lua.path=a=b"),
                   0);
  assert_int_equal(o.flag_count, 4);
  assert_true(pl_strv_eq(o.flags[0].key, PL_STRV("workers")));
  assert_true(pl_strv_eq(o.flags[1].key, PL_STRV("log.level")));
  assert_true(pl_strv_eq(o.flags[2].key, PL_STRV("lua.path")));
  assert_true(pl_strv_eq(o.flags[2].value.items[0], PL_STRV("a=b")));
  assert_true(pl_strv_eq(o.flags[3].key, PL_STRV("listen")));
  pl_options_deinit(&o);
}

static void parse_takes_code_that_looks_like_an_option(void **state) {
  (void)state;
  struct pl_options o;
  assert_int_equal(PARSE(&o, &pl_command_run, "-e", "--comment"), 0);
  assert_string_equal(o.code, "--comment");
  pl_options_deinit(&o);
}

static void parse_ends_options_at_two_dashes(void **state) {
  (void)state;
  struct pl_options o;
  assert_int_equal(PARSE(&o, &pl_command_run, "--", "-l.lua"), 0);
  assert_string_equal(o.argument, "-l.lua");
  pl_options_deinit(&o);
}

static void parse_refuses_wrong_usage(void **state) {
  (void)state;
  struct pl_options o;
  assert_int_equal(PARSE(&o, &pl_command_run, "--admin", "8081"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "-l"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "-x"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "--help=yes"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "--set", "workers"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "--set", "=1"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "a.lua", "b.lua"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_run, "a.lua", "-e", "code"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_version, "extra"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_version, "-l", "8080"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_healthcheck, "--timeout", "soon"), PL_EINVAL);
  assert_int_equal(PARSE(&o, &pl_command_healthcheck, "--timeout", "0"), PL_EINVAL);
}

static void parse_reads_the_timeout(void **state) {
  (void)state;
  struct pl_options o;
  assert_int_equal(PARSE(&o, &pl_command_healthcheck, "--timeout", "1.5"), 0);
  assert_int_equal(o.timeout_ms, 1500);
  pl_options_deinit(&o);
}

static void parse_survives_each_failed_allocation(void **state) {
  (void)state;
  int64_t before = pl_mem_stats().bytes;
  for (uint64_t nth = 1; nth <= 2; nth++) {
    struct pl_options o;
    pl_mem_fail_nth(nth);
    assert_int_equal(PARSE(&o, &pl_command_run, "-l", "8080"), PL_ENOMEM);
    pl_mem_fail_nth(0);
    assert_int_equal(pl_mem_stats().bytes, before);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parse_takes_every_way_to_write_a_value),
      cmocka_unit_test(parse_makes_flags_of_keys),
      cmocka_unit_test(parse_takes_code_that_looks_like_an_option),
      cmocka_unit_test(parse_ends_options_at_two_dashes),
      cmocka_unit_test(parse_refuses_wrong_usage),
      cmocka_unit_test(parse_reads_the_timeout),
      cmocka_unit_test(parse_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
