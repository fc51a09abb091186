/// Our functions beside stock Lua's: the same call in two states must give the same values or raise
/// the same text. Used by unit tests and by the fuzz target.
#pragma once

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/vm.h"

struct both {
  struct pl_vm vm;  ///< ours: vm.L
  lua_State *stock;
};

static inline void both_ignore_wake(void *ctx) {
  (void)ctx;
}

static inline void both_ignore_text(void *ctx, const char *text) {
  (void)ctx, (void)text;
}

/// Opens both states and runs `chunk`, which returns a function, in each: both_push_function.
static inline void both_open(struct both *b, const char *chunk) {
  struct pl_host host = {.wake = both_ignore_wake, .warn = both_ignore_text};
  b->stock = luaL_newstate();
  if (!b->stock || pl_vm_init(&b->vm, &host, 0, 0) != 0) abort();
  luaL_openlibs(b->stock);
  lua_State *states[] = {b->vm.L, b->stock};
  for (int i = 0; i < 2; i++) {
    if (luaL_loadbuffer(states[i], chunk, strlen(chunk), "=chunk") == LUA_OK &&
        lua_pcall(states[i], 0, 1, 0) == LUA_OK)
      continue;
    fprintf(stderr, "%s\n", lua_tostring(states[i], -1));
    abort();
  }
}

static inline void both_close(struct both *b) {
  lua_settop(b->vm.L, 0);
  pl_vm_deinit(&b->vm);
  lua_close(b->stock);
}

static inline bool both_is_same_value(lua_State *a, lua_State *b, int index) {
  size_t a_len, b_len;
  if (lua_type(a, index) != lua_type(b, index)) return false;
  switch (lua_type(a, index)) {
  case LUA_TSTRING: {
    const char *a_text = lua_tolstring(a, index, &a_len);
    const char *b_text = lua_tolstring(b, index, &b_len);
    return a_len == b_len && memcmp(a_text, b_text, a_len) == 0;
  }
  case LUA_TNUMBER:
    return lua_isinteger(a, index) == lua_isinteger(b, index) &&
           lua_tonumber(a, index) == lua_tonumber(b, index);
  case LUA_TBOOLEAN:
    return lua_toboolean(a, index) == lua_toboolean(b, index);
  default:
    return true;
  }
}

static inline bool both_is_spent(lua_State *L, int status) {
  return status != LUA_OK && lua_type(L, -1) == LUA_TSTRING &&
         strstr(lua_tostring(L, -1), "pattern too complex (") != NULL;
}

/// Calls the function of index 1 with the arguments that `push` pushes (returning how many), in
/// ours and then in stock; not in stock when ours raises that its budget is spent.
/// Returns: whether the results were the same; they are left above index 1 for messages.
static inline bool both_call(struct both *b, int (*push)(lua_State *L, const void *ctx),
                             const void *ctx) {
  lua_State *states[] = {b->vm.L, b->stock};
  int status[2];
  for (int i = 0; i < 2; i++) {
    lua_State *L = states[i];
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    status[i] = lua_pcall(L, push(L, ctx), LUA_MULTRET, 0);
    if (i == 0 && both_is_spent(L, status[i])) return true;
  }
  int count = lua_gettop(b->vm.L);
  if (status[0] != status[1] || count != lua_gettop(b->stock)) return false;
  for (int i = 2; i <= count; i++) {
    if (!both_is_same_value(b->vm.L, b->stock, i)) return false;
  }
  return true;
}

/// Prints what one of the states answered.
static inline void both_print(FILE *out, const char *who, lua_State *L) {
  fprintf(out, "  %s:", who);
  for (int i = 2; i <= lua_gettop(L); i++) {
    size_t len;
    const char *text = luaL_tolstring(L, i, &len);
    fprintf(out, " <");
    fwrite(text, 1, len, out);
    fprintf(out, ">");
    lua_pop(L, 1);
  }
  fprintf(out, "\n");
}

/// Takes (operation, subject, pattern, init or n, plain or replacement kind, replacement text).
static const char both_pattern_chunk[] =
    "local unpack = table.unpack\n"
    "local map = {a = 'A', b = false, ab = 3, x = {}, [1] = 'one', [2] = false, [' '] = '%1'}\n"
    "local function answer(first, second)\n"
    "  if first == 'x' then return {} end\n"
    "  if first == 'a' then return second end\n"
    "  if first == 'b' then return false end\n"
    "  return first == 1 and 1.5 or first .. first\n"
    "end\n"
    "local function all(s, p, init)\n"
    "  local found, n = {}, 0\n"
    "  for a, b, c in string.gmatch(s, p, init) do\n"
    "    found[n + 1], found[n + 2], found[n + 3] = a, b, c\n"
    "    n = n + 3\n"
    "  end\n"
    "  return unpack(found, 1, n)\n"
    "end\n"
    "return function(operation, s, p, number, kind, text)\n"
    "  if operation == 0 then return string.find(s, p, number, kind == 0) end\n"
    "  if operation == 1 then return string.match(s, p, number) end\n"
    "  if operation == 2 then return all(s, p, number) end\n"
    "  local with = kind == 0 and map or kind == 1 and answer or text\n"
    "  return string.gsub(s, p, with, number)\n"
    "end\n";

struct both_pattern_case {
  const char *subject, *pattern, *text;
  size_t subject_len, pattern_len, text_len;
  int operation;  ///< 0 find, 1 match, 2 gmatch, 3 gsub
  int kind;
  bool has_number;
  int number;
};

static inline int both_push_pattern_case(lua_State *L, const void *ctx) {
  const struct both_pattern_case *c = ctx;
  lua_pushinteger(L, c->operation);
  lua_pushlstring(L, c->subject, c->subject_len);
  lua_pushlstring(L, c->pattern, c->pattern_len);
  if (c->has_number)
    lua_pushinteger(L, c->number);
  else
    lua_pushnil(L);
  lua_pushinteger(L, c->kind);
  lua_pushlstring(L, c->text, c->text_len);
  return 6;
}
