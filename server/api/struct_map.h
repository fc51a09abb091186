/// struct.map: a file's bytes where the kernel has them, frozen.
#pragma once

#include <lua.h>

/* struct.map(path) -> bytes; nil, message, code */
int pl_api_struct_map(lua_State *L);
