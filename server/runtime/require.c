// The primitives of require.lua: which task runs, wait in a list of waiters, wake all of a list,
// who waits for whom. A waiter is a userdata with the pl_wait; the waiting function's stack and the
// list anchor it.
#include "runtime/require.h"

#include "runtime/embedded.h"
#include "runtime/state.h"
#include "runtime/task.h"
#include "runtime/wait.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

static const char *const operation = "require";

// Waking passes over waiters whose wait is over, so there is nothing else to stop.
static void forget_waiter(struct pl_wait *w) {
  (void)w;
}

static int return_nothing(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  (void)L;
  return 0;
}

// current() -> the running task's id, 0 outside tasks; and the task
static int require_current(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  lua_pushinteger(L, task ? (lua_Integer)task->id : 0);
  lua_pushlightuserdata(L, task);
  return 2;
}

// waits_for_current(id, task) -> whether that task cannot go on before the running one has ended
static int require_waits_for_current(lua_State *L) {
  const struct pl_task *task = lua_touserdata(L, 2);
  bool is_alive = task && task->id == (uint64_t)lua_tointeger(L, 1);
  const struct pl_task *current = pl_task_current(L);
  lua_pushboolean(L, is_alive && current && pl_task_waits_for(task, current));
  return 1;
}

// park(waiters): waits until somebody wakes the list
static int require_park(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  pl_wait_check(L, operation);
  struct pl_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  lua_pushvalue(L, -1);
  w->is_over = true;
  lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
  pl_wait_begin(L, w, operation, forget_waiter);
  return pl_wait_yield(L, 0, return_nothing);
}

// wake(waiters): everybody who waits there goes on
static int require_wake(lua_State *L) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    struct pl_wait *w = lua_touserdata(L, -1);
    if (!w->is_over) pl_wait_complete(w);
    lua_pop(L, 1);
  }
  return 0;
}

static const struct pl_embedded *find_source(void) {
  const struct pl_embedded *file = pl_embedded_lua;
  while (file->name && strcmp(file->name, "perilune/require") != 0) file++;
  return file;
}

void pl_require_open(lua_State *L) {
  const struct pl_embedded *file = find_source();
  if (luaL_loadbufferx(L, file->source, file->len, "=perilune/require", "t") != LUA_OK) {
    lua_error(L);
  }
  lua_pushcfunction(L, require_current);
  lua_pushcfunction(L, require_park);
  lua_pushcfunction(L, require_wake);
  lua_pushcfunction(L, require_waits_for_current);
  lua_call(L, 4, 0);
}
