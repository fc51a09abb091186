// Growable bytes: appending, consuming, taking the consumed front back, failing without a change.
#include "base/buf.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_holds(const struct pl_buf *b, const char *text) {
  assert_int_equal(pl_buf_len(b), strlen(text));
  assert_memory_equal(pl_buf_view(b).data, text, strlen(text));
}

static void an_empty_buffer_has_a_view_of_nothing(void **state) {
  (void)state;
  struct pl_buf b = {0};
  assert_int_equal(pl_buf_len(&b), 0);
  assert_non_null(pl_buf_view(&b).data);
  assert_int_equal(pl_buf_append(&b, NULL, 0), 0);
  assert_int_equal(pl_buf_len(&b), 0);
  pl_buf_deinit(&b);
}

static void append_and_printf_add_behind(void **state) {
  (void)state;
  struct pl_buf b = {0};
  assert_int_equal(pl_buf_append(&b, "one ", 4), 0);
  assert_int_equal(pl_buf_printf(&b, "%d %s", 2, "three"), 0);
  assert_holds(&b, "one 2 three");
  pl_buf_deinit(&b);
}

static void printf_grows_for_long_text(void **state) {
  (void)state;
  struct pl_buf b = {0};
  assert_int_equal(pl_buf_printf(&b, "%0*d", 5000, 7), 0);
  assert_int_equal(pl_buf_len(&b), 5000);
  assert_int_equal(pl_buf_view(&b).data[4999], '7');
  pl_buf_deinit(&b);
}

static void consume_drops_from_the_front(void **state) {
  (void)state;
  struct pl_buf b = {0};
  assert_int_equal(pl_buf_append(&b, "abcdef", 6), 0);
  pl_buf_consume(&b, 2);
  assert_holds(&b, "cdef");
  pl_buf_consume(&b, 4);
  assert_int_equal(pl_buf_len(&b), 0);
  assert_int_equal(b.start, 0);
  pl_buf_deinit(&b);
}

static void the_consumed_front_is_used_before_the_block_grows(void **state) {
  (void)state;
  struct pl_buf b = {0};
  char *room = pl_buf_reserve(&b, 200);
  memset(room, 'x', 200);
  pl_buf_grew(&b, 200);
  size_t cap = b.cap;
  pl_buf_consume(&b, 150);
  assert_non_null(pl_buf_reserve(&b, cap - 50));
  assert_int_equal(b.cap, cap);
  assert_int_equal(pl_buf_len(&b), 50);
  assert_int_equal(pl_buf_view(&b).data[49], 'x');
  pl_buf_deinit(&b);
}

static void many_rounds_of_append_and_consume_keep_the_order(void **state) {
  (void)state;
  struct pl_buf b = {0};
  unsigned written = 0, read = 0;
  for (unsigned round = 0; round < 2000; round++) {
    for (unsigned i = 0; i < 1 + round % 97; i++) {
      unsigned char byte = (unsigned char)written++;
      assert_int_equal(pl_buf_append(&b, &byte, 1), 0);
    }
    size_t take = pl_buf_len(&b) * (round % 3) / 3;
    for (size_t i = 0; i < take; i++) {
      assert_int_equal((unsigned char)pl_buf_view(&b).data[i], (unsigned char)read++);
    }
    pl_buf_consume(&b, take);
  }
  assert_int_equal(pl_buf_len(&b), written - read);
  assert_true(b.cap < 65536);
  pl_buf_deinit(&b);
}

static void reserving_too_much_changes_nothing(void **state) {
  (void)state;
  struct pl_buf b = {0};
  assert_null(pl_buf_reserve(&b, SIZE_MAX));
  assert_int_equal(pl_buf_append(&b, "abc", 3), 0);
  pl_buf_consume(&b, 1);
  assert_null(pl_buf_reserve(&b, SIZE_MAX / 2 - 1));
  assert_null(pl_buf_reserve(&b, SIZE_MAX / 4 - 2));
  assert_holds(&b, "bc");
  pl_buf_deinit(&b);
}

static void out_of_memory_changes_nothing(void **state) {
  (void)state;
  struct pl_buf b = {0};
  pl_mem_fail_nth(1);
  assert_int_equal(pl_buf_append(&b, "x", 1), PL_ENOMEM);
  assert_int_equal(pl_buf_append(&b, "abc", 3), 0);
  pl_mem_fail_nth(1);
  assert_null(pl_buf_reserve(&b, 100000));
  pl_mem_fail_nth(1);
  assert_int_equal(pl_buf_printf(&b, "%100000d", 1), PL_ENOMEM);
  assert_holds(&b, "abc");
  pl_buf_deinit(&b);
}

