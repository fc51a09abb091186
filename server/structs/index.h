/// v.name and v.name = x: fields, methods, swizzles.
///
/// A type's fields are found by one look into a table that only C sees: name -> field, name ->
/// swizzle once it was asked for. Fields win over methods, which win over swizzles.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/layout.h"

struct pl_type;

/// Fills __index and __newindex of the metatables of a struct's values.
void pl_index_fill(lua_State *L, struct pl_type *type);

/// Pushes what reading a field gives a script: a scalar, an enum's value, a view of a nested
/// struct, an array over a fixed array's bytes. 0 allocations for the first two.
/// @param index absolute, of the value: owned or a view
void pl_index_push_field(lua_State *L, int index, const struct pl_field *field);
