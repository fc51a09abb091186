// Kinds: that the words of config.def are the enums of the code, and how values are quoted.
#include "config/kind.h"

#include "base/base.h"
#include "support.h"

static void words_stand_in_the_order_of_their_enums(void **state) {
  struct subject *s = *state;
  static const struct {
    int key;
    const char *word;
    unsigned value;
  } cases[] = {
      {PL_CONFIG_KEY_log_level, "debug", PL_LOG_DEBUG},
      {PL_CONFIG_KEY_log_level, "info", PL_LOG_INFO},
      {PL_CONFIG_KEY_log_level, "warn", PL_LOG_WARN},
      {PL_CONFIG_KEY_log_level, "error", PL_LOG_ERROR},
      {PL_CONFIG_KEY_log_format, "auto", PL_CONFIG_LOG_FORMAT_AUTO},
      {PL_CONFIG_KEY_log_format, "text", PL_CONFIG_LOG_FORMAT_TEXT},
      {PL_CONFIG_KEY_log_format, "json", PL_CONFIG_LOG_FORMAT_JSON},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    set_text(s, cases[i].key, cases[i].word);
    expect_no_note(s);
    unsigned value;
    memcpy(&value, (char *)&s->config + pl_config_keys[cases[i].key].offset, sizeof value);
    assert_int_equal(value, cases[i].value);
    char quoted[32] = "\"";
    strcat(strcat(quoted, cases[i].word), "\"");
    expect_shown(s, cases[i].key, quoted);
  }
}

static void a_word_is_taken_whole(void **state) {
  struct subject *s = *state;
  static const char *const wrong[] = {"inf", "info|warn", "", "INFO", "infos"};
  for (size_t i = 0; i < PL_ARRAY_LEN(wrong); i++) {
    set_text(s, PL_CONFIG_KEY_log_level, wrong[i]);
    assert_int_equal(s->report.errors, 1);
    forget_notes(s);
  }
}

static void a_text_false_from_a_file_is_a_text(void **state) {
  struct subject *s = *state;
  struct pl_strv item = PL_STRV("false");
  struct pl_config_input input = {PL_CONFIG_FORM_STRING, &item, 1};
  pl_config_set(&s->config, PL_CONFIG_KEY_server_header, &input, PL_CONFIG_FILE, "f", &s->report);
  assert_string_equal(s->config.server_header, "false");
  input.form = PL_CONFIG_FORM_BOOLEAN;
  pl_config_set(&s->config, PL_CONFIG_KEY_server_header, &input, PL_CONFIG_FILE, "f", &s->report);
  assert_null(s->config.server_header);
}

static void quote_escapes_what_would_end_the_string(void **state) {
  (void)state;
  struct pl_buf out = {0};
  assert_int_equal(pl_config_quote(pl_strv("a\"b\\c\n\0\x7f", 8), &out), 0);
  assert_true(pl_strv_eq(pl_buf_view(&out), PL_STRV("\"a\\\"b\\\\c\\x0a\\x00\\x7f\"")));
  pl_buf_deinit(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SUBJECT_TEST(words_stand_in_the_order_of_their_enums),
      SUBJECT_TEST(a_word_is_taken_whole),
      SUBJECT_TEST(a_text_false_from_a_file_is_a_text),
      cmocka_unit_test(quote_escapes_what_would_end_the_string),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
