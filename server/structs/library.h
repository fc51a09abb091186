/// Everything of structs/ in one Lua state.
#pragma once

#include <lua.h>

#include "base/account.h"
#include "geometry/layout.h"

struct pl_loop;

/// Opens it. Once per state, before any script. May raise out of memory.
/// @param account where the bytes that scripts hold are counted, or NULL
/// @param loop of the thread pool that long calls run on; NULL: they run where they are called
void pl_structs_open(lua_State *L, struct pl_layouts *layouts, struct pl_account *account,
                     struct pl_loop *loop);
