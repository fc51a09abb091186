// Did-you-mean: which slips are forgiven, which words are too far away.
#include "base/suggest.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *nearest(const char *word) {
  static const char *const names[] = {"listen", "workers", "limits.body", "timeouts.body",
                                      "log.level"};
  struct pl_suggest s = pl_suggest_for(pl_strv_of(word));
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) pl_suggest_offer(&s, names[i]);
  return s.best;
}

static void suggest_forgives_each_kind_of_slip(void **state) {
  (void)state;
  assert_string_equal(nearest("lisen"), "listen");     // left out
  assert_string_equal(nearest("listten"), "listen");   // doubled
  assert_string_equal(nearest("lister"), "listen");    // replaced
  assert_string_equal(nearest("wokrers"), "workers");  // swapped
  assert_string_equal(nearest("LIMITS.BODY"), "limits.body");
}

static void suggest_counts_a_swap_as_one_slip(void **state) {
  (void)state;
  struct pl_suggest s = pl_suggest_for(PL_STRV("rnu"));
  pl_suggest_offer(&s, "run");
  assert_non_null(s.best);
  assert_int_equal(s.distance, 1);
}

static void suggest_takes_the_nearest_not_the_first(void **state) {
  (void)state;
  assert_string_equal(nearest("timeout.body"), "timeouts.body");
  assert_string_equal(nearest("limit.body"), "limits.body");
}

static void suggest_finds_a_key_without_its_section(void **state) {
  (void)state;
  assert_string_equal(nearest("level"), "log.level");
  assert_string_equal(nearest("boddy"), "limits.body");
}

static void suggest_is_silent_when_nothing_is_near(void **state) {
  (void)state;
  assert_null(nearest("frobnicate"));
  assert_null(nearest(""));
  assert_null(nearest("x"));
}

static void suggest_ignores_words_longer_than_its_rows(void **state) {
  (void)state;
  char word[200];
  memset(word, 'l', sizeof word);
  struct pl_suggest s = pl_suggest_for(pl_strv(word, sizeof word));
  pl_suggest_offer(&s, "listen");
  assert_null(s.best);
  char name[66] = {0};
  memset(name, 'l', sizeof name - 1);
  s = pl_suggest_for(pl_strv(word, 64));
  pl_suggest_offer(&s, name);
  assert_null(s.best);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(suggest_forgives_each_kind_of_slip),
      cmocka_unit_test(suggest_counts_a_swap_as_one_slip),
      cmocka_unit_test(suggest_takes_the_nearest_not_the_first),
      cmocka_unit_test(suggest_finds_a_key_without_its_section),
      cmocka_unit_test(suggest_is_silent_when_nothing_is_near),
      cmocka_unit_test(suggest_ignores_words_longer_than_its_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
