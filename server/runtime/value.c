// Error objects. Building one must work wherever Lua calls a message handler: with little stack
// left, and without trusting what was raised (its metamethods may raise, too).
#include "runtime/value.h"

#include "base/error.h"
#include "runtime/state.h"

#include <lauxlib.h>
#include <string.h>

enum { STATUS_DEFAULT = 500, STATUS_UNAVAILABLE = 503 };

static const char *const error_metatable = "perilune.Error";
static const char *const response_metatable = "perilune.Response";

static bool has_metatable(lua_State *L, int index, const char *name) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, name);
  bool is_same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_same;
}

// A raised table may carry any message (one that is a table becomes the answer's JSON).
static int error_tostring(lua_State *L) {
  if (lua_getfield(L, 1, "message") == LUA_TSTRING) return 1;
  lua_getfield(L, 1, "status");
  lua_pushfstring(L, "status %d", (int)lua_tointeger(L, -1));
  return 1;
}

void pl_value_open(lua_State *L) {
  luaL_newmetatable(L, error_metatable);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

bool pl_value_is_error(lua_State *L, int index) {
  return has_metatable(L, index, error_metatable);
}

static void push_empty_error(lua_State *L, int status) {
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, status);
  lua_setfield(L, -2, "status");
  luaL_setmetatable(L, error_metatable);
}

void pl_value_push_error(lua_State *L, int status, const char *code, const char *message) {
  push_empty_error(L, status);
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
  if (!code) return;
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
}

void pl_value_push_cancelled(lua_State *L, const char *reason) {
  pl_value_push_error(L, STATUS_UNAVAILABLE, pl_error_name(PL_ECANCELED), "cancelled");
  lua_pushfstring(L, "cancelled (%s)", reason);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
}

int pl_value_fail(lua_State *L, int code, const char *what) {
  lua_pushnil(L);
  if (what) {
    lua_pushfstring(L, "%s: %s", what, pl_error_text(code));
  } else {
    lua_pushstring(L, pl_error_text(code));
  }
  lua_pushstring(L, pl_error_name(code));
  return 3;
}

// The raw field as text, or NULL. It stays valid while its table does.
static const char *field_text(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, index);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);
  return text;
}

const char *pl_value_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TSTRING) return lua_tostring(L, index);
  const char *text = NULL;
  if (pl_value_is_error(L, index)) {
    text = field_text(L, index, "traceback");
    if (!text) text = field_text(L, index, "message");
  }
  return text ? text : "an error whose value is no text";
}

static int to_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

// Pushes the text of the value at index 1, whose __tostring may fail.
static void push_text(lua_State *L) {
  lua_pushcfunction(L, to_text);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  lua_pop(L, 1);
  lua_pushfstring(L, "a %s whose __tostring failed", luaL_typename(L, 1));
}

/* stack: raised, ..., error object. Raw access: a metamethod of the raised table might raise. */
static bool borrow_field(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  if (lua_rawget(L, 1) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  lua_setfield(L, -2, name);
  return true;
}

static int raised_status(lua_State *L) {
  lua_pushliteral(L, "status");
  lua_rawget(L, 1);
  int is_integer;
  lua_Integer status = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  return is_integer && status >= 100 && status <= 599 ? (int)status : STATUS_DEFAULT;
}

static void push_from_table(lua_State *L) {
  push_empty_error(L, raised_status(L));
  bool has_message = borrow_field(L, "message");
  bool has_code = borrow_field(L, "code");
  bool has_headers = borrow_field(L, "headers");
  lua_pushliteral(L, "status");
  bool has_status = lua_rawget(L, 1) != LUA_TNIL;
  lua_pop(L, 1);
  lua_pushboolean(L, has_status);
  lua_setfield(L, -2, "is_public");
  if (has_message || has_code || has_headers || has_status) return;
  push_text(L);
  lua_setfield(L, -2, "message");
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "value");
}

static void push_from_value(lua_State *L, int status) {
  push_empty_error(L, status);
  push_text(L);
  lua_setfield(L, -2, "message");
  if (lua_type(L, 1) == LUA_TSTRING) return;
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "value");
}

// stack: ..., error object. The message stands above its traceback, as lua's own does it.
static void add_traceback(lua_State *L) {
  if (lua_getfield(L, -1, "traceback") == LUA_TNIL) {
    luaL_traceback(L, L, field_text(L, lua_gettop(L) - 1, "message"), 1);
    lua_setfield(L, -3, "traceback");
  }
  lua_pop(L, 1);
}

// Nobody asks where a child was cancelled; a traceback costs more than all else at its end (Lua
// looks for the name of each function in all loaded modules).
static bool is_cancelled_child(lua_State *L) {
  const struct pl_task *task = pl_task_current(L);
  if (!task || !task->parent || !task->cancelled || !pl_value_is_error(L, 1)) return false;
  const char *code = field_text(L, 1, "code");
  return code && strcmp(code, pl_error_name(PL_ECANCELED)) == 0;
}

int pl_value_on_error(lua_State *L) {
  lua_settop(L, 1);
  if (is_cancelled_child(L)) return 1;
  if (pl_value_is_error(L, 1)) {
    lua_pushvalue(L, 1);
  } else if (has_metatable(L, 1, response_metatable)) {
    push_from_value(L, raised_status(L));
  } else if (lua_type(L, 1) == LUA_TTABLE) {
    push_from_table(L);
  } else {
    push_from_value(L, STATUS_DEFAULT);
  }
  add_traceback(L);
  return 1;
}
