// Every message says what was expected and what came.
#include "api/hub_options.h"

#include <lauxlib.h>

#include "api/api.h"
#include "base/error.h"
#include "base/suggest.h"
#include "io/hub.h"

enum { CAPACITY_MAX = 1 << 29 };

struct pl_strv pl_hub_options_name(lua_State *L, const char *operation) {
  struct pl_strv name = {0};
  if (lua_type(L, 1) != LUA_TSTRING)
    luaL_error(L, "%s: the name must be a string, not %s", operation, luaL_tolstring(L, 1, NULL));
  name.data = lua_tolstring(L, 1, &name.len);
  if (name.len < 1 || name.len > PL_HUB_NAME_MAX)
    luaL_error(L, "%s: a name has 1 to %d bytes, this one has %I", operation, PL_HUB_NAME_MAX,
               (LUAI_UACINT)name.len);
  return name;
}

static void refuse_option(lua_State *L, const char *operation) {
  struct pl_strv key = pl_strv_of(luaL_tolstring(L, -2, NULL));
  struct pl_suggest s = pl_suggest_for(key);
  pl_suggest_offer(&s, "capacity");
  luaL_error(
      L, s.best ? "%s: unknown option '%s', did you mean 'capacity'?" : "%s: unknown option '%s'",
      operation, key.data);
}

// The value on top.
static size_t check_number(lua_State *L, const char *operation) {
  int is_integer = false;
  lua_Integer capacity = 0;
  if (lua_type(L, -1) == LUA_TNUMBER) capacity = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || capacity < 1 || capacity > CAPACITY_MAX)
    luaL_error(L, "%s: the capacity must be an integer from 1 to %d, not %s", operation,
               CAPACITY_MAX, luaL_tolstring(L, -1, NULL));
  return (size_t)capacity;
}

size_t pl_hub_options_capacity(lua_State *L, int index, const char *operation) {
  size_t capacity = 0;
  if (lua_isnoneornil(L, index)) return 0;
  if (!lua_istable(L, index))
    luaL_error(L, "%s: the options are a table, {capacity = 64}, not %s", operation,
               luaL_tolstring(L, index, NULL));
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    bool is_known = lua_type(L, -2) == LUA_TSTRING &&
                    pl_strv_eq(pl_strv_of(lua_tostring(L, -2)), PL_STRV("capacity"));
    if (!is_known) refuse_option(L, operation);
    capacity = check_number(L, operation);
  }
  return capacity;
}

void pl_hub_options_raise(lua_State *L, int error, const char *operation) {
  if (error == PL_ELIMIT)
    luaL_error(L,
               "%s: channels, topics and their messages would hold more than limits.memory "
               "allows (%I bytes)",
               operation, (LUAI_UACINT)pl_api_context(L)->hub->budget.limit);
  luaL_error(L, "%s: %s", operation, pl_error_text(error));
}
