/// Where in nested tables a walk is, and the text that names it: $.items[3].price
///
/// Thread: the state's.
#pragma once

#include <lua.h>

/// An open table, on the C stack of who walks through it.
struct pl_place {
  const struct pl_place *outer;  ///< NULL: the value that the walk began with
  const void *table;             ///< lua_topointer
  int depth;                     ///< 1 for the outermost
  int key;                       ///< absolute stack index of the key that the walk is at
};

/// Pushes the text of the value under `innermost`'s key; NULL: "$".
void pl_place_push(lua_State *L, const struct pl_place *innermost);

/// The table on top of the stack, which is the value at `innermost`, may be inside itself. Returns:
/// the outermost place that leads back to where the walk has been, or NULL.
const struct pl_place *pl_place_find_cycle(lua_State *L, const struct pl_place *innermost);
