/// Ending a task from outside, whatever it does: the last resort behind cancellation, limits.cpu
/// and limits.request_memory.
///
/// Thread: the vm's.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "runtime/state.h"

/// Ends a READY or WAITING task: its wait is cancelled, and its coroutines are closed, innermost
/// first. To-be-closed variables run, each once, where nothing can wait; one that uses the CPU for
/// a slice gets errors from then on. The task's result is an error object (status 503, or 500 for
/// memory; reason "killed"; code; traceback), which is logged by host.warn; then the task has ended
/// (pl_task_end). Its ops' on_error is not called. What has become of its children is for on_end.
/// Not from inside a task.
void pl_kill_task(struct pl_task *task, enum pl_kill_cause cause);

/// The task, whose end was due, has ended by itself meanwhile. run.c only.
/// Returns: whether it counts as killed: its result is the error object now, and was logged. Else
/// it has ended in time, and no end is due any more.
bool pl_kill_settle(struct pl_task *task);

/// The part of the running task's chain from `co` on has yielded for good, and L, which resumed it,
/// cannot: closes that part. L gets an error at its next instruction. coroutines.c only.
void pl_kill_cut(struct pl_task *task, lua_State *co, lua_State *L);
