/// The built-in layouts by id. A part of the module layout (layout.h).
///
/// Thread: any.
#pragma once

#include "geometry/layout.h"

enum { PL_BUILTIN_IDS = PL_SCALAR_COUNT - 1 + PL_BUILTIN_COUNT - 1 };  ///< 1 to this one

/// Returns: NULL: no such id.
const struct pl_layout *pl_builtin_by_id(uint16_t id);
