/// struct.define and struct.enum.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

/* struct.define(name, schema | list | pack format [, {base, align, methods, statics}]) -> T */
int pl_define_struct(lua_State *L);

/* struct.enum(name, scalar, {A = 1, ...} [, {flags}]) -> E */
int pl_define_enum(lua_State *L);
