/// The layouts of structs as text for other languages, for lua/perilune/schemas.lua.
#pragma once

#include <lua.h>

/* native.schema(name, format) -> text; nil, message when there is no such type or format */
int pl_api_schema(lua_State *L);
