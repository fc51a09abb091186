/// Answers that are written piece by piece by a function of the script's.
#pragma once

#include <lua.h>
#include <stdbool.h>

struct pl_call;
struct pl_response;

/// Streams: the function on top of the stack is called with a writer after the head in `response`;
/// the answer ends when it returns. `is_events`: server-sent events.
int pl_api_send_stream(lua_State *L, struct pl_call *call, const struct pl_response *head,
                       bool is_events);
