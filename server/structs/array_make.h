/// T.array and T.soa: new arrays from a count, a list, bytes, a string, another array.
#pragma once

#include <lua.h>

struct pl_type;

/// Adds both to the type's members.
void pl_array_make_fill(lua_State *L, struct pl_type *type);
