/// A queue of Lua values, kept by reference in a table that is user value 1 of the userdata in
/// which the ring is embedded. Only pl_value_ring_grow allocates and may raise (or run finalisers,
/// which may use the ring), so what there is room for can be pushed where nothing may fail.
///
/// `owner` is the userdata's absolute stack index.
///
/// Thread: the state's.
#pragma once

#include <lua.h>

/// All zeros: empty.
struct pl_value_ring {
  unsigned size;   ///< places in the table, a power of two or 0
  unsigned head;   ///< place of the first value, from 0
  unsigned count;  ///< values in it
};

/// Makes the ring larger. Raises when there is no memory; nothing has changed then.
void pl_value_ring_grow(lua_State *L, int owner, struct pl_value_ring *ring);

/// Makes the value at `value` the last or the first one. There must be room. Never raises.
void pl_value_ring_push_back(lua_State *L, int owner, struct pl_value_ring *ring, int value);
void pl_value_ring_push_front(lua_State *L, int owner, struct pl_value_ring *ring, int value);

/// Takes the first value out and pushes it. There must be one. Never raises.
void pl_value_ring_pop_front(lua_State *L, int owner, struct pl_value_ring *ring);
