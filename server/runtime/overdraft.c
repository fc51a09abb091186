// All garbage is gone when a cycle that began after the last allocation is complete. One may be
// under way already, so two have to end. While they run the task does not, and what is freed is
// credited to it; then its figure is also at most what the heap has grown by since it began.
#include "runtime/overdraft.h"

#include "base/clock.h"
#include "base/error.h"

enum { CYCLES = 2, LEAST_STEPS = 1000, STEP_WORK_BYTES = 1024 };

// Lua's generational mode has no end of a cycle to wait for, nor has a collector that a finaliser
// stops: then one full collection has to do.
static bool takes_too_long(const struct pl_heap *heap) {
  return heap->charge->gc_steps > LEAST_STEPS + heap->bytes / STEP_WORK_BYTES;
}

static void collect(lua_State *L, struct pl_heap *heap) {
  struct pl_charge *charge = heap->charge;
  uint64_t end_ns = pl_clock_ns() + PL_OVERDRAFT_STEP_NS;
  do {
    charge->gc_steps++;
    if (lua_gc(L, LUA_GCSTEP, 0) == 1) charge->gc_cycles++;
    if (!takes_too_long(heap)) continue;
    lua_gc(L, LUA_GCCOLLECT, 0);
    charge->gc_cycles = CYCLES;
  } while (charge->gc_cycles < CYCLES && pl_heap_is_over(heap) && pl_clock_ns() < end_ns);
}

// What the heap held when the request began was partly garbage, which is gone now: so much more may
// the request hold unnoticed, at most once its limit.
static void correct(struct pl_heap *heap) {
  struct pl_charge *charge = heap->charge;
  size_t grown = heap->bytes > charge->start ? heap->bytes - charge->start : 0;
  if (pl_heap_charged(heap) > grown) heap->left_out = heap->bytes - grown;
  if (heap->bytes < charge->start) charge->start = heap->bytes;
}

int pl_overdraft_step(lua_State *L) {
  struct pl_heap *heap = &pl_vm_of(L)->heap;
  struct pl_charge *charge = heap->charge;
  if (!charge) return 0;
  if (pl_heap_is_over(heap)) collect(L, heap);
  bool is_known = charge->gc_cycles >= CYCLES;
  if (is_known) correct(heap);
  bool is_over = pl_heap_is_over(heap);
  if (is_over && !is_known) return PL_EAGAIN;
  charge->gc_steps = charge->gc_cycles = 0;
  if (is_over) return PL_ELIMIT;
  heap->trip = 0;  // the next crossing is told again
  return 0;
}
