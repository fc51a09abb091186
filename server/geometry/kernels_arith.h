/// The element-wise verbs whose work is the same for every scalar of an element: add, sub, mul,
/// div, min, max, clamp, lerp, mul_add, neg, abs, floor, ceil, sqrt.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_arith(void);

/// Whether element-wise arithmetic means something on it: numbers, vectors, colours, quaternions,
/// matrices, and a script's own structs that are made of one kind of scalar; not rays and the like.
bool pl_kernel_is_arithmetic(const struct pl_layout *layout);
