/// Channels between workers (userdata "perilune.NamedChannel"): send, try_send, receive,
/// try_receive, close, each and #, as channels of tasks have them.
#pragma once

#include <lua.h>

/// perilune.channel(name [, {capacity = n}])
int pl_named_channel(lua_State *L);
