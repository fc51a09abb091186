/// The random programs of coroutine_programs.lua, run by stock Lua and by a fake host's tasks.
#pragma once

#include <lualib.h>

#include "fake_host.h"

static inline void append_line(struct pl_buf *log, lua_State *L) {
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) {
    bool has_address = lua_type(L, i) > LUA_TSTRING;
    const char *text = has_address ? luaL_typename(L, i) : luaL_tolstring(L, i, NULL);
    assert_int_equal(pl_buf_printf(log, "%s ", text), 0);
    lua_settop(L, count);
  }
  assert_int_equal(pl_buf_append(log, "\n", 1), 0);
}

static inline int log_to_buffer(lua_State *L) {
  append_line(lua_touserdata(L, lua_upvalueindex(1)), L);
  return 0;
}

static inline int return_arguments(lua_State *L) {
  return lua_gettop(L);
}

static inline lua_State *open_stock(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dofile(L, "tests/unit/runtime/coroutine_programs.lua")) {
    fail_msg("%s", lua_tostring(L, -1));
  }
  lua_setglobal(L, "generate");
  return L;
}

// Returns: the program's text, on top of L's stack.
static inline const char *generate(lua_State *L, int seed) {
  lua_getglobal(L, "generate");
  lua_pushinteger(L, seed);
  lua_call(L, 1, 1);
  return lua_tostring(L, -1);
}

static inline void load_program(lua_State *L, const char *text) {
  if (luaL_loadbufferx(L, text, strlen(text), "=program", "t")) {
    fail_msg("%s\n%s", lua_tostring(L, -1), text);
  }
}

static inline const char *text_of(struct pl_buf *log) {
  assert_int_equal(pl_buf_append(log, "", 1), 0);
  return pl_buf_view(log).data;
}

static inline void start_program(struct fake *f, const char *text, struct pl_buf *log) {
  struct pl_task *task = pl_task_new(&f->vm, NULL, &fake_ops, NULL);
  assert_non_null(task);
  load_program(task->co, text);
  lua_pushlightuserdata(task->co, log);
  lua_pushcclosure(task->co, log_to_buffer, 1);
  lua_getglobal(task->co, "wait");
  pl_run_start(task, 2);
}

/// Runs it with a wait that returns its arguments. stack: the program's text, which is popped
static inline void run_stock(lua_State *stock, const char *text, struct pl_buf *log) {
  load_program(stock, text);
  lua_remove(stock, 1);
  lua_pushlightuserdata(stock, log);
  lua_pushcclosure(stock, log_to_buffer, 1);
  lua_pushcfunction(stock, return_arguments);
  lua_call(stock, 2, 0);
}
