/// Reading dates of HTTP header fields; pl_clock_http_date writes them.
#pragma once

#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"

/// Reads a date in any of the three forms of RFC 9110 5.6.7:
/// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
/// @param now   seconds since 1970: a two-digit year lies at most 50 years ahead of it
/// @param time  seconds since 1970
/// Returns: 0; PL_EINVAL: not a date.
PL_MUST_CHECK int pl_http_date_parse(struct pl_strv text, int64_t now, int64_t *time);
