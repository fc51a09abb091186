/// Decimals of 34 digits as Lua values: never change, have operators, and take numbers and texts as
/// their other operand.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/layout.h"

struct pl_type;

/// Pushes the decimal whose 16 bytes are at `at`.
void pl_dec128_push(lua_State *L, const char *at);

/// Pushes its text.
void pl_dec128_push_text(lua_State *L, const char *at);

/// Fills the decimals' metatables and methods.
void pl_dec128_fill(lua_State *L, struct pl_type *type);
