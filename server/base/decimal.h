/// Binary floats to decimal text and back: the shortest digits that read back the same, and a
/// correctly rounded reading. Independent of the locale except where noted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"

/// Room that every number written here fits into, without a terminator.
enum { PL_DECIMAL_BYTES = 32 };

/// Writes the shortest text that reads back as `value` and that shows it to be a float: "1.0",
/// "0.1", "-0.0", "1e300", "5e-324". Of several shortest ones, the closest.
/// @param value finite
/// Returns: the number of bytes, at most PL_DECIMAL_BYTES.
size_t pl_decimal_write(double value, char *out);

/// The same for floats of 32 bits, and for the bits of one of 16 (IEEE 754 binary16): the shortest
/// text that reads back as that one, also when it is read as a double first, which is then rounded.
size_t pl_decimal_write_f32(float value, char *out);
size_t pl_decimal_write_f16(uint16_t bits, char *out);

/// Writes an integer. Returns: the number of bytes, at most PL_DECIMAL_BYTES.
size_t pl_decimal_write_integer(int64_t value, char *out);

/// digits * 10^exponent, rounded to nearest, ties to even; HUGE_VAL when it is too large.
/// Returns: whether *out was set. false is rare (the digits lie too close to the middle of two
/// floats): pl_decimal_read decides then.
PL_MUST_CHECK bool pl_decimal_make(uint64_t digits, int64_t exponent, double *out);

/// Reads a decimal number of any length ("12", "-0.5e-10"), which must be one. Uses strtod and so
/// the decimal point of the locale: the server never leaves "C".
/// Returns: 0 (HUGE_VAL with its sign when it is too large), PL_ENOMEM.
PL_MUST_CHECK int pl_decimal_read(struct pl_strv text, double *out);
