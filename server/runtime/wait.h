/// The only way to wait. An operation embeds a pl_wait, and goes through these steps in this order:
///
///   1. pl_wait_begin   registers the operation and its cancel function (which cannot be left out)
///   2. it starts its I/O
///   3. return pl_wait_yield(...)   suspends the whole chain of coroutines up to the task
///   4. its completion calls pl_wait_complete, which only marks the task ready
///   5. the continuation runs in the task: results, or pl_wait_raise_if_cancelled
///
/// A completion that comes when its task is over (another id in the slot) is counted and dropped.
///
/// Thread: the task's worker.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "runtime/state.h"

struct pl_wait {
  struct pl_task *task;   ///< the slot
  uint64_t task_id;       ///< and who it must still be
  const char *operation;  ///< "task.sleep", for error messages and ps
  void (*cancel)(
      struct pl_wait *w);  ///< stops the operation now; complete must not be called after
  bool is_over;            ///< completed or cancelled
};

/// Raises when L cannot wait here (naming the C function in the way: "task.sleep cannot wait
/// inside a table.sort comparator"), outside a task, or when the task is cancelled. Call it before
/// anything is acquired; it registers nothing.
void pl_wait_check(lua_State *L, const char *operation);

/// Registers w as what the running task waits for. Call pl_wait_check first. Never raises.
void pl_wait_begin(lua_State *L, struct pl_wait *w, const char *operation,
                   void (*cancel)(struct pl_wait *w));

/// Suspends the running task. `return pl_wait_yield(L, ctx, k)` from a lua_CFunction; k runs when
/// the wait is over. Before k runs, a cancelled task raises the ECANCELED error object
/// (level-triggered): k is not called then, so what must be released belongs into a
/// `__gc`/`__close` or into cancel.
int pl_wait_yield(lua_State *L, lua_KContext ctx, lua_KFunction k);

/// The operation is over: marks its task ready. Also before pl_wait_yield (it then goes on in
/// the next round). Counted and dropped when the task has another id or another wait.
void pl_wait_complete(struct pl_wait *w);

/// Cancels what a WAITING task waits for and makes it ready; task.c and run.c only.
void pl_wait_cancel(struct pl_task *task);

/// Pushes the error object for the running task's cancellation (code "ECANCELED", reason) and
/// raises it; returns when the task is not cancelled.
void pl_wait_raise_if_cancelled(lua_State *L);

/// What a cancelled wait's err.reason says: "client", "deadline", ... Static storage.
const char *pl_cancel_reason_name(enum pl_cancel_reason reason);
