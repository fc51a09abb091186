/// A layout as a header for C11 and C++11: a packed `struct NAME` behind those that it needs, with
/// static asserts for size and offsets, and NAME_HASH. Enums are constants ENUM_MEMBER and a
/// typedef; f16 is its 16 bits, dec128 its 16 bytes, bool a byte. Headers of several types may be
/// included together.
///
/// Thread: any.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "geometry/layout.h"

/// Appends it. Returns: 0; PL_ENOMEM.
PL_MUST_CHECK int pl_schema_write_c(struct pl_buf *out, const struct pl_layout *layout);
