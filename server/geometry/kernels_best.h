/// The verbs that make one value of an array of scalars: argmin, argmax, and of integers sum, mean.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_best(void);
