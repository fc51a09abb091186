/// Array methods whose result is not as long as the array: indices, select, gather, scatter,
/// sort_by; and those that queries are asked by: inside a polygon, nearest.
#pragma once

#include <lua.h>

struct pl_type;

/// Adds them to the type's array methods.
void pl_array_select_fill(lua_State *L, struct pl_type *type);
