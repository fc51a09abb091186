/// How a struct or an array is answered: packed or as JSON, as the client's Accept has it
/// (structs.md 4.10), and the header fields that say so.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "base/strv.h"

struct pl_buf;
struct pl_call;
struct pl_operand;

enum pl_packed_form {
  PL_PACKED_BYTES,  ///< as they are
  PL_PACKED_JSON,
  PL_PACKED_NEITHER  ///< 406
};

/// @param content_type that the handler has set, or empty: it decides, and nothing is negotiated
enum pl_packed_form pl_packed_choose(const struct pl_call *call, const struct pl_operand *operand,
                                     struct pl_strv content_type);

/// Appends Vary and, of packed ones, Perilune-Struct as lines. Raises out of memory.
void pl_packed_add_lines(lua_State *L, struct pl_buf *lines, const struct pl_operand *operand,
                         enum pl_packed_form form, bool is_negotiated);
