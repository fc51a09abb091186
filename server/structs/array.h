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
