// The ring: whole lines or nothing, wrapping, two threads.
#include "base/log_ring.h"

#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pl_log_ring *make_ring(void) {
  struct pl_log_ring *ring = pl_log_ring_new();
  assert_non_null(ring);
  return ring;
}

static void a_line_comes_out_as_it_went_in(void **state) {
  (void)state;
  struct pl_log_ring *ring = make_ring();
  struct iovec pieces[2];
  assert_int_equal(pl_log_ring_peek(ring, 100, pieces), 0);
  assert_true(pl_log_ring_push(ring, "hello\n", 6));
  assert_int_equal(pl_log_ring_used(ring), 6);
  assert_int_equal(pl_log_ring_peek(ring, 100, pieces), 1);
  assert_int_equal(pieces[0].iov_len, 6);
  assert_memory_equal(pieces[0].iov_base, "hello\n", 6);
  assert_int_equal(pl_log_ring_peek(ring, 2, pieces), 1);
  assert_int_equal(pieces[0].iov_len, 2);
  pl_log_ring_consume(ring, 6);
  assert_int_equal(pl_log_ring_used(ring), 0);
  pl_mem_free(ring);
}

static void a_full_ring_takes_nothing_until_something_left(void **state) {
  (void)state;
  struct pl_log_ring *ring = make_ring();
  char line[1000];
  memset(line, 'x', sizeof line);
  size_t fitted = 0;
  while (pl_log_ring_push(ring, line, sizeof line)) fitted++;
  assert_int_equal(fitted, PL_LOG_RING_BYTES / sizeof line);
  size_t left = PL_LOG_RING_BYTES % sizeof line;
  assert_true(pl_log_ring_push(ring, line, left));
  assert_int_equal(pl_log_ring_used(ring), PL_LOG_RING_BYTES);
  assert_false(pl_log_ring_push(ring, line, 1));
  pl_log_ring_consume(ring, 1);
  assert_true(pl_log_ring_push(ring, line, 1));
  pl_mem_free(ring);
}

static void a_line_over_the_end_comes_in_two_pieces(void **state) {
  (void)state;
  struct pl_log_ring *ring = make_ring();
  static char filler[PL_LOG_RING_BYTES - 3];
  assert_true(pl_log_ring_push(ring, filler, sizeof filler));
  pl_log_ring_consume(ring, sizeof filler);
  assert_true(pl_log_ring_push(ring, "abcdef\n", 7));
  struct iovec pieces[2];
  assert_int_equal(pl_log_ring_peek(ring, 100, pieces), 2);
  assert_int_equal(pieces[0].iov_len, 3);
  assert_memory_equal(pieces[0].iov_base, "abc", 3);
  assert_int_equal(pieces[1].iov_len, 4);
  assert_memory_equal(pieces[1].iov_base, "def\n", 4);
  pl_mem_free(ring);
}

static void out_of_memory_gives_no_ring(void **state) {
  (void)state;
  pl_mem_fail_nth(1);
  assert_null(pl_log_ring_new());
}

enum { NUMBERS = 200000 };

static void *push_numbers(void *arg) {
  struct pl_log_ring *ring = arg;
  for (unsigned i = 0; i < NUMBERS; i++) {
    char line[16];
    size_t len = (size_t)snprintf(line, sizeof line, "%u\n", i);
    while (!pl_log_ring_push(ring, line, len)) sched_yield();
  }
  return NULL;
}

// Feeds the digits to a number; checks it at each line feed.
static void read_piece(struct iovec piece, unsigned *number, unsigned *expected) {
  const char *bytes = piece.iov_base;
  for (size_t i = 0; i < piece.iov_len; i++) {
    if (bytes[i] == '\n') {
      assert_int_equal(*number, *expected);
      (*expected)++;
      *number = 0;
    } else {
      *number = *number * 10 + (unsigned)(bytes[i] - '0');
    }
  }
}

static void two_threads_lose_and_mix_nothing(void **state) {
  (void)state;
  struct pl_log_ring *ring = make_ring();
  pthread_t producer;
  assert_int_equal(pthread_create(&producer, NULL, push_numbers, ring), 0);
  unsigned number = 0, expected = 0;
  while (expected < NUMBERS) {
    struct iovec pieces[2];
    int count = pl_log_ring_peek(ring, PL_LOG_RING_BYTES, pieces);
    size_t n = 0;
    for (int i = 0; i < count; i++) {
      read_piece(pieces[i], &number, &expected);
      n += pieces[i].iov_len;
    }
    pl_log_ring_consume(ring, n);
  }
  pthread_join(producer, NULL);
  assert_int_equal(pl_log_ring_used(ring), 0);
  pl_mem_free(ring);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_comes_out_as_it_went_in),
      cmocka_unit_test(a_full_ring_takes_nothing_until_something_left),
      cmocka_unit_test(a_line_over_the_end_comes_in_two_pieces),
      cmocka_unit_test(out_of_memory_gives_no_ring),
      cmocka_unit_test(two_threads_lose_and_mix_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
