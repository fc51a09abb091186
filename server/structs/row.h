/// A fixed array inside a struct as a Lua object: shot.tag, m.columns. It writes through, as views
/// do; #row is the field's count for ever. It is no array that kernels take (array.h): an owned
/// struct's bytes are Lua's.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/layout.h"

/// Pushes the fixed array that the value at `index` has as that field.
void pl_row_push(lua_State *L, int index, const struct pl_field *field);
