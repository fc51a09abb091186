// The results table. It stands at a fixed place in the registry's array part, reserved when the
// state is opened: found without hashing, since each request needs it twice.
//
// Whether an entry of one value is that value or a table of several is kept in the task, next to
// the id: a result that happens to be a table is never mistaken for a packed one.
#include "runtime/results.h"

#include <lauxlib.h>

#include "runtime/state.h"

static void push_table(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_vm_of(L)->results);
}

static void set_flag(lua_State *co, bool flag) {
  push_table(co);
  lua_pushthread(co);
  lua_pushboolean(co, flag);
  lua_rawset(co, -3);
  lua_pop(co, 1);
}

// stack: value -> nothing; the entry of co becomes value
static void set_entry(lua_State *co) {
  push_table(co);
  lua_pushthread(co);
  lua_rotate(co, -3, 2); /* stack: table, thread, value */
  lua_rawset(co, -3);
  lua_pop(co, 1);
}

// The task that co serves now, when it is still the one with that id.
static struct pl_task *find_task(lua_State *co, uint64_t id) {
  struct pl_task *task = pl_task_of(co);
  return task && task->id == id ? task : NULL;
}

void pl_results_open(lua_State *L) {
  lua_newtable(L);
  pl_vm_of(L)->results = luaL_ref(L, LUA_REGISTRYINDEX);
}

void pl_results_adopt(lua_State *L) {
  push_table(L);
  lua_insert(L, -2);
  lua_pushboolean(L, false);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void pl_results_begin(lua_State *co, uint64_t id) {
  struct pl_task *task = find_task(co, id);
  if (!task) return;
  task->result_count = -1;
  task->has_entry = true;
  set_flag(co, true);
}

// stack: count values -> a table of them
static void pack_values(lua_State *co, int count) {
  lua_createtable(co, count, 1);
  lua_insert(co, -count - 1);
  int table = lua_gettop(co) - count;
  for (int i = count; i >= 1; i--) lua_rawseti(co, table, i);
  lua_pushinteger(co, count);
  lua_setfield(co, table, "n");
}

void pl_results_put(lua_State *co, uint64_t id, int count) {
  struct pl_task *task = find_task(co, id);
  if (!task) {
    lua_pop(co, count);
    return;
  }
  // nil and false would say "nothing here", so they are packed too.
  task->result_is_packed = count > 1 || (count == 1 && !lua_toboolean(co, -1));
  if (count > 0) {
    luaL_checkstack(co, 4, "too many results");
    if (task->result_is_packed) pack_values(co, count);
    set_entry(co);
    task->has_entry = true;
  }
  task->result_count = count;
}

// stack: the packed table -> its values
static int unpack_values(lua_State *L, int count) {
  luaL_checkstack(L, count + 1, "too many results");
  int table = lua_gettop(L);
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

int pl_results_push(lua_State *L, lua_State *co, uint64_t id) {
  struct pl_task *task = find_task(co, id);
  if (!task || task->result_count < 0) return -1;
  if (task->result_count == 0) return 0;
  push_table(L);
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return task->result_is_packed ? unpack_values(L, task->result_count) : 1;
}

void pl_results_clear(lua_State *co, uint64_t id) {
  struct pl_task *task = find_task(co, id);
  if (!task) return;
  task->result_count = -1;
  if (task->has_entry) set_flag(co, false);
  task->has_entry = false;
}

void pl_results_forget(lua_State *L, lua_State *co) {
  push_table(L);
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

size_t pl_results_count(lua_State *L) {
  size_t count = 0;
  push_table(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) count += (size_t)lua_toboolean(L, -1);
  lua_pop(L, 1);
  return count;
}
