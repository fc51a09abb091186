/// string.rep and string.format: see strings.h.
#pragma once

#include <lua.h>

/// string.rep(s, n [, separator])
int pl_string_rep(lua_State *L);

/// string.format(format, ...). Upvalue 1: the stock function.
int pl_string_format(lua_State *L);
