/// The verbs with a matrix, a rotation or a transform: transform, transform_direction, mul of
/// matrices and rotations, project, unproject.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_transform(void);
