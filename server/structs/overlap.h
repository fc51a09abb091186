/// Whether two spans share bytes.
///
/// Thread: any.
#pragma once

#include <stdbool.h>

#include "geometry/span.h"

/// Whether some byte is part of an element of both. Fields of the same structs share none, though
/// they lie between each other; where that is hard to say the answer is yes.
bool pl_span_overlaps(const struct pl_span *a, const struct pl_span *b);

/// Whether they are the very same elements, one by one.
bool pl_span_is_same(const struct pl_span *a, const struct pl_span *b);
