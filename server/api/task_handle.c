// Handles of tasks. Who awaits stands in the list of its task with a wait of its own; the task's
// end wakes all of them, and each takes the result from where it is by then: the results table, or
// the handle when the task has gone already.
#include "api/task_handle.h"

#include "api/api.h"
#include "api/queue_wait.h"
#include "base/error.h"
#include "base/list.h"
#include "runtime/results.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "runtime/wait.h"

#include <lauxlib.h>
#include <stdbool.h>

enum { RESULT_LOST = -1, STATUS_UNAVAILABLE = 503 };

/// User value 1: the result once the task has gone: the value itself, or a table of `count` values.
struct handle {
  struct pl_task *task;  ///< the slot; NULL when the task has gone
  uint64_t id;           ///< and who must be in it
  int anchor;            ///< while it lives: its place in the table of anchors
  bool has_failed;       ///< gone: the result is what it raised
  int count;             ///< gone: values of the result, or RESULT_LOST: there was no memory for it
  const char *status;    ///< gone: pl_task_status as it was
};

static const char *const metatable = "perilune.Task";
// Registry: the same metatable, found without hashing its name, and the table of anchors.
static const char metatable_key = 0;
static const char anchors_key = 0;

// ---- making and anchoring ----

static void push_anchors(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &anchors_key);
}

void pl_task_handle_push(lua_State *L, struct pl_task *task) {
  if (task->handle) {
    push_anchors(L);
    lua_rawgeti(L, -1, ((struct handle *)task->handle)->anchor);
    lua_remove(L, -2);
    return;
  }
  struct handle *h = lua_newuserdatauv(L, sizeof *h, 1);
  *h = (struct handle){.task = task, .id = task->id};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  lua_setmetatable(L, -2);
  push_anchors(L);
  lua_pushvalue(L, -2);
  h->anchor = luaL_ref(L, -2);
  lua_pop(L, 1);
  task->handle = h;
}

static struct handle *check_handle(lua_State *L, int index) {
  return luaL_checkudata(L, index, metatable);
}

static bool is_alive(const struct handle *h) {
  return h->task && h->task->id == h->id;
}

static bool is_over(const struct handle *h) {
  return !is_alive(h) || h->task->state == PL_TASK_ENDED;
}

static bool has_failed(const struct handle *h) {
  return is_alive(h) ? h->task->has_failed : h->has_failed;
}

uint64_t pl_task_handle_id(lua_State *L, int index) {
  struct handle *h = luaL_testudata(L, index, metatable);
  return h ? h->id : 0;
}

struct pl_task *pl_task_handle_task(lua_State *L, int index) {
  struct handle *h = check_handle(L, index);
  return is_alive(h) ? h->task : NULL;
}

// ---- the result ----

