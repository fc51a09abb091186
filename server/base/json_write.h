/// Writing JSON onto a buffer: strings and numbers. Brackets, commas and colons are the caller's.
#pragma once

#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/strv.h"

/// Appends one byte of punctuation. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_json_write_byte(struct pl_buf *out, char byte);

/// Appends text as it is. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_json_write_raw(struct pl_buf *out, struct pl_strv text);

/// Appends a string with its quotes. Escaped are the quote, the backslash and control characters;
/// everything else stands as it is.
/// Returns: 0; PL_ENOMEM; PL_EINVAL: it is not UTF-8 (pl_json_find_invalid tells where). After an
/// error `out` may end in a part of the string.
PL_MUST_CHECK int pl_json_write_string(struct pl_buf *out, struct pl_strv string);

/// Returns: the offset of the first byte that is not UTF-8, or the length.
size_t pl_json_find_invalid(struct pl_strv string);

/// Appends an integer. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_json_write_integer(struct pl_buf *out, int64_t value);

/// Appends the shortest text that reads back as the same float: "1.0", "0.1", "-0.0", "1e300".
/// Returns: 0; PL_ENOMEM; PL_EINVAL: NaN or infinite, nothing appended.
PL_MUST_CHECK int pl_json_write_float(struct pl_buf *out, double value);
