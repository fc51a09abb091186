// Lua's allocator: a random sequence against what a plain memory would hold, its bounds, no memory,
// and what it charges to whom.
#include "runtime/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lua.h>

#include "base/mem.h"

enum { BLOCKS = 500, STEPS = 200000, SIZE_MAX_TRIED = 1000 };

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

static size_t count_slabs(const struct pl_heap *heap) {
  size_t count = 0;
  for (void *slab = heap->slabs; slab; slab = *(void **)slab) count++;
  return count;
}

static void a_large_heap_is_made_of_few_slabs(void **state) {
  (void)state;
  enum { COUNT = 100000, SIZE = 96, SLABS_MOST = 60 };
  static void *blocks[COUNT];
  struct pl_heap heap = {0};
  for (int i = 0; i < COUNT; i++)
    assert_non_null(blocks[i] = pl_heap_allocate(&heap, NULL, 0, SIZE));
  assert_in_range(count_slabs(&heap), 0, SLABS_MOST);
  for (int i = 0; i < COUNT; i++) pl_heap_allocate(&heap, blocks[i], SIZE, 0);
  pl_heap_deinit(&heap);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void a_new_coroutine_needs_small_blocks_only(void **state) {
  (void)state;
  struct pl_heap heap = {0};
  lua_State *L = lua_newstate(pl_heap_allocate, &heap);
  assert_non_null(L);
  lua_gc(L, LUA_GCSTOP);
  size_t slabs = count_slabs(&heap);
  uint64_t before = pl_mem_stats().allocations;
  for (int i = 0; i < 1000; i++) {
    assert_non_null(lua_newthread(L));
    lua_pop(L, 1);
  }
  assert_int_equal(pl_mem_stats().allocations - before, count_slabs(&heap) - slabs);
  lua_close(L);
  pl_heap_deinit(&heap);
}
#endif

static void beyond_the_limit_is_null_and_nothing_changes(void **state) {
  (void)state;
  struct pl_heap heap = {.ceiling = 1000};
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
  static const size_t sizes[] = {900, 769, 768, 300, 100, 16, 1};
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

static void the_ceiling_counts_what_the_worker_holds_besides(void **state) {
  (void)state;
  struct pl_account account;
  struct pl_charge charge;
  pl_account_init(&account, 1000);  // the ceiling is twice that
  struct pl_heap old = {0}, heap = {0};
  void *others = pl_heap_allocate(&old, NULL, 0, 500);
  pl_heap_join(&old, &account);
  pl_heap_join(&heap, &account);
  assert_true(pl_account_move(&account, 0, 500));
  assert_int_equal(account.bytes, 1000);
  pl_charge_init(&charge, &heap, 0);
  pl_heap_enter(&heap, &charge);
  assert_int_equal(pl_heap_room(&heap), 1000);
  assert_null(pl_heap_allocate(&heap, NULL, 0, 1001));
  void *block = pl_heap_allocate(&heap, NULL, 0, 1000);
  assert_non_null(block);
  assert_int_equal(pl_heap_room(&heap), 0);
  pl_heap_leave(&heap);
  assert_int_equal(account.bytes, 2000);
  pl_charge_init(&charge, &old, 0);
  pl_heap_enter(&old, &charge);
  assert_null(pl_heap_allocate(&old, NULL, 0, 1));
  pl_account_give(&account, 500);
  others = pl_heap_allocate(&old, others, 500, 1000);
  assert_non_null(others);
  pl_heap_allocate(&old, others, 1000, 0);
  pl_heap_leave(&old);
  pl_heap_deinit(&old);
  assert_int_equal(account.bytes, 1000);
  assert_int_equal(pl_heap_room(&heap), 1000);
  pl_heap_allocate(&heap, block, 1000, 0);
  pl_heap_deinit(&heap);
  assert_int_equal(account.bytes, 0);
}

// ---- charges ----

static size_t crossings;

static void note_crossing(struct pl_heap *heap) {
  assert_true(heap->charge != NULL);
  crossings++;
}

static void a_charge_is_what_the_heap_grew_by_while_its_tasks_ran(void **state) {
  (void)state;
  struct pl_heap heap = {0};
  struct pl_charge one, two;
  void *before = pl_heap_allocate(&heap, NULL, 0, 50);
  pl_charge_init(&one, &heap, 0);
  pl_charge_init(&two, &heap, 0);
  pl_heap_enter(&heap, &one);
  void *a = pl_heap_allocate(&heap, NULL, 0, 100);
  assert_int_equal(pl_heap_charged(&heap), 100);
  pl_heap_leave(&heap);
  void *nobodys = pl_heap_allocate(&heap, NULL, 0, 1000);
  pl_heap_enter(&heap, &two);
  void *b = pl_heap_allocate(&heap, NULL, 0, 300);
  pl_heap_leave(&heap);
  pl_heap_enter(&heap, &one);
  a = pl_heap_allocate(&heap, a, 100, 170);
  pl_heap_leave(&heap);
  assert_int_equal(one.bytes, 170);
  assert_int_equal(two.bytes, 300);
  pl_heap_allocate(&heap, nobodys, 1000, 0);
  assert_int_equal(one.bytes + two.bytes, 470);
  pl_heap_enter(&heap, &two);
  pl_heap_allocate(&heap, b, 300, 0);
  assert_int_equal(pl_heap_charged(&heap), 0);
  pl_heap_allocate(&heap, a, 170, 0);  // who frees is credited, to 0 at most
  pl_heap_allocate(&heap, before, 50, 0);
  assert_int_equal(pl_heap_charged(&heap), 0);
  pl_heap_leave(&heap);
  assert_int_equal(two.bytes, 0);
  pl_heap_deinit(&heap);
}

enum { MIB = 1 << 20 };

static void a_crossing_is_told_once_and_again_for_each_step_beyond(void **state) {
  (void)state;
  struct pl_heap heap = {.on_over = note_crossing};
  struct pl_charge charge;
  crossings = 0;
  pl_charge_init(&charge, &heap, MIB);
  pl_heap_enter(&heap, &charge);
  char *block = pl_heap_allocate(&heap, NULL, 0, MIB);
  assert_int_equal(crossings, 0);
  size_t size = MIB;
  for (size_t step = 0; step < PL_HEAP_OVER_STEP; step += 1024, size += 1024) {
    block = pl_heap_allocate(&heap, block, size, size + 1024);
    assert_non_null(block);  // a charge refuses nothing
    assert_int_equal(crossings, 1);
  }
  block = pl_heap_allocate(&heap, block, size, size + 2048);
  assert_int_equal(crossings, 2);
  block = pl_heap_allocate(&heap, block, size + 2048, 100);  // below again
  assert_int_equal(crossings, 2);
  pl_heap_leave(&heap);
  pl_heap_enter(&heap, &charge);
  block = pl_heap_allocate(&heap, block, 100, MIB);
  assert_int_equal(crossings, 2);
  block = pl_heap_allocate(&heap, block, MIB, MIB + 1);
  assert_int_equal(crossings, 3);
  pl_heap_allocate(&heap, block, MIB + 1, 0);
  pl_heap_leave(&heap);
  pl_heap_deinit(&heap);
}

static void a_task_that_is_over_is_told_of_whenever_it_runs(void **state) {
  (void)state;
  struct pl_heap heap = {.on_over = note_crossing};
  struct pl_charge over, other;
  crossings = 0;
  pl_charge_init(&over, &heap, 1000);
  pl_charge_init(&other, &heap, 1000);
  pl_heap_enter(&heap, &over);
  void *a = pl_heap_allocate(&heap, NULL, 0, 1001);
  assert_int_equal(crossings, 1);
  assert_true(pl_heap_is_over(&heap));
  pl_heap_leave(&heap);
  pl_heap_enter(&heap, &other);
  assert_false(pl_heap_is_over(&heap));
  void *b = pl_heap_allocate(&heap, NULL, 0, 1000);
  assert_int_equal(crossings, 1);
  pl_heap_leave(&heap);
  void *c = pl_heap_allocate(&heap, NULL, 0, 5000);  // nobody's
  assert_int_equal(crossings, 1);
  pl_heap_enter(&heap, &over);
  void *d = pl_heap_allocate(&heap, NULL, 0, 1);
  assert_int_equal(crossings, 2);
  pl_heap_leave(&heap);
  pl_heap_allocate(&heap, a, 1001, 0);
  pl_heap_allocate(&heap, b, 1000, 0);
  pl_heap_allocate(&heap, c, 5000, 0);
  pl_heap_allocate(&heap, d, 1, 0);
  pl_heap_deinit(&heap);
}

static void what_c_holds_counts_against_the_request(void **state) {
  (void)state;
  struct pl_heap heap = {.on_over = note_crossing};
  struct pl_charge charge;
  crossings = 0;
  pl_charge_init(&charge, &heap, 1000);
  pl_heap_charge_outside(&heap, &charge, 0, 600);
  pl_heap_enter(&heap, &charge);
  assert_int_equal(pl_heap_room(&heap), 400);
  void *block = pl_heap_allocate(&heap, NULL, 0, 400);
  assert_int_equal(crossings, 0);
  pl_heap_charge_outside(&heap, &charge, 600, 601);
  assert_true(pl_heap_is_over(&heap));
  assert_int_equal(pl_heap_room(&heap), 0);
  block = pl_heap_allocate(&heap, block, 400, 401);
  assert_int_equal(crossings, 1);
  pl_heap_charge_outside(&heap, &charge, 601, 0);
  assert_false(pl_heap_is_over(&heap));
  assert_int_equal(pl_heap_room(&heap), 599);
  pl_heap_allocate(&heap, block, 401, 0);
  pl_heap_leave(&heap);
  pl_heap_deinit(&heap);
}

static void room_is_the_least_of_both_bounds(void **state) {
  (void)state;
  struct pl_heap heap = {0};
  struct pl_charge charge;
  struct pl_account account;
  pl_account_init(&account, SIZE_MAX);
  pl_heap_join(&heap, &account);
  assert_true(pl_account_move(&account, 0, 100));
  assert_int_equal(pl_heap_room(&heap), SIZE_MAX);
  pl_account_give(&account, 100);
  pl_heap_set_ceiling(&heap, 1000);
  assert_int_equal(pl_heap_room(&heap), 1000);
  void *block = pl_heap_allocate(&heap, NULL, 0, 300);
  assert_int_equal(pl_heap_room(&heap), 700);
  pl_charge_init(&charge, &heap, 500);
  pl_heap_enter(&heap, &charge);
  assert_int_equal(pl_heap_room(&heap), 500);
  pl_heap_set_ceiling(&heap, 700);
  assert_int_equal(pl_heap_room(&heap), 400);
  pl_heap_leave(&heap);
  pl_heap_allocate(&heap, block, 300, 0);
  pl_heap_deinit(&heap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(blocks_keep_their_bytes_through_any_sequence),
    cmocka_unit_test(a_block_given_back_is_used_again),
    cmocka_unit_test(a_large_heap_is_made_of_few_slabs),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    cmocka_unit_test(a_new_coroutine_needs_small_blocks_only),
#endif
    cmocka_unit_test(beyond_the_limit_is_null_and_nothing_changes),
    cmocka_unit_test(shrinking_never_fails),
    cmocka_unit_test(the_ceiling_counts_what_the_worker_holds_besides),
    cmocka_unit_test(a_charge_is_what_the_heap_grew_by_while_its_tasks_ran),
    cmocka_unit_test(a_crossing_is_told_once_and_again_for_each_step_beyond),
    cmocka_unit_test(a_task_that_is_over_is_told_of_whenever_it_runs),
    cmocka_unit_test(what_c_holds_counts_against_the_request),
    cmocka_unit_test(room_is_the_least_of_both_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
