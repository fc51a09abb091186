/// Numbers as people write them: counts, sizes with k, m, g (1024), times with ms, s, m, h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"

/// Which suffixes a number may have.
enum pl_units { PL_UNITS_COUNT, PL_UNITS_SIZE, PL_UNITS_TIME };

/// Reads digits and a suffix: "1024"; "8192" or "8k"; "10" (seconds), "1.5", "250ms". A time may
/// have decimals and is rounded down to milliseconds.
/// Returns: 0 and the count, bytes or milliseconds; PL_EINVAL: no such number; PL_ELIMIT: a number,
/// but negative or too large for 64 bits.
PL_MUST_CHECK int pl_units_parse(enum pl_units units, struct pl_strv text, uint64_t *value);

/// Writes the shortest form that pl_units_parse reads back the same; 32 bytes are enough.
void pl_units_format(enum pl_units units, uint64_t value, char *out, size_t size);
