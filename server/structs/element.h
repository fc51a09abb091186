/// One element of an array as a Lua value: a view of a struct, a scalar's or an enum's value.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "geometry/span.h"
#include "structs/array.h"

struct pl_type;

/// Pushes element i (from 0, within the array) of the array at `index`: a view that writes through;
/// a scalar's value; of an array in columns a frozen copy.
void pl_element_push(lua_State *L, int index, struct pl_type *type, size_t i);

/// Stores the Lua value at `value` as element i: a struct, a table, a scalar. Raises as
/// pl_field_store_struct.
void pl_element_store(lua_State *L, int value, const struct pl_span *span, size_t i);

/// The bytes of element i, gathered into `to` (layout->size bytes), or scattered from `from`.
void pl_element_load(const struct pl_span *span, size_t i, char *to);
void pl_element_save(const struct pl_span *span, size_t i, const char *from);

/// Copies all elements of `from` to `to`, which has room for as many: of the same layout, or of one
/// that from's is derived from. They do not overlap.
void pl_element_copy_all(const struct pl_span *to, const struct pl_span *from);
