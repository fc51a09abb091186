/// Single structs as Lua objects: owned ones and views.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "structs/view.h"

struct pl_type;

/// Pushes a new owned value. Returns: its bytes, all zero, at an address that is a multiple of 16.
char *pl_value_push_new(lua_State *L, struct pl_type *type);

/// Pushes a view of `type` that lies `offset` bytes into what is at `holder`: a box, an owned
/// value, or a view (the new one then holds what that one holds). Raises when it does not fit.
void pl_value_push_view(lua_State *L, int holder, struct pl_type *type, size_t offset);

/// Has the view at `index` look `offset` bytes into the box at `holder` from now on. 0 allocations.
void pl_value_aim_view(lua_State *L, int index, int holder, size_t offset);
