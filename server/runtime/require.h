/// require, for modules that wait while they load: a second requirer waits for the first. It is
/// written in Lua (lua/perilune/require.lua); here are the primitives that it is given.
#pragma once

#include <lua.h>

/// Replaces the global require and the searcher for Lua files (which then takes text only). After
/// the libraries. May raise: call it protected.
void pl_require_open(lua_State *L);
