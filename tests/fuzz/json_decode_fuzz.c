// Any bytes as JSON text: a value or a message, nothing else; the Lua stack is as it should be.
#include "api/json_value.h"

#include <lauxlib.h>
#include <stdlib.h>

enum { DEPTH = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_State *L = luaL_newstate();
  if (!L) abort();
  int result = pl_json_decode_value(L, pl_strv((const char *)data, size), DEPTH);
  if (lua_gettop(L) != 1 || lua_isnil(L, 1)) abort();
  if (result && lua_type(L, 1) != LUA_TSTRING) abort();
  lua_close(L);
  return 0;
}
