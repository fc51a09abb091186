/// Ending a task from outside, whatever it does: the last resort behind cancellation.
///
/// Thread: the vm's.
#pragma once

#include "runtime/state.h"

/// Why a task is ended from outside.
enum pl_kill_cause {
  PL_KILL_GRACE  ///< it was cancelled, and its grace time is over
};

/// Ends a READY or WAITING task: its wait is cancelled, its coroutines are closed, innermost first;
/// to-be-closed variables run, where nothing can wait. Its result is an error object, status 503,
/// reason "killed". Its ops' on_error is not called. Not from inside a task.
void pl_kill_task(struct pl_task *task, enum pl_kill_cause cause);
