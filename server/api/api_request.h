/// The request object as scripts see it: its fields and methods.
#pragma once

#include <lua.h>

/// Installs the request object's metatable and the table of live ones. Once per state.
void pl_api_request_open(lua_State *L);
