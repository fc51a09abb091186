/// What scene, zones and nearest have in common: arrays as arguments, a destination, and a call
/// that may run on the thread pool.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "base/bytes.h"
#include "structs/operand.h"

/// Sees to it that an array is at `index` whose elements are of one of the builtin layouts in
/// `wanted` (ends with PL_BUILTIN_NONE), or derived from one: a list of tables or structs is made
/// into an array of the first. Raises naming what is wanted.
/// @param what the list's name in a table of options; NULL: it is an argument
void pl_query_call_want(lua_State *L, int index, const char *what, const enum pl_builtin *wanted);

/// The array that is there. An address holds until the next allocation: look behind the last one.
void pl_query_call_see(lua_State *L, int index, struct pl_operand *operand);

/// A destination: stack indices of what is returned, and of the array that is written: another one
/// when the first shares bytes with what is read.
struct pl_query_dst {
  int index;
  int written;
};

/// Sees to the destination at `index`: an array of `count` elements of that layout; nil: a new one,
/// which is put there. May push one more value. Raises when it may not be written.
/// @param used the stack indices of arrays that are read, up to a 0
struct pl_query_dst pl_query_call_dst(lua_State *L, int index, const struct pl_layout *layout,
                                      size_t count, const int *used);

/// Adds the bytes of what is returned to those that the work uses, unless they are written anyway.
void pl_query_call_pin(lua_State *L, const struct pl_query_dst *dst, struct pl_bytes **bytes);

/// All is done: brings the elements to where they belong.
void pl_query_call_done(lua_State *L, const struct pl_query_dst *dst);
