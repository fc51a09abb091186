/// What scripts do with an array: arr[i], #arr, get, set, at, each, views, slice and the like. The
/// verbs on its elements are methods.h's.
#pragma once

#include <lua.h>

struct pl_type;

/// Fills the type's array metatable, and its table of array methods.
void pl_array_object_fill(lua_State *L, struct pl_type *type);
