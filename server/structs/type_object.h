/// T as scripts use it: T(...), T.name, T.methods, T.unpack and the like.
///
/// T.x looks in this order: an enum's values, what T has itself (members: statics, functions,
/// constants once they were asked for), the functions that its values have as methods, constants.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

struct pl_type;

/// Fills the metatable that all types share. Once per state.
void pl_type_object_open(lua_State *L);

/// Adds a type's members.
void pl_type_object_fill(lua_State *L, struct pl_type *type);

/// Adds the table at `index` (name -> function) to T.methods; raises when one is no function.
void pl_type_object_add_methods(lua_State *L, const struct pl_type *type, int index);

/// Adds the table at `index` (name -> value) to what T has: a table becomes a frozen value of T, a
/// struct a frozen copy; everything else is taken as it is. @param index absolute, as above
void pl_type_object_add_statics(lua_State *L, struct pl_type *type, int index);
