/// The runtime's data: tasks, the vm that they belong to, and how a coroutine leads to both. What
/// works on it is in the other files; none of them is needed to read it.
///
/// lua_getextraspace of each coroutine holds its task (bit 0: parked in a chain); a thread that a C
/// module makes inherits the main thread's value, the root task.
///
/// Thread: the vm's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "runtime/heap.h"

struct pl_budget;
struct pl_vm;
struct pl_structs;
struct pl_wait;
struct pl_task_ops;
struct pl_task_slab;

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
  PL_CANCEL_DEADLINE,  ///< "deadline": the request's
  PL_CANCEL_TIMEOUT,   ///< "timeout": a task.timeout around it
  PL_CANCEL_PARENT,    ///< "parent": its scope failed, or a script said so
  PL_CANCEL_KILL,      ///< "killed"
  PL_CANCEL_DRAIN      ///< "drain"
};

/// Why a task is ended from outside, whatever it does about it (kill.h).
enum pl_kill_cause {
  PL_KILL_NONE,
  PL_KILL_CPU,     ///< limits.cpu, or its route's own limit
  PL_KILL_MEMORY,  ///< limits.request_memory
  PL_KILL_GRACE,   ///< it was cancelled and went on for longer than timeouts.grace
  PL_KILL_CAUSES
};

/// Its life: task.h. A server may hold a million of them: what is small stands together at the end.
struct pl_task {
  uint64_t id;  ///< worker (9 bits) | counter (54 bits); 0 in the pool
  struct pl_vm *vm;
  lua_State *co;  ///< the task's own coroutine; anchored by the results table
  const struct pl_task_ops *ops;
  void *owner;  ///< the request that it works for, its children too; NULL: none
  union {
    struct pl_task *parent;       ///< NULL for a root
    struct pl_task *next_pooled;  ///< in pool.c's list of idle tasks, or of spares
  };
  struct pl_list children;  ///< through sibling
  struct pl_list sibling;   ///< in parent->children, or in vm->roots
  struct pl_wait *joiner;   ///< who takes its result when it has gone: the wait of its parent
  struct pl_task *joined;   ///< the child whose joiner this task's wait is, until it is taken
  uint64_t deadline_ms;     ///< of the task.timeout calls around it, the earliest; 0 = none
  struct pl_list grace;     ///< in vm->grace (grace.h)
  uint64_t grace_due_ms;
  struct pl_list ready;     ///< run queue link
  struct pl_wait *wait;     ///< what it waits for, or NULL
  struct pl_list awaiters;  ///< waits of tasks in await (api_task.c)
  lua_KFunction wait_k;     ///< the waiting operation's continuation and its context
  lua_KContext wait_ctx;
  struct pl_charge *charge;  ///< memory of its request (heap.h): the root task's own_charge
  struct pl_charge own_charge;
  // Its use of the CPU, for which it may be ended from outside (budget.h, kill.h).
  uint64_t cpu_ns;        ///< used since its last wait by runs that were preempted
  uint64_t run_began_ns;  ///< pl_clock_cpu_ns() when this run began; 0: not known
  uint64_t cpu_limit_ns;  ///< of its route, its children's too; 0: limits.cpu; UINT64_MAX: none
  void *handle;           ///< what scripts hold on to it with (api/task_handle.c), or NULL
  lua_State **chain;  ///< chain[0] = co ... chain[depth - 1]: the innermost coroutine; &co alone
                      ///< until a coroutine of the script's is in it
  uint16_t depth;
  uint16_t chain_cap;
  int child_status;  ///< outcome of a coroutine for its parked resumer (coroutines.c)
  int child_results;
  int start_args;       ///< for the first resume
  int result_count;     ///< values kept in the results table; -1: none
  int failure_ref;      ///< cancelled: registry reference of the error object that its waits
                        ///< raise instead of ECANCELED, or LUA_NOREF; LUA_REFNIL: it
                        ///< was lost, memory was short
  int kill_trace_ref;   ///< registry reference of the traceback once its end is due, or LUA_NOREF
  unsigned call_depth;  ///< req:call nesting, at most 16
  enum pl_task_state state : 8;
  enum pl_cancel_reason cancelled : 8;
  enum pl_cancel_reason sheltered_from : 8;  ///< is_shield: what will reach it after its grace
  enum pl_kill_cause kill_cause : 8;         ///< it is to be ended, or has been
  bool has_failed;                           ///< ENDED: its result is an error object
  bool is_reusable;                          ///< ENDED: its coroutine ended normally
  bool is_scope;            ///< what runs in it spawns its children; roots and task.group's tasks
  bool is_background;       ///< a root that no request waits for
  bool has_failed_child;    ///< failure_ref is what a child raised: the scope's outcome
  bool has_raised_failure;  ///< a wait of the scope's own task has raised that
  bool has_cut_child;       ///< a child did not get to its end, because the scope was cancelled
  bool is_held;             ///< gone, but for its result, which its joiner has not taken yet
  bool is_shield;           ///< its parent's cancellation reaches it after the grace time only
  bool has_heard;           ///< it has had the CPU since it was cancelled
  uint8_t late_slices;      ///< how often it was preempted since then; no more than 255
  bool is_overdue;          ///< its grace time is over, only that of its child is not
  bool is_suspended;        ///< the chain is unwinding because of a wait, not of a yield
  bool is_woken;            ///< its wait was over before the chain had unwound
  bool wait_was_cancelled;  ///< its last wait did not complete
  bool is_overdrawn;        ///< its request may be over limits.request_memory: not known yet
  bool is_preempted;        ///< the chain is unwinding because its slice is over
  bool was_interrupted;     ///< an error was raised in it because its end is due
  bool has_had_grace;       ///< and after that it has had its slice for `<close>` variables
  bool has_entry;           ///< its entry in the results table is other than false
  bool result_is_packed;    ///< they are kept as a table of values
};

