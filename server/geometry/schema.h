/// The text that a struct is defined by, cut into fields; what their types are is not looked at.
///
///   schema = { align | size | field }, apart by white space
///   align  = "align=" ( "natural" | "1" | "4" | "8" | "16" )
///   size   = "size=" bytes, of the whole struct
///   field  = name ":" type [ "@" offset ]
///   type   = name [ "[" count "]" ] [ "(finite)" ], the two in either order
///
/// Thread: any; nothing is allocated. Names are views of the text.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"

enum {
  PL_SCHEMA_FIELDS_MAX = 256,
  PL_SCHEMA_COUNT_MAX = 64 * 1024,  ///< of an array; also the largest offset
  PL_SCHEMA_NAME_MAX = 64,
  PL_SCHEMA_PROBLEM_MAX = 256,
  PL_SCHEMA_ALIGN_UNSAID = -1
};

struct pl_schema_type {
  struct pl_strv name;
  uint32_t count;  ///< 0: no array
  bool is_finite;
};

struct pl_schema_field {
  struct pl_strv name;  ///< an identifier; empty: f1, f2, ... by its number (pack_format.h)
  struct pl_schema_type type;
  int64_t offset;   ///< -1: behind the field before
  uint32_t skip;    ///< bytes left free between the field before and this one
  unsigned column;  ///< of its type, from 1; 0: it was not in a text
};

struct pl_schema {
  struct pl_schema_field fields[PL_SCHEMA_FIELDS_MAX];
  size_t count;
  uint32_t tail;  ///< bytes left free behind the last field
  uint32_t size;  ///< of the whole struct, as it was written; 0: it was not
  int align;      ///< as it was written; 0: natural; or PL_SCHEMA_ALIGN_UNSAID
};

/// Returns: 0; PL_ESYNTAX, PL_ELIMIT, and in `problem` what is wrong and the column.
PL_MUST_CHECK int pl_schema_parse(struct pl_strv text, struct pl_schema *schema,
                                  char problem[PL_SCHEMA_PROBLEM_MAX]);

/// A type alone, as the table form has it: "u8[8]". As pl_schema_parse; columns are the type's.
PL_MUST_CHECK int pl_schema_parse_type(struct pl_strv text, struct pl_schema_type *type,
                                       char problem[PL_SCHEMA_PROBLEM_MAX]);

/// Letters, digits and _, no digit first; at most PL_SCHEMA_NAME_MAX.
bool pl_schema_is_name(struct pl_strv text);
