// Warnings reach host.warn as whole lines.
#include "runtime/warnings.h"

#include "fake_host.h"

static void warnings_are_put_together_from_their_pieces(void **state) {
  (void)state;
  fake_script("warn('one ', 'line ', 'of three') warn('another')",
              "warn: one line of three\nwarn: another\ndone\n");
}

static void warnings_are_switched_off_and_on(void **state) {
  (void)state;
  fake_script("warn('@off') warn('a') warn('@nonsense') warn('@on') warn('b') warn('@off', ' c')",
              "warn: b\nwarn: @off c\ndone\n");
}

static void warnings_of_any_length_are_cut(void **state) {
  (void)state;
  struct fake f;
  fake_open(&f);
  fake_start(&f, "warn(('x'):rep(5000), ('y'):rep(5000)) warn('z')");
  fake_run(&f);
  assert_int_equal(pl_buf_append(&f.text, "", 1), 0);
  const char *text = pl_buf_view(&f.text).data;
  assert_int_equal(strspn(text + strlen("warn: "), "x"), PL_WARNING_BYTES - 1);
  assert_string_equal(text + strlen("warn: ") + PL_WARNING_BYTES - 1, "\nwarn: z\ndone\n");
  fake_close(&f);
}

static void warnings_tell_of_errors_in_finalisers(void **state) {
  (void)state;
  fake_script("setmetatable({}, {__gc = function() error('broken', 0) end}) collectgarbage()",
              "warn: error in __gc (broken)\ndone\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(warnings_are_put_together_from_their_pieces),
      cmocka_unit_test(warnings_are_switched_off_and_on),
      cmocka_unit_test(warnings_of_any_length_are_cut),
      cmocka_unit_test(warnings_tell_of_errors_in_finalisers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
