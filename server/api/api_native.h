/// perilune.native: C functions for the Lua half of the library.
#pragma once

#include <lua.h>

/// Loader of the module (lua_CFunction): pushes its table.
int pl_api_native_open(lua_State *L);
