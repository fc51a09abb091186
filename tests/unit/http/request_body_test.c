// Room for bodies: the rule, its limits, and that all of it is counted.
#include "http/request_body.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "http/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { KILOBYTE = 1024, MEGABYTE = 1024 * 1024 };

struct fixture {
  struct pl_account account;
  struct pl_exchange x;
};

static void begin(struct fixture *f, int64_t length, size_t memory) {
  *f = (struct fixture){.x.request.content_length = length};
  pl_account_init(&f->account, memory);
  f->x.arena.account = &f->account;
}

static void assert_room(const struct fixture *f, size_t room) {
  assert_int_equal(f->x.body->cap, room);
  assert_int_equal(f->x.body_counted, room);
  assert_int_equal(f->account.bytes, room);
}

// All room is used, then more is asked for.
static size_t grow(struct fixture *f, size_t more) {
  pl_bytes_grew(f->x.body, f->x.body->cap - f->x.body->size);
  assert_int_equal(pl_request_body_make_room(&f->x, more), 0);
  assert_room(f, f->x.body->cap);
  return f->x.body->cap;
}

static void end(struct fixture *f) {
  pl_request_body_drop(&f->x);
  assert_null(f->x.body);
  assert_int_equal(f->account.bytes, 0);
}

static void a_short_body_has_its_room_at_once(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 256 * KILOBYTE, 64 * MEGABYTE);
  assert_int_equal(pl_request_body_make_room(&f.x, 1), 0);
  assert_room(&f, 256 * KILOBYTE);
  assert_int_equal(pl_request_body_make_room(&f.x, 256 * KILOBYTE), 0);
  assert_room(&f, 256 * KILOBYTE);
  end(&f);
}

static void a_short_body_grows_with_what_comes_when_half_of_the_memory_is_taken(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 100 * KILOBYTE, 180 * KILOBYTE);
  assert_int_equal(pl_request_body_make_room(&f.x, 1), 0);
  assert_room(&f, 4 * KILOBYTE);
  assert_int_equal(grow(&f, 1), 8 * KILOBYTE);
  assert_int_equal(grow(&f, 30 * KILOBYTE), 38 * KILOBYTE);
  assert_int_equal(grow(&f, 1), 76 * KILOBYTE);
  assert_int_equal(grow(&f, 1), 100 * KILOBYTE);
  end(&f);
}

static void a_long_body_grows_by_doubling_where_it_is(void **state) {
  (void)state;
  struct fixture f;
  struct pl_bytes_copies before = pl_bytes_copies();
  begin(&f, 300 * KILOBYTE, 64 * MEGABYTE);
  assert_int_equal(pl_request_body_make_room(&f.x, 10), 0);
  assert_room(&f, 64 * KILOBYTE);
  const char *data = f.x.body->data;
  assert_int_equal(grow(&f, 1), 128 * KILOBYTE);
  assert_int_equal(grow(&f, 1), 256 * KILOBYTE);
  assert_int_equal(grow(&f, 1), 300 * KILOBYTE);
  assert_ptr_equal(f.x.body->data, data);
  assert_int_equal(pl_bytes_copies().bytes, before.bytes);
  end(&f);
}

static void a_body_of_unknown_length_begins_small(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, -1, 64 * MEGABYTE);
  assert_int_equal(pl_request_body_make_room(&f.x, 1), 0);
  assert_room(&f, 4 * KILOBYTE);
  memset(f.x.body->data, 'x', 4 * KILOBYTE);
  assert_int_equal(grow(&f, 1), 8 * KILOBYTE);
  assert_int_equal(grow(&f, 100 * KILOBYTE), 108 * KILOBYTE);
  assert_int_equal(f.x.body->data[4 * KILOBYTE - 1], 'x');
  end(&f);
}

static void room_beyond_the_memorys_ceiling_is_refused(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 100 * MEGABYTE, MEGABYTE);
  assert_int_equal(pl_request_body_make_room(&f.x, 3 * MEGABYTE), PL_ENOMEM);
  assert_null(f.x.body);
  assert_int_equal(f.account.bytes, 0);
  assert_int_equal(pl_request_body_make_room(&f.x, MEGABYTE), 0);
  assert_int_equal(pl_request_body_make_room(&f.x, 3 * MEGABYTE), PL_ENOMEM);
  assert_room(&f, MEGABYTE);
  end(&f);
}

static void a_failed_allocation_changes_nothing(void **state) {
  (void)state;
  static const int64_t lengths[] = {-1, 1000, 300 * KILOBYTE};
  struct pl_mem_stats before = pl_mem_stats();
  for (size_t i = 0; i < PL_ARRAY_LEN(lengths); i++) {
    struct fixture f;
    begin(&f, lengths[i], 64 * MEGABYTE);
    pl_mem_fail_nth(1);
    assert_int_equal(pl_request_body_make_room(&f.x, 1), PL_ENOMEM);
    pl_mem_fail_nth(0);
    assert_null(f.x.body);
    assert_int_equal(f.account.bytes, 0);
    end(&f);
  }
  assert_int_equal(pl_mem_stats().bytes, before.bytes);
}

static void what_is_taken_is_not_counted_any_more(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 10, 64 * MEGABYTE);
  assert_null(pl_request_body_take(&f.x));
  assert_int_equal(pl_request_body_make_room(&f.x, 10), 0);
  struct pl_bytes *bytes = pl_request_body_take(&f.x);
  assert_true(pl_bytes_is_alone(bytes));
  assert_null(f.x.body);
  assert_int_equal(f.account.bytes, 0);
  pl_bytes_unref(bytes);
  end(&f);
}

static void an_exchange_without_an_account_has_no_bounds(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 200 * KILOBYTE, 10);
  f.x.arena.account = NULL;
  assert_int_equal(pl_request_body_make_room(&f.x, 1), 0);
  assert_int_equal(f.x.body->cap, 200 * KILOBYTE);
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_short_body_has_its_room_at_once),
      cmocka_unit_test(a_short_body_grows_with_what_comes_when_half_of_the_memory_is_taken),
      cmocka_unit_test(a_long_body_grows_by_doubling_where_it_is),
      cmocka_unit_test(a_body_of_unknown_length_begins_small),
      cmocka_unit_test(room_beyond_the_memorys_ceiling_is_refused),
      cmocka_unit_test(a_failed_allocation_changes_nothing),
      cmocka_unit_test(what_is_taken_is_not_counted_any_more),
      cmocka_unit_test(an_exchange_without_an_account_has_no_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
