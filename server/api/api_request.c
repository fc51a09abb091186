// The request object: a userdata that points to its call while the request lives, and carries what
// stays readable afterwards (id, method, path, params, ctx).
//
// Fields are made on demand and those that are tables are kept in the object's user value, so a
// handler pays for what it reads.
#include "api/api_request.h"

#include <lauxlib.h>
#include <lua.h>

#include "api/api.h"
#include "api/api_body.h"
#include "api/call.h"
#include "api/remote.h"
#include "base/error.h"
#include "config/config.h"
#include "http/cookie.h"
#include "http/headers.h"
#include "http/query.h"

#define HEADERS_TYPE "perilune.Headers"

// Fields that are answered by number; all others are methods.
enum field {
  FIELD_METHOD = 1,
  FIELD_PATH,
  FIELD_ID,
  FIELD_PARAMS,
  FIELD_CTX,
  FIELD_LAST_READABLE = FIELD_CTX,  // up to here also when the request is over
  FIELD_TARGET,
  FIELD_QUERY,
  FIELD_QUERY_STRING,
  FIELD_HEADERS,
  FIELD_COOKIES,
  FIELD_TRAILERS,
  FIELD_REMOTE,
  FIELD_REMOTE_PORT,
  FIELD_SCHEME,
  FIELD_HOST,
  FIELD_HTTP_VERSION,
  FIELD_ROUTE
};

static const struct {
  const char *name;
  enum field field;
} field_names[] = {{"method", FIELD_METHOD},
                   {"path", FIELD_PATH},
                   {"id", FIELD_ID},
                   {"params", FIELD_PARAMS},
                   {"ctx", FIELD_CTX},
                   {"target", FIELD_TARGET},
                   {"query", FIELD_QUERY},
                   {"query_string", FIELD_QUERY_STRING},
                   {"headers", FIELD_HEADERS},
                   {"cookies", FIELD_COOKIES},
                   {"trailers", FIELD_TRAILERS},
                   {"remote", FIELD_REMOTE},
                   {"remote_port", FIELD_REMOTE_PORT},
                   {"scheme", FIELD_SCHEME},
                   {"host", FIELD_HOST},
                   {"http_version", FIELD_HTTP_VERSION},
                   {"route", FIELD_ROUTE}};

static void push_view(lua_State *L, struct pl_strv s) {
  lua_pushlstring(L, s.data ? s.data : "", s.len);
}

// ---- headers ----

// The values of all fields of that name, joined by ", ".
static int push_header(lua_State *L, const struct pl_headers *headers, struct pl_strv name) {
  size_t i = pl_headers_find(headers, name, 0);
  if (i == headers->count) return 0;
  push_view(L, headers->items[i].value);
  for (;;) {
    i = pl_headers_find(headers, name, i + 1);
    if (i == headers->count) return 1;
    lua_pushliteral(L, ", ");
    push_view(L, headers->items[i].value);
    lua_concat(L, 3);
  }
}

static const struct pl_headers *headers_of(lua_State *L, int index) {
  bool *is_trailers = luaL_checkudata(L, index, HEADERS_TYPE);
  lua_getiuservalue(L, index, 1);
  struct pl_request_object *r = lua_touserdata(L, -1);
  lua_pop(L, 1);
  struct pl_request *request = &pl_call_live(L, r)->x->request;
  return *is_trailers ? &request->trailers : &request->headers;
}

static int headers_index(lua_State *L) {
  const struct pl_headers *headers = headers_of(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  struct pl_strv name;
  name.data = lua_tolstring(L, 2, &name.len);
  return push_header(L, headers, name);
}

static int headers_next(lua_State *L) {
  lua_settop(L, 2);
  return lua_next(L, 1) ? 2 : 0;
}

// A plain table of what is there, names in lower case.
static int headers_pairs(lua_State *L) {
  const struct pl_headers *headers = headers_of(L, 1);
  lua_pushcfunction(L, headers_next);
  lua_createtable(L, 0, (int)headers->count);
  for (size_t i = 0; i < headers->count; i++) {
    luaL_Buffer b;
    struct pl_strv name = headers->items[i].name;
    char *to = luaL_buffinitsize(L, &b, name.len);
    for (size_t k = 0; k < name.len; k++)
      to[k] = (char)(name.data[k] >= 'A' && name.data[k] <= 'Z' ? name.data[k] + 32 : name.data[k]);
    luaL_pushresultsize(&b, name.len);
    push_header(L, headers, name);
    lua_rawset(L, -3);
  }
  return 2;
}

static void push_headers(lua_State *L, bool trailers) {
  bool *is_trailers = lua_newuserdatauv(L, sizeof *is_trailers, 1);
  *is_trailers = trailers;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, HEADERS_TYPE);
}

