/// A layout as JSON, for programs that read packed bytes without generated code:
///
///   {"name": "ray", "kind": "struct", "size": 24, "align": 1, "hash": "...", "byte_order":
///   "little",
///    "fields": [{"name": "origin", "type": "vec3", "offset": 0, "count": 1}, ...],
///    "types": [the structs and enums that fields are of, in the same way], ...}
///
/// A fixed array has "array": true besides its count, a field that refuses NaN "finite": true; an
/// enum has "scalar", "flags" and "members": [{"name": "A", "value": 1}, ...], values of 64 bits as
/// strings.
///
/// Thread: any.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "geometry/layout.h"

/// Appends it. Returns: 0; PL_ENOMEM.
PL_MUST_CHECK int pl_schema_write_json(struct pl_buf *out, const struct pl_layout *layout);
