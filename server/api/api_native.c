// perilune.native: what the Lua half of the library (lua/perilune) needs from C. Not for scripts:
// its names may change with any version.
#include "api/api_native.h"

#include <lauxlib.h>

#include "api/api.h"
#include "api/api_response.h"
#include "api/api_schema.h"
#include "api/call.h"
#include "api/file_handle.h"
#include "api/named_channel.h"
#include "api/task_child.h"
#include "api/task_scope.h"
#include "api/topic.h"
#include "base/error.h"
#include "base/suggest.h"
#include "config/units.h"
#include "http/cookie.h"
#include "http/mime.h"
#include "runtime/value.h"

enum { DEEPEST_CALL = 16 };

// ---- texts ----

/* native.suggest(word, names) -> ", did you mean 'x'?" or "" */
static int suggest(lua_State *L) {
  struct pl_strv word;
  word.data = luaL_checklstring(L, 1, &word.len);
  luaL_checktype(L, 2, LUA_TTABLE);
  struct pl_suggest s = pl_suggest_for(word);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) pl_suggest_offer(&s, lua_tostring(L, -2));
  if (s.best)
    lua_pushfstring(L, ", did you mean '%s'?", s.best);
  else
    lua_pushliteral(L, "");
  return 1;
}

static int parse_units(lua_State *L, enum pl_units units, double scale, const char *expected) {
  uint64_t value;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    lua_Number n = lua_tonumber(L, 1);
    if (n >= 0 && n < 1e15) {
      lua_pushinteger(L, (lua_Integer)(n * scale));
      return 1;
    }
  } else if (lua_type(L, 1) == LUA_TSTRING) {
    struct pl_strv text;
    text.data = lua_tolstring(L, 1, &text.len);
    if (pl_units_parse(units, text, &value) == 0) {
      lua_pushinteger(L, (lua_Integer)value);
      return 1;
    }
  }
  lua_pushnil(L);
  lua_pushstring(L, expected);
  return 2;
}

/* native.parse_time(value) -> milliseconds, or nil, what is expected */
static int parse_time(lua_State *L) {
  return parse_units(L, PL_UNITS_TIME, 1000, "a time is expected (seconds, or \"250ms\", \"10s\")");
}

/* native.parse_size(value) -> bytes, or nil, what is expected */
static int parse_size(lua_State *L) {
  return parse_units(L, PL_UNITS_SIZE, 1, "a size is expected (bytes, or \"64k\", \"8m\")");
}

/* native.mime(path) -> media type */
static int mime(lua_State *L) {
  struct pl_strv path;
  path.data = luaL_checklstring(L, 1, &path.len);
  struct pl_strv type = pl_mime_type(path);
  lua_pushlstring(L, type.data, type.len);
  return 1;
}

// RFC 6266: a plain form for old clients, the exact name in UTF-8 for all others.
static int content_disposition(lua_State *L) {
  struct pl_strv name;
  luaL_Buffer b;
  name.data = luaL_checklstring(L, 1, &name.len);
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "attachment; filename=\"");
  for (size_t i = 0; i < name.len; i++) {
    unsigned char c = (unsigned char)name.data[i];
    luaL_addchar(&b, c < ' ' || c >= 0x7f || c == '"' || c == '\\' ? '_' : (char)c);
  }
  luaL_addstring(&b, "\"; filename*=UTF-8''");
  for (size_t i = 0; i < name.len; i++) {
    unsigned char c = (unsigned char)name.data[i];
    bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '-' || c == '.' || c == '_';
    if (is_plain) {
      luaL_addchar(&b, (char)c);
    } else {
      luaL_addchar(&b, '%');
      luaL_addchar(&b, "0123456789ABCDEF"[c >> 4]);
      luaL_addchar(&b, "0123456789ABCDEF"[c & 15]);
    }
  }
  luaL_pushresult(&b);
  return 1;
}

// ---- cookies ----

