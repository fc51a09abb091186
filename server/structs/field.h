/// From Lua values to the bytes of a struct and back: scalars, enums, nested structs, fixed arrays,
/// tables.
///
/// Pushing may run a finaliser, which may take bytes away: all of `at` is read before that. Storing
/// allocates nothing, runs nothing of a script, and writes all or nothing.
///
/// A table is read without metamethods. Fields are by name or by position, not both. By name: what
/// is left out becomes 0, and a name that the struct has not is an error. By position: all fields,
/// or, where all scalars are of one kind, all of those. A fixed array takes a list, or an array, of
/// exactly as many elements; one of bytes a string, too, and what that leaves out is 0.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/layout.h"
#include "structs/scalar.h"

/// Pushes what is at `at` as Lua sees it: a number, a boolean, an enum's value, a dec128; a nested
/// struct is a new owned copy, a fixed array a table.
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
/// table, nested to any depth. Raises naming the path ("Shot.hits[3].t").
void pl_field_store_struct(lua_State *L, int index, const struct pl_layout *layout, char *at);

/// Parts of the above for who puts a struct together: writes in place, so that part of it may be
/// written when it raises. @param index absolute
void pl_field_lay(lua_State *L, int index, const struct pl_field *field, char *at,
                  const struct pl_path *up);
void pl_field_lay_value(lua_State *L, int index, const struct pl_layout *layout, bool is_finite,
                        char *at, const struct pl_path *path);

/// Pushes a table (fields by name; a vector's, too) of a struct's values, to any depth.
void pl_field_push_table(lua_State *L, const struct pl_layout *layout, const char *at);

/// The same into the table at `table`; tables that it has where a struct or an array goes are
/// filled, too.
void pl_field_fill_table(lua_State *L, int table, const struct pl_layout *layout, const char *at);
