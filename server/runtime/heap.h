/// Memory for one Lua state: small blocks from free lists by size, the others from base/mem.h.
///
/// Lua tells the size of a block when it gives it back, and nearly all of its blocks are small, so
/// a list per size class is all that is needed: a handful of instructions where malloc takes a
/// hundred. Memory of small blocks is used again by the same state only, and goes back with it.
/// Under a sanitizer every block is base/mem.h's, so that it sees them one by one.
///
/// Thread: the state's; `allocations` may be read by others.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
  PL_HEAP_STEP = 16,
  PL_HEAP_CLASSES = 16,
  PL_HEAP_SMALL_MAX = PL_HEAP_STEP * PL_HEAP_CLASSES
};

struct pl_heap_slab;

/// All zeros is an empty heap without a limit.
struct pl_heap {
  size_t bytes;                  ///< what Lua holds now, as Lua counts it
  size_t limit;                  ///< hard ceiling: beyond it the answer is NULL; 0 = none
  _Atomic uint64_t allocations;  ///< small blocks handed out; base/mem.h counts the others
  void *free[PL_HEAP_CLASSES];   ///< free blocks of (i + 1) * PL_HEAP_STEP bytes
  char *next;                    ///< where the newest slab goes on
  char *slab_end;
  struct pl_heap_slab *slabs;  ///< newest first
};

/// lua_Alloc's contract; ud is the heap.
void *pl_heap_allocate(void *heap, void *block, size_t old_size, size_t size);

/// Frees the slabs. Every block must have been given back (lua_close).
void pl_heap_deinit(struct pl_heap *heap);

/// Thread: any.
static inline uint64_t pl_heap_allocations(const struct pl_heap *heap) {
  return atomic_load_explicit(&heap->allocations, memory_order_relaxed);
}

/// How many bytes more Lua may take; SIZE_MAX: no limit. What is about to build something large
/// asks first, since a refusal by the allocator costs full collections.
static inline size_t pl_heap_room(const struct pl_heap *heap) {
  if (!heap->limit) return SIZE_MAX;
  return heap->limit > heap->bytes ? heap->limit - heap->bytes : 0;
}
