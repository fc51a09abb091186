/// The list of modules, and their registration.
#pragma once

#include <lua.h>

/// Registers every module in package.preload: C modules by their tables, Lua modules from what is
/// compiled in. Raises out of memory: call it protected.
void pl_api_open(lua_State *L);
