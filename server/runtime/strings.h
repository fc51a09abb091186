/// string.find, match, gmatch, gsub, rep, format and table.concat: as in stock Lua 5.4, but
/// bounded, since they are C functions, which no hook can interrupt. Matching counts steps
/// (pattern.h); what builds a string raises when its size is more than the memory left
/// (string_room.h).
#pragma once

#include <lua.h>

/// Replaces those functions in the tables `string` and `table`, which are open. May raise out of
/// memory: call it protected.
void pl_strings_open(lua_State *L);
