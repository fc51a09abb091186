/// From what a handler returned to an answer (contract 5.3).
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/base.h"

struct pl_call;

/// Installs the pieces that response.lua needs. Once per state.
void pl_api_response_open(lua_State *L);

/// Sends the values at index `first` up to the top as the answer to call. Runs in the call's task
/// and may suspend it (a streamed body, a file): use as `return pl_api_send(L, call, first)` from
/// a C function; nothing is left to do after it. Raises what the values are to blame for.
int pl_api_send(lua_State *L, struct pl_call *call, int first);

/// Sends the built-in answer for the error object at `index`: a problem document, or HTML where the
/// client prefers it. Logs what is the server's own fault with its traceback. When an answer has
/// begun already the connection is cut. Never waits. Raises only out of memory.
void pl_api_send_error(lua_State *L, struct pl_call *call, int index);

/// Logs the error object at index when it is the server's own fault (status 500 and up).
void pl_api_report(lua_State *L, struct pl_call *call, int index);

/// Whether the value at index is a Response (response.lua's).
bool pl_api_is_response(lua_State *L, int index);
