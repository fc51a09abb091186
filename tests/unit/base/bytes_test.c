// Bytes outside the Lua heaps: alignment and pad, growing, references on many threads, mappings.
#define _GNU_SOURCE  // mincore, MADV_NOHUGEPAGE
#include "base/bytes.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGE = 4096 };

static void fill(struct pl_bytes *b, size_t from, size_t n) {
  for (size_t i = 0; i < n; i++) b->data[from + i] = (char)((from + i) * 31 + 7);
}

static void assert_filled(const struct pl_bytes *b, size_t n) {
  for (size_t i = 0; i < n; i++) assert_int_equal((char)(i * 31 + 7), b->data[i]);
}

static void assert_sound(const struct pl_bytes *b, size_t size) {
  assert_int_equal(b->size, size);
  assert_true(b->cap >= size);
  assert_int_equal((uintptr_t)b->data % PL_BYTES_ALIGN, 0);
  for (size_t i = 0; i < PL_BYTES_PAD; i++) assert_int_equal(b->data[size + i], 0);
}

static void any_size_is_aligned_zero_and_followed_by_a_pad(void **state) {
  (void)state;
  void *odd[200];  // so that blocks come from everywhere
  for (size_t size = 0; size < 200; size++) {
    odd[size] = pl_mem_alloc(size * 7 % 97);
    struct pl_bytes *b = pl_bytes_new(size);
    assert_non_null(b);
    assert_sound(b, size);
    assert_int_equal(b->cap, size);
    for (size_t i = 0; i < size; i++) assert_int_equal(b->data[i], 0);
    assert_true(pl_bytes_is_alone(b));
    pl_bytes_unref(b);
  }
  for (size_t size = 0; size < 200; size++) pl_mem_free(odd[size]);
}

static void bytes_without_room_take_one_allocation(void **state) {
  (void)state;
  uint64_t before = pl_mem_stats().allocations;
  struct pl_bytes *b = pl_bytes_new_empty(0);
  assert_int_equal(pl_mem_stats().allocations, before + 1);
  assert_sound(b, 0);
  pl_bytes_grew(b, 0);
  pl_bytes_unref(b);
}

static void growing_keeps_contents_alignment_and_pad(void **state) {
  (void)state;
  struct pl_bytes *b = pl_bytes_new_empty(0);
  size_t size = 0;
  while (size < 300000) {
    size_t more = size / 3 + 1;
    assert_int_equal(pl_bytes_reserve(b, size + more), 0);
    assert_true(b->cap >= size + more);
    fill(b, size, more);
    pl_bytes_grew(b, more);
    size += more;
    assert_sound(b, size);
  }
  assert_filled(b, size);
  assert_int_equal(pl_bytes_reserve(b, 10), 0);  // never less
  assert_int_equal(b->size, size);
  assert_int_equal(pl_bytes_reserve(b, SIZE_MAX - 10), PL_ENOMEM);
  assert_filled(b, size);
  pl_bytes_unref(b);
}

static void bytes_within_a_promise_grow_where_they_are(void **state) {
  (void)state;
  const size_t most = 10 * 1000 * 1000;
  struct pl_bytes_copies before = pl_bytes_copies();
  struct pl_bytes *b = pl_bytes_new_within(100, most);
  assert_sound(b, 0);
  assert_int_equal(b->cap, 100);
  const char *data = b->data;
  for (size_t cap = 100; cap < most; cap = cap * 2 < most ? cap * 2 : most) {
    assert_int_equal(pl_bytes_reserve(b, cap), 0);
    fill(b, b->size, cap - b->size);
    pl_bytes_grew(b, cap - b->size);
    assert_ptr_equal(b->data, data);
    assert_sound(b, cap);
  }
  assert_int_equal(pl_bytes_reserve(b, most), 0);
  assert_int_equal(pl_bytes_reserve(b, most + 1), PL_ENOMEM);
  assert_int_equal(b->cap, most);
  fill(b, b->size, most - b->size);
  pl_bytes_grew(b, most - b->size);
  assert_sound(b, most);
  assert_filled(b, most);
  assert_int_equal(pl_bytes_copies().bytes, before.bytes);
  pl_bytes_unref(b);
  assert_null(pl_bytes_new_within(2, 1));
  assert_null(pl_bytes_new_within(1, SIZE_MAX - 10));
}

// Pages that the kernel holds for the process.
static size_t resident_pages(const void *at, size_t bytes) {
  unsigned char there[2560];
  size_t pages = (bytes + PAGE - 1) / PAGE, found = 0;
  assert_true(pages <= sizeof there);
  assert_int_equal(mincore((void *)at, bytes, there), 0);
  for (size_t i = 0; i < pages; i++) found += there[i] & 1;
  return found;
}

static void a_promise_takes_no_memory_until_it_is_used(void **state) {
  (void)state;
  struct pl_bytes *b = pl_bytes_new_within(PAGE, 2000 * PAGE);
  // A kernel that backs it with huge pages gives 512 at once.
  madvise(b->map, b->map_bytes, MADV_NOHUGEPAGE);
  assert_int_equal(resident_pages(b->data, 2000 * PAGE), 0);
  b->data[5] = 1;
  assert_int_equal(resident_pages(b->data, 2000 * PAGE), 1);
  pl_bytes_unref(b);
}

// ---- references ----

enum { THREADS = 4, ROUNDS = 20000 };

static void *take_and_give(void *arg) {
  struct pl_bytes *b = arg;
  size_t sum = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct pl_bytes *mine = pl_bytes_ref(b);
    sum += (unsigned char)mine->data[i % 64];
    pl_bytes_unref(mine);
  }
  pl_bytes_unref(b);  // its thread's own
  return (void *)sum;
}

