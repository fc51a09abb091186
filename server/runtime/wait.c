// Waiting and being cancelled. A task has at most one pending wait.
#include "runtime/wait.h"

#include <lauxlib.h>
#include <string.h>

#include "runtime/sched.h"
#include "runtime/value.h"

bool pl_wait_chain_is_yieldable(const struct pl_task *task) {
  for (size_t i = task->depth; i-- > 0;)
    if (!lua_isyieldable(task->chain[i])) return false;
  return true;
}

// stack: function -> its name as a library's field ("table.sort", "tostring"), or nil
static void push_library_name(lua_State *L) {
  int function = lua_gettop(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, function + 1); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_istable(L, -1)) continue;
    for (lua_pushnil(L); lua_next(L, function + 3); lua_pop(L, 1)) {
      if (lua_type(L, -2) != LUA_TSTRING || !lua_rawequal(L, -1, function)) continue;
      const char *library = lua_tostring(L, function + 2);
      bool is_global = strcmp(library, LUA_GNAME) == 0;
      lua_pushfstring(L, "%s%s%s", is_global ? "" : library, is_global ? "" : ".",
                      lua_tostring(L, function + 4));
      lua_replace(L, function);
      lua_settop(L, function);
      return;
    }
  }
  lua_pushnil(L);
  lua_replace(L, function);
  lua_settop(L, function);
}

// The C functions that waits can pass through.
static bool is_transparent(const char *name) {
  static const char *const names[] = {"pcall", "xpcall", "dofile", "coroutine.resume", "require"};
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) {
    if (strcmp(name, names[i]) == 0) return true;
  }
  return false;
}

// Pushes the name of the innermost function of `co` that Lua cannot suspend; NULL: nothing pushed.
static const char *push_obstacle(lua_State *L, lua_State *co) {
  lua_Debug ar;
  for (int level = co == L; lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, "nSf", &ar);
    lua_xmove(co, L, 1);
    if (ar.what[0] == 'C') {
      push_library_name(L);
      if (lua_isnil(L, -1)) lua_pushstring(L, ar.name ? ar.name : "?");
      if (!is_transparent(lua_tostring(L, -1))) return lua_tostring(L, -1);
    } else if (ar.name && strcmp(ar.name, "__gc") == 0) {
      return lua_pushstring(L, ar.name);
    }
    lua_settop(L, lua_gettop(L) - 1);
  }
  return NULL;
}

static int raise_cannot_wait(lua_State *L, const struct pl_task *task, const char *operation) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  for (size_t i = task->depth; i-- > 0;) {
    if (lua_isyieldable(task->chain[i])) continue;
    const char *name = push_obstacle(L, task->chain[i]);
    if (!name) break;
    return luaL_error(L, "%s cannot wait inside '%s': Lua cannot suspend that function", operation,
                      name);
  }
  return luaL_error(L, "%s cannot wait here: Lua cannot suspend this function", operation);
}

static void check_task(lua_State *L, const char *operation) {
  if (!pl_task_current(L))
    luaL_error(L, "%s waits, and there is no task here that could", operation);
}

void pl_wait_check_place(lua_State *L, const char *operation) {
  check_task(L, operation);
  struct pl_task *task = pl_task_current(L);
  if (!lua_isyieldable(L) || !pl_wait_chain_is_yieldable(task))
    raise_cannot_wait(L, task, operation);
}

void pl_wait_check(lua_State *L, const char *operation) {
  check_task(L, operation);
  pl_wait_raise_if_cancelled(L);
  pl_wait_check_place(L, operation);
}

void pl_wait_begin(lua_State *L, struct pl_wait *w, const char *operation,
                   void (*cancel)(struct pl_wait *w)) {
  struct pl_task *task = pl_task_current(L);
  *w =
      (struct pl_wait){.task = task, .task_id = task->id, .operation = operation, .cancel = cancel};
  task->wait = w;
  task->wait_was_cancelled = false;
}

void pl_wait_begin_join(lua_State *L, struct pl_wait *w, const char *operation,
                        void (*cancel)(struct pl_wait *w)) {
  pl_wait_begin(L, w, operation, cancel);
  w->is_join = true;
}

static int on_resumed(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  struct pl_task *task = pl_task_current(L);
  if (task->wait_was_cancelled) pl_wait_raise_if_cancelled(L);
  return task->wait_k(L, LUA_YIELD, task->wait_ctx);
}

int pl_wait_yield(lua_State *L, lua_KContext ctx, lua_KFunction k) {
  struct pl_task *task = pl_task_current(L);
  task->wait_k = k;
  task->wait_ctx = ctx;
  task->is_suspended = true;
  return lua_yieldk(L, 0, 0, on_resumed);
}

void pl_wait_complete(struct pl_wait *w) {
  struct pl_task *task = w->task;
  w->is_over = true;
  if (task->id != w->task_id || task->wait != w) {
    task->vm->sched.dropped_completions++;
    return;
  }
  task->wait = NULL;
  if (task->state == PL_TASK_WAITING)
    pl_sched_ready(task);
  else
    task->is_woken = true;
}

void pl_wait_abandon(struct pl_task *task) {
  struct pl_wait *w = task->wait;
  if (!w) return;
  task->wait = NULL;
  w->is_over = true;
  w->cancel(w);
}

// Without a wait: it is being ended from outside, and what runs at that cancels it.
void pl_wait_cancel(struct pl_task *task) {
  if (!task->wait || task->wait->is_join) return;
  task->wait_was_cancelled = true;
  pl_wait_abandon(task);
  pl_sched_ready(task);
}

const char *pl_cancel_reason_name(enum pl_cancel_reason reason) {
  static const char *const names[] = {
      [PL_CANCEL_NONE] = "none",         [PL_CANCEL_CLIENT] = "client",
      [PL_CANCEL_DEADLINE] = "deadline", [PL_CANCEL_TIMEOUT] = "timeout",
      [PL_CANCEL_PARENT] = "parent",     [PL_CANCEL_KILL] = "killed",
      [PL_CANCEL_DRAIN] = "drain"};
  return names[reason];
}

void pl_wait_raise_if_cancelled(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  if (!task->cancelled) return;
  if (task->failure_ref >= 0) {
    task->has_raised_failure = task->has_failed_child;
    lua_rawgeti(L, LUA_REGISTRYINDEX, task->failure_ref);
    lua_error(L);
  }
  pl_value_push_cancelled(L, pl_cancel_reason_name(task->cancelled));
  lua_error(L);
}
