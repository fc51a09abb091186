/// The element-wise verbs whose work is the same for every scalar of an element: add, sub, mul,
/// div, min, max, clamp, lerp, lerp_unclamped, mul_add, neg, abs, floor, ceil, round, sqrt.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_arith(void);

/// Whether element-wise arithmetic means something on it: numbers, vectors, colours, quaternions,
/// matrices, and a script's own structs that are made of one kind of scalar; not rays and the like.
bool pl_kernel_is_arithmetic(const struct pl_layout *layout);

/// pl_kernel's tag: an arithmetic row for any struct; one whose verb is a product of its own for
/// matrices and rotations; one that mixes two, which is more than arithmetic for rotations.
enum { PL_ARITH_ANY, PL_ARITH_PRODUCT, PL_ARITH_MIX };

/// struct pl_kernel's accepts: operands are the struct itself, numbers, and scalars of its parts.
bool pl_kernel_accepts_arithmetic(const struct pl_kernel *kernel, const struct pl_layout *layout,
                                  const struct pl_kernel_operand *operands);
