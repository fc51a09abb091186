/// Paths that scripts give: relative ones are relative to the app's folder, wherever the server was
/// started.
#pragma once

#include <lua.h>

/// Pushes the path at stack index `index`, with the app's folder in front when it is relative.
/// Returns: it; valid while it is on the stack. NULL, and nothing is pushed: it holds a NUL byte,
/// so there cannot be such a file. Raises when it is no string.
const char *pl_api_push_app_path(lua_State *L, int index);
