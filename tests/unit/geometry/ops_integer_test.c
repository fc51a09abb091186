// Vectors of integers: exact, cut towards zero, clamped to what the field holds.
#include "near.h"

static void expect(const char *name, const char *signature, const double *in, const double *wanted,
                   int n) {
  double r[4];
  op_call(name, signature, in, r);
  for (int i = 0; i < n; i++) {
    if (r[i] != wanted[i]) fail_msg("%s %s: %d is %g", name, signature, i, r[i]);
  }
}

static void quotients_are_cut_towards_zero(void **state) {
  (void)state;
  expect("div", "ivec4 ivec4 > ivec4", (double[]){7, -7, 7, -7, 2, 2, -2, -2},
         (double[]){3, -3, -3, 3}, 4);
  expect("div", "ivec2 n > ivec2", (double[]){7, -7, 2}, (double[]){3, -3}, 2);
  expect("mul", "ivec2 n > ivec2", (double[]){7, -7, 0.5}, (double[]){3, -3}, 2);
  expect("lerp", "ivec2 ivec2 n > ivec2", (double[]){0, 0, 5, -5, 0.5}, (double[]){2, -2}, 2);
  uint64_t seed = 31;
  for (int run = 0; run < 100000; run++) {  // as the CPU divides
    const int32_t a = (int32_t)op_random(&seed, -2147483647, 2147483647);
    const int32_t b = (int32_t)op_random(&seed, 1, run % 2 ? 100 : 2147483647);
    expect("div", "ivec2 ivec2 > ivec2", (double[]){a, -a, b, b}, (double[]){a / b, -a / b}, 2);
  }
}

static void division_by_zero_has_an_answer(void **state) {
  (void)state;
  expect("div", "ivec3 ivec3 > ivec3", (double[]){1, -1, 0, 0, 0, 0},
         (double[]){2147483647.0, -2147483648.0, 0}, 3);
  expect("div", "uvec2 uvec2 > uvec2", (double[]){1, 0, 0, 0}, (double[]){4294967295.0, 0}, 2);
  expect("mul", "ivec2 n > ivec2", (double[]){1, 0, NAN}, (double[]){0, 0}, 2);
}

static void results_are_clamped_to_the_range(void **state) {
  (void)state;
  expect("add", "ivec2 ivec2 > ivec2", (double[]){2147483647, -2147483648.0, 1, -1},
         (double[]){2147483647, -2147483648.0}, 2);
  expect("mul", "ivec2 ivec2 > ivec2", (double[]){65536, 46341, 65536, -46342},
         (double[]){2147483647, -2147483648.0}, 2);
  expect("neg", "ivec2 > ivec2", (double[]){-2147483648.0, 5}, (double[]){2147483647, -5}, 2);
  expect("abs", "ivec2 > ivec2", (double[]){-2147483648.0, -5}, (double[]){2147483647, 5}, 2);
  expect("sub", "uvec2 uvec2 > uvec2", (double[]){1, 9, 2, 4}, (double[]){0, 5}, 2);
  expect("add", "uvec2 uvec2 > uvec2", (double[]){4294967295.0, 1, 1, 1},
         (double[]){4294967295.0, 2}, 2);
  expect("from", "uvec2: ivec2 > uvec2", (double[]){-1, 7}, (double[]){0, 7}, 2);
  expect("from", "ivec2: vec2 > ivec2", (double[]){1e20, -1.9}, (double[]){2147483647, -1}, 2);
  expect("from", "ivec2: dvec2 > ivec2", (double[]){NAN, 2.9}, (double[]){0, 2}, 2);
}

static void lengths_are_numbers(void **state) {
  (void)state;
  assert_true(op_number("length", "ivec2 > n", (double[]){3, -4}) == 5);
  assert_true(op_number("length2", "uvec2 > n", (double[]){3, 4}) == 25);
  assert_true(op_number("distance", "ivec2 ivec2 > n", (double[]){1, 1, -2, 5}) == 5);
  assert_true(op_number("distance", "uvec2 uvec2 > n", (double[]){1, 1, 4, 5}) == 5);
  assert_true(op_number("dot", "ivec3 ivec3 > n", (double[]){1, 2, 3, 4, -5, 6}) == 12);
  expect("sign", "ivec3 > ivec3", (double[]){-8, 0, 8}, (double[]){-1, 0, 1}, 3);
  expect("clamp", "ivec3 n n > ivec3", (double[]){-8, 0, 8, -2, 3}, (double[]){-2, 0, 3}, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quotients_are_cut_towards_zero),
      cmocka_unit_test(division_by_zero_has_an_answer),
      cmocka_unit_test(results_are_clamped_to_the_range),
      cmocka_unit_test(lengths_are_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
