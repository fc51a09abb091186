/// Structs, arrays and bytes on their way out: from where they are, without a copy, or in one piece
/// when they are not.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>

#include "base/strv.h"
#include "http/exchange.h"

struct pl_operand;

/// What is handed to the carrier; a reference of its own keeps the bytes.
struct pl_packed {
  struct pl_strv text;
  struct pl_hold hold;  ///< .bytes is NULL when the text lies in a Lua object: it has to be copied
};

/// The operand's bytes, one element behind the other. Dense ones in a box are pinned until they
/// have been sent, for the script: they may be read, not written. Strided and SoA ones are
/// gathered. May raise. Then hand it to one operation of the carrier, and call pl_packed_release.
void pl_packed_take(lua_State *L, const struct pl_operand *operand, struct pl_packed *packed);

/// @param result of the operation: 0 and PL_EAGAIN say that the carrier has it
void pl_packed_release(struct pl_packed *packed, int result);
