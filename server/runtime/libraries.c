// Where our Lua is not stock Lua, but for coroutines, require and strings. Each replacement checks
// the arguments itself, so that messages name the function as the script knows it, and hands the
// rest to the stock function in its first upvalue.
#include "runtime/libraries.h"

#include "runtime/state.h"
#include "runtime/strings.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

enum { GLOBALS_REPORTED_MAX = 100 };  // more names than that are made, not mistyped

// Calls the stock function with what is on the stack.
static int call_stock(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

// ---- text only ----

static void force_text_mode(lua_State *L, int index) {
  luaL_optstring(L, index, NULL);
  if (lua_gettop(L) < index) lua_settop(L, index);
  lua_pushliteral(L, "t");
  lua_replace(L, index);
}

// load(chunk [, chunkname [, mode [, env]]])
static int text_load(lua_State *L) {
  if (!lua_isstring(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_optstring(L, 2, NULL);
  force_text_mode(L, 3);
  return call_stock(L);
}

// loadfile([filename [, mode [, env]]])
static int text_loadfile(lua_State *L) {
  luaL_optstring(L, 1, NULL);
  force_text_mode(L, 2);
  return call_stock(L);
}

static int dofile_continue(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  return lua_gettop(L) - 1;
}

static int text_dofile(lua_State *L) {
  const char *path = luaL_optstring(L, 1, NULL);
  lua_settop(L, 1);
  if (luaL_loadfilex(L, path, "t") != LUA_OK) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, dofile_continue);
  return dofile_continue(L, LUA_OK, 0);
}

// ---- what would change the whole process ----

static int refuse_exit(lua_State *L) {
  return luaL_error(L, "os.exit would end the server and everybody's requests: return or raise an "
                       "error to end this one; to stop the server send it TERM");
}

static int refuse_setlocale(lua_State *L) {
  return luaL_error(L, "os.setlocale would change every worker of the process: set LC_ALL in the "
                       "server's environment instead");
}

static int guarded_sethook(lua_State *L) {
  if (pl_task_current(L)) {
    return luaL_error(L, "debug.sethook is not for scripts here: the server uses the hook for its "
                         "own limits");
  }
  return call_stock(L);
}

static int guarded_collectgarbage(lua_State *L) {
  static const char *const options[] = {"collect",     "count",        "step",     "isrunning",
                                        "stop",        "restart",      "setpause", "setstepmul",
                                        "incremental", "generational", NULL};
  enum { COLLECT = 0, STEP = 2, HARMLESS = 4 };
  int option = luaL_checkoption(L, 1, "collect", options);
  if (option == COLLECT || option == STEP) pl_vm_of(L)->has_collected = true;
  if (option >= HARMLESS && pl_task_current(L)) {
    return luaL_error(L,
                      "collectgarbage(\"%s\") is not for scripts here: the server runs the "
                      "collector (collect, count, step and isrunning work)",
                      options[option]);
  }
  return call_stock(L);
}

// ---- what has no end ----

// An empty range of 2^60 is moved for years, and no hook is asked meanwhile. No table that a
// request can pay for has so many values.
static int bounded_move(lua_State *L) {
  enum { MOVED_MAX = 1 << 26 };
  lua_settop(L, 5);
  if (!lua_istable(L, 1) && !luaL_getmetafield(L, 1, "__index")) luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 5);
  lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
  if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= MOVED_MAX)
    return luaL_argerror(L, 3, "too many elements to move");
  return call_stock(L);
}

// ---- print ----

static int print_line(lua_State *L) {
  const struct pl_host *host = &pl_vm_of(L)->host;
  int count = lua_gettop(L);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&line, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  size_t len;
  const char *text = lua_tolstring(L, -1, &len);
  if (host->print) host->print(host->ctx, text, len);
  return 0;
}

// ---- undeclared globals ----

static void report_global(lua_State *L, const char *name) {
  const struct pl_host *host = &pl_vm_of(L)->host;
  luaL_where(L, 1);
  lua_pushfstring(L,
                  "%sthe undeclared global '%s' was assigned in a request: every request of this "
                  "worker shares it; write local %s, or set it once where the file begins",
                  lua_tostring(L, -1), name, name);
  if (host->warn) host->warn(host->ctx, lua_tostring(L, -1));
  lua_pop(L, 2);
}

// Remembers a name in the table of upvalue 1; upvalue 2 counts them. Returns: whether it is new.
static bool is_first_time(lua_State *L, int name) {
  lua_pushvalue(L, name);
  bool is_known = lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL;
  lua_pop(L, 1);
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(2));
  if (is_known || count >= GLOBALS_REPORTED_MAX) return false;
  lua_pushinteger(L, count + 1);
  lua_replace(L, lua_upvalueindex(2));
  lua_pushvalue(L, name);
  lua_pushboolean(L, 1);
  lua_rawset(L, lua_upvalueindex(1));
  return true;
}

static bool is_in_request(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  return task && task->owner;
}

/* __newindex of _G; stack: _G, name, value */
static int new_global(lua_State *L) {
  bool is_declaration = lua_type(L, 2) == LUA_TSTRING && !lua_isnil(L, 3);
  if (is_declaration && is_in_request(L) && is_first_time(L, 2)) {
    report_global(L, lua_tostring(L, 2));
  }
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 0;
}

void pl_libraries_guard_globals(lua_State *L) {
  lua_pushglobaltable(L);
  if (!lua_getmetatable(L, -1)) lua_createtable(L, 0, 1);
  lua_pushliteral(L, "__newindex");
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pushliteral(L, "__newindex");
    lua_newtable(L);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, new_global, 2);
    lua_rawset(L, -4);
    lua_pushvalue(L, -2);
    lua_setmetatable(L, -4);
  }
  lua_pop(L, 3);
}

// Replaces library.name (library NULL: a global); the stock function becomes fn's upvalue.
static void replace(lua_State *L, const char *library, const char *name, lua_CFunction fn) {
  lua_pushglobaltable(L);
  if (library) lua_getfield(L, -1, library);
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, fn, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, library ? 2 : 1);
}

void pl_libraries_open(lua_State *L) {
  luaL_openlibs(L);
  pl_strings_open(L);
  replace(L, NULL, "load", text_load);
  replace(L, NULL, "loadfile", text_loadfile);
  replace(L, NULL, "dofile", text_dofile);
  replace(L, NULL, "collectgarbage", guarded_collectgarbage);
  replace(L, NULL, "print", print_line);
  replace(L, "table", "move", bounded_move);
  replace(L, "os", "exit", refuse_exit);
  replace(L, "os", "setlocale", refuse_setlocale);
  replace(L, "debug", "sethook", guarded_sethook);
}
