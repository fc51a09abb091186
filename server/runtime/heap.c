// Lua's allocator: segregated free lists, carved out of slabs.
#include "runtime/heap.h"

#include <string.h>

#include "base/mem.h"

// A slab is an eighth of what the heap holds, so that a large heap is made of few: the first ones
// come from malloc's arena, which grows by one system call for each of them, the later ones
// straight from the kernel. What is not used yet of a new slab is not resident.
enum { SLAB_MIN_BYTES = 32 * 1024, SLAB_MAX_BYTES = 1024 * 1024, HEAP_PER_SLAB = 8 };

struct pl_heap_slab {
  struct pl_heap_slab *older;
  _Alignas(PL_HEAP_STEP) char bytes[];
};

static bool is_small(size_t size) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)size;
  return false;
#else
  return size <= PL_HEAP_SMALL_MAX;
#endif
}

static size_t class_of(size_t size) {
  return (size - 1) / PL_HEAP_STEP;
}

static size_t next_slab_bytes(const struct pl_heap *heap) {
  size_t bytes = heap->bytes / HEAP_PER_SLAB;
  if (bytes < SLAB_MIN_BYTES) return SLAB_MIN_BYTES;
  return bytes < SLAB_MAX_BYTES ? bytes : SLAB_MAX_BYTES;
}

// What is left of the old slab, less than one large class, is given up: at most 2.3 % of it.
static bool add_slab(struct pl_heap *heap) {
  size_t bytes = next_slab_bytes(heap);
  struct pl_heap_slab *slab = pl_mem_alloc(sizeof *slab + bytes);
  if (!slab) return false;
  slab->older = heap->slabs;
  heap->slabs = slab;
  heap->next = slab->bytes;
  heap->slab_end = slab->bytes + bytes;
  return true;
}

static void *take_small(struct pl_heap *heap, size_t size) {
  size_t class = class_of(size);
  void *block = heap->free[class];
  if (block) {
    memcpy(&heap->free[class], block, sizeof(void *));
    return block;
  }
  size_t rounded = (class + 1) * PL_HEAP_STEP;
  if ((size_t)(heap->slab_end - heap->next) < rounded && !add_slab(heap)) return NULL;
  block = heap->next;
  heap->next += rounded;
  return block;
}

static void give_small(struct pl_heap *heap, void *block, size_t size) {
  size_t class = class_of(size);
  memcpy(block, &heap->free[class], sizeof(void *));
  heap->free[class] = block;
}

static void give(struct pl_heap *heap, void *block, size_t size) {
  if (!block) return;
  if (is_small(size))
    give_small(heap, block, size);
  else
    pl_mem_free(block);
}

static void *take(struct pl_heap *heap, size_t size) {
  return is_small(size) ? take_small(heap, size) : pl_mem_alloc(size);
}

static void *move(struct pl_heap *heap, void *block, size_t old_size, size_t size) {
  if (!is_small(old_size) && !is_small(size)) return pl_mem_realloc(block, size);
  if (is_small(old_size) && is_small(size) && class_of(old_size) == class_of(size)) return block;
  void *moved = take(heap, size);
  if (!moved) return NULL;
  memcpy(moved, block, old_size < size ? old_size : size);
  give(heap, block, old_size);
  return moved;
}

static void count(struct pl_heap *heap) {
  uint64_t n = atomic_load_explicit(&heap->allocations, memory_order_relaxed);
  atomic_store_explicit(&heap->allocations, n + 1, memory_order_relaxed);
}

// ---- bounds ----

// What the heap may hold, with regard to what the worker holds besides.
static size_t top_of_worker(const struct pl_heap *heap) {
  if (!heap->ceiling) return SIZE_MAX;
  size_t others = heap->account ? heap->account->bytes - heap->reported : 0;
  return heap->ceiling > others ? heap->ceiling - others : 0;
}

// What it may hold until the running task's request is at its limit.
static size_t top_of_task(const struct pl_heap *heap) {
  const struct pl_charge *charge = heap->charge;
  if (!charge || !charge->limit) return SIZE_MAX;
  int64_t top = (int64_t)heap->left_out + (int64_t)charge->limit - (int64_t)charge->outside;
  return top > 0 ? (size_t)top : 0;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

// The heap is to hold `bytes`, which is beyond the trip. Returns: false: refused.
static PL_COLD bool look(struct pl_heap *heap, size_t bytes) {
  size_t most = top_of_worker(heap), limit = top_of_task(heap);
  if (bytes > most) return false;
  heap->trip = least(most, limit);
  if (bytes <= limit) return true;
  heap->trip = least(most, bytes + PL_HEAP_OVER_STEP);
  if (heap->on_over) heap->on_over(heap);
  return true;
}

size_t pl_heap_room(const struct pl_heap *heap) {
  size_t top = least(top_of_worker(heap), top_of_task(heap));
  if (top == SIZE_MAX) return SIZE_MAX;
  return top > heap->bytes ? top - heap->bytes : 0;
}

void pl_heap_join(struct pl_heap *heap, struct pl_account *account) {
  heap->account = account;
  pl_heap_report(heap);
  pl_heap_set_ceiling(heap, account->ceiling == SIZE_MAX ? 0 : account->ceiling);
}

// ---- lua_Alloc ----

void *pl_heap_allocate(void *ud, void *block, size_t old_size, size_t size) {
  struct pl_heap *heap = ud;
  if (!block) old_size = 0;  // it is the kind of object then
  if (size == 0) {
    give(heap, block, old_size);
    heap->bytes -= old_size;
    return NULL;
  }
  bool grows = size > old_size;
  size_t bytes = heap->bytes - old_size + size;
  if (PL_UNLIKELY(grows && bytes > heap->trip) && !look(heap, bytes)) return NULL;
  void *result = block ? move(heap, block, old_size, size) : take(heap, size);
  // Lua relies on shrinking: without memory for a smaller block the old one stays. It then counts
  // as one of the smaller size; a large one is lost to malloc until the process ends.
  if (!result && !grows) result = block;
  if (!result) return NULL;
  heap->bytes = bytes;
  if (grows && is_small(size)) count(heap);  // base/mem.h counts the others
  return result;
}

void pl_heap_deinit(struct pl_heap *heap) {
  pl_heap_report(heap);
  while (heap->slabs) {
    struct pl_heap_slab *older = heap->slabs->older;
    pl_mem_free(heap->slabs);
    heap->slabs = older;
  }
}
