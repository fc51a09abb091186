/// IEEE 754 binary16 by integer arithmetic: the same on every CPU.
///
/// Thread: any.
#pragma once

#include <stdint.h>

/// Exact. NaNs keep their sign and payload.
double pl_f16_to_double(uint16_t half);

/// Rounds to nearest, ties to even, subnormals included; what is 65520 or more becomes infinite.
/// NaNs keep their sign and the upper ten bits of their payload; when those are zero, it is a quiet
/// one.
uint16_t pl_f16_from_double(double value);
