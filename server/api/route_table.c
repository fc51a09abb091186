// Reading the compiled app into C: patterns into routers, functions into registry references,
// options into numbers.
#include "api/route_table.h"

#include <lauxlib.h>

#include "base/error.h"
#include "config/config.h"

void pl_route_table_init(struct pl_route_table *table) {
  *table = (struct pl_route_table){.start = LUA_NOREF, .stop = LUA_NOREF, .finish = LUA_NOREF};
  pl_arena_init(&table->arena, NULL, 0);
}

void pl_route_table_deinit(struct pl_route_table *table) {
  if (table->routes.router) pl_router_free(table->routes.router);
  if (table->statics.router) pl_router_free(table->statics.router);
  pl_arena_reset(&table->arena);
}

static void *take(lua_State *L, struct pl_route_table *table, size_t size) {
  void *memory = pl_arena_alloc(&table->arena, size ? size : 1);
  if (!memory) luaL_error(L, "not enough memory");
  memset(memory, 0, size);
  return memory;
}

// A copy of the string field `name` of the table on top of the stack; NULL when it is nil.
static const char *copy_field(lua_State *L, struct pl_route_table *table, const char *name) {
  struct pl_strv text;
  const char *copy = NULL;
  if (lua_getfield(L, -1, name) == LUA_TSTRING) {
    text.data = lua_tolstring(L, -1, &text.len);
    copy = pl_arena_copy(&table->arena, text);
    if (!copy) luaL_error(L, "not enough memory");
  }
  lua_pop(L, 1);
  return copy;
}

// A reference to the function field `name`; LUA_NOREF when it is nil.
static int ref_field(lua_State *L, const char *name) {
  if (lua_getfield(L, -1, name) != LUA_TNIL) return luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pop(L, 1);
  return LUA_NOREF;
}

// A function that declares no parameter cannot see the request, so none is made for it.
static bool handler_wants_request(lua_State *L) {
  lua_Debug ar;
  lua_getfield(L, -1, "handler");
  lua_getinfo(L, ">u", &ar);
  return ar.nparams > 0 || ar.isvararg;
}

// ---- options ----

static uint64_t option_number(lua_State *L, const char *name, uint64_t standard, uint64_t lifted) {
  uint64_t value = standard;
  int type = lua_getfield(L, -1, name);
  if (type == LUA_TNUMBER) value = (uint64_t)lua_tointeger(L, -1);
  if (type == LUA_TBOOLEAN) value = lifted;
  lua_pop(L, 1);
  return value;
}

// A limit is of no use where nothing measures.
static uint64_t option_cpu(lua_State *L, const struct pl_config *config, const char *where) {
  enum { NS_PER_MS = 1000000 };
  bool is_measured = config->limits_slice_ms || config->limits_cpu_ms || config->limits_stall_ms;
  if (lua_getfield(L, -1, "cpu") == LUA_TNUMBER && !is_measured) {
    luaL_error(L,
               "%s: the option cpu has no effect while limits.slice, limits.cpu and "
               "limits.stall are all false",
               where);
  }
  lua_pop(L, 1);
  uint64_t ms = option_number(L, "cpu", 0, UINT64_MAX);
  return ms > UINT64_MAX / NS_PER_MS ? UINT64_MAX : ms * NS_PER_MS;
}

// `false`, the option's or the configuration's, is no limit at all.
static size_t option_memory(lua_State *L, const struct pl_config *config) {
  uint64_t bytes =
      option_number(L, "memory", config->limits_request_memory_bytes, PL_CONFIG_UNBOUNDED);
  return bytes == PL_CONFIG_UNBOUNDED ? 0 : (size_t)bytes;
}

static void read_options(lua_State *L, const struct pl_config *config, struct pl_route *route) {
  lua_getfield(L, -1, "options");
  route->cpu_limit_ns = option_cpu(L, config, route->where);
  route->timeout_ms = option_number(L, "timeout", config->timeouts_request_ms, 0);
  route->body_limit = option_number(L, "body", config->limits_body_bytes, UINT64_MAX);
  route->memory_limit = option_memory(L, config);
  route->in_flight_limit = option_number(L, "in_flight", 0, 0);
  lua_getfield(L, -1, "half_close");
  route->half_close = lua_toboolean(L, -1);
  lua_getfield(L, -2, "body");
  route->body_is_unlimited = lua_isboolean(L, -1);
  lua_pop(L, 3);
}

// ---- routes ----

// stack: ..., route. "GET" or "GET|POST"; "ANY" when it is all of them.
static unsigned read_methods(lua_State *L, struct pl_route_table *table, struct pl_route *route) {
  unsigned mask = 0;
  luaL_Buffer b;
  lua_getfield(L, -1, "methods");
  int list = lua_gettop(L);
  luaL_buffinit(L, &b);
  for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
    struct pl_strv name;
    enum pl_method method;
    name.data = lua_tolstring(L, -1, &name.len);
    if (pl_method_parse(name, &method)) mask |= 1u << method;
    lua_pop(L, 1);
    if (i > 1) luaL_addchar(&b, '|');
    struct pl_strv known = pl_method_name(method);
    luaL_addlstring(&b, known.data, known.len);
  }
  lua_pop(L, 1);
  luaL_pushresult(&b);
  struct pl_strv text;
  text.data = lua_tolstring(L, -1, &text.len);
  route->method_text = mask == PL_METHODS_ALL ? "ANY" : pl_arena_copy(&table->arena, text);
  if (!route->method_text) luaL_error(L, "not enough memory");
  lua_settop(L, list - 1);
  return mask;
}

