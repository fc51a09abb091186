// What an op's signature says.
#include "structs/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/error.h"

static struct pl_signature parsed(const char *text) {
  struct pl_signature s;
  assert_int_equal(pl_signature_parse(text, &s), 0);
  return s;
}

static void operands_and_results_are_told_apart(void **state) {
  (void)state;
  struct pl_signature s = parsed("vec3 n > vec3 n bool");
  assert_int_equal(s.operand_count, 2);
  assert_int_equal(s.required, 2);
  assert_int_equal(s.result_count, 3);
  assert_int_equal(s.struct_results, 1);
  assert_ptr_equal(s.operands[0].layout, pl_layout_builtin(PL_BUILTIN_vec3));
  assert_int_equal(s.operands[1].kind, PL_SLOT_NUMBER);
  assert_int_equal(s.results[2].kind, PL_SLOT_BOOL);
}

static void owners_are_no_operands(void **state) {
  (void)state;
  struct pl_signature s = parsed("quat: n vec3 > quat");
  assert_int_equal(s.operand_count, 2);
  assert_int_equal(s.operands[0].kind, PL_SLOT_NUMBER);
  assert_int_equal(parsed("> vec3").operand_count, 0);
}

static void brackets_may_be_left_out(void **state) {
  (void)state;
  struct pl_signature s = parsed("vec3 vec3 [n] > vec3");
  assert_int_equal(s.operand_count, 3);
  assert_int_equal(s.required, 2);
}

static void mistakes_are_refused(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "", "vec3", "vec5 > n", "vec3 > thing", "n n n n n n n n n > n", "n > n n n n n", "[] > n"};
  struct pl_signature s;
  for (size_t i = 0; i < PL_ARRAY_LEN(wrong); i++)
    assert_int_equal(pl_signature_parse(wrong[i], &s), PL_ESYNTAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operands_and_results_are_told_apart),
      cmocka_unit_test(owners_are_no_operands),
      cmocka_unit_test(brackets_may_be_left_out),
      cmocka_unit_test(mistakes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
