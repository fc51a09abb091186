/// A Lua value on its way to another state: what a cell of the hub holds.
///
/// nil, booleans, numbers, strings, json.null, and tables of these and of what follows, to any
/// depth up to PL_PARCEL_DEPTH_MAX, as a copy in a compact form. Tables are read raw: no Lua code
/// runs. One that stands in two places arrives as two; one that json.array has marked arrives
/// marked.
///
/// A struct is copied once, into the parcel; the receiver gets a view of that. Arrays and bytes are
/// never copied: what is frozen is shared, what move() has returned goes along, anything else is
/// refused.
///
/// Thread: packing and unpacking are their states'; a parcel is freed on any thread.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/cell.h"

struct pl_bytes;
struct pl_layout;

enum { PL_PARCEL_DEPTH_MAX = 128 };

struct pl_parcel {
  struct pl_cell cell;
  struct pl_bytes *copies;           ///< structs, one behind the other; NULL: none
  struct pl_bytes **parts;           ///< what its arrays and bytes lie in
  const struct pl_layout **layouts;  ///< of its structs and arrays
  uint32_t part_count;
  uint32_t layout_count;
  char *data;   ///< parcel_form.h
  size_t size;  ///< of data, bytes
  void *block[];
};

/// Makes a parcel of the value at `index`, and a letter with it, the caller's from then on, also
/// when this raises. Pushes one value: what pl_parcel_restore needs, or nil.
///
/// Raises, naming the place ("channel:send: $.a[3]: a function cannot be sent"), what cannot cross,
/// and a value that would hold more than a request may; also when there is no memory, or the hub's
/// budget is used up.
/// @param letter NULL at first; somewhere that survives a raise and frees it
/// @param operation "channel:send"
/// @param for_many several may receive it: what moves is frozen, and so are copies
void pl_parcel_pack(lua_State *L, int index, const char *operation, bool for_many,
                    struct pl_letter **letter);

/// What moved into the parcel moves back, as it has not been sent. @param index what pl_parcel_pack
/// has pushed
void pl_parcel_restore(lua_State *L, int index, struct pl_cell *cell);

/// A layout of the parcel whose name stands for another one, *now, in this state; or NULL.
const struct pl_layout *pl_parcel_changed(lua_State *L, const struct pl_cell *cell,
                                          const struct pl_layout **now);

/// Pushes the value, made anew; the cell stays as it is. May raise out of memory.
void pl_parcel_unpack(lua_State *L, const struct pl_cell *cell);
