/// T(...): a struct from the arguments of a call.
///
///   T()                        zeros
///   T(1, 2, 3)                 all scalars in the fields' order, nested ones too
///   T{x = 1}  T{1, 2, 3}       one table (field.h)
///   T(v)                       one of the same type, or derived from it: a copy; one of another
///                              type with the same fields: converted (conversion.h)
///   vec4(v3, w)  Shot(t, uv)   numbers, vectors that stand for their numbers, and values, tables
///                              or lists for whole fields, mixed
///
/// Thread: the state's. Nothing is allocated, but for an error's text.
#pragma once

#include <lua.h>

#include "geometry/layout.h"

/// Lays the arguments from stack index `first` to `last` into the bytes at `at`, which are all
/// zero. Raises naming the field when something does not fit, or is missing, or is too much.
void pl_construct(lua_State *L, int first, int last, const struct pl_layout *layout, char *at);

/// The same over any bytes, all or nothing.
void pl_construct_over(lua_State *L, int first, int last, const struct pl_layout *layout, char *at);
