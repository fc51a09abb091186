/// A struct as the numbers in it, in field order, nested ones and fixed arrays flattened: what
/// v:get(), arr:get(i), arr:each() return and v:set(...), T(...) take.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "geometry/layout.h"
#include "geometry/span.h"

/// More than so many values do not fit a call: pl_scalars_push raises.
enum { PL_SCALARS_MAX = 240 };

/// How many there are.
size_t pl_scalars_count(const struct pl_layout *layout);

/// Pushes them. Returns how many. 0 allocations, but for enums and decimals.
int pl_scalars_push(lua_State *L, const struct pl_layout *layout, const char *at);

/// The same for element i of an array, AoS or SoA.
int pl_scalars_push_element(lua_State *L, const struct pl_span *span, size_t i);

/// Stores the values from stack index `first` on as element i: exactly as many as there are, all or
/// none. Raises naming the field, and when there are too few or too many (`given`).
void pl_scalars_store_element(lua_State *L, int first, int given, const struct pl_span *span,
                              size_t i);
