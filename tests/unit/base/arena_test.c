// The arena: alignment, use of the first block again, blocks beside it, deferred clean-up.
#include "base/arena.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void pieces_that_fit_come_from_the_first_block(void **state) {
  (void)state;
  _Alignas(16) char first[256];
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  struct pl_mem_stats before = pl_mem_stats();
  char *x = pl_arena_alloc(&a, 100);
  char *y = pl_arena_alloc(&a, 100);
  assert_true(x >= first && y >= x + 100 && y + 100 <= first + sizeof first);
  pl_arena_reset(&a);
  assert_ptr_equal(pl_arena_alloc(&a, 1), x);
  assert_int_equal(pl_mem_stats().allocations, before.allocations);
}

static void pieces_are_aligned_to_16(void **state) {
  (void)state;
  _Alignas(16) char first[200];
  struct pl_arena a;
  pl_arena_init(&a, first + 3, sizeof first - 3);
  for (size_t size = 1; size < 40; size++) {
    assert_int_equal((uintptr_t)pl_arena_alloc(&a, size) % 16, 0);
    assert_non_null(pl_arena_copy(&a, PL_STRV("x")));
  }
  pl_arena_reset(&a);
}

static void a_piece_larger_than_a_block_gets_its_own(void **state) {
  (void)state;
  char first[16];
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  int64_t before = pl_mem_stats().bytes;
  char *large = pl_arena_alloc(&a, 100000);
  memset(large, 'x', 100000);
  char *small = pl_arena_alloc(&a, 10);
  memset(small, 'y', 10);
  assert_int_equal(large[99999], 'x');
  pl_arena_reset(&a);
  assert_int_equal(pl_mem_stats().bytes, before);
}

static void a_large_piece_elsewhere_leaves_the_block_in_use(void **state) {
  (void)state;
  _Alignas(16) char first[64];
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  assert_ptr_equal(pl_arena_alloc(&a, 16), first);
  char *large = pl_arena_alloc(&a, 700);
  assert_ptr_equal(pl_arena_alloc(&a, 16), first + 16);
  char *small = pl_arena_alloc(&a, 100);
  assert_ptr_equal(pl_arena_alloc(&a, 16), small + 112);
  memset(large, 'x', 700);
  assert_true(small >= large + 700 || large >= small + 128);
  pl_arena_reset(&a);
}

static void a_small_piece_costs_a_kibibyte_and_not_more(void **state) {
  (void)state;
  char first[1];
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  int64_t before = pl_mem_stats().bytes;
  for (int i = 0; i < 62; i++) assert_non_null(pl_arena_alloc(&a, 16));
  assert_in_range(pl_mem_stats().bytes - before, 992, 1024);
  pl_arena_reset(&a);
}

static void an_arena_without_a_first_block_works(void **state) {
  (void)state;
  struct pl_arena a;
  pl_arena_init(&a, NULL, 0);
  assert_non_null(pl_arena_alloc(&a, 0));
  assert_non_null(pl_arena_alloc(&a, 1));
  pl_arena_reset(&a);
  assert_non_null(pl_arena_alloc(&a, 1));
  pl_arena_reset(&a);
}

static void copy_ends_with_a_terminator(void **state) {
  (void)state;
  char first[8];
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  char *copy = pl_arena_copy(&a, pl_strv("seven77rest", 7));
  assert_ptr_equal(copy, first);
  assert_string_equal(copy, "seven77");
  assert_string_equal(pl_arena_copy(&a, pl_strv(NULL, 0)), "");
  pl_arena_reset(&a);
}

static void sizes_that_overflow_are_refused(void **state) {
  (void)state;
  char first[64];
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  assert_null(pl_arena_alloc(&a, SIZE_MAX));
  assert_null(pl_arena_alloc(&a, SIZE_MAX - 8));
  assert_null(pl_arena_copy(&a, (struct pl_strv){first, SIZE_MAX}));
  assert_non_null(pl_arena_alloc(&a, 1));
  pl_arena_reset(&a);
}

struct trace {
  char text[8];
  size_t len;
};

static void note_first(void *trace) {
  struct trace *t = trace;
  t->text[t->len++] = '1';
}

static void note_second(void *trace) {
  struct trace *t = trace;
  t->text[t->len++] = '2';
}

static void defers_run_once_newest_first(void **state) {
  (void)state;
  char first[1];
  struct trace trace = {0};
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  assert_int_equal(pl_arena_defer(&a, note_first, &trace), 0);
  assert_int_equal(pl_arena_defer(&a, note_second, &trace), 0);
  pl_arena_reset(&a);
  assert_string_equal(trace.text, "21");
  pl_arena_reset(&a);
  assert_string_equal(trace.text, "21");
}

static void out_of_memory_leaves_the_arena_usable(void **state) {
  (void)state;
  char first[16];
  struct trace trace = {0};
  struct pl_arena a;
  pl_arena_init(&a, first, sizeof first);
  pl_mem_fail_nth(1);
  assert_null(pl_arena_alloc(&a, 1000));
  pl_mem_fail_nth(1);
  assert_int_equal(pl_arena_defer(&a, note_first, &trace), PL_ENOMEM);
  pl_mem_fail_nth(1);
  assert_null(pl_arena_copy(&a, PL_STRV("longer than sixteen bytes")));
  pl_mem_fail_nth(0);
  assert_non_null(pl_arena_alloc(&a, 1000));
  pl_arena_reset(&a);
  assert_int_equal(trace.len, 0);
}

static void the_account_has_the_blocks_until_the_reset(void **state) {
  (void)state;
  char first[16];
  struct pl_account account;
  struct pl_arena a;
  pl_account_init(&account, 20000);
  pl_arena_init(&a, first, sizeof first);
  a.account = &account;
  assert_non_null(pl_arena_alloc(&a, 16));
  assert_int_equal(account.bytes, 0);
  assert_non_null(pl_arena_alloc(&a, 100));
  assert_non_null(pl_arena_alloc(&a, 10000));
  assert_in_range(account.bytes, 10100, 16000);
  size_t bytes = account.bytes;
  assert_null(pl_arena_alloc(&a, 100000));  // beyond the ceiling
  pl_mem_fail_nth(1);
  assert_null(pl_arena_alloc(&a, 10000));
  assert_int_equal(account.bytes, bytes);
  pl_arena_reset(&a);
  assert_int_equal(account.bytes, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pieces_that_fit_come_from_the_first_block),
      cmocka_unit_test(pieces_are_aligned_to_16),
      cmocka_unit_test(a_piece_larger_than_a_block_gets_its_own),
      cmocka_unit_test(a_large_piece_elsewhere_leaves_the_block_in_use),
      cmocka_unit_test(a_small_piece_costs_a_kibibyte_and_not_more),
      cmocka_unit_test(an_arena_without_a_first_block_works),
      cmocka_unit_test(copy_ends_with_a_terminator),
      cmocka_unit_test(sizes_that_overflow_are_refused),
      cmocka_unit_test(defers_run_once_newest_first),
      cmocka_unit_test(out_of_memory_leaves_the_arena_usable),
      cmocka_unit_test(the_account_has_the_blocks_until_the_reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
