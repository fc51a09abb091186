/// What the tests of the configuration share: a config with a report, and short ways to look at
/// them.
#pragma once

#include "config/config.h"
#include "config/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct subject {
  struct pl_config config;
  struct pl_config_report report;
};

static inline int make_subject(void **state) {
  static struct subject subject;
  memset(&subject, 0, sizeof subject);
  *state = &subject;
  return pl_config_init(&subject.config);
}

static inline int free_subject(void **state) {
  struct subject *s = *state;
  pl_config_deinit(&s->config);
  pl_config_report_deinit(&s->report);
  return 0;
}

#define SUBJECT_TEST(name) cmocka_unit_test_setup_teardown(name, make_subject, free_subject)

/// Exactly one note, and this is its text.
static inline void expect_note(const struct subject *s, const char *text) {
  assert_int_equal(s->report.count, 1);
  assert_string_equal(s->report.notes[0].text, text);
}

/// There is nothing to report.
static inline void expect_no_note(const struct subject *s) {
  if (s->report.count > 0) assert_string_equal(s->report.notes[0].text, "");
  assert_false(s->report.is_out_of_memory);
}

/// Drops what was reported so far.
static inline void forget_notes(struct subject *s) {
  pl_config_report_deinit(&s->report);
}

/// Sets a key as --set does.
static inline void set_text(struct subject *s, int key, const char *text) {
  struct pl_strv item = pl_strv_of(text);
  struct pl_config_input input = {PL_CONFIG_FORM_TEXT, &item, 1};
  pl_config_set(&s->config, key, &input, PL_CONFIG_FLAG, "--set", &s->report);
}

/// The key's value is this Lua expression.
static inline void expect_shown(const struct subject *s, int key, const char *expected) {
  struct pl_buf out = {0};
  assert_int_equal(pl_config_format(&s->config, key, &out), 0);
  assert_int_equal(pl_buf_append(&out, "", 1), 0);
  assert_string_equal(pl_buf_view(&out).data, expected);
  pl_buf_deinit(&out);
}
