// The allocator's door: counters that balance, and failures on demand.
#include "base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void alloc_of_nothing_gives_a_block(void **state) {
  (void)state;
  void *block = pl_mem_alloc(0);
  assert_non_null(block);
  pl_mem_free(block);
}

static void zalloc_and_calloc_give_zeros(void **state) {
  (void)state;
  static const char zeros[64];
  char *a = pl_mem_zalloc(sizeof zeros);
  char *b = pl_mem_calloc(8, 8);
  assert_memory_equal(a, zeros, sizeof zeros);
  assert_memory_equal(b, zeros, sizeof zeros);
  pl_mem_free(a);
  pl_mem_free(b);
}

static void calloc_refuses_an_overflow(void **state) {
  (void)state;
  assert_null(pl_mem_calloc(SIZE_MAX / 2, 3));
}

static void counters_return_to_where_they_were(void **state) {
  (void)state;
  struct pl_mem_stats before = pl_mem_stats();
  char *block = pl_mem_alloc(100);
  struct pl_mem_stats held = pl_mem_stats();
  assert_int_equal(held.allocations, before.allocations + 1);
  assert_true(held.bytes >= before.bytes + 100);
  block = pl_mem_realloc(block, 100000);
  assert_true(pl_mem_stats().bytes >= before.bytes + 100000);
  pl_mem_free(block);
  pl_mem_free(NULL);
  struct pl_mem_stats after = pl_mem_stats();
  assert_int_equal(after.bytes, before.bytes);
  assert_int_equal(after.frees, before.frees + 1);
}

static void realloc_keeps_the_content_and_counts_only_growth(void **state) {
  (void)state;
  char *block = pl_mem_alloc(5000);
  memset(block, 'x', 5000);
  struct pl_mem_stats before = pl_mem_stats();
  block = pl_mem_realloc(block, 10);
  assert_int_equal(pl_mem_stats().allocations, before.allocations);
  block = pl_mem_realloc(block, 20000);
  assert_int_equal(pl_mem_stats().allocations, before.allocations + 1);
  assert_memory_equal(block, "xxxxxxxxxx", 10);
  pl_mem_free(block);
}

static void fail_nth_fails_that_one_only(void **state) {
  (void)state;
  struct pl_mem_stats before = pl_mem_stats();
  pl_mem_fail_nth(2);
  void *first = pl_mem_alloc(1);
  assert_non_null(first);
  assert_null(pl_mem_realloc(first, 100000));
  void *third = pl_mem_zalloc(1);
  assert_non_null(third);
  pl_mem_free(first);
  pl_mem_free(third);
  assert_int_equal(pl_mem_stats().bytes, before.bytes);
}

static void fail_nth_of_zero_switches_it_off(void **state) {
  (void)state;
  pl_mem_fail_nth(1);
  pl_mem_fail_nth(0);
  void *block = pl_mem_alloc(1);
  assert_non_null(block);
  pl_mem_free(block);
}

static void *allocate_elsewhere(void *unused) {
  (void)unused;
  return pl_mem_alloc(1000);
}

static void blocks_may_be_freed_on_another_thread(void **state) {
  (void)state;
  int64_t before = pl_mem_stats().bytes;
  pl_mem_fail_nth(1);  // counts on this thread only
  pthread_t thread;
  void *block = NULL;
  assert_int_equal(pthread_create(&thread, NULL, allocate_elsewhere, NULL), 0);
  assert_int_equal(pthread_join(thread, &block), 0);
  assert_non_null(block);
  assert_true(pl_mem_stats().bytes >= before + 1000);
  pl_mem_free(block);
  assert_int_equal(pl_mem_stats().bytes, before);
  pl_mem_fail_nth(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alloc_of_nothing_gives_a_block),
      cmocka_unit_test(zalloc_and_calloc_give_zeros),
      cmocka_unit_test(calloc_refuses_an_overflow),
      cmocka_unit_test(counters_return_to_where_they_were),
      cmocka_unit_test(realloc_keeps_the_content_and_counts_only_growth),
      cmocka_unit_test(fail_nth_fails_that_one_only),
      cmocka_unit_test(fail_nth_of_zero_switches_it_off),
      cmocka_unit_test(blocks_may_be_freed_on_another_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
