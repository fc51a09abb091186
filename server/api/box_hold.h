/// Answers, and pieces of streamed ones, that are sent from a box's bytes (structs/box.h): the box
/// is pinned and kept alive until they have left.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>

#include "http/exchange.h"

struct pl_call;

/// Fills in what respond and write_held need to send bytes of the box at `index`. From now on, and
/// until the last of them has left, writing to the box raises "in use by the answer to request ID".
/// Raises when it is stale, or out of memory; nothing is pinned then.
///
/// When the operation succeeds the carrier ends the hold; else pl_box_hold_drop does: nothing that
/// raises may come between.
void pl_box_hold(lua_State *L, const struct pl_call *call, int index, struct pl_hold *hold);

/// The operation that was given the hold has failed.
void pl_box_hold_drop(const struct pl_hold *hold);
