/// A layout as TypeScript, which is plain JavaScript once its types are stripped: NAME_SIZE,
/// NAME_HASH, readName(view, offset), writeName(view, offset, value), with the name's first letter
/// in upper case. Values look as in JSON: vectors and matrices are flat arrays, other structs
/// objects; but i64 and u64 are bigint, enums their numbers (the constants come along), dec128 is a
/// Uint8Array of its 16 bytes, and NaN is NaN.
///
/// Thread: any.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "geometry/layout.h"

/// Appends it. Returns: 0; PL_ENOMEM.
PL_MUST_CHECK int pl_schema_write_ts(struct pl_buf *out, const struct pl_layout *layout);
