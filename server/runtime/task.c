// The life of a task, from the pool and back to it.
//
// Its coroutine always runs run_body; stack of the coroutine at the start: run_body, the message
// handler, the task's function, its arguments. So nothing has to be made for a task.
#include "runtime/task.h"

#include <lauxlib.h>

#include "base/error.h"
#include "runtime/budget.h"
#include "runtime/pool.h"
#include "runtime/results.h"
#include "runtime/value.h"
#include "runtime/wait.h"

enum { MESSAGE_HANDLER = 1, STATUS_UNAVAILABLE = 503 };

const char *pl_task_status(const struct pl_task *task) {
  if (task->state != PL_TASK_ENDED) return "running";
  if (!task->has_failed) return "done";
  return task->cancelled ? "cancelled" : "failed";
}

// ---- what a child has raised ----

void pl_task_push_failure(lua_State *L, const struct pl_task *scope) {
  if (scope->failure_ref != LUA_REFNIL) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, scope->failure_ref);
    return;
  }
  pl_value_push_error(L, STATUS_UNAVAILABLE, pl_error_name(PL_ENOMEM),
                      "out of memory: a child task failed, its error is lost");
}

static bool has_missed_failure(const struct pl_task *task) {
  return !task->parent && !task->has_failed && task->has_failed_child && !task->has_raised_failure;
}

void pl_task_raise_failure(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  if (!has_missed_failure(task)) return;
  task->has_raised_failure = true;
  pl_task_push_failure(L, task);
  lua_error(L);
}

// ---- the body ----

static int after_error_hook(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  if (status == LUA_OK || status == LUA_YIELD) return 0;
  struct pl_vm *vm = pl_vm_of(L);
  vm->host.warn(vm->host.ctx, pl_value_text(L, -1));
  return 0;
}

// stack: handler, error object
static int fail(lua_State *L, struct pl_task *task) {
  task->has_failed = true;
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  pl_results_put(L, task->id, 1);
  if (!task->ops->on_error || pl_budget_has_interrupted(task)) return 0;
  lua_pushcfunction(L, task->ops->on_error);
  lua_insert(L, 2);
  return after_error_hook(L, lua_pcallk(L, 1, 0, MESSAGE_HANDLER, 0, after_error_hook), 0);
}

static int after_body(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  struct pl_task *task = pl_vm_of(L)->sched.current;
  if (status != LUA_OK && status != LUA_YIELD) return fail(L, task);
  if (has_missed_failure(task)) {
    lua_settop(L, MESSAGE_HANDLER);
    pl_task_push_failure(L, task);
    return fail(L, task);
  }
  pl_results_put(L, task->id, lua_gettop(L) - MESSAGE_HANDLER);
  return 0;
}

static int run_body(lua_State *L) {
  int args = lua_gettop(L) - 2;
  return after_body(L, lua_pcallk(L, args, LUA_MULTRET, MESSAGE_HANDLER, 0, after_body), 0);
}

// ---- beginning ----

// The lists are empty in the pool; the rest is written before it is read.
static void reset_fields(struct pl_task *task) {
  task->joiner = NULL;
  task->joined = NULL;
  task->wait = NULL;
  task->handle = NULL;
  task->chain = &task->co;
  task->depth = task->chain_cap = 1;
  task->result_count = -1;
  task->failure_ref = LUA_NOREF;
  task->state = PL_TASK_READY;
  task->cancelled = task->sheltered_from = PL_CANCEL_NONE;
  task->has_failed = task->is_reusable = false;
  task->is_background = false;
  task->has_failed_child = task->has_cut_child = task->has_raised_failure = false;
  task->is_held = task->is_shield = task->is_overdue = task->has_heard = false;
  task->late_slices = 0;
  task->is_suspended = task->is_woken = task->wait_was_cancelled = false;
  task->has_entry = false;
}

// What a child has of its parent, and a root of nobody.
static void place(struct pl_task *task, struct pl_task *parent, void *owner) {
  task->parent = parent;
  task->is_scope = !parent;
  task->owner = parent ? parent->owner : owner;
  task->call_depth = parent ? parent->call_depth : 0;
  task->deadline_ms = parent ? parent->deadline_ms : 0;
  task->charge = parent ? parent->charge : &task->own_charge;
  if (!parent) pl_charge_init(task->charge, &task->vm->heap, task->vm->request_memory);
  pl_list_push_back(parent ? &parent->children : &task->vm->roots, &task->sibling);
}

struct pl_task *pl_task_new(struct pl_vm *vm, struct pl_task *parent, const struct pl_task_ops *ops,
                            void *owner) {
  struct pl_task *task = pl_pool_take(vm);
  if (!task) return NULL;
  reset_fields(task);
  task->ops = ops;
  place(task, parent, owner);
  vm->live_tasks++;
  lua_pushcfunction(task->co, run_body);
  lua_pushcfunction(task->co, pl_value_on_error);
  return task;
}

// ---- the end ----

// Whoever joins it takes the result first, and then releases it.
static bool hold_for_joiner(struct pl_task *task) {
  struct pl_wait *joiner = task->joiner;
  if (!joiner) return false;
  task->joiner = NULL;
  task->is_held = true;
  pl_wait_complete(joiner);
  return true;
}

static void recycle(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  pl_list_remove(&task->sibling);
  if (task->failure_ref != LUA_NOREF) luaL_unref(vm->L, LUA_REGISTRYINDEX, task->failure_ref);
  pl_results_clear(task->co, task->id);
  vm->live_tasks--;
  pl_pool_give(vm, task, task->is_reusable);
}

// The task and all its children are over, and with it perhaps its parent, and so on. A loop: chains
// of tasks grow as long as a script likes.
static void leave(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  while (task) {
    struct pl_task *parent = task->parent;
    pl_list_remove(&task->grace);
    if (task->ops->on_gone) task->ops->on_gone(task);
    if (task->handle) vm->on_handle_gone(task);
    if (hold_for_joiner(task)) return;
    recycle(task);
    bool is_parent_over =
        parent && parent->state == PL_TASK_ENDED && pl_list_is_empty(&parent->children);
    task = is_parent_over ? parent : NULL;
  }
  if (vm->live_tasks == 0 && vm->on_idle) vm->on_idle(vm);
}

// It never took the result of the child that it joined: it was ended from outside, or memory was
// too short to take it.
static void forget_joined(struct pl_task *task) {
  struct pl_task *child = task->joined;
  task->joined = NULL;
  if (child && child->is_held) recycle(child);
}

void pl_task_release(struct pl_task *child) {
  child->parent->joined = NULL;
  recycle(child);
}

void pl_task_join(struct pl_task *child, struct pl_wait *joiner) {
  forget_joined(child->parent);
  child->joiner = joiner;
  child->parent->joined = child;
  joiner->target = child;
}

void pl_task_unjoin(struct pl_task *child) {
  child->joiner = NULL;
  child->parent->joined = NULL;
}

void pl_task_end(struct pl_task *task, bool is_reusable) {
  task->state = PL_TASK_ENDED;
  task->is_reusable = is_reusable;
  if (!is_reusable) task->has_failed = true;
  // A shield's children are below it still.
  if (!task->sheltered_from) pl_list_remove(&task->grace);
  forget_joined(task);
  if (task->ops->on_end) task->ops->on_end(task);
  if (task->handle) task->vm->on_handle_end(task);
  if (pl_list_is_empty(&task->children)) {
    leave(task);
  } else if (task->has_failed) {
    pl_task_cancel(task, PL_CANCEL_PARENT);  // the first error of a scope ends all of it
  }
}
