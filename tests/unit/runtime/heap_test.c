// Lua's allocator: a random sequence against what a plain memory would hold, its limit, no memory.
#include "runtime/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

enum { BLOCKS = 500, STEPS = 200000, SIZE_MAX_TRIED = 600 };

struct held {
  unsigned char *block;
  size_t size;
  unsigned char fill;
};

static void assert_holds(const struct held *h, size_t size) {
  for (size_t i = 0; i < size; i++) assert_int_equal(h->block[i], h->fill);
}

static void resize(struct pl_heap *heap, struct held *h, size_t size, unsigned char fill) {
  assert_holds(h, h->size);
  void *moved = pl_heap_allocate(heap, h->block, h->block ? h->size : 5, size);
  if (size == 0) {
    assert_null(moved);
    *h = (struct held){0};
    return;
  }
  assert_non_null(moved);
  h->block = moved;
  assert_holds(h, h->size < size ? h->size : size);
  memset(moved, fill, size);
  h->size = size;
  h->fill = fill;
}

static void blocks_keep_their_bytes_through_any_sequence(void **state) {
  (void)state;
  static struct held held[BLOCKS];
  struct pl_heap heap = {0};
  int64_t before = pl_mem_stats().bytes;
  unsigned seed = 20261123;
  print_message("seed %u\n", seed);
  srand(seed);
  size_t bytes = 0;
  for (int step = 0; step < STEPS; step++) {
    struct held *h = &held[rand() % BLOCKS];
    bytes -= h->size;
    size_t size = rand() % 3 == 0 ? 0 : (size_t)(rand() % SIZE_MAX_TRIED);
    if (!h->block && size == 0) size = 1;
    resize(&heap, h, size, (unsigned char)rand());
    bytes += h->size;
    assert_int_equal(heap.bytes, bytes);
  }
  for (int i = 0; i < BLOCKS; i++)
    if (held[i].block) resize(&heap, &held[i], 0, 0);
  assert_int_equal(heap.bytes, 0);
  pl_heap_deinit(&heap);
  assert_int_equal(pl_mem_stats().bytes, before);
}

static void a_block_given_back_is_used_again(void **state) {
  (void)state;
  struct pl_heap heap = {0};
  for (int i = 0; i < 10000; i++) {
    void *block = pl_heap_allocate(&heap, NULL, 0, 100);
    assert_non_null(block);
    pl_heap_allocate(&heap, block, 100, 0);
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  assert_null(heap.slabs ? *(void **)heap.slabs : NULL);  // one slab was enough
#endif
  pl_heap_deinit(&heap);
}

static void beyond_the_limit_is_null_and_nothing_changes(void **state) {
  (void)state;
  struct pl_heap heap = {.limit = 1000};
  char *block = pl_heap_allocate(&heap, NULL, 0, 900);
  assert_non_null(block);
  memset(block, 'x', 900);
  assert_null(pl_heap_allocate(&heap, NULL, 0, 101));
  assert_null(pl_heap_allocate(&heap, block, 900, 1001));
  assert_int_equal(heap.bytes, 900);
  assert_int_equal(block[899], 'x');
  block = pl_heap_allocate(&heap, block, 900, 1000);
  assert_non_null(block);
  pl_heap_allocate(&heap, block, 1000, 0);
  assert_int_equal(heap.bytes, 0);
  pl_heap_deinit(&heap);
}

static void shrinking_never_fails(void **state) {
  (void)state;
  static const size_t sizes[] = {600, 300, 256, 100, 16, 1};
  struct pl_heap heap = {0};
  char *block = pl_heap_allocate(&heap, NULL, 0, 1000);
  memset(block, 'y', 1000);
  size_t size = 1000;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    pl_mem_fail_nth(1);
    block = pl_heap_allocate(&heap, block, size, sizes[i]);
    pl_mem_fail_nth(0);
    assert_non_null(block);
    assert_int_equal(block[sizes[i] - 1], 'y');
    size = sizes[i];
  }
  assert_int_equal(heap.bytes, 1);
  pl_heap_allocate(&heap, block, 1, 0);
  pl_heap_deinit(&heap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_keep_their_bytes_through_any_sequence),
      cmocka_unit_test(a_block_given_back_is_used_again),
      cmocka_unit_test(beyond_the_limit_is_null_and_nothing_changes),
      cmocka_unit_test(shrinking_never_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
