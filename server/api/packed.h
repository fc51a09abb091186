/// Structs, arrays and bytes on their way out: from where they are, without a copy, or in one piece
/// when they are not.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>

#include "base/strv.h"
#include "http/exchange.h"

struct pl_call;
struct pl_operand;

/// What is handed to the carrier.
struct pl_packed {
  struct pl_strv text;
  struct pl_hold hold;  ///< .bytes is NULL when the text lies in a Lua object: it has to be copied
};

/// The bytes of the operand at stack index `index`, one element behind the other. Those in a box
/// are held (box_hold.h) until they have been sent; strided and SoA ones are gathered in a new box.
/// May raise. Then hand it to one operation of the carrier, and call pl_packed_release: nothing
/// that raises may come between.
void pl_packed_take(lua_State *L, const struct pl_call *call, int index,
                    const struct pl_operand *operand, struct pl_packed *packed);

/// @param result of the operation: 0 and PL_EAGAIN say that the carrier has it
void pl_packed_release(const struct pl_packed *packed, int result);
