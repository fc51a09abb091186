/// The overloads of one verb of one type in one state, as a userdata that its closure holds.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "geometry/kernels.h"
#include "geometry/op.h"
#include "structs/signature.h"

struct pl_type;

struct pl_overload {
  const struct pl_op *op;
  struct pl_signature signature;
  struct pl_type *result_types[PL_OP_RESULTS_MAX];  ///< of results that are structs
};

struct pl_method {
  const char *name;
  char label[48];                ///< "vec3.add", for messages
  const struct pl_type *type;    ///< whose it is; NULL: a function of numbers
  struct pl_kernel_set kernels;  ///< of arrays
  uint32_t operand_counts;       ///< bit n: an overload or a kernel takes n operands
  bool compares;                 ///< lt, le, gt, ge, eq, ne
  size_t count;                  ///< 0: a verb that only arrays have
  struct pl_overload overloads[];
};

/// Whether no row before this one has its name.
bool pl_overload_is_first(const struct pl_op *ops, const struct pl_op *op);

/// Pushes the method of op's name. Raises when a signature is none.
const struct pl_method *pl_overload_push_method(lua_State *L, const struct pl_type *type,
                                                const struct pl_op *ops, const struct pl_op *op);

/// Pushes a verb without an overload.
const struct pl_method *pl_overload_push_verb(lua_State *L, const struct pl_type *type,
                                              const char *name);