static void references_on_many_threads_free_once(void **state) {
  (void)state;
  struct pl_mem_stats before = pl_mem_stats();
  struct pl_bytes *b = pl_bytes_new(64);
  fill(b, 0, 64);
  b->is_frozen = true;
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, pl_bytes_ref(b)), 0);
  pl_bytes_unref(b);  // the last one of all frees
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(pl_mem_stats().bytes, before.bytes);
}

static void holders_are_counted(void **state) {
  (void)state;
  struct pl_bytes *b = pl_bytes_new(1);
  assert_true(pl_bytes_is_alone(b));
  assert_ptr_equal(pl_bytes_ref(b), b);
  assert_false(pl_bytes_is_alone(b));
  pl_bytes_unref(b);
  assert_true(pl_bytes_is_alone(b));
  pl_bytes_unref(b);
  pl_bytes_unref(NULL);
}

// ---- out of memory ----

static void any_allocation_may_fail_and_nothing_changes(void **state) {
  (void)state;
  struct pl_mem_stats before = pl_mem_stats();
  for (uint64_t nth = 1; nth <= 2; nth++) {
    pl_mem_fail_nth(nth);
    assert_null(pl_bytes_new(100));
  }
  pl_mem_fail_nth(1);
  assert_null(pl_bytes_new_within(1, 100));
  pl_mem_fail_nth(0);
  assert_int_equal(pl_mem_stats().bytes, before.bytes);
  struct pl_bytes *b = pl_bytes_new_empty(100);
  fill(b, 0, 100);
  pl_bytes_grew(b, 100);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_bytes_reserve(b, 100000), PL_ENOMEM);
  pl_mem_fail_nth(0);
  assert_int_equal(b->cap, 100);
  assert_sound(b, 100);
  assert_filled(b, 100);
  pl_bytes_unref(b);
  assert_int_equal(pl_mem_stats().bytes, before.bytes);
}

// ---- copies ----

static void copies_are_counted(void **state) {
  (void)state;
  char text[] = "abcdef";
  struct pl_bytes_copies before = pl_bytes_copies();
  pl_bytes_copy(text + 1, text, 4);  // overlapping
  assert_string_equal(text, "aabcdf");
  pl_bytes_copy(NULL, NULL, 0);
  struct pl_bytes_copies after = pl_bytes_copies();
  assert_int_equal(after.count, before.count + 1);
  assert_int_equal(after.bytes, before.bytes + 4);
}

// ---- mapped files ----

static FILE *make_file(size_t size) {
  FILE *file = tmpfile();
  assert_non_null(file);
  for (size_t i = 0; i < size; i++) fputc((int)(unsigned char)(i * 31 + 7), file);
  assert_int_equal(fflush(file), 0);
  return file;
}

static void a_file_is_mapped_frozen_with_its_pad(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 100, PAGE - 16, PAGE - 15, PAGE, PAGE + 1, 3 * PAGE};
  struct pl_bytes_copies before = pl_bytes_copies();
  struct pl_mem_stats held = pl_mem_stats();
  for (size_t i = 0; i < PL_ARRAY_LEN(sizes); i++) {
    FILE *file = make_file(sizes[i]);
    struct pl_bytes *b;
    assert_int_equal(pl_bytes_map(fileno(file), sizes[i], &b), 0);
    fclose(file);
    assert_true(b->is_frozen);
    assert_sound(b, sizes[i]);
    assert_filled(b, sizes[i]);
    pl_bytes_unref(b);
  }
  assert_int_equal(pl_bytes_copies().bytes, before.bytes);
  assert_int_equal(pl_mem_stats().bytes, held.bytes);
}

static void writing_a_mapped_file_is_a_fault(void **state) {
  (void)state;
  FILE *file = make_file(10);
  struct pl_bytes *b;
  assert_int_equal(pl_bytes_map(fileno(file), 10, &b), 0);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    *(volatile char *)b->data = 1;
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  pl_bytes_unref(b);
  fclose(file);
}

static void what_cannot_be_mapped_is_an_error(void **state) {
  (void)state;
  struct pl_mem_stats before = pl_mem_stats();
  struct pl_bytes *b = NULL;
  int ends[2];
  FILE *file = make_file(10);
  assert_int_equal(pl_bytes_map(fileno(file), 11, &b), PL_EINVAL);
  assert_true(pl_bytes_map(-1, 10, &b) < 0);
  assert_int_equal(pipe(ends), 0);
  assert_true(pl_bytes_map(ends[0], 1, &b) < 0);
  assert_null(b);
  assert_int_equal(pl_bytes_map(fileno(file), 0, &b), 0);
  assert_int_equal(b->size, 0);
  assert_true(b->is_frozen);
  pl_bytes_unref(b);
  close(ends[0]);
  close(ends[1]);
  fclose(file);
  assert_int_equal(pl_mem_stats().bytes, before.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_size_is_aligned_zero_and_followed_by_a_pad),
      cmocka_unit_test(bytes_without_room_take_one_allocation),
      cmocka_unit_test(growing_keeps_contents_alignment_and_pad),
      cmocka_unit_test(bytes_within_a_promise_grow_where_they_are),
      cmocka_unit_test(a_promise_takes_no_memory_until_it_is_used),
      cmocka_unit_test(references_on_many_threads_free_once),
      cmocka_unit_test(holders_are_counted),
      cmocka_unit_test(any_allocation_may_fail_and_nothing_changes),
      cmocka_unit_test(copies_are_counted),
      cmocka_unit_test(a_file_is_mapped_frozen_with_its_pad),
      cmocka_unit_test(writing_a_mapped_file_is_a_fault),
      cmocka_unit_test(what_cannot_be_mapped_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
