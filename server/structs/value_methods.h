/// What every struct's value can do, whatever its type: get, set, clone, copy, totable, pack, same,
/// near, has_nan, key, freeze, ==, tostring.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

struct pl_type;

/// Adds them to the type's methods, and == and tostring to the metatables of its values.
void pl_value_methods_fill(lua_State *L, struct pl_type *type);
