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
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"

struct pl_vm;
struct pl_wait;
struct pl_task;

enum pl_task_state {
  PL_TASK_IDLE,   ///< in the pool
  PL_TASK_READY,  ///< in the run queue
  PL_TASK_RUNNING,
  PL_TASK_WAITING,
  PL_TASK_ENDED  ///< its function has returned or failed; children may still run
};

/// Why a task was cancelled; the text is err.reason in Lua.
enum pl_cancel_reason {
  PL_CANCEL_NONE,
  PL_CANCEL_CLIENT,    ///< "client"
  PL_CANCEL_DEADLINE,  ///< "deadline"
  PL_CANCEL_PARENT,    ///< "parent"
  PL_CANCEL_KILL,      ///< "killed"
  PL_CANCEL_DRAIN      ///< "drain"
};

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

struct pl_task {
  uint64_t id;  ///< worker (9 bits) | counter (54 bits); 0 in the pool
  struct pl_vm *vm;
  lua_State *co;  ///< the task's own coroutine; anchored by the results table
  enum pl_task_state state;
  enum pl_cancel_reason cancelled;
  bool has_failed;   ///< ENDED: its result is an error object
  bool is_reusable;  ///< ENDED: its coroutine ended normally
  const struct pl_task_ops *ops;
  void *owner;              ///< the request that it works for, its children too; NULL: none
  struct pl_task *parent;   ///< NULL for a root of its own
  struct pl_list children;  ///< through sibling
  struct pl_list sibling;
  struct pl_list ready;     ///< run queue link
  struct pl_wait *wait;     ///< what it waits for, or NULL
  struct pl_list awaiters;  ///< waits of tasks in await (api_task.c)
  bool is_suspended;        ///< the chain is unwinding because of a wait, not of a yield
  bool is_woken;            ///< its wait was over before the chain had unwound
  int start_args;           ///< for the first resume
  int result_count;         ///< values kept in the results table; -1: none
  bool result_is_packed;    ///< they are kept as a table of values
  lua_KFunction wait_k;     ///< the waiting operation's continuation and its context
  lua_KContext wait_ctx;
  lua_State **chain;  ///< chain[0] = co ... chain[depth - 1]: the innermost coroutine
  size_t depth;
  size_t chain_cap;
  lua_State *chain_local[4];  ///< the chain while it is short
  int child_status;           ///< outcome of a coroutine for its parked resumer (coroutines.c)
  int child_results;
  unsigned call_depth;         ///< req:call nesting, at most 16
  int failure_ref;             ///< cancelled: registry reference of the error object that its waits
                               ///< raise instead of ECANCELED, or LUA_NOREF
  void *handle;                ///< what scripts hold on to it with (api/task_handle.c), or NULL
  struct pl_task *next_spare;  ///< pool.c's list of structs without a coroutine
};

/// Its function is over: called by sched.c only. @param is_reusable the coroutine ended normally
void pl_task_end(struct pl_task *task, bool is_reusable);

/// Takes a task from the pool. Push the function and its arguments onto task->co, then start it.
/// @param parent NULL, or the task whose child it is: it is cancelled with its parent, and the
///        parent's on_gone waits for it. owner and call_depth are copied from it.
/// Returns: the task, or NULL: out of memory.
PL_MUST_CHECK struct pl_task *pl_task_new(struct pl_vm *vm, struct pl_task *parent,
                                          const struct pl_task_ops *ops, void *owner);

/// Starts it with the function and `args` arguments on top of task->co's stack. Runs at once when
/// no task is running on this vm, else in the next round.
void pl_task_start(struct pl_task *task, int args);

/// Cancels the task and its children, level-triggered: its wait is cancelled and raises, and so
/// does every later one. The first reason stays. Runs nothing now. Harmless on an ended task,
/// whose children are still cancelled.
void pl_task_cancel(struct pl_task *task, enum pl_cancel_reason reason);

/// The task that runs on L's vm right now, or NULL (the main state).
struct pl_task *pl_task_current(lua_State *L);

/// The task that coroutine `co` belongs to, or NULL.
struct pl_task *pl_task_of(lua_State *co);

/// "running", "done", "failed", "cancelled". Static storage.
const char *pl_task_status(const struct pl_task *task);

const char *pl_cancel_reason_name(enum pl_cancel_reason reason);