// Pushes what the handle keeps, stack index `index`. Returns: how many values, or RESULT_LOST.
static int push_kept(lua_State *L, int index, const struct handle *h) {
  if (h->count == RESULT_LOST) return RESULT_LOST;
  luaL_checkstack(L, h->count + 1, "too many results");
  lua_getiuservalue(L, index, 1);
  if (h->count == 1) return 1;
  int table = lua_gettop(L);
  for (int i = 1; i <= h->count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return h->count;
}

// Pushes the result of the ended task whose handle is at `index`; an error object when it is lost.
static int push_result(lua_State *L, int index, bool *is_failure) {
  struct handle *h = lua_touserdata(L, index);
  *is_failure = has_failed(h);
  int count = is_alive(h) ? pl_results_push(L, h->task->co, h->id) : push_kept(L, index, h);
  if (count >= 0) return count;
  *is_failure = true;
  pl_value_push_error(L, STATUS_UNAVAILABLE, pl_error_name(PL_ENOMEM),
                      "out of memory: the task's result is lost");
  return 1;
}

static int return_result(lua_State *L) {
  bool is_failure;
  int count = push_result(L, 1, &is_failure);
  return is_failure ? lua_error(L) : count;
}

/* protected; stack: the task */
static int move_result(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  pl_task_handle_push(L, task);
  struct handle *h = lua_touserdata(L, 2);
  int count = pl_results_push(L, task->co, task->id);
  if (count != 1) {
    lua_createtable(L, count > 0 ? count : 0, 0);
    lua_insert(L, 3);
    for (int i = count; i >= 1; i--) lua_rawseti(L, 3, i);
  }
  lua_setiuservalue(L, 2, 1);
  h->count = count;
  return 0;
}

// The task goes back to the pool: its result moves into the handle, and the anchor goes.
static void on_handle_gone(struct pl_task *task) {
  struct handle *h = task->handle;
  lua_State *L = task->vm->L;
  h->count = RESULT_LOST;
  lua_pushcfunction(L, move_result);
  lua_pushlightuserdata(L, task);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  h->has_failed = task->has_failed;
  h->status = pl_task_status(task);
  h->task = NULL;
  task->handle = NULL;
  push_anchors(L);
  luaL_unref(L, -1, h->anchor);
  lua_pop(L, 1);
}

// ---- await ----

// The task has ended: wakes those who await it.
static void on_handle_end(struct pl_task *task) {
  for (struct pl_queue_wait *w; (w = pl_queue_wait_first(&task->awaiters));)
    pl_queue_wait_end(w, 0);
}

/* stack: handle, seconds or nil, the wait */
static int await_continue(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  const struct pl_queue_wait *w = lua_touserdata(L, 3);
  return w->outcome ? pl_queue_wait_fail(L, w->outcome, NULL) : return_result(L);
}

static int handle_await(lua_State *L) {
  struct handle *h = check_handle(L, 1);
  lua_settop(L, 2);
  uint64_t due_ms = pl_queue_wait_check_due(L, 2);
  if (is_over(h)) return return_result(L);
  if (h->task == pl_task_current(L)) return luaL_error(L, "a task cannot await itself");
  if (!due_ms && pl_task_waits_for(h->task, pl_task_current(L)))
    return luaL_error(L, "task:await would never end: the task waits for this one");
  pl_wait_check(L, "task.await");
  struct pl_queue_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  pl_queue_wait_begin(L, w, &h->task->awaiters, "task.await", due_ms);
  if (!due_ms) w->wait.target = h->task;
  return pl_wait_yield(L, 0, await_continue);
}

// ---- the other methods ----

static int handle_status(lua_State *L) {
  struct handle *h = check_handle(L, 1);
  lua_pushstring(L, is_alive(h) ? pl_task_status(h->task) : h->status);
  return 1;
}

// A script's own reason travels as the error object that the task's waits will raise.
static int handle_cancel(lua_State *L) {
  struct handle *h = check_handle(L, 1);
  const char *reason = luaL_optstring(L, 2, NULL);
  if (!is_alive(h)) return 0;
  struct pl_task *task = h->task;
  if (reason && task->state != PL_TASK_ENDED && !task->cancelled) {
    pl_value_push_cancelled(L, reason);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_unref(L, LUA_REGISTRYINDEX, task->failure_ref);  // a finaliser's, run by luaL_ref
    task->failure_ref = ref;
  }
  pl_task_cancel(task, PL_CANCEL_PARENT);
  return 0;
}

// stack: ..., `count` values of a result -> true or false in front of them
static int return_outcome(lua_State *L, int count, bool is_failure) {
  lua_pushboolean(L, !is_failure);
  lua_insert(L, -count - 1);
  return count + 1;
}

static int thread_result(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  struct pl_task *task = co ? pl_task_of(co) : NULL;
  luaL_argcheck(L, task && task->co == co, 1, "a task or its coroutine is expected");
  if (task->state != PL_TASK_ENDED) return 0;
  int count = pl_results_push(L, co, task->id);
  return count < 0 ? 0 : return_outcome(L, count, task->has_failed);
}

int pl_task_handle_result(lua_State *L) {
  struct handle *h = luaL_testudata(L, 1, metatable);
  if (!h) return thread_result(L);
  if (!is_over(h)) return 0;
  bool is_failure;
  int count = push_result(L, 1, &is_failure);
  return return_outcome(L, count, is_failure);
}

static const luaL_Reg methods[] = {
    {"await", handle_await}, {"status", handle_status}, {"cancel", handle_cancel}, {NULL, NULL}};

void pl_task_handle_open(lua_State *L) {
  if (luaL_newmetatable(L, metatable)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &anchors_key);
    struct pl_vm *vm = pl_vm_of(L);
    vm->on_handle_end = on_handle_end;
    vm->on_handle_gone = on_handle_gone;
  }
  lua_pop(L, 1);
}
