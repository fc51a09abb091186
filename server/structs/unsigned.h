/// Lua integers as unsigned 64-bit ones: struct.u64.tostring, divide, remainder, compare, parse.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

struct pl_type;

/// Adds them to the members of u64.
void pl_unsigned_fill(lua_State *L, struct pl_type *type);