static struct pl_strv option_text(lua_State *L, const char *name, struct pl_strv standard) {
  struct pl_strv text = standard;
  int type = lua_getfield(L, 3, name);
  if (type == LUA_TSTRING)
    text.data = lua_tolstring(L, -1, &text.len);
  else if (type == LUA_TBOOLEAN && !lua_toboolean(L, -1))
    text = (struct pl_strv){"", 0};
  else if (type != LUA_TNIL)
    luaL_error(L, "set_cookie: %s is a string, got a %s", name, luaL_typename(L, -1));
  return text;  // anchored by its place on the stack
}

static bool option_flag(lua_State *L, const char *name, bool standard) {
  bool flag = lua_getfield(L, 3, name) == LUA_TNIL ? standard : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static enum pl_same_site option_same_site(lua_State *L) {
  struct pl_strv text = option_text(L, "same_site", PL_STRV("Lax"));
  if (text.len == 0) return PL_SAME_SITE_UNSET;
  if (pl_strv_eq_nocase(text, PL_STRV("lax"))) return PL_SAME_SITE_LAX;
  if (pl_strv_eq_nocase(text, PL_STRV("strict"))) return PL_SAME_SITE_STRICT;
  if (pl_strv_eq_nocase(text, PL_STRV("none"))) return PL_SAME_SITE_NONE;
  luaL_error(L, "set_cookie: same_site is \"Lax\", \"Strict\" or \"None\", got \"%s\"", text.data);
  return PL_SAME_SITE_UNSET;
}

static void check_cookie_options(lua_State *L) {
  static const char *const names[] = {"path",   "max_age",   "domain",
                                      "secure", "http_only", "same_site"};
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
    struct pl_strv key = pl_strv_of(luaL_tolstring(L, -2, NULL));
    struct pl_suggest s = pl_suggest_for(key);
    bool is_known = false;
    for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) {
      pl_suggest_offer(&s, names[i]);
      is_known = is_known || pl_strv_eq(key, pl_strv_of(names[i]));
    }
    if (!is_known)
      luaL_error(L, "set_cookie: unknown option '%s'%s%s", key.data,
                 s.best ? ", did you mean " : "", s.best ? s.best : "");
    lua_pop(L, 1);
  }
}

/* native.set_cookie(name, value, options) -> the value of a Set-Cookie header */
static int set_cookie(lua_State *L) {
  struct pl_cookie cookie = {0};
  cookie.name.data = luaL_checklstring(L, 1, &cookie.name.len);
  cookie.value.data = luaL_checklstring(L, 2, &cookie.value.len);
  if (lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_newtable(L);
  }
  luaL_checktype(L, 3, LUA_TTABLE);
  check_cookie_options(L);
  cookie.path = option_text(L, "path", PL_STRV("/"));
  cookie.domain = option_text(L, "domain", PL_STRV(""));
  cookie.is_secure = option_flag(L, "secure", false);
  cookie.is_http_only = option_flag(L, "http_only", true);
  cookie.same_site = option_same_site(L);
  if (lua_getfield(L, 3, "max_age") != LUA_TNIL) {
    cookie.has_max_age = true;
    cookie.max_age = luaL_checkinteger(L, -1);
  }
  struct pl_buf *out = &pl_api_context(L)->header_lines;
  const char *problem = "not enough memory";
  pl_buf_clear(out);
  if (pl_cookie_write(&cookie, out, &problem)) return luaL_error(L, "set_cookie: %s", problem);
  struct pl_strv line = pl_buf_view(out);
  lua_pushlstring(L, line.data, line.len);
  return 1;
}

// ---- errors and calls ----

// A Response without body: the server's own document for that status.
static void push_problem(lua_State *L, int status) {
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, status);
  lua_setfield(L, -2, "status");
  lua_pushliteral(L, "problem");
  lua_setfield(L, -2, "kind");
  luaL_setmetatable(L, "perilune.Response");
}

