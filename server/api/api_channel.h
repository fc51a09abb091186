/// Channels between the tasks of a worker (userdata "perilune.Channel"): send, try_send, receive,
/// try_receive, close, each and #.
///
/// First come first served, on both sides: a value goes to whoever has waited longest, and nobody
/// who comes later gets it, even when its receiver has not run yet. Values are passed by reference.
#pragma once

#include <lua.h>

/// Makes the metatable. Once per state. May raise out of memory.
void pl_task_channel_open(lua_State *L);

/// perilune.task.channel([capacity])
int pl_task_channel(lua_State *L);
