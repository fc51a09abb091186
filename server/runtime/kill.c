// The end from outside. What can fail for want of memory runs protected on the main state.
#include "runtime/kill.h"

#include <lauxlib.h>

#include "runtime/budget.h"
#include "runtime/kill_error.h"
#include "runtime/results.h"
#include "runtime/sched.h"
#include "runtime/task.h"
#include "runtime/wait.h"

// ---- closing ----

// Closes the chain down to place `from`.
static void close_chain(struct pl_task *task, size_t from) {
  pl_budget_renew(task->vm);
  while (task->depth > from) {
    lua_State *co = task->chain[task->depth - 1];
    *(uintptr_t *)lua_getextraspace(co) &= ~(uintptr_t)PL_TASK_PARKED_BIT;
    pl_sched_close(task->vm, co, NULL);
    lua_settop(co, 0);  // not even its error is left: it is dead, and nobody resumes it
    task->depth--;
  }
}

// ---- the error object ----

/* Protected. stack: task. Its coroutine's stack is empty. */
static int store_result(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, task->kill_trace_ref);  // nil for LUA_NOREF
  pl_kill_error_push(L, task, pl_budget_cpu_limit_ns(task), -1);
  lua_xmove(L, task->co, 1);
  pl_results_put(task->co, task->id, 1);
  return 0;
}

static void make_result(struct pl_task *task) {
  lua_State *L = task->vm->L;
  lua_pushcfunction(L, store_result);
  lua_pushlightuserdata(L, task);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

// The host adds what the running task works for.
static void log_and_count(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  struct pl_task *outer = vm->sched.current;
  vm->sched.current = task;
  lua_rawgeti(vm->L, LUA_REGISTRYINDEX, task->kill_trace_ref);
  const char *text = lua_tostring(vm->L, -1);
  if (!text) text = "a task was ended from outside; there is no memory left to say where it was";
  vm->host.warn(vm->host.ctx, text);
  vm->sched.current = outer;
  lua_pop(vm->L, 1);
  pl_kill_error_drop_trace(task);
  task->was_interrupted = task->has_had_grace = false;
  if (!vm->budget) return;
  _Atomic uint64_t *count = &vm->budget->killed[task->kill_cause];
  uint64_t before = atomic_load_explicit(count, memory_order_relaxed);
  atomic_store_explicit(count, before + 1, memory_order_relaxed);
}

bool pl_kill_settle(struct pl_task *task) {
  if (!pl_budget_has_interrupted(task)) {
    pl_kill_error_drop_trace(task);
    task->kill_cause = PL_KILL_NONE;
    return false;
  }
  struct pl_sched *outer = pl_budget_begin_vm(task->vm);
  lua_settop(task->co, 0);
  make_result(task);
  log_and_count(task);
  pl_budget_end_vm(task->vm, outer);
  return true;
}

void pl_kill_cut(struct pl_task *task, lua_State *co, lua_State *L) {
  size_t from = task->depth - 1;
  while (task->chain[from] != co) from--;
  task->is_suspended = false;
  task->was_interrupted = true;
  close_chain(task, from);
  pl_budget_insist(task->vm, L);
}

// ---- the end ----

static void leave_queues(struct pl_task *task) {
  pl_wait_abandon(task);
  if (task->state == PL_TASK_READY) pl_sched_remove(task);
  task->state = PL_TASK_RUNNING;
  task->is_suspended = task->is_woken = false;
}

void pl_kill_task(struct pl_task *task, enum pl_kill_cause cause) {
  struct pl_vm *vm = task->vm;
  leave_queues(task);
  task->kill_cause = cause;
  struct pl_task *outer_task = vm->sched.current;
  struct pl_sched *outer = pl_budget_begin_vm(vm);
  vm->sched.current = task;
  pl_kill_error_keep_trace(task, pl_budget_cpu_limit_ns(task));
  close_chain(task, 0);
  task->depth = 1;
  make_result(task);
  log_and_count(task);
  vm->sched.current = outer_task;
  pl_budget_end_vm(vm, outer);
  pl_task_end(task, false);
}
