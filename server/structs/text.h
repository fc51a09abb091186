/// What tostring makes of a struct: "vec3(1, 2, 3)", "ray(vec3(0, 0, 0), vec3(0, 0, 1))".
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/layout.h"

/// Pushes it. Numbers are as short as reads back the same; of a long fixed array only the first
/// elements are shown.
void pl_text_push(lua_State *L, const struct pl_layout *layout, const char *at);

/// The same of a fixed array: "{1, 2, 3}". @param field its type and count are looked at
void pl_text_push_array(lua_State *L, const struct pl_field *field, const char *at);
