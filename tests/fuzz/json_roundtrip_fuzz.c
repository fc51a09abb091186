// What can be read can be written, and reads back as the same value.
#include "api/json_codec.h"
#include "api/json_value.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_same(lua_State *L, int a, int b);

static bool has_same_members(lua_State *L, int a, int b) {
  for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, b);
    if (!is_same(L, lua_gettop(L) - 1, lua_gettop(L))) return false;
    lua_pop(L, 1);
  }
  return true;
}

static bool is_same_table(lua_State *L, int a, int b) {
  luaL_checkstack(L, 8, NULL);
  int marks = lua_getmetatable(L, a) - lua_getmetatable(L, b);
  lua_settop(L, b);
  return marks == 0 && has_same_members(L, a, b) && has_same_members(L, b, a);
}

static bool is_same(lua_State *L, int a, int b) {
  if (lua_type(L, a) != lua_type(L, b)) return false;
  if (lua_type(L, a) == LUA_TTABLE) {
    int top = lua_gettop(L);
    bool is_equal = is_same_table(L, a, b);
    if (is_equal) lua_settop(L, top);
    return is_equal;
  }
  if (lua_isinteger(L, a) != lua_isinteger(L, b)) return false;
  if (lua_type(L, a) == LUA_TNUMBER) {
    bool is_equal_sign = signbit(lua_tonumber(L, a)) == signbit(lua_tonumber(L, b));
    if (!is_equal_sign) return false;
  }
  return lua_rawequal(L, a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_State *L = luaL_newstate();
  if (!L) abort();
  if (pl_json_decode_value(L, pl_strv((const char *)data, size), PL_JSON_DEPTH_DEFAULT) == 0) {
    struct pl_buf text = {0};
    struct pl_json_encode_options options = {PL_JSON_DEPTH_DEFAULT, (int)(size % 3)};
    pl_json_encode_with(L, 1, &options, &text);
    if (pl_json_decode_value(L, pl_buf_view(&text), PL_JSON_DEPTH_DEFAULT)) abort();
    if (!is_same(L, 1, 2)) abort();
    pl_buf_deinit(&text);
  }
  lua_close(L);
  return 0;
}
