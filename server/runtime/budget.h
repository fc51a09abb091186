/// How long tasks may keep a worker: slices, the limit on CPU, and what the watchdog sees of it.
///
/// One budget per worker, shared by the vms of its generations.
///
///   worker    `switches` is odd while Lua runs, and another number with each run; no clock is read
///   watchdog  has seen the same odd number for a slice: stores it in `watched`, signals the thread
///   handler   looks again, in the worker's thread: still that number? sets a count hook on the
///             innermost running coroutine, and sched->hook, which arms those that it enters
///   hook      gives way: the whole chain yields, and the task goes to the end of the run queue;
///             over its limit (or at another end that is due) it yields for good, and run.c has
///             the task closed from outside (kill.h): nothing is raised that a pcall could keep
///
/// Where the chain cannot yield (a table.sort comparator), a slice is let pass, and an end that is
/// due is an error at every instruction until the chain can yield. A `__gc` and a C function cannot
/// be stopped: for them the watchdog has the Lua stack written to stderr and the process aborts.
///
/// Thread: the worker's, but for the atomic fields.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "runtime/state.h"

/// The signal that the watchdog sends; real-time, so that nobody else uses it by chance.
#define PL_BUDGET_SIGNAL (SIGRTMIN + 3)

/// What a slice is when there is no limits.slice: how often limits.cpu is looked at.
enum { PL_BUDGET_PERIOD_NS = 10000000 };

/// 0 = no such limit, for all three.
struct pl_budget_limits {
  uint64_t slice_ns;
  uint64_t cpu_ns;
  uint64_t stall_ns;
};

struct pl_budget {
  struct pl_budget_limits limits;
  unsigned worker;                  ///< 1-based, for messages
  _Atomic uint64_t switches;        ///< odd while Lua runs
  _Atomic bool is_unwatched;        ///< the watchdog sleeps: who begins to run Lua wakes it
  struct pl_sched *volatile sched;  ///< whose Lua runs, or NULL; the handler reads it
  _Atomic uint64_t watched;         ///< the run that has had its slice
  _Atomic uint64_t stalled;         ///< the run that the process is to end for
  pthread_t thread;                 ///< set by pl_budget_attach; for who has seen an odd number
  void (*wake)(void *ctx);          ///< wakes the watchdog; set before it sleeps for the first time
  void *wake_ctx;
  _Atomic uint64_t preemptions;             ///< counters since the worker began; any thread
  _Atomic uint64_t killed[PL_KILL_CAUSES];  ///< tasks ended from outside, by cause
};

/// All fields but the limits zero.
void pl_budget_init(struct pl_budget *budget, const struct pl_budget_limits *limits,
                    unsigned worker);

/// Whether there is anything to watch for.
bool pl_budget_is_limited(const struct pl_budget_limits *limits);

/// The time after which a run is signalled.
uint64_t pl_budget_period_ns(const struct pl_budget_limits *limits);

/// The calling thread is the budget's from now on, and takes its signal. Undone by detach.
void pl_budget_attach(struct pl_budget *budget);
void pl_budget_detach(void);

/// Installs the signal's handler for the process. Thread: main.
void pl_budget_catch_signals(void);

/// Tells the watchdog, which sleeps.
void pl_budget_wake_watchdog(struct pl_budget *budget);

/// Lua begins to run on sched's vm: a task, or a step of the collector outside of one. May be
/// nested. Returns: what pl_budget_end needs.
static inline struct pl_sched *pl_budget_begin(struct pl_budget *budget, struct pl_sched *sched) {
  struct pl_sched *outer = budget->sched;
  budget->sched = sched;
  uint64_t before = atomic_load_explicit(&budget->switches, memory_order_relaxed);
  // A full barrier: either the watchdog sees that this worker is busy, or we see that it sleeps.
  atomic_exchange(&budget->switches, (before + 1) | 1);
  if (PL_UNLIKELY(atomic_load(&budget->is_unwatched))) pl_budget_wake_watchdog(budget);
  return outer;
}

static inline void pl_budget_end(struct pl_budget *budget, struct pl_sched *outer) {
  budget->sched = outer;
  uint64_t before = atomic_load_explicit(&budget->switches, memory_order_relaxed);
  atomic_store_explicit(&budget->switches, before + (outer ? 2 : 1), memory_order_release);
}

/// The same two around what the collector or a finaliser may do outside of tasks; harmless for a vm
/// without a budget.
struct pl_sched *pl_budget_begin_vm(struct pl_vm *vm);
void pl_budget_end_vm(struct pl_vm *vm, struct pl_sched *outer);

/// The running task gets a new slice from now on; a hook that is set does nothing any more.
void pl_budget_renew(struct pl_vm *vm);

/// The running task of `vm` is to be ended at its next instruction, or as soon as its chain can
/// yield. Nothing outside of tasks, or when its end is due already. Allocates nothing, raises
/// nothing: may be called by the allocator.
void pl_budget_arm_kill(struct pl_vm *vm, enum pl_kill_cause cause);

/// heap.on_over: the running task's request is over limits.request_memory. It is ended when it
/// still is once its garbage has been collected.
void pl_budget_on_over(struct pl_heap *heap);

/// The running task's end is due: an error at each instruction of `L` from now on.
void pl_budget_insist(struct pl_vm *vm, lua_State *L);

/// Whether an error was raised in the task because its end is due: whatever it makes of that, it
/// counts as killed, and gets no other result (kill.h).
static inline bool pl_budget_has_interrupted(const struct pl_task *task) {
  return task->kill_cause != PL_KILL_NONE && task->was_interrupted;
}

/// How much CPU the task may use between two waits; UINT64_MAX: no limit.
uint64_t pl_budget_cpu_limit_ns(const struct pl_task *task);

/// A run of the task begins: what it has used of the CPU so far counts, when it was preempted.
void pl_budget_resume_clock(struct pl_task *task);

/// The signal handler's work. Async-signal-safe.
void pl_budget_look(struct pl_budget *budget);
