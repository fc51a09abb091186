// task.spawn, task.background, and the way of a failure that nobody awaits.
#include "api/task_child.h"

#include <lauxlib.h>
#include <string.h>

#include "api/task_handle.h"
#include "base/error.h"
#include "runtime/results.h"
#include "runtime/run.h"
#include "runtime/value.h"
#include "runtime/wait.h"

enum { STATUS_UNAVAILABLE = 503 };

// ---- failures ----

bool pl_task_is_cancellation(lua_State *L, const struct pl_task *task) {
  if (!task->cancelled || !pl_value_is_error(L, -1)) return false;
  lua_getfield(L, -1, "code");
  const char *code = lua_tostring(L, -1);
  bool is_it = code && strcmp(code, pl_error_name(PL_ECANCELED)) == 0;
  lua_pop(L, 1);
  return is_it;
}

/* protected; stack: the failed task */
static int pass_failure_on(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  struct pl_vm *vm = task->vm;
  if (pl_results_push(L, task->co, task->id) < 1) {
    pl_value_push_error(L, STATUS_UNAVAILABLE, pl_error_name(PL_ENOMEM),
                        "out of memory: a child task failed, its error is lost");
  }
  struct pl_task *scope = task->parent ? pl_task_scope(task->parent) : NULL;
  if (scope && scope->cancelled) scope->has_cut_child = true;
  if (pl_task_is_cancellation(L, task) || !pl_list_is_empty(&task->awaiters)) return 0;
  if (scope && !task->cancelled && pl_task_fail_scope(scope)) return 0;
  lua_pushfstring(L, "a %s task failed and nobody awaits it: %s",
                  task->is_background ? "background" : "child", pl_value_text(L, -1));
  vm->host.warn(vm->host.ctx, lua_tostring(L, -1));
  return 0;
}

// There was no memory to pass the error on: its scope has failed all the same.
static void pass_lost_failure_on(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  vm->host.warn(vm->host.ctx, "out of memory: a child task failed, its error is lost");
  if (!task->parent || task->cancelled || !pl_list_is_empty(&task->awaiters)) return;
  lua_pushnil(vm->L);
  if (!pl_task_fail_scope(pl_task_scope(task->parent))) lua_pop(vm->L, 1);
}

static void on_child_end(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  if (!task->has_failed) return;
  lua_pushcfunction(vm->L, pass_failure_on);
  lua_pushlightuserdata(vm->L, task);
  if (lua_pcall(vm->L, 1, 0, 0) == LUA_OK) return;
  lua_pop(vm->L, 1);
  pass_lost_failure_on(task);
}

const struct pl_task_ops pl_task_child_ops = {.on_end = on_child_end};

// ---- starting ----

void pl_task_child_check(lua_State *L, int fn) {
  luaL_checktype(L, fn, LUA_TFUNCTION);
  luaL_checkstack(L, lua_gettop(L) + LUA_MINSTACK, "too many arguments");
}

struct pl_task *pl_task_child_new(lua_State *L, struct pl_task *parent,
                                  const struct pl_task_ops *ops, const char *operation) {
  struct pl_task *child = pl_task_new(pl_vm_of(L), parent, ops, NULL);
  if (!child) luaL_error(L, "%s: not enough memory", operation);
  return child;
}

static int raise_too_many(lua_State *L) {
  return luaL_error(L, "no memory for the task's arguments");
}

void pl_task_child_start(lua_State *L, struct pl_task *child, int fn, int last) {
  int args = last - fn;
  if (lua_checkstack(child->co, args + LUA_MINSTACK)) {
    for (int i = fn; i <= last; i++) lua_pushvalue(L, i);
    lua_xmove(L, child->co, args + 1);
  } else {
    args = 0;
    lua_pushcfunction(child->co, raise_too_many);
  }
  pl_run_queue(child, args);
}

// First the start: when the handle finds no memory the child is at least not stuck.
static int start_and_push(lua_State *L, struct pl_task *child, int fn) {
  pl_task_child_start(L, child, fn, lua_gettop(L));
  pl_task_handle_push(L, child);
  return 1;
}

int pl_task_spawn(lua_State *L) {
  pl_task_child_check(L, 1);
  struct pl_task *task = pl_task_current(L);
  if (!task) return luaL_error(L, "task.spawn: there is no task here that could have a child");
  pl_wait_raise_if_cancelled(L);
  return start_and_push(L, pl_task_child_new(L, task, &pl_task_child_ops, "task.spawn"), 1);
}

// At the place where the script has called group:spawn: one level further up.
static int refuse_child(lua_State *L, const char *why) {
  luaL_where(L, 2);
  lua_pushstring(L, why);
  lua_concat(L, 2);
  return lua_error(L);
}

int pl_task_spawn_in(lua_State *L) {
  struct pl_task *scope = pl_task_handle_task(L, 1);
  pl_task_child_check(L, 2);
  if (!scope || (scope->state == PL_TASK_ENDED && !scope->joiner))
    return refuse_child(L, "the group is over: it can have no more children");
  if (!pl_task_current(L)) return refuse_child(L, "group:spawn: there is no task here");
  pl_wait_raise_if_cancelled(L);
  if (scope->cancelled)
    return refuse_child(L, "the group is cancelled: it can have no more children");
  return start_and_push(L, pl_task_child_new(L, scope, &pl_task_child_ops, "group:spawn"), 2);
}

int pl_task_background(lua_State *L) {
  pl_task_child_check(L, 1);
  if (pl_vm_of(L)->is_ending) return luaL_error(L, "task.background: the app is being stopped");
  struct pl_task *child = pl_task_child_new(L, NULL, &pl_task_child_ops, "task.background");
  child->is_background = true;
  pl_task_child_start(L, child, 1, lua_gettop(L));
  pl_task_handle_push(L, child);
  return 1;
}
