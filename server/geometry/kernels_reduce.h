/// The verbs that make one value of an array of numbers or points: sum, mean, argmin, argmax, aabb;
/// of a mask: any, all, count.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_reduce(void);
