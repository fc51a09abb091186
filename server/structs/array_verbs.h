/// The verbs that only arrays have (sum, aabb, lt, ...), and the operators of arrays.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

struct pl_type;

/// Adds them to the type's array methods and metatable.
void pl_array_verbs_fill(lua_State *L, struct pl_type *type);