// ---- fields that are tables ----

// The first value of each name wins.
static void push_pairs(lua_State *L, const struct pl_pairs *pairs) {
  lua_createtable(L, 0, (int)pairs->count);
  for (size_t i = pairs->count; i-- > 0;) {
    push_view(L, pairs->items[i].name);
    push_view(L, pairs->items[i].value);
    lua_rawset(L, -3);
  }
}

static struct pl_pairs parse_query(lua_State *L, struct pl_call *call) {
  struct pl_pairs pairs = {0};
  size_t max = pl_api_context(L)->config->limits_query;
  int error = pl_query_parse(call->x->request.raw_query, max, &call->x->arena, &pairs);
  if (error)
    pl_call_raise(L, 400,
                  error == PL_ELIMIT ? "the query has more keys than limits.query"
                                     : "the query is not properly encoded");
  return pairs;
}

static struct pl_pairs parse_cookies(lua_State *L, struct pl_call *call) {
  struct pl_pairs pairs = {0};
  size_t max = pl_api_context(L)->config->limits_cookies;
  if (pl_cookies_parse(&call->x->request.headers, max, &call->x->arena, &pairs))
    pl_call_raise(L, 400, "there are more cookies than limits.cookies");
  return pairs;
}

static void push_params(lua_State *L, const struct pl_request_object *r) {
  size_t count = r->route ? r->route->capture_count : 0;
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++) {
    push_view(L, r->route->capture_names[i]);
    push_view(L, r->captures[i]);
    lua_rawset(L, -3);
  }
}

static void make_table_field(lua_State *L, struct pl_request_object *r, enum field field) {
  struct pl_pairs pairs;
  switch (field) {
  case FIELD_PARAMS:
    push_params(L, r);
    return;
  case FIELD_QUERY:
    pairs = parse_query(L, r->call);
    push_pairs(L, &pairs);
    return;
  case FIELD_COOKIES:
    pairs = parse_cookies(L, r->call);
    push_pairs(L, &pairs);
    return;
  case FIELD_HEADERS:
  case FIELD_TRAILERS:
    push_headers(L, field == FIELD_TRAILERS);
    return;
  default:
    lua_newtable(L);  // ctx
  }
}

// stack: object, key. Tables are made once and kept in the object's user value, by field number.
static int push_table_field(lua_State *L, struct pl_request_object *r, enum field field) {
  if (lua_getiuservalue(L, 1, 1) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 1);
  }
  if (lua_rawgeti(L, -1, field) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  make_table_field(L, r, field);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, field);
  return 1;
}

// ---- fields ----

static int push_remote(lua_State *L, struct pl_call *call, enum field field) {
  struct pl_remote remote;
  pl_remote_of(call->x, pl_api_context(L)->config, &remote);
  switch (field) {
  case FIELD_REMOTE:
    lua_pushstring(L, remote.address);
    break;
  case FIELD_REMOTE_PORT:
    lua_pushinteger(L, remote.port);
    break;
  case FIELD_SCHEME:
    lua_pushstring(L, remote.is_secure ? "https" : "http");
    break;
  default:
    push_view(L, remote.host);
  }
  return 1;
}

static int push_live_field(lua_State *L, struct pl_call *call, enum field field) {
  switch (field) {
  case FIELD_TARGET:
    push_view(L, call->x->request.target);
    return 1;
  case FIELD_QUERY_STRING:
    push_view(L, call->x->request.raw_query);
    return 1;
  case FIELD_HTTP_VERSION:
    lua_pushstring(L, call->x->request.http_minor ? "1.1" : "1.0");
    return 1;
  case FIELD_ROUTE:
    if (!call->route) return 0;
    lua_pushstring(L, call->route->name ? call->route->name : call->route->pattern);
    return 1;
  default:
    return push_remote(L, call, field);
  }
}