// Headers that find any spelling: response.lua's way to make them.
static void set_headers(lua_State *L, int index) {
  lua_getfield(L, LUA_REGISTRYINDEX, "perilune.copy_headers");
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  lua_setfield(L, -2, "headers");
}

/* native.problem_of(err) -> Response: the server's own answer to that error */
static int problem_of(lua_State *L) {
  lua_settop(L, 1);
  lua_getfield(L, 1, "headers");
  lua_getfield(L, 1, "status");
  int status = (int)lua_tointeger(L, -1);
  push_problem(L, status);
  set_headers(L, 2);
  lua_getfield(L, 1, "is_public");
  bool is_public = status < 500 || lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!is_public) return 1;
  if (lua_getfield(L, 1, "message") == LUA_TTABLE) {
    lua_pushliteral(L, "json");
    lua_setfield(L, -3, "kind");
  }
  lua_setfield(L, -2, "body");
  return 1;
}

/* native.plain_problem(status [, allow]) -> Response for 404, 405 and OPTIONS */
static int plain_problem(lua_State *L) {
  lua_settop(L, 2);
  lua_newtable(L);
  if (!lua_isnil(L, 2)) {
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, "allow");
  }
  push_problem(L, (int)luaL_checkinteger(L, 1));
  set_headers(L, 3);
  return 1;
}

/* native.report(err): logs it when it is the server's own fault */
static int report(lua_State *L) {
  pl_api_report(L, pl_call_current(L), 1);
  return 0;
}

/* native.keep_copy_headers(fn): response.lua's way to make headers, for set_headers above */
static int keep_copy_headers(lua_State *L) {
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "perilune.copy_headers");
  return 0;
}

/* native.enter_call(): counts the nesting of req:call in the running task */
static int enter_call(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  if (!task || ++task->call_depth > DEEPEST_CALL)
    return luaL_error(L, "req:call: calls are nested more than %d deep", DEEPEST_CALL);
  return 0;
}

/* native.is_cancelled() -> whether the running task is */
static int is_cancelled(lua_State *L) {
  struct pl_task *task = pl_task_current(L);
  lua_pushboolean(L, task && task->cancelled);
  return 1;
}

static const luaL_Reg functions[] = {{"suggest", suggest},
                                     {"parse_time", parse_time},
                                     {"parse_size", parse_size},
                                     {"mime", mime},
                                     {"content_disposition", content_disposition},
                                     {"set_cookie", set_cookie},
                                     {"problem_of", problem_of},
                                     {"plain_problem", plain_problem},
                                     {"report", report},
                                     {"keep_copy_headers", keep_copy_headers},
                                     {"enter_call", enter_call},
                                     {"is_cancelled", is_cancelled},
                                     {"scope", pl_task_run_scope},
                                     {"spawn_in", pl_task_spawn_in},
                                     {"on_error", pl_value_on_error},
                                     {"open_file", pl_api_open_file},
                                     {"channel", pl_named_channel},
                                     {"topic", pl_topic},
                                     {"schema", pl_api_schema},
                                     {NULL, NULL}};

// The modules that are fields of `perilune`.
static void push_module_names(lua_State *L) {
  static const char *const names[] = {"json", "log", "response", "task"};
  lua_newtable(L);
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, names[i]);
  }
}

int pl_api_native_open(lua_State *L) {
  const struct pl_api_context *context = pl_api_context(L);
  luaL_newlib(L, functions);
  luaL_newmetatable(L, "perilune.Response");
  lua_setfield(L, -2, "response_metatable");
  lua_getfield(L, LUA_REGISTRYINDEX, "perilune.request_methods");
  lua_setfield(L, -2, "request_methods");
  push_module_names(L);
  lua_setfield(L, -2, "modules");
  lua_pushinteger(L, context->worker_index);
  lua_setfield(L, -2, "worker_index");
  lua_pushinteger(L, context->worker_count);
  lua_setfield(L, -2, "worker_count");
  lua_pushliteral(L, PL_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}
