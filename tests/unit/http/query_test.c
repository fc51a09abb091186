// Unit tests of server/http/query.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/query.h"

static char first[1024];

static int parse(const char *text, size_t max, struct pl_arena *arena, struct pl_pairs *out) {
  pl_arena_init(arena, first, sizeof first);
  return pl_query_parse(pl_strv_of(text), max, arena, out);
}

static void expect_pair(const struct pl_pairs *pairs, size_t i, const char *name,
                        const char *value) {
  assert_true(i < pairs->count);
  assert_true(pl_strv_eq(pairs->items[i].name, pl_strv_of(name)));
  assert_true(pl_strv_eq(pairs->items[i].value, pl_strv_of(value)));
}

static void pairs_are_decoded_in_order(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs q;
  assert_int_equal(parse("a=1&b+c=x%20y+z&a=2&%C3%A9=%26%3D%2b", 10, &arena, &q), 0);
  assert_int_equal(q.count, 4);
  expect_pair(&q, 0, "a", "1");
  expect_pair(&q, 1, "b c", "x y z");
  expect_pair(&q, 2, "a", "2");
  expect_pair(&q, 3, "\xc3\xa9", "&=+");
  pl_arena_reset(&arena);
}

static void odd_pieces_are_read_as_browsers_read_them(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs q;
  assert_int_equal(parse("&&a&=v&b==c=&&;d", 10, &arena, &q), 0);
  assert_int_equal(q.count, 4);
  expect_pair(&q, 0, "a", "");
  expect_pair(&q, 1, "", "v");
  expect_pair(&q, 2, "b", "=c=");
  expect_pair(&q, 3, ";d", "");
  assert_int_equal(parse("", 0, &arena, &q), 0);
  assert_int_equal(q.count, 0);
  assert_int_equal(parse("&&&", 0, &arena, &q), 0);
  assert_int_equal(q.count, 0);
}

static void zero_bytes_may_be_encoded(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs q;
  assert_int_equal(parse("a=%00", 1, &arena, &q), 0);
  assert_true(pl_strv_eq(q.items[0].value, pl_strv("\0", 1)));
}

static void invalid_encoding_is_an_error(void **state) {
  (void)state;
  const char *bad[] = {"a=%", "a=%4", "a=%zz", "%=1", "a=1&b=%4&c", "a=100%&b"};
  struct pl_arena arena;
  struct pl_pairs q = {NULL, 77};
  for (size_t i = 0; i < PL_ARRAY_LEN(bad); i++)
    assert_int_equal(parse(bad[i], 10, &arena, &q), PL_EINVAL);
  assert_int_equal(q.count, 77);
}

static void too_many_keys_are_refused(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs q;
  assert_int_equal(parse("a&b&c", 3, &arena, &q), 0);
  assert_int_equal(parse("a&b&c&d", 3, &arena, &q), PL_ELIMIT);
  assert_int_equal(parse("a&b&c&&&", 3, &arena, &q), 0);
}

static void what_needs_no_decoding_is_not_copied(void **state) {
  (void)state;
  struct pl_strv text = PL_STRV("name=value"), rest = text;
  struct pl_arena arena;
  struct pl_pair pair;
  pl_arena_init(&arena, NULL, 0);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_query_next(&rest, &arena, &pair), 0);
  pl_mem_fail_nth(0);
  assert_ptr_equal(pair.name.data, text.data);
  assert_ptr_equal(pair.value.data, text.data + 5);
  assert_int_equal(pl_query_next(&rest, &arena, &pair), PL_EOF);
}

static void parse_survives_each_failed_allocation(void **state) {
  (void)state;
  struct pl_arena arena;
  struct pl_pairs q;
  int err = PL_ENOMEM;
  for (uint64_t n = 1; err; n++) {
    pl_arena_init(&arena, NULL, 0);
    pl_mem_fail_nth(n);
    err = pl_query_parse(PL_STRV("a=%20&b+=+"), 9, &arena, &q);
    pl_mem_fail_nth(0);
    assert_true(err == 0 || err == PL_ENOMEM);
    assert_true(n < 10);
    pl_arena_reset(&arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pairs_are_decoded_in_order),
      cmocka_unit_test(odd_pieces_are_read_as_browsers_read_them),
      cmocka_unit_test(zero_bytes_may_be_encoded),
      cmocka_unit_test(invalid_encoding_is_an_error),
      cmocka_unit_test(too_many_keys_are_refused),
      cmocka_unit_test(what_needs_no_decoding_is_not_copied),
      cmocka_unit_test(parse_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
