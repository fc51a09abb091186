// Registration of modules: C modules by their tables, Lua modules from what is compiled in. Both
// are openers in package.preload, so a module costs nothing until it is required.
#include "api/modules.h"

#include "api/api.h"
#include "api/api_native.h"
#include "runtime/embedded.h"

#include <lauxlib.h>
#include <string.h>

static const struct pl_api_module *const modules[] = {&pl_api_geometry, &pl_api_json, &pl_api_log,
                                                      &pl_api_struct, &pl_api_task};

static int open_c_module(lua_State *L) {
  pl_api_push_module(L, lua_touserdata(L, lua_upvalueindex(1)));
  return 1;
}

static int return_all(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  return lua_gettop(L);
}

/* stack: the module's name, require's second argument */
static int open_lua_module(lua_State *L) {
  const struct pl_embedded *file = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushfstring(L, "=%s", file->name);
  if (luaL_loadbufferx(L, file->source, file->len, lua_tostring(L, -1), "t") != LUA_OK) {
    return lua_error(L);
  }
  lua_replace(L, -2);
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, 1, 0, return_all);
  return return_all(L, LUA_OK, 0);
}

// "perilune/app" -> "perilune.app", "perilune/init" -> "perilune"
static void push_module_name(lua_State *L, const char *path) {
  luaL_gsub(L, path, "/", ".");
  size_t len;
  const char *name = lua_tolstring(L, -1, &len);
  static const char suffix[] = ".init";
  size_t suffix_len = sizeof suffix - 1;
  if (len <= suffix_len || strcmp(name + len - suffix_len, suffix) != 0) return;
  lua_pushlstring(L, name, len - suffix_len);
  lua_replace(L, -2);
}

// stack: package.preload, name -> package.preload
static void set_opener(lua_State *L, lua_CFunction opener, const void *what) {
  lua_pushlightuserdata(L, (void *)what);
  lua_pushcclosure(L, opener, 1);
  lua_settable(L, -3);
}

void pl_api_open(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (size_t i = 0; i < PL_ARRAY_LEN(modules); i++) {
    lua_pushstring(L, modules[i]->name);
    set_opener(L, open_c_module, modules[i]);
  }
  for (const struct pl_embedded *file = pl_embedded_lua; file->name; file++) {
    if (strcmp(file->name, "perilune/require") == 0) continue;  // part of the state: require.c
    push_module_name(L, file->name);
    set_opener(L, open_lua_module, file);
  }
  lua_pushcfunction(L, pl_api_native_open);
  lua_setfield(L, -2, "perilune.native");
  lua_pop(L, 1);
}
