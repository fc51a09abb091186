/// The verbs that move points and directions: transform, transform_direction.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_transform(void);
