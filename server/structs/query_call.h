/// What scene, zones and nearest have in common: arrays as arguments, a destination, and a call
/// that may run on the thread pool.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "base/bytes.h"
#include "structs/operand.h"

/// The array at `index`, whose elements are of one of the builtin layouts in `wanted` (ends with
/// PL_BUILTIN_NONE); a list of tables or structs is made into an array of the first, which replaces
/// it on the stack. Raises naming what is wanted.
void pl_query_call_array(lua_State *L, int index, const enum pl_builtin *wanted,
                         struct pl_operand *operand);

/// The destination at `index`: an array of `count` elements of that layout; nil: a new one, which
/// is put there. Raises when it lies over any of the `used` bytes.
void pl_query_call_dst(lua_State *L, int index, const struct pl_layout *layout, size_t count,
                       const struct pl_bytes *used, struct pl_operand *dst);
