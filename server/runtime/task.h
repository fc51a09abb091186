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
#include "runtime/tree.h"

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
/// (run.h). A task without a parent is a scope.
/// @param parent NULL, or the task whose child it is: it is cancelled with its parent, and the
///        parent's on_gone waits for it. owner, call_depth and deadline_ms are copied from it.
/// Returns: the task, or NULL: out of memory.
PL_MUST_CHECK struct pl_task *pl_task_new(struct pl_vm *vm, struct pl_task *parent,
                                          const struct pl_task_ops *ops, void *owner);

/// Pushes what a child of `scope` has raised (has_failed_child); an error object that says so when
/// that was lost. L: any state with room. May raise out of memory.
void pl_task_push_failure(lua_State *L, const struct pl_task *scope);

/// Raises what a child of the running root has raised when no wait of the root has raised it: it
/// was cancelled, and had nothing more to wait for. A root that ends that way has failed. Nothing
/// happens when it has failed on its own.
void pl_task_raise_failure(lua_State *L);

/// The running task joins its new child: begin the wait (pl_wait_begin_join), then this. When the
/// child has gone it completes the wait and keeps its result until pl_task_release.
void pl_task_join(struct pl_task *child, struct pl_wait *joiner);

/// Undoes pl_task_join before the child has gone; harmless later.
void pl_task_unjoin(struct pl_task *child);

/// The result of a joined child that has gone was taken: it goes back to the pool.
void pl_task_release(struct pl_task *child);

/// "running", "done", "failed", "cancelled". Static storage.
const char *pl_task_status(const struct pl_task *task);
