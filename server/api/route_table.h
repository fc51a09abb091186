/// The routes of a loaded app, from the lists that lua/perilune/compile.lua makes of it.
#pragma once

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "api/call.h"
#include "base/arena.h"
#include "base/base.h"
#include "http/router.h"

struct pl_config;

/// What answers 404 and 405 below a prefix.
struct pl_fallback {
  struct pl_strv prefix;  ///< "" for the whole app
  struct pl_route route;  ///< handler LUA_NOREF: the server's own answer will do
};

struct pl_route_list {
  struct pl_router *router;
  struct pl_route *items;  ///< by the router's numbers
  size_t count;
};

struct pl_route_table {
  struct pl_arena arena;  ///< all texts and arrays here
  struct pl_route_list routes;
  struct pl_route_list statics;  ///< static folders: asked when no route matches
  struct pl_fallback *fallbacks;
  size_t fallback_count;
  int start;  ///< registry references of arrays of functions
  int stop;
  int finish;
  bool has_finish;
};

/// All zeros but for the arena, so that deinit is safe at any time.
void pl_route_table_init(struct pl_route_table *table);

/// Reads the table on top of the stack. Raises with a text that names file:line.
void pl_route_table_read(lua_State *L, const struct pl_config *config,
                         struct pl_route_table *table);

/// Frees routers and memory; the registry references go with their state.
void pl_route_table_deinit(struct pl_route_table *table);

/// The fallback with the longest prefix that covers the path (whole segments).
struct pl_fallback *pl_route_table_fallback(const struct pl_route_table *table,
                                            struct pl_strv path);
