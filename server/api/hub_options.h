/// The arguments that channels and topics of the hub are made with.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "base/strv.h"

/// The name at stack index 1. Raises unless it is a string of 1 to PL_HUB_NAME_MAX bytes.
struct pl_strv pl_hub_options_name(lua_State *L, const char *operation);

/// The capacity of the options {capacity = n} at `index`; 0: none is given. Raises on anything else
/// than such a table or nil.
size_t pl_hub_options_capacity(lua_State *L, int index, const char *operation);

/// Raises what an error of the hub's functions says.
void pl_hub_options_raise(lua_State *L, int error, const char *operation);
