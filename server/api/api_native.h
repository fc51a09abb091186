/// perilune.native: C functions for the Lua half of the library.
#pragma once

#include <lua.h>

/// Loader of the module (lua_CFunction): pushes its table.
int pl_api_native_open(lua_State *L);

/// native.open_file(path [, root]) -> "perilune.File" or nil, message, code. Waits. api_file.c
int pl_api_open_file(lua_State *L);