static void clear_keeps_the_memory_and_deinit_gives_it_back(void **state) {
  (void)state;
  int64_t before = pl_mem_stats().bytes;
  struct pl_buf b = {0};
  assert_int_equal(pl_buf_append(&b, "abc", 3), 0);
  size_t cap = b.cap;
  pl_buf_clear(&b);
  assert_int_equal(pl_buf_len(&b), 0);
  assert_int_equal(b.cap, cap);
  pl_buf_deinit(&b);
  assert_int_equal(pl_mem_stats().bytes, before);
  assert_int_equal(pl_buf_append(&b, "again", 5), 0);
  pl_buf_deinit(&b);
}

static void a_known_end_bounds_the_block_but_reserves_nothing(void **state) {
  (void)state;
  enum { LENGTH = 5000 };
  static const char piece[100];
  struct pl_buf b = {0};
  assert_int_equal(pl_buf_append_within(&b, piece, sizeof piece, LENGTH), 0);
  assert_in_range(b.cap, sizeof piece, 1024);
  while (pl_buf_len(&b) < LENGTH) {
    assert_int_equal(pl_buf_append_within(&b, piece, sizeof piece, LENGTH), 0);
    assert_in_range(b.cap, pl_buf_len(&b), LENGTH);
  }
  assert_int_equal(b.cap, LENGTH);
  assert_int_equal(pl_buf_append_within(&b, piece, sizeof piece, LENGTH), 0);  // it was wrong
  assert_int_equal(pl_buf_len(&b), LENGTH + sizeof piece);
  pl_buf_deinit(&b);
}

static void the_account_has_the_blocks_size(void **state) {
  (void)state;
  struct pl_account account;
  pl_account_init(&account, SIZE_MAX);
  struct pl_buf b = {.account = &account}, c = {0};
  assert_int_equal(pl_buf_append(&b, "abc", 3), 0);
  assert_int_equal(account.bytes, b.cap);
  assert_non_null(pl_buf_reserve(&b, 10000));
  assert_int_equal(account.bytes, b.cap);
  pl_mem_fail_nth(1);
  assert_null(pl_buf_reserve(&b, 1000000));
  assert_int_equal(account.bytes, b.cap);
  pl_buf_clear(&b);
  assert_int_equal(account.bytes, b.cap);
  pl_buf_move(&c, &b);
  assert_int_equal(account.bytes, c.cap);
  pl_buf_deinit(&c);
  assert_int_equal(account.bytes, 0);
  assert_int_equal(pl_buf_append(&b, "abc", 3), 0);  // still counted after both
  assert_int_equal(pl_buf_append(&c, "abc", 3), 0);
  assert_int_equal(account.bytes, b.cap + c.cap);
  pl_buf_deinit(&b);
  pl_buf_deinit(&c);
  assert_int_equal(account.bytes, 0);
}

static void beyond_the_accounts_ceiling_nothing_changes(void **state) {
  (void)state;
  struct pl_account account;
  pl_account_init(&account, 1000);
  struct pl_buf b = {.account = &account};
  assert_int_equal(pl_buf_append(&b, "abc", 3), 0);
  assert_null(pl_buf_reserve(&b, 30000));
  assert_holds(&b, "abc");
  assert_int_equal(account.bytes, b.cap);
  pl_buf_deinit(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_buffer_has_a_view_of_nothing),
      cmocka_unit_test(append_and_printf_add_behind),
      cmocka_unit_test(printf_grows_for_long_text),
      cmocka_unit_test(consume_drops_from_the_front),
      cmocka_unit_test(the_consumed_front_is_used_before_the_block_grows),
      cmocka_unit_test(many_rounds_of_append_and_consume_keep_the_order),
      cmocka_unit_test(reserving_too_much_changes_nothing),
      cmocka_unit_test(out_of_memory_changes_nothing),
      cmocka_unit_test(clear_keeps_the_memory_and_deinit_gives_it_back),
      cmocka_unit_test(a_known_end_bounds_the_block_but_reserves_nothing),
      cmocka_unit_test(the_account_has_the_blocks_size),
      cmocka_unit_test(beyond_the_accounts_ceiling_nothing_changes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
