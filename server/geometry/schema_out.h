/// What the writers of schemas share (schema_json.h, schema_c.h, schema_ts.h, schema_python.h): the
/// types that a layout needs, text that remembers an error, names that would be keywords.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/strv.h"
#include "geometry/layout.h"

/// Where text goes. Once something did not fit into memory, the rest is dropped.
struct pl_schema_out {
  struct pl_buf *out;
  int err;  ///< 0, PL_ENOMEM
};

void pl_schema_put(struct pl_schema_out *to, const char *format, ...) PL_PRINTF(2, 3);

/// The structs and enums that a layout is made of, each once, those that others need first, itself
/// last. Scalars are left out, unless the layout is one.
struct pl_schema_types {
  const struct pl_layout **items;
  size_t count;
  size_t cap;
};

/// @param is_whole_flat  types with a flat form (json_form.h) need no others
/// Returns: 0, PL_ENOMEM (nothing to give back).
PL_MUST_CHECK int pl_schema_types_init(struct pl_schema_types *types,
                                       const struct pl_layout *layout, bool is_whole_flat);
void pl_schema_types_deinit(struct pl_schema_types *types);

enum { PL_SCHEMA_WORD_MAX = PL_LAYOUT_NAME_MAX + 2 };

/// A name as a language may spell it: with a "_" behind it when it is one of the reserved words, or
/// one of these with "_" behind it already. So two names never become one.
/// @param reserved  words with spaces around each: " class for "
/// Returns: out.
const char *pl_schema_word(struct pl_strv name, const char *reserved, char out[PL_SCHEMA_WORD_MAX]);

/// The fields in the order of their offsets: order[i] is an index into layout->fields.
void pl_schema_order(const struct pl_layout *layout, unsigned char order[PL_STRUCT_FIELDS_MAX]);
