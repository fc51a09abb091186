/// The request object's methods that read the body.
#pragma once

#include <lua.h>

/// Adds the body functions (body, json, form, chunks, parts, save) to the table of methods on top
/// of the stack.
void pl_api_body_open(lua_State *L);