static void name_captures(lua_State *L, struct pl_route_table *table, struct pl_route_list *list,
                          uint32_t number) {
  struct pl_route *route = &list->items[number];
  size_t count = pl_router_capture_count(list->router, number);
  struct pl_strv *names = take(L, table, count * sizeof *names);
  for (size_t i = 0; i < count; i++) {
    struct pl_strv name = pl_router_capture_name(list->router, number, i);
    names[i] = pl_strv(pl_arena_copy(&table->arena, name), name.len);
    if (!names[i].data) luaL_error(L, "not enough memory");
  }
  route->capture_names = names;
  route->capture_count = count;
}

static void refuse_pattern(lua_State *L, const struct pl_route_list *list,
                           const struct pl_route *route, const struct pl_route_problem *problem) {
  if (!problem->text) luaL_error(L, "not enough memory");
  if (problem->is_conflict) {
    const struct pl_route *earlier = &list->items[problem->earlier];
    lua_pushfstring(L, "%s: %s %s is the same pattern as %s %s of %s", route->where,
                    route->method_text, route->pattern, earlier->method_text, earlier->pattern,
                    earlier->where);
  } else {
    lua_pushfstring(L, "%s: %s %s: %s", route->where, route->method_text, route->pattern,
                    problem->text);
  }
  lua_error(L);
}

// stack: ..., route
static void read_route(lua_State *L, const struct pl_config *config, struct pl_route_table *table,
                       struct pl_route_list *list) {
  struct pl_route *route = &list->items[list->count];
  route->pattern = copy_field(L, table, "pattern");
  route->where = copy_field(L, table, "where");
  route->places = copy_field(L, table, "places");
  route->name = copy_field(L, table, "name");
  unsigned methods = read_methods(L, table, route);
  read_options(L, config, route);
  pl_lane_init(&route->lane);
  route->wants_request = handler_wants_request(L);
  route->handler = ref_field(L, "handler");
  route->on_error = ref_field(L, "on_error");
  uint32_t number = 0;
  struct pl_route_problem problem = {0};
  if (pl_router_add(list->router, methods, pl_strv_of(route->pattern), &number, &problem))
    refuse_pattern(L, list, route, &problem);
  list->count++;
  name_captures(L, table, list, number);
}

// stack: ..., app
static void read_list(lua_State *L, const struct pl_config *config, struct pl_route_table *table,
                      const char *field, struct pl_route_list *list) {
  list->router = pl_router_new();
  if (!list->router) luaL_error(L, "not enough memory");
  lua_getfield(L, -1, field);
  list->items = take(L, table, lua_rawlen(L, -1) * sizeof *list->items);
  for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
    read_route(L, config, table, list);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

static void read_fallbacks(lua_State *L, const struct pl_config *config,
                           struct pl_route_table *table) {
  lua_getfield(L, -1, "fallbacks");
  table->fallbacks = take(L, table, lua_rawlen(L, -1) * sizeof *table->fallbacks);
  for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
    struct pl_fallback *fallback = &table->fallbacks[table->fallback_count++];
    const char *prefix = copy_field(L, table, "prefix");
    fallback->prefix = pl_strv_of(prefix);
    fallback->route = (struct pl_route){.wants_request = true,
                                        .method_text = "",
                                        .pattern = prefix,
                                        .where = "not_found",
                                        .timeout_ms = config->timeouts_request_ms,
                                        .body_limit = config->limits_body_bytes};
    fallback->route.handler = ref_field(L, "handler");
    fallback->route.on_error = ref_field(L, "on_error");
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

void pl_route_table_read(lua_State *L, const struct pl_config *config,
                         struct pl_route_table *table) {
  luaL_checkstack(L, 16, NULL);
  read_list(L, config, table, "routes", &table->routes);
  read_list(L, config, table, "statics", &table->statics);
  read_fallbacks(L, config, table);
  lua_getfield(L, -1, "finish");
  table->has_finish = lua_rawlen(L, -1) > 0;
  lua_pop(L, 1);
  table->start = ref_field(L, "start");
  table->stop = ref_field(L, "stop");
  table->finish = ref_field(L, "finish");
}

static bool covers(struct pl_strv prefix, struct pl_strv path) {
  if (prefix.len > path.len || memcmp(prefix.data, path.data, prefix.len) != 0) return false;
  return prefix.len == path.len || prefix.len == 0 || path.data[prefix.len] == '/';
}

struct pl_fallback *pl_route_table_fallback(const struct pl_route_table *table,
                                            struct pl_strv path) {
  struct pl_fallback *best = NULL;
  for (size_t i = 0; i < table->fallback_count; i++) {
    struct pl_fallback *f = &table->fallbacks[i];
    if (covers(f->prefix, path) && (!best || f->prefix.len >= best->prefix.len)) best = f;
  }
  return best;
}
