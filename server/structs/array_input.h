/// One operand of a verb on arrays: an array, a value or a table for all elements, a number.
///
/// Thread: the state's, but for pl_array_input_span.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "geometry/span.h"

enum { PL_ARRAY_INPUT_BYTES = 128 };

enum pl_array_input_kind {
  PL_ARRAY_INPUT_NUMBER,
  PL_ARRAY_INPUT_NONE,   ///< nil: it was left out
  PL_ARRAY_INPUT_TABLE,  ///< as what is not known yet
  PL_ARRAY_INPUT_VALUE,  ///< for all elements
  PL_ARRAY_INPUT_ARRAY
};

struct pl_array_input {
  struct pl_span span;               ///< layout NULL: neither a value nor an array
  double number;                     ///< NaN: none
  lua_Integer integer;               ///< the same, where is_integer
  char bytes[PL_ARRAY_INPUT_BYTES];  ///< a value: a copy, which a script cannot change meanwhile
  int index;                         ///< on the stack
  enum pl_array_input_kind kind;
  bool is_integer;
};

/// What is at `index`; what is derived from a built-in struct is seen as that one. Raises when it
/// is none of these. An array's address holds until the next allocation.
void pl_array_input_take(lua_State *L, int index, struct pl_array_input *in);

static inline bool pl_array_input_is_array(const struct pl_array_input *in) {
  return in->kind == PL_ARRAY_INPUT_ARRAY;
}

/// Makes a table into a value of that layout. Raises naming the field.
void pl_array_input_read_table(lua_State *L, struct pl_array_input *in,
                               const struct pl_layout *layout);

/// Makes a number into a value of that layout, in all of its scalars. Raises when it does not fit
/// one. Returns: whether the layout is of one kind of scalar, and small enough.
bool pl_array_input_spread(lua_State *L, struct pl_array_input *in, const struct pl_layout *layout);

/// Makes an integer that a double does not hold into a value of layout i64 or u64; beside u64 none
/// that is negative.
void pl_array_input_keep_large(struct pl_array_input *in, const struct pl_layout *layout);

/// The span as it is now: a value's bytes are in `in` itself, wherever that has been copied to.
struct pl_span pl_array_input_span(struct pl_array_input *in);