static int push_field(lua_State *L, struct pl_request_object *r, enum field field) {
  if (field > FIELD_LAST_READABLE) pl_call_live(L, r);
  switch (field) {
  case FIELD_METHOD:
    push_view(L, pl_method_name(r->method));
    return 1;
  case FIELD_PATH:
    push_view(L, r->path);
    return 1;
  case FIELD_ID:
    push_view(L, r->id);
    return 1;
  case FIELD_PARAMS:
  case FIELD_CTX:
  case FIELD_QUERY:
  case FIELD_HEADERS:
  case FIELD_COOKIES:
  case FIELD_TRAILERS:
    return push_table_field(L, r, field);
  default:
    return push_live_field(L, r->call, field);
  }
}

// upvalue 1: name -> field number or method
static int request_index(lua_State *L) {
  struct pl_request_object *r = lua_touserdata(L, 1);
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  int type = lua_rawget(L, lua_upvalueindex(1));
  if (type != LUA_TNUMBER) return 1;
  enum field field = (enum field)lua_tointeger(L, -1);
  lua_settop(L, 2);
  return push_field(L, r, field);
}

static int request_newindex(lua_State *L) {
  return luaL_error(L, "a request's fields cannot be set (req.%s): use req.ctx for what you keep",
                    luaL_tolstring(L, 2, NULL));
}

static int request_tostring(lua_State *L) {
  struct pl_request_object *r = luaL_checkudata(L, 1, PL_REQUEST_TYPE);
  struct pl_strv method = pl_method_name(r->method);
  lua_pushlstring(L, method.data, method.len);
  lua_pushliteral(L, " ");
  push_view(L, r->path);
  lua_concat(L, 3);
  return 1;
}

// ---- methods ----

static struct pl_strv check_name(lua_State *L, int index) {
  struct pl_strv name;
  name.data = luaL_checklstring(L, index, &name.len);
  return name;
}

static int request_query_all(lua_State *L) {
  struct pl_call *call = pl_call_check(L, 1);
  struct pl_strv name = check_name(L, 2);
  struct pl_pairs pairs = parse_query(L, call);
  lua_newtable(L);
  for (size_t i = 0, n = 0; i < pairs.count; i++) {
    if (!pl_strv_eq(pairs.items[i].name, name)) continue;
    push_view(L, pairs.items[i].value);
    lua_rawseti(L, -2, (lua_Integer)++n);
  }
  return 1;
}

static int request_header_all(lua_State *L) {
  struct pl_call *call = pl_call_check(L, 1);
  struct pl_strv name = check_name(L, 2);
  const struct pl_headers *headers = &call->x->request.headers;
  lua_newtable(L);
  size_t i = pl_headers_find(headers, name, 0);
  for (lua_Integer n = 1; i < headers->count; n++) {
    push_view(L, headers->items[i].value);
    lua_rawseti(L, -2, n);
    i = pl_headers_find(headers, name, i + 1);
  }
  return 1;
}

// The exchange's own deadline ends with its answer; children that run on have one of theirs.
static uint64_t deadline_of(const struct pl_call *call) {
  if (call->x->is_answered)
    return pl_timer_is_running(&call->children_timer) ? call->children_timer.due_ms : 0;
  return call->x->ops->deadline_ms(call->x);
}

/* req:deadline() -> when the running task must be done, on task.now()'s clock; nil: never */
static int request_deadline(lua_State *L) {
  static const double ms_per_second = 1e3;
  uint64_t due_ms = deadline_of(pl_call_check(L, 1));
  uint64_t inner_ms = pl_task_current(L) ? pl_task_current(L)->deadline_ms : 0;
  if (inner_ms && (!due_ms || inner_ms < due_ms)) due_ms = inner_ms;
  if (due_ms)
    lua_pushnumber(L, (double)due_ms / ms_per_second);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg request_methods[] = {{"query_all", request_query_all},
                                           {"header_all", request_header_all},
                                           {"deadline", request_deadline},
                                           {NULL, NULL}};

void pl_api_request_open(lua_State *L) {
  pl_call_open(L);

  luaL_newmetatable(L, HEADERS_TYPE);
  lua_pushcfunction(L, headers_index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, headers_pairs);
  lua_setfield(L, -2, "__pairs");
  lua_pop(L, 1);

  luaL_newmetatable(L, PL_REQUEST_TYPE);
  luaL_newlib(L, request_methods);
  pl_api_body_open(L);
  for (size_t i = 0; i < PL_ARRAY_LEN(field_names); i++) {
    lua_pushinteger(L, field_names[i].field);
    lua_setfield(L, -2, field_names[i].name);
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "perilune.request_methods");
  lua_pushcclosure(L, request_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, request_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, request_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
