/// Percent-encoding (RFC 3986 2.1), and its form variant where "+" is a space.
#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/strv.h"

/// Decodes `in` to `out`, which has room for in.len bytes and may be in.data itself.
/// @param is_form "+" is a space
/// @param len  the bytes written; untouched on failure
/// Returns: 0; PL_EINVAL: a "%" without two hexadecimal digits behind it.
PL_MUST_CHECK int pl_percent_decode(struct pl_strv in, bool is_form, char *out, size_t *len);
