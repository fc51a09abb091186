/// What a value that is being packed refers to outside its tables: the boxes of its arrays, and
/// layouts. A Lua table that is made with the first of them; each has a number, from 1.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pl_box;
struct pl_layout;

struct pl_parcel_refs {
  lua_State *L;
  int index;  ///< absolute stack index of the table, nil before there is one
  uint32_t box_count;
  uint32_t layout_count;
  size_t bytes;  ///< of all boxes
};

/// Returns: the box's number; 0: it is new and `adds` is false. May raise out of memory.
/// @param box_index where its userdata is on the stack
uint32_t pl_parcel_refs_box(struct pl_parcel_refs *refs, int box_index, struct pl_box *box,
                            bool adds);
uint32_t pl_parcel_refs_layout(struct pl_parcel_refs *refs, const struct pl_layout *layout,
                               bool adds);

/// The box of that number in the table at `index`.
struct pl_box *pl_parcel_refs_box_at(lua_State *L, int index, uint32_t number);
const struct pl_layout *pl_parcel_refs_layout_at(const struct pl_parcel_refs *refs,
                                                 uint32_t number);
