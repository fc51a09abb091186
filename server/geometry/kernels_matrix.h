/// The verbs of matrices and rotations themselves, and of cameras: mul, project, unproject.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_matrix(void);
