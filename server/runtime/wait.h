/// The only way to wait. An operation embeds a pl_wait, and goes through these steps in this order:
///
///   1. pl_wait_begin   registers the operation and its cancel function (which cannot be left out)
///   2. it starts its I/O
///   3. return pl_wait_yield(...)   suspends the whole chain of coroutines up to the task
///   4. its completion calls pl_wait_complete, which only marks the task ready
///   5. the continuation runs in the task: results, or pl_wait_raise_if_cancelled
///
/// A completion that comes when its task is over (another id in the slot) is counted and dropped.
/// What comes first counts: a wait that completed before its task was cancelled delivers its
/// result, and the task's next wait raises.
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
  bool is_join;            ///< pl_wait_begin_join
  struct pl_task *target;  ///< the task that must end first, with all below it when this is a join;
                           ///< NULL: no task, or the wait has a time of its own
};

/// Raises when L cannot wait here (naming the C function in the way: "task.sleep cannot wait
/// inside a table.sort comparator"), outside a task, or when the task is cancelled. Call it before
/// anything is acquired; it registers nothing.
void pl_wait_check(lua_State *L, const char *operation);

/// The first half of pl_wait_check: raises when L cannot wait here, and not when the task is
/// cancelled. For what may still wait then: task.shield.
void pl_wait_check_place(lua_State *L, const char *operation);

/// Whether Lua can suspend every coroutine of the task's chain.
bool pl_wait_chain_is_yieldable(const struct pl_task *task);

/// Registers w as what the running task waits for. Call pl_wait_check first. Never raises.
void pl_wait_begin(lua_State *L, struct pl_wait *w, const char *operation,
                   void (*cancel)(struct pl_wait *w));

/// The same for a wait for a child of the running task, which is cancelled with it: the wait itself
/// stays until the child has gone, so that a child never outlives its scope. cancel is called only
/// when the task is ended from outside.
void pl_wait_begin_join(lua_State *L, struct pl_wait *w, const char *operation,
                        void (*cancel)(struct pl_wait *w));

/// Suspends the running task. `return pl_wait_yield(L, ctx, k)` from a lua_CFunction; k runs when
/// the wait has completed. When it was cancelled the task raises the ECANCELED error object
/// instead: k is not called then, so what must be released belongs into a `__gc`/`__close` or into
/// cancel.
int pl_wait_yield(lua_State *L, lua_KContext ctx, lua_KFunction k);

/// The operation is over: marks its task ready. Also before pl_wait_yield (it then goes on in
/// the next round). Counted and dropped when the task has another id or another wait.
void pl_wait_complete(struct pl_wait *w);

/// Cancels what a WAITING task waits for and makes it ready, unless it is a join; task.c and run.c
/// only.
void pl_wait_cancel(struct pl_task *task);

/// Cancels what the task waits for, a join too, and leaves the task alone; kill.c only.
void pl_wait_abandon(struct pl_task *task);

/// Pushes the error object for the running task's cancellation (code "ECANCELED", reason) and
/// raises it; returns when the task is not cancelled.
void pl_wait_raise_if_cancelled(lua_State *L);

/// What a cancelled wait's err.reason says: "client", "deadline", ... Static storage.
const char *pl_cancel_reason_name(enum pl_cancel_reason reason);
