/// Memory for one Lua state: small blocks from free lists by size, the others from base/mem.h.
///
/// Lua tells the size of a block when it gives it back, and nearly all of its blocks are small, so
/// a list per size class is all that is needed: a handful of instructions where malloc takes a
/// hundred. Memory of small blocks is used again by the same state only, and goes back with it.
/// Under a sanitizer every block is base/mem.h's, so that it sees them one by one.
///
/// Bytes are charged to the task that runs, at no cost for a block: a task's charge is what the
/// heap has grown by while it ran, settled when it leaves the CPU. A request and its children share
/// one charge. The figure is approximate: who frees is credited, and a collection that runs in one
/// task frees what others have left; garbage counts until it is collected. Exact owners would cost
/// 4 bytes a block (18 MB in 55 for small records). overdraft.h says what is done before a figure
/// is held against a task.
///
/// The ceiling is for real exhaustion: beyond it Lua gets NULL, for which it runs a full collection
/// first. A charge beyond its limit refuses nothing: on_over is told, and ends the task.
///
/// Thread: the state's; `allocations` may be read by others.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"

/// The largest class holds the stack that Lua gives a new coroutine, 45 values of 16 bytes.
enum {
  PL_HEAP_STEP = 16,
  PL_HEAP_CLASSES = 48,
  PL_HEAP_SMALL_MAX = PL_HEAP_STEP * PL_HEAP_CLASSES
};

struct pl_heap_slab;

/// Beyond a charge's limit on_over is told again with each further step of this many bytes.
enum { PL_HEAP_OVER_STEP = 1 << 20 };

/// What a request holds: its own task and its children.
struct pl_charge {
  size_t bytes;       ///< Lua's, as settled when a task of it last left the CPU
  size_t outside;     ///< C's on its behalf: a body that it keeps
  size_t limit;       ///< of both; 0 = none
  size_t start;       ///< heap->bytes when it began
  uint32_t gc_steps;  ///< overdraft.c
  uint8_t gc_cycles;  ///< overdraft.c
};

/// All zeros is an empty heap without a limit.
struct pl_heap {
  size_t bytes;    ///< what Lua holds now, as Lua counts it
  size_t outside;  ///< what Lua's objects hold outside it (structs/box.h): the collector frees it
  size_t trip;     ///< growing beyond this is looked at first
  _Atomic uint64_t allocations;  ///< small blocks handed out; base/mem.h counts the others
  void *free[PL_HEAP_CLASSES];   ///< free blocks of (i + 1) * PL_HEAP_STEP bytes
  char *next;                    ///< where the newest slab goes on
  char *slab_end;
  struct pl_heap_slab *slabs;  ///< newest first
  struct pl_charge *charge;    ///< of the task that runs; NULL: none runs
  size_t left_out;             ///< heap->bytes less the charge's, when it was entered; wraps
  size_t ceiling;              ///< beyond it the answer is NULL; 0 = none
  struct pl_account *account;  ///< the worker's, or NULL: what else it holds counts against the
                               ///< ceiling, as it was when the running task got the CPU
  size_t reported;             ///< the bytes that the account has been told of
  /// The running task's charge has crossed its limit. Called from inside an allocation, so it only
  /// notes and arms: no Lua API but lua_sethook, no allocation. Once for a crossing, then for each
  /// PL_HEAP_OVER_STEP, and once more whenever the task gets the CPU again. May be NULL.
  void (*on_over)(struct pl_heap *heap);
};

/// lua_Alloc's contract; ud is the heap.
void *pl_heap_allocate(void *heap, void *block, size_t old_size, size_t size);

/// The bytes count against the worker's, whose ceiling is the heap's from now on.
void pl_heap_join(struct pl_heap *heap, struct pl_account *account);

/// Tells the account; done whenever a task leaves the CPU.
static inline void pl_heap_report(struct pl_heap *heap) {
  if (!heap->account) return;
  heap->account->bytes += heap->bytes - heap->reported;
  heap->reported = heap->bytes;
}

/// @param bytes 0 = none
static inline void pl_heap_set_ceiling(struct pl_heap *heap, size_t bytes) {
  heap->ceiling = bytes;
  heap->trip = 0;
}

/// Leaves the account and frees the slabs. Every block must have been given back (lua_close).
void pl_heap_deinit(struct pl_heap *heap);

/// Thread: any.
static inline uint64_t pl_heap_allocations(const struct pl_heap *heap) {
  return atomic_load_explicit(&heap->allocations, memory_order_relaxed);
}

// ---- charges ----

/// A request begins. @param limit bytes, 0 = none
static inline void pl_charge_init(struct pl_charge *charge, const struct pl_heap *heap,
                                  size_t limit) {
  *charge = (struct pl_charge){.limit = limit, .start = heap->bytes};
}

/// A task of the request gets the CPU.
static inline void pl_heap_enter(struct pl_heap *heap, struct pl_charge *charge) {
  heap->charge = charge;
  heap->left_out = heap->bytes - charge->bytes;
  heap->trip = 0;
}

/// Lua's bytes of the running task's request; 0 when it has freed more than it had.
static inline size_t pl_heap_charged(const struct pl_heap *heap) {
  size_t bytes = heap->bytes - heap->left_out;
  return bytes > SIZE_MAX / 2 ? 0 : bytes;
}

/// It leaves the CPU.
static inline void pl_heap_leave(struct pl_heap *heap) {
  heap->charge->bytes = pl_heap_charged(heap);
  heap->charge = NULL;
  pl_heap_report(heap);
}

/// C holds `bytes` instead of `old_bytes` on behalf of the request, whether it runs or not.
static inline void pl_heap_charge_outside(struct pl_heap *heap, struct pl_charge *charge,
                                          size_t old_bytes, size_t bytes) {
  charge->outside += bytes - old_bytes;
  heap->trip = 0;
}

/// Whether the running task's request is over its limit.
static inline bool pl_heap_is_over(const struct pl_heap *heap) {
  const struct pl_charge *charge = heap->charge;
  return charge && charge->limit && pl_heap_charged(heap) + charge->outside > charge->limit;
}

/// Bytes that the running task may still allocate: to the ceiling, and to its request's limit; for
/// a C function that would allocate much in one go and cannot be stopped. SIZE_MAX: no bound.
size_t pl_heap_room(const struct pl_heap *heap);
