/// The verbs that make masks (u8, 0 or 1): lt, le, gt, ge, eq, ne, band, bor, bnot, inside.
#pragma once

#include "geometry/kernel.h"

/// Ends with a row whose verb is NULL. Static storage.
const struct pl_kernel_verb *pl_kernels_mask(void);
