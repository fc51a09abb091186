/// What an op's signature says (geometry/op.h), once parsed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/layout.h"
#include "geometry/op.h"

enum pl_slot_kind { PL_SLOT_NUMBER, PL_SLOT_BOOL, PL_SLOT_STRUCT };

struct pl_slot_type {
  const struct pl_layout *layout;  ///< STRUCT
  uint8_t kind;                    ///< enum pl_slot_kind
};

struct pl_signature {
  struct pl_slot_type operands[PL_OP_OPERANDS_MAX];
  struct pl_slot_type results[PL_OP_RESULTS_MAX];
  uint8_t operand_count;
  uint8_t required;  ///< operands that may not be left out
  uint8_t result_count;
  uint8_t struct_results;
};

/// Returns: 0, PL_ESYNTAX: it is none, or names no built-in type.
PL_MUST_CHECK int pl_signature_parse(const char *text, struct pl_signature *signature);
