/// T.get.x, T.set.x and T.path"y.z": functions that read or write one field, however deep, without
/// an object in between.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

struct pl_type;

/// Adds get, set and path to the members of a struct's type. get and set are callable, too: they
/// stand for the methods of these names.
void pl_accessor_fill(lua_State *L, struct pl_type *type);
