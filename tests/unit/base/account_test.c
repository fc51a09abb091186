// A worker's memory: what counts, when it is tight and when short, what is refused.
#include "base/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT = 1 << 20 };

static unsigned relieved;
static size_t relief;
static struct pl_account account;

static void relieve(struct pl_account *of) {
  relieved++;
  of->bytes -= relief;
}

static int make(void **state) {
  (void)state;
  pl_account_init(&account, LIMIT);
  account.relieve = relieve;
  relieved = 0;
  relief = 0;
  return 0;
}

static void account_is_tight_over_three_quarters(void **state) {
  (void)state;
  assert_true(pl_account_move(&account, 0, LIMIT / 4 * 3));
  assert_false(pl_account_is_tight(&account));
  assert_true(pl_account_move(&account, 0, 1));
  assert_true(pl_account_is_tight(&account));
  assert_int_equal(relieved, 0);
  pl_account_give(&account, 1);
  assert_false(pl_account_is_tight(&account));
}

static void account_is_short_when_relief_is_not_enough(void **state) {
  (void)state;
  account.bytes = LIMIT;
  assert_false(pl_account_is_short(&account));
  assert_int_equal(relieved, 0);
  account.bytes = LIMIT + 2;
  relief = 1;
  assert_true(pl_account_is_short(&account));
  assert_int_equal(relieved, 1);
  assert_false(pl_account_is_short(&account));
  assert_int_equal(relieved, 2);
}

static void account_refuses_more_beyond_twice_the_limit(void **state) {
  (void)state;
  assert_true(pl_account_move(&account, 0, 2 * LIMIT));
  assert_false(pl_account_move(&account, 0, PL_ACCOUNT_SMALL + 1));
  assert_false(pl_account_move(&account, LIMIT, LIMIT + 1));
  assert_int_equal(account.bytes, 2 * LIMIT);
  assert_true(pl_account_move(&account, 0, PL_ACCOUNT_SMALL));  // for the answer that says so
  account.bytes = 5 * LIMIT;
  assert_true(pl_account_move(&account, LIMIT, LIMIT - 1));  // giving back is always allowed
  assert_int_equal(account.bytes, 5 * LIMIT - 1);
}

static void account_without_a_limit_bounds_nothing(void **state) {
  (void)state;
  pl_account_init(&account, SIZE_MAX);
  assert_true(pl_account_move(&account, 0, SIZE_MAX / 4));
  assert_false(pl_account_is_tight(&account));
  assert_false(pl_account_is_short(&account));
}

static void no_account_bounds_nothing(void **state) {
  (void)state;
  assert_true(pl_account_move(NULL, 0, SIZE_MAX));
  assert_false(pl_account_is_tight(NULL));
  assert_false(pl_account_is_short(NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(account_is_tight_over_three_quarters, make),
      cmocka_unit_test_setup(account_is_short_when_relief_is_not_enough, make),
      cmocka_unit_test_setup(account_refuses_more_beyond_twice_the_limit, make),
      cmocka_unit_test_setup(account_without_a_limit_bounds_nothing, make),
      cmocka_unit_test(no_account_bounds_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
