/// Constants of the built-in types: vec3.up. One frozen value each in a state, made when it is
/// first asked for.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/suggest.h"
#include "geometry/layout.h"

struct pl_type;

/// Pushes the type's constant of that name, and has T keep it. Returns: whether there is one; else
/// nothing is pushed.
bool pl_constants_push(lua_State *L, const struct pl_type *type, struct pl_strv name);

/// Offers the names of the type's constants.
void pl_constants_offer(const struct pl_layout *layout, struct pl_suggest *suggest);
