/// What a request says that its body is.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/strv.h"

struct pl_call;

/// The media type of Content-Type without its parameters; empty when there is none.
struct pl_strv pl_body_type(const struct pl_call *call);

/// application/json, or any type that ends in +json.
bool pl_body_is_json(const struct pl_call *call);

/// Pushes "application/json is expected, and the body is text/plain".
/// @param expected "application/json is"
void pl_body_push_wrong_type(lua_State *L, const struct pl_call *call, const char *expected);
