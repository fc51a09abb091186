// results.h with bare pointers: entries keyed by a coroutine's address, which anchors nothing, and
// asked for without an id. This is the mistake that runtime/results.c exists to avoid; linked in
// its place, results_test must fail (tests/CMakeLists.txt: must_fail/results_bare).
#include "runtime/results.h"

#include <lauxlib.h>

static const char table_key = 0;

static void push_table(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
}

// stack: value -> nothing
static void set_entry(lua_State *L, lua_State *co) {
  push_table(L);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, co);
  lua_pop(L, 1);
}

void pl_results_open(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &table_key);
}

void pl_results_adopt(lua_State *L) {
  lua_State *co = lua_tothread(L, -1);
  lua_pushboolean(L, false);
  set_entry(L, co);
  lua_pop(L, 1);
}

void pl_results_begin(lua_State *co, uint64_t id) {
  (void)id;
  lua_pushboolean(co, true);
  set_entry(co, co);
}

void pl_results_put(lua_State *co, uint64_t id, int count) {
  (void)id;
  lua_createtable(co, count, 1);
  lua_insert(co, -count - 1);
  int table = lua_gettop(co) - count;
  for (int i = count; i >= 1; i--) lua_rawseti(co, table, i);
  lua_pushinteger(co, count);
  lua_setfield(co, table, "n");
  set_entry(co, co);
}

int pl_results_push(lua_State *L, lua_State *co, uint64_t id) {
  (void)id;
  push_table(L);
  lua_rawgetp(L, -1, co);
  lua_remove(L, -2);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return -1;
  }
  int table = lua_gettop(L);
  lua_getfield(L, table, "n");
  int count = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

void pl_results_clear(lua_State *co, uint64_t id) {
  (void)id;
  lua_pushboolean(co, false);
  set_entry(co, co);
}

void pl_results_forget(lua_State *L, lua_State *co) {
  lua_pushnil(L);
  set_entry(L, co);
}

size_t pl_results_count(lua_State *L) {
  size_t count = 0;
  push_table(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) count += (size_t)lua_toboolean(L, -1);
  lua_pop(L, 1);
  return count;
}
