/// string.gsub: see strings.h.
#pragma once

#include <lua.h>

/// string.gsub(s, pattern, replacement [, n])
int pl_string_gsub(lua_State *L);
