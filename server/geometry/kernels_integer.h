/// Element-wise arithmetic on integers, whatever structs they make up: add, sub, mul, div, mul_add,
/// min, max, clamp, neg, abs.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_integer(void);
