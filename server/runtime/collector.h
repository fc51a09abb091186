/// Garbage collection off the requests' path: Lua's collector in bounded steps, between the turns
/// that run tasks.
///
///   QUIET --heap has grown to start_bytes, or idle with enough garbage--> CYCLE
///   CYCLE --steps: as many as were earned by allocating; more while nothing runs--> QUIET
///
/// Lua's own collector stays switched on, but gets a credit: it begins by itself, inside whatever
/// runs, when the heap reaches hard_bytes. So a task that makes garbage without an end in one turn
/// pays for it, and the heap stays bounded. No step is made while a task runs otherwise.
///
/// Thread: the vm's. Never from inside a task, but for pl_collector_collect.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/state.h"

enum {
  PL_COLLECTOR_AGAIN = 0,             ///< call again after a poll that does not block
  PL_COLLECTOR_QUIET_MS = 20,         ///< idle for so long: a cycle for much garbage
  PL_COLLECTOR_SETTLE_MS = 1000,      ///< idle for so long: a cycle for the rest
  PL_COLLECTOR_MIN_BYTES = 64 * 1024  ///< less garbage is not worth a cycle
};
#define PL_COLLECTOR_NEVER UINT64_MAX

struct pl_collector {
  struct pl_vm *vm;         ///< NULL: not started
  size_t limit_bytes;       ///< limits.memory; 0 = none
  size_t seen_bytes;        ///< the heap at the last turn
  uint64_t seen_resumes;    ///< vm->sched.resumes at the last turn
  uint64_t active_ms;       ///< when the last turn that had run something was
  size_t live_bytes;        ///< left by the last cycle, but for its floating_bytes
  size_t start_bytes;       ///< a heap of this size begins a cycle at once
  size_t hard_bytes;        ///< at this size Lua's own collector begins, inside tasks too
  bool is_cycling;          ///< a cycle has begun
  bool is_settled;          ///< the last cycle has found nothing to speak of
  size_t cycle_from_bytes;  ///< the heap when the cycle began
  size_t cycle_new_bytes;   ///< allocated since then
  bool had_garbage;         ///< when it began
  bool is_sweeping;         ///< it frees already
  size_t floating_bytes;    ///< allocated since then
  int64_t unpaid_bytes;     ///< allocated, and no step made for it yet; below 0: paid ahead
  size_t cycle_work;        ///< done in this cycle; 1 is a step that only marks
  size_t bytes_per_work;    ///< of the heap when the last cycle began: a forecast of the next
  // Counters since the vm began.
  uint64_t steps;
  uint64_t cycles;  ///< ended, full collections included
  uint64_t longest_step_ns;
};

/// Takes the collector of a vm over, whose app has been loaded.
/// @param limit_bytes what the heap should not exceed; 0 = none
void pl_collector_start(struct pl_collector *c, struct pl_vm *vm, size_t limit_bytes);

/// To be called when a turn's tasks have run and its answers are written: makes the steps that are
/// due, for at most about PL_COLLECTOR_SLICE_NS and a step. Finalisers run here.
/// @param now_ms pl_clock_ms(), which may be as old as the turn
/// Returns: after how many ms at the latest it wants to be called again when nothing else happens:
/// PL_COLLECTOR_AGAIN, or PL_COLLECTOR_NEVER when nothing is left to be done.
uint64_t pl_collector_turn(struct pl_collector *c, uint64_t now_ms);

/// A full collection, now; started or not.
void pl_collector_collect(struct pl_collector *c, struct pl_vm *vm);