/// The run queue of one vm (sched.h).
struct pl_sched {
  struct pl_list ready;
  struct pl_task *current;      ///< the running task, or NULL
  lua_State *volatile running;  ///< the innermost running coroutine: what a watchdog looks at
  /// The count hook that whatever coroutine runs must have, because the running task's slice is
  /// over or its end is due; NULL: none (budget.h).
  lua_Hook volatile hook;
  size_t ready_count;
  uint64_t resumes;              ///< counters since the vm began
  uint64_t dropped_completions;  ///< completions whose task was over (wait.h)
};

/// Idle tasks with their coroutines (pool.h).
struct pl_pool {
  struct pl_task *idle;        ///< newest first
  size_t count;                ///< how many
  struct pl_task *spares;      ///< task structs without a coroutine
  struct pl_task_slab *slabs;  ///< all task structs: freed with the vm and not before, so that
                               ///< whoever holds (task, id) may always look
};

/// What the runtime needs from above; worker/ fills it in.
struct pl_host {
  void *ctx;
  void (*wake)(void *ctx);  ///< tasks have become ready: call pl_run_turn soon
  /// A line for the operator: an error nobody takes (a failed child of an answered request, a
  /// finaliser's). text is not terminated at len only; it is a C string.
  void (*warn)(void *ctx, const char *text);
  /// What a script prints: one call of print, without a newline at its end. May be NULL.
  void (*print)(void *ctx, const char *text, size_t len);
  /// Call pl_overdue_end at that pl_clock_ms() time; replaces the time asked for before. May be
  /// NULL: cancelled tasks may then take as long as they like.
  void (*set_grace_timer)(void *ctx, uint64_t due_ms);
};

enum { PL_WARNING_BYTES = 1024 };  ///< of one line; what is longer is cut

/// Lua's warnings (warnings.h). All zeros is the start.
struct pl_warnings {
  char text[PL_WARNING_BYTES];
  size_t len;
  bool is_off;
  bool is_continued;  ///< the last piece announced another one
};

/// One Lua state (vm.h).
struct pl_vm {
  lua_State *L;  ///< the main state
  struct pl_host host;
  void *user;                  ///< the owner's (api/ finds its context here)
  struct pl_structs *structs;  ///< structs/'s own (structs/state.h), or NULL
  struct pl_sched sched;
  struct pl_pool pool;
  struct pl_task *root;    ///< stands for "no task" in the extra space of the main state
  uint64_t last_task;      ///< low 54 bits of the last task id, when task_counter points here
  uint64_t *task_counter;  ///< where task ids are counted: one for all vms of a worker
  unsigned worker;         ///< 0..511, the high bits
  int results;             ///< registry reference of the results table (results.c)
  size_t live_tasks;       ///< tasks that have not gone, children included
  bool is_closing;         ///< lua_close runs: finalisers of what was still in use are no news
  bool is_ending;          ///< the last requests run: no more background tasks
  struct pl_list roots;    ///< tasks without a parent, through sibling
  struct pl_list grace;    ///< cancelled tasks and shields, the first due first (grace.h)
  uint64_t grace_ms;       ///< how long a cancelled task may take to end; 0 = for ever
  void (*on_idle)(
      struct pl_vm *vm);  ///< live_tasks fell to 0; may be NULL; must not free the vm at once
  /// What api/ does at the end of a task that a script has a handle of: after its ops' on_end, and
  /// after its on_gone, while the result is still in the results table.
  void (*on_handle_end)(struct pl_task *task);
  void (*on_handle_gone)(struct pl_task *task);
  struct pl_heap heap;          ///< Lua's memory, and its bounds
  size_t request_memory;        ///< limit of each root task's charge, bytes; 0 = none
  struct pl_budget *budget;     ///< its worker's (budget.h); NULL: tasks run as long as they like
  bool has_collected;           ///< a script has, since collector.c last looked
  struct pl_warnings warnings;  ///< the line that is being put together
};

/// In a coroutine's extra space, next to its task: it is parked in a chain (coroutines.c).
enum { PL_TASK_PARKED_BIT = 1 };

/// What the extra space of a coroutine says: the root task outside tasks.
static inline struct pl_task *pl_task_label(lua_State *co) {
  return (struct pl_task *)(*(uintptr_t *)lua_getextraspace(co) & ~(uintptr_t)PL_TASK_PARKED_BIT);
}

/// The vm that L belongs to; L may be any coroutine of it.
static inline struct pl_vm *pl_vm_of(lua_State *L) {
  return pl_task_label(L)->vm;
}

/// The task that coroutine `co` belongs to, or NULL.
static inline struct pl_task *pl_task_of(lua_State *co) {
  struct pl_task *task = pl_task_label(co);
  return task == task->vm->root ? NULL : task;
}

/// The task that runs on L's vm right now, or NULL (the main state).
static inline struct pl_task *pl_task_current(lua_State *L) {
  return pl_vm_of(L)->sched.current;
}
