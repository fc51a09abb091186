/// A Lua value on its way to another state: what a cell of the hub holds.
///
/// nil, booleans, numbers, strings, json.null, and tables of these, to any depth up to
/// PL_PARCEL_DEPTH_MAX, as a copy in a compact form. Tables are read raw: no Lua code runs. One
/// that stands in two places arrives as two; one that json.array has marked arrives marked.
///
/// Thread: packing and unpacking are their states'; a parcel is freed on any thread.
#pragma once

#include <lua.h>
#include <stddef.h>

#include "io/cell.h"

enum { PL_PARCEL_DEPTH_MAX = 128 };

struct pl_parcel {
  struct pl_cell cell;
  size_t size;  ///< of data, bytes
  char data[];
};

/// Makes a parcel of the value at `index`. Raises, naming the place ("channel:send: $.a[3]: a
/// function cannot be sent"), what cannot cross, and a value that would hold more than a request
/// may; also when there is no memory, or the hub's budget is used up. Nothing is left behind then.
/// Returns: a letter with it, the caller's.
/// @param operation "channel:send"
struct pl_letter *pl_parcel_pack(lua_State *L, int index, const char *operation);

/// Pushes the value, made anew; the cell stays as it is. May raise out of memory.
void pl_parcel_unpack(lua_State *L, const struct pl_cell *cell);
