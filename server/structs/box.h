/// A Lua object that holds off-heap bytes: `bytes` of scripts, and what arrays and views lie in.
///
/// Its size counts in the worker's memory (limits.memory) and in the running request's while the
/// box holds them (a mapped file's does not); the collector frees it, or moving does at once.
///
/// Thread: the state's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct pl_task;

struct pl_box {
  char *data;              ///< bytes->data; NULL: they have moved away, every view is stale
  size_t size;             ///< bytes
  struct pl_bytes *bytes;  ///< NULL when data is
  bool is_in_transit;      ///< made by move(): sending takes its bytes away
  bool is_frozen;          ///< as bytes->is_frozen
  struct pl_task *payer;   ///< the root task of the request that it counts for, or NULL
  uint64_t payer_id;       ///< and who that must still be
  int moved_where;         ///< registry reference of "file:line", once moved; else LUA_NOREF
};

/// Pushes a box that takes over the caller's reference, also when it raises out of memory.
struct pl_box *pl_box_push(lua_State *L, struct pl_bytes *bytes);

/// The box at index when it is one, else NULL. A moved one, too.
struct pl_box *pl_box_get(lua_State *L, int index);

/// Raises "stale view: its bytes were moved at FILE:LINE" when they have moved away.
void pl_box_check(lua_State *L, const struct pl_box *box);

/// The same, and raises when they may not be written: frozen, or in use.
void pl_box_check_writable(lua_State *L, const struct pl_box *box);

/// The bytes go to the caller, who gets the box's reference; every view of them is stale from now
/// on, and says that the script's current line has moved them. Raises when they are stale,
/// in use, or held by somebody else as well and not frozen.
struct pl_bytes *pl_box_move(lua_State *L, struct pl_box *box);

/// Undoes pl_box_move: the bytes, which nobody has seen meanwhile, and their reference are the
/// box's again. Never raises.
void pl_box_restore(lua_State *L, struct pl_box *box, struct pl_bytes *bytes);

/// Another reference, for the caller. Raises when stale.
struct pl_bytes *pl_box_share(lua_State *L, struct pl_box *box);

/// Nobody may write any more, for ever. Raises when in use or stale.
void pl_box_freeze(lua_State *L, struct pl_box *box);

/// Makes the boxes' metatable, with __gc alone, and pushes it. Once per state.
void pl_box_open(lua_State *L);
