/// The element-wise verbs whose work is on an element as a whole: to numbers dot, length, length2,
/// distance; to vectors normalize, cross.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_vector(void);
