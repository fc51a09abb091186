// malloc and free behind counters. The counters are sharded by thread, so that workers do not
// fight for one cache line; a thread keeps the shard that it drew at its first allocation.
#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, CACHE_LINE = 64 };

struct shard {
  _Alignas(CACHE_LINE) _Atomic uint64_t allocations;
  _Atomic uint64_t frees;
  _Atomic int64_t bytes;
};

// Counters of the allocator itself: the one piece of process-wide state here, as malloc's own is.
static struct shard shards[SHARDS];
static _Atomic unsigned threads_seen;
static _Thread_local struct shard *own_shard;
static _Thread_local uint64_t fail_countdown;

static struct shard *current_shard(void) {
  if (PL_UNLIKELY(!own_shard)) {
    unsigned n = atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed);
    own_shard = &shards[n % SHARDS];
  }
  return own_shard;
}

static void count(void *block, int64_t old_bytes, bool is_new) {
  struct shard *s = current_shard();
  int64_t grown = (int64_t)malloc_usable_size(block) - old_bytes;
  if (is_new) atomic_fetch_add_explicit(&s->allocations, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&s->bytes, grown, memory_order_relaxed);
}

static bool must_fail(void) {
  return PL_UNLIKELY(fail_countdown > 0) && --fail_countdown == 0;
}

void *pl_mem_alloc(size_t size) {
  return pl_mem_realloc(NULL, size);
}

void *pl_mem_zalloc(size_t size) {
  void *block = pl_mem_alloc(size);
  if (block) memset(block, 0, size);
  return block;
}

void *pl_mem_calloc(size_t count_, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count_, size, &total)) return NULL;
  return pl_mem_zalloc(total);
}

void *pl_mem_realloc(void *block, size_t size) {
  if (must_fail()) return NULL;
  int64_t old_bytes = block ? (int64_t)malloc_usable_size(block) : 0;
  void *moved = realloc(block, size ? size : 1);
  if (moved) count(moved, old_bytes, !block || (int64_t)size > old_bytes);
  return moved;
}

void pl_mem_free(void *block) {
  if (!block) return;
  struct shard *s = current_shard();
  atomic_fetch_add_explicit(&s->frees, 1, memory_order_relaxed);
  atomic_fetch_sub_explicit(&s->bytes, (int64_t)malloc_usable_size(block), memory_order_relaxed);
  free(block);
}

struct pl_mem_stats pl_mem_stats(void) {
  struct pl_mem_stats sum = {0};
  for (size_t i = 0; i < SHARDS; i++) {
    sum.allocations += atomic_load_explicit(&shards[i].allocations, memory_order_relaxed);
    sum.frees += atomic_load_explicit(&shards[i].frees, memory_order_relaxed);
    sum.bytes += atomic_load_explicit(&shards[i].bytes, memory_order_relaxed);
  }
  return sum;
}

void pl_mem_fail_nth(uint64_t nth) {
  fail_countdown = nth;
}
