/// A layout as Python for numpy: `NAME = numpy.dtype(...)` with exact offsets and itemsize, behind
/// the types that it needs, and NAME_HASH. What is a flat array in JSON is a subarray: a vec3 field
/// of an array of n is an (n, 3) array, a mat4 (n, 4, 4) by column and row. Enums are a dict of
/// their members and a plain integer in the dtype; dec128 is 16 raw bytes.
///
/// Thread: any.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "geometry/layout.h"

/// Appends it. Returns: 0; PL_ENOMEM.
PL_MUST_CHECK int pl_schema_write_python(struct pl_buf *out, const struct pl_layout *layout);
