/// table.concat: see strings.h.
#pragma once

#include <lua.h>

/// table.concat(list [, separator [, i [, j]]])
int pl_table_concat(lua_State *L);
