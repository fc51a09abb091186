/// The field Perilune-Struct, which says what packed bytes are: an RFC 9651 item with parameters,
///
///   Perilune-Struct: vec3;count=2;hash="9f0c4b1d0a6e2c11"
///
/// The item is the type's name, a token (a string where a token could not begin so: "_Shot").
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"
#include "geometry/layout.h"

enum { PL_STRUCT_HEADER_MAX = PL_LAYOUT_NAME_MAX + 64 };

struct pl_struct_header {
  struct pl_strv name;
  uint64_t hash;
  uint64_t count;  ///< elements of an array
  bool has_hash;
  bool has_count;  ///< without: a single value
};

/// Writes the field's value. @param count elements; -1: a single value
/// Returns: its length, below PL_STRUCT_HEADER_MAX; there is a terminator behind it.
size_t pl_struct_header_write(const struct pl_layout *layout, int64_t count,
                              char out[PL_STRUCT_HEADER_MAX]);

/// Reads a field value by RFC 9651's grammar. Of parameters that occur twice the last one counts;
/// unknown ones are passed over. The name is a view of `value`.
/// Returns: 0; PL_EINVAL: it is no such item, its count is no number of elements, or its hash is
/// not 16 hexadecimal digits.
PL_MUST_CHECK int pl_struct_header_read(struct pl_strv value, struct pl_struct_header *header);
