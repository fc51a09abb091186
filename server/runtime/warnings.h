/// Lua's warnings: errors in finalisers, and what scripts say with warn(). They come in pieces and
/// go to host.warn as whole lines. warn("@off") and warn("@on") do what Lua's manual says; they are
/// on from the start.
#pragma once

#include <lua.h>

/// From now on the vm's warnings go to host.warn.
void pl_warnings_open(lua_State *L);
