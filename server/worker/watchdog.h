/// The watchdog: a thread that sees how long each worker has been running the same piece of Lua
/// (runtime/budget.h), and signals those that have had their slice.
///
/// It looks twice a slice while any worker is busy, sleeps when all have been idle for a while, and
/// is woken by the first that begins to run Lua. A run that lasts for limits.stall ends the
/// process: the worker writes the Lua stack and aborts, or, when even that does not come, we do.
///
/// Thread: main, but for its own.
#pragma once

#include <uv.h>

#include "base/base.h"
#include "runtime/budget.h"

/// What it knows of one worker.
struct pl_watched {
  struct pl_budget *budget;
  uint64_t seen;          ///< the budget's switches as they were
  uint64_t since_ns;      ///< when they were first seen so; all times are the watchdog's own
  uint64_t signalled_ns;  ///< since then, or since the last signal
  uint64_t told_ns;       ///< when it was told to end the process; 0: not
};

struct pl_watchdog {
  struct pl_watched *workers;  ///< owned; NULL: not started
  unsigned count;
  uint64_t tick_ns;
  uint64_t now_ns;   ///< its own clock: it stands still while the process is stopped
  uint64_t read_ns;  ///< the real clock when now_ns was read
  uint64_t busy_ns;  ///< when a worker was last seen to do something
  uv_thread_t thread;
  uv_mutex_t mutex;  ///< for the two flags below
  uv_cond_t cond;
  bool is_woken;
  bool is_stopping;
};

/// Starts the thread, which watches the workers' budgets from now on. Nothing when they have no
/// limits. @param budgets all with the same limits; must live until stop
/// Returns: 0 or an error: nothing to stop.
PL_MUST_CHECK int pl_watchdog_start(struct pl_watchdog *dog, struct pl_budget *const *budgets,
                                    unsigned count);

/// Ends the thread. No worker may run Lua any more; none may have been joined. Harmless when it was
/// not started.
void pl_watchdog_stop(struct pl_watchdog *dog);
