/// Tasks: a coroutine, its anchor in the results table, an id that never repeats, and the one
/// operation that it waits for.
///
///   new -> READY -> RUNNING <-> WAITING -> ENDED (result in the table) -> children gone -> pool
///
/// A task's body runs under lua_pcallk with the traceback handler, so errors and cancellation
/// unwind inside the coroutine, `<close>` variables included, and it ends normally.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/base.h"
#include "runtime/state.h"

struct pl_task_ops {
  /// NULL, or a C function that runs in the task when its function has failed: stack: the error
  /// object. It may wait; what it raises is reported through host.warn.
  lua_CFunction on_error;
  /// The function has returned or failed (on_error is over too). The result is in the results
  /// table. Not called from within Lua. Children may still run. May be NULL.
  void (*on_end)(struct pl_task *task);
  /// The last child has ended as well; the task goes back to the pool afterwards: forget it. May be
  /// NULL.
  void (*on_gone)(struct pl_task *task);
};

/// Its function is over: called by run.c only. @param is_reusable the coroutine ended normally
void pl_task_end(struct pl_task *task, bool is_reusable);

/// Takes a task from the pool. Push the function and its arguments onto task->co, then start it
/// (run.h).
/// @param parent NULL, or the task whose child it is: it is cancelled with its parent, and the
///        parent's on_gone waits for it. owner and call_depth are copied from it.
/// Returns: the task, or NULL: out of memory.
PL_MUST_CHECK struct pl_task *pl_task_new(struct pl_vm *vm, struct pl_task *parent,
                                          const struct pl_task_ops *ops, void *owner);

/// Cancels the task and its children, level-triggered: its wait is cancelled and raises, and so
/// does every later one. The first reason stays. Runs nothing now. Harmless on an ended task,
/// whose children are still cancelled.
void pl_task_cancel(struct pl_task *task, enum pl_cancel_reason reason);

/// "running", "done", "failed", "cancelled". Static storage.
const char *pl_task_status(const struct pl_task *task);
