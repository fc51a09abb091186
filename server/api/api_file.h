/// Files as answers.
#pragma once

#include <lua.h>

struct pl_call;
struct pl_response;

/// Sends the opened file (userdata "perilune.File") at `index`: conditional and range requests are
/// evaluated here, when the status is 200. head->headers are what the worker's header_lines hold:
/// more lines are appended there.
int pl_api_send_file(lua_State *L, struct pl_call *call, int index, const struct pl_response *head);
