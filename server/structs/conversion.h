/// Structs and arrays as those of another type whose fields have the same names
/// (geometry/convert.h), and arrays of one type that lie differently.
///
/// How two types convert is planned once for each pair in a state, and kept.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

#include "geometry/convert.h"

/// How the single struct at `index` becomes one of layout `to`. May raise out of memory.
/// Returns: NULL: there is no struct of another type there, or its fields are others.
struct pl_convert *pl_conversion_of_value(lua_State *L, int index, const struct pl_layout *to);

/// Lays the struct at `index` into the bytes at `to`, apart from its own. Raises naming the field
/// whose value does not fit; `to` has some of the fields then. Nothing is allocated otherwise.
void pl_conversion_run(lua_State *L, int index, const struct pl_convert *plan, char *to);

/// Converts all elements of the array at `from` into those of the array at `to`, as many, which may
/// lie over the same bytes. `return pl_conversion_call(L, to, from)` from a lua_CFunction: it may
/// run on the thread pool. Raises when the types do not convert, and for a value that does not fit,
/// naming its element and field; those before it are converted.
/// Returns: 1, the array at `to`.
int pl_conversion_call(lua_State *L, int to, int from);
