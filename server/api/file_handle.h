/// The userdata "perilune.File": an opened file on its way into an answer.
#pragma once

#include <lua.h>

struct pl_file;

/// native.open_file(path [, root]) -> "perilune.File" or nil, message, code. Waits.
int pl_api_open_file(lua_State *L);

/// Takes the open file out of the handle at `index`; the caller owns its reference then. Raises
/// when the handle is something else, or when its file was taken already: one is sent once.
struct pl_file *pl_file_handle_take(lua_State *L, int index);
