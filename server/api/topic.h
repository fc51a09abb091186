/// Topics between workers (userdata "perilune.Topic": publish, subscribe) and their subscriptions
/// (userdata "perilune.Subscription": receive, try_receive, each, close and #).
#pragma once

#include <lua.h>

/// perilune.topic(name)
int pl_topic(lua_State *L);
