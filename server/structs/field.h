/// From Lua values to the bytes of a struct and back: scalars, enums, nested structs, fixed arrays,
/// tables.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/layout.h"

/// Pushes what is at `at` as Lua sees it: a number, a boolean, an enum's value, a string for
/// dec128; a nested struct is a new owned copy, a fixed array a table.
void pl_field_push(lua_State *L, const struct pl_field *field, const char *at);

/// Stores the Lua value at `index` there. Raises naming owner, field, value and range.
/// @param owner the layout that the field is of, for the message
void pl_field_store(lua_State *L, int index, const struct pl_layout *owner,
                    const struct pl_field *field, char *at);

/// Pushes, stores one scalar or enum value. @param what "vec3.x": for the message
void pl_field_push_scalar(lua_State *L, const struct pl_layout *layout, const char *at);
void pl_field_store_scalar(lua_State *L, int index, const struct pl_layout *layout, char *at,
                           const char *what);

/// Lays the Lua value at `index` into the bytes of a `layout`: an equal or derived struct, or a
/// table by name or position, nested to any depth; fields that a table leaves out become 0. Raises
/// naming the path ("Shot.hits[3].t").
void pl_field_store_struct(lua_State *L, int index, const struct pl_layout *layout, char *at);

/// Pushes a table (fields by name; a vector's, too) of a struct's values, to any depth.
void pl_field_push_table(lua_State *L, const struct pl_layout *layout, const char *at);
