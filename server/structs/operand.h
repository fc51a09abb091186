/// What stands at a stack index, as bytes: the one way by which C gets at structs and arrays.
///
/// Thread: the state's. Pointers stay valid until the script runs again.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "geometry/layout.h"
#include "geometry/span.h"

struct pl_box;
struct pl_meta;
struct pl_type;

struct pl_operand {
  const struct pl_type *type;  ///< of the value, or of an element; NULL: plain bytes
  struct pl_span span;         ///< one value: count 1; plain bytes: layout u8, count = size
  struct pl_box *box;          ///< what it lies in; NULL: the bytes are inside a Lua object
  bool is_array;
  bool is_bytes;
  bool is_frozen;  ///< may not be written, for ever
};

/// Returns: whether there is a struct, an array or bytes at `index`. Raises "stale view" when
/// there is, but its bytes have moved away.
bool pl_operand_get(lua_State *L, int index, struct pl_operand *operand);

/// The same, for who will write there: raises also when it is frozen or in use.
bool pl_operand_get_writable(lua_State *L, int index, struct pl_operand *operand);

/// The bytes of the single value at `index`, owned or a view, when it is a `layout` or derived from
/// it; else NULL. Raises "stale view". What most operands need, at half the cost of an operand.
char *pl_operand_value(lua_State *L, int index, const struct pl_layout *layout);

/// The bytes of the single value at `index`, which `meta` says it is, for who will write there.
/// Raises as pl_operand_get_writable.
char *pl_operand_write(lua_State *L, int index, const struct pl_meta *meta);

/// Pushes the box that the operand at `index` lies in, or nil.
void pl_operand_push_box(lua_State *L, int index);
