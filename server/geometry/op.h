/// A verb on single values (structs.md 4.4): its operands, its result, and the function that
/// computes it from packed bytes to packed bytes. ops*.c have tables of them; structs/ makes
/// methods of these, and applies them to each element of an array where kernels.h has no loop of
/// its own.
///
/// Thread: any; an op touches nothing but its operands.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "geometry/types.h"

enum { PL_OP_OPERANDS_MAX = 8, PL_OP_RESULTS_MAX = 4 };

/// An operand, or a result.
union pl_slot {
  void *at;       ///< a struct's packed bytes, at any alignment; of an operand: read only
  double number;  ///< a scalar; results that are bool: 0 or 1
};

/// Reads every operand before it writes any result: a result may be an operand's bytes.
typedef void pl_op_fn(union pl_slot *out, const union pl_slot *in);

struct pl_op {
  const char *name;  ///< "add"; several rows of one name and type are overloads, told apart by
                     ///< their operands
  /// "vec3 vec3 > vec3", "vec3 n > vec3", "quat > n vec3", "vec3 vec3 n > bool": names of built-in
  /// types, n for a number, bool (result only). The first operand is the type that the method
  /// belongs to; without any operand of its own type ("n n n > quat", "> vec3") write
  /// "quat: n n n > quat": a function of the type. An operand in brackets, "[n]", may be left out:
  /// its number is NaN then.
  const char *signature;
  pl_op_fn *run;
  const char *doc;  ///< one sentence for the reference
};

/// The ops of a type; they end with a row whose name is NULL. Static storage.
const struct pl_op *pl_ops_of(enum pl_builtin type);

/// A constant of a type: "zero", "up". Its packed bytes are made by run, which has no operands.
struct pl_constant {
  const char *name;
  pl_op_fn *run;
};
const struct pl_constant *pl_constants_of(enum pl_builtin type);

/// Functions of numbers, `geometry.clamp` and the like: "n n n > n". They end with a NULL row.
const struct pl_op *pl_number_ops(void);
