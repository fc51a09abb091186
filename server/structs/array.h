/// Arrays as Lua objects: elements of one type in a box, dense or strided (AoS), or one column per
/// scalar (SoA).
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "geometry/layout.h"
#include "geometry/span.h"

struct pl_box;
struct pl_type;

/// An array's userdata; its one user value is the box.
struct pl_array {
  struct pl_box *box;
  size_t offset;  ///< of the first element, or of its first scalar (SoA)
  size_t count;
  size_t stride;  ///< as pl_span's
  size_t column;  ///< as pl_span's; 0: AoS
};

/// Pushes an array over the box at `holder`. Raises when it does not lie within it.
/// @param stride bytes; 0: the type's size
void pl_array_push(lua_State *L, int holder, struct pl_type *type, size_t offset, size_t count,
                   size_t stride);

/// Pushes a new array of `count` zeros, AoS, and returns its span. Raises out of memory, and when
/// that is more than the request's or the worker's memory allows.
struct pl_span pl_array_push_new(lua_State *L, struct pl_type *type, size_t count);

/// The same with one column for each scalar (SoA); for types whose scalars are all of one kind.
struct pl_span pl_array_push_new_columns(lua_State *L, struct pl_type *type, size_t count);

/// The array at `index` of that type (NULL: of any); raises when it is none. Its bytes may have
/// moved away.
struct pl_array *pl_array_check(lua_State *L, int index, const struct pl_type *type);

/// Where its elements are. Raises "stale view".
struct pl_span pl_array_span(lua_State *L, const struct pl_array *array,
                             const struct pl_layout *layout);

/// Pushes an array of `type` that lies within the one at `index`, over the same bytes.
void pl_array_push_part(lua_State *L, int index, struct pl_type *type, size_t offset, size_t count,
                        size_t stride, size_t column);
