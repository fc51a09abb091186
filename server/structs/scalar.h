/// One scalar between its packed bytes and Lua: range checks, and messages that say where.
///
/// Thread: the state's. Nothing here allocates, but for an error's text.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "geometry/decimal128.h"
#include "geometry/layout.h"

/// Where a value belongs, for messages ("Shot.hits[3].t"): linked from the inside out, on the C
/// stack.
struct pl_path {
  const struct pl_path *up;  ///< NULL: this is the outermost
  struct pl_strv name;
  uint32_t index;  ///< 1-based, of an array's element; 0: none
};

/// Raises "PATH: message"; the message is on top of the stack.
int pl_path_raise(lua_State *L, const struct pl_path *path);

/// What kind of value is at `index`, for messages: "vec3", "nil". May push a string.
const char *pl_scalar_kind(lua_State *L, int index);

/// Pushes a boolean, an integer, a float; not for dec128.
void pl_scalar_push(lua_State *L, enum pl_scalar scalar, const char *at);

/// Stores the Lua value at `index` as what geometry/codec.h says: a boolean, a number, a text or a
/// decimal. Raises with the path, the value and the range.
/// @param layout a scalar, or an enum, which takes what its scalar takes
/// @param is_finite NaN and infinities are refused
void pl_scalar_store(lua_State *L, int index, const struct pl_layout *layout, bool is_finite,
                     char *at, const struct pl_path *path);

/// The decimal that 16 bytes are. Zeroed ones are 0, not 0E-6176, which is what they encode: sums
/// would have 34 digits.
struct pl_decimal128 pl_scalar_decimal(const char *at);

/// The decimal at `index` when it is a dec128 value. Returns: whether it is one.
bool pl_scalar_get_decimal(lua_State *L, int index, struct pl_decimal128 *decimal);

/// An integer scalar's value; the bits of u64.
int64_t pl_scalar_integer(enum pl_scalar scalar, const char *at);
void pl_scalar_put_integer(enum pl_scalar scalar, int64_t value, char *at);

/// A float scalar's value.
double pl_scalar_number(enum pl_scalar scalar, const char *at);

static inline bool pl_scalar_is_float(enum pl_scalar scalar) {
  return scalar == PL_SCALAR_F16 || scalar == PL_SCALAR_F32 || scalar == PL_SCALAR_F64;
}
