/// Scenes, zones, polygons and indices of points as Lua objects: immutable, counted by reference,
/// so that a call on the thread pool holds one of its own.
///
/// Thread: the state's.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/// What there is of one kind.
struct pl_query_kind {
  const char *type;  ///< of its metatable, "perilune.Scene"
  void *(*ref)(void *what);
  void (*unref)(void *what);  ///< NULL is allowed
  size_t (*bytes)(const void *what);
};

/// Makes the kind's metatable with those methods. Once per state.
void pl_query_object_open(lua_State *L, const struct pl_query_kind *kind, const luaL_Reg *methods);

/// Pushes an object that has nothing yet: made first, so that nothing is lost when memory is short.
void pl_query_object_push(lua_State *L, const struct pl_query_kind *kind);

/// Gives the object at `index` what it holds from now on, and counts its bytes in the worker's
/// memory. Takes over the reference.
void pl_query_object_set(lua_State *L, int index, const struct pl_query_kind *kind, void *what);

/// What the object at `index` holds; raises when it is none of the kind.
void *pl_query_object_check(lua_State *L, int index, const struct pl_query_kind *kind);

/// The same, or NULL when it is none.
void *pl_query_object_get(lua_State *L, int index, const struct pl_query_kind *kind);
