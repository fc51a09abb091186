/// dec128: decimal floating point of 34 digits, IEEE 754-2008 decimal128 in its binary (BID)
/// encoding, 16 bytes little-endian. On Intel's library; no arithmetic of our own.
///
/// Numbers keep their trailing zeros ("1.10" stays so) as the standard has it: 1.1 and 1.10 are
/// equal, but have other bytes. Encodings that are not canonical read as the standard says: as
/// zero. Results are rounded to nearest, ties to even.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/strv.h"

struct pl_decimal128 {
  uint64_t lo;
  uint64_t hi;
};

enum {
  PL_DECIMAL128_BYTES = 16,
  PL_DECIMAL128_DIGITS = 34,
  PL_DECIMAL128_TEXT = 48,      ///< room for any of them as text, without a terminator
  PL_DECIMAL128_TEXT_MAX = 128  ///< longest text that is read
};

struct pl_decimal128 pl_decimal128_load(const void *at);
void pl_decimal128_store(void *at, struct pl_decimal128 value);

/// [+-] digits [. digits] [e [+-] digits], inf, -inf, nan. Nothing is rounded.
/// Returns: 0; PL_ESYNTAX: no number; PL_ELIMIT: it has more digits or a larger exponent than a
/// dec128 can have.
PL_MUST_CHECK int pl_decimal128_read(struct pl_strv text, struct pl_decimal128 *out);

/// The text that reads back as the same number with the same trailing zeros: "1.10", "-0", "1E+40"
/// (exponents where they are positive, or more than five zeros would follow the point), "inf",
/// "-inf", "nan". Returns: its length, at most PL_DECIMAL128_TEXT.
size_t pl_decimal128_write(struct pl_decimal128 value, char *out);

struct pl_decimal128 pl_decimal128_from_integer(int64_t value);
struct pl_decimal128 pl_decimal128_from_unsigned(uint64_t value);

/// The number that the shortest text of `value` has, without trailing zeros: 0.1 is 0.1, 3.0 is 3.
struct pl_decimal128 pl_decimal128_from_double(double value);

/// The nearest float.
double pl_decimal128_to_double(struct pl_decimal128 value);

/// Returns: 0; PL_EINVAL: it has a fraction, or is NaN; PL_ELIMIT: it is out of range.
PL_MUST_CHECK int pl_decimal128_to_integer(struct pl_decimal128 value, int64_t *out);

/// The same for u64.
PL_MUST_CHECK int pl_decimal128_to_unsigned(struct pl_decimal128 value, uint64_t *out);

struct pl_decimal128 pl_decimal128_add(struct pl_decimal128 a, struct pl_decimal128 b);
struct pl_decimal128 pl_decimal128_sub(struct pl_decimal128 a, struct pl_decimal128 b);
struct pl_decimal128 pl_decimal128_mul(struct pl_decimal128 a, struct pl_decimal128 b);
/// By zero: infinite; 0 / 0: NaN.
struct pl_decimal128 pl_decimal128_div(struct pl_decimal128 a, struct pl_decimal128 b);
/// What is left of a / b cut to an integer; it has the sign of a, as in C and .NET. By zero: NaN.
struct pl_decimal128 pl_decimal128_rem(struct pl_decimal128 a, struct pl_decimal128 b);
struct pl_decimal128 pl_decimal128_neg(struct pl_decimal128 value);
struct pl_decimal128 pl_decimal128_abs(struct pl_decimal128 value);

enum { PL_DECIMAL128_UNORDERED = 2 };

/// Returns: -1, 0 or 1: a is less, equal, greater (-0 equals 0); PL_DECIMAL128_UNORDERED: one is
/// NaN.
int pl_decimal128_compare(struct pl_decimal128 a, struct pl_decimal128 b);

bool pl_decimal128_is_nan(struct pl_decimal128 value);
bool pl_decimal128_is_finite(struct pl_decimal128 value);

enum pl_decimal128_rounding {
  PL_DECIMAL128_HALF_EVEN,
  PL_DECIMAL128_FLOOR,
  PL_DECIMAL128_CEIL,
  PL_DECIMAL128_TRUNCATE,
  PL_DECIMAL128_HALF_AWAY,
};

/// With exactly so many digits behind the point (negative: zeros before it). Returns: NaN when that
/// takes more than 34 digits, and for infinite ones.
struct pl_decimal128 pl_decimal128_quantize(struct pl_decimal128 value, int places,
                                            enum pl_decimal128_rounding rounding);

/// With at most so many digits behind the point; what has no more stays as it is.
struct pl_decimal128 pl_decimal128_round(struct pl_decimal128 value, int places,
                                         enum pl_decimal128_rounding rounding);

/// .NET's decimal in memory, which xLua packs, little-endian:
///   0  u16  reserved, 0
///   2  u8   scale, 0 to 28: the number is integer / 10^scale
///   3  u8   sign: 0x80 negative, else 0
///   4  u32  Hi32: bits 64 to 95 of the integer
///   8  u64  Lo64: bits 0 to 63
/// Exact, trailing zeros included. Returns: 0; PL_EINVAL: a scale above 28, or other bits are set.
PL_MUST_CHECK int pl_decimal128_from_net(const void *net, struct pl_decimal128 *out);

/// The other way; trailing zeros are added or dropped where that makes it fit. Nothing is rounded.
/// Returns: 0; PL_EINVAL: NaN or infinite; PL_ELIMIT: it needs more than 96 bits or a scale above
/// 28.
PL_MUST_CHECK int pl_decimal128_to_net(struct pl_decimal128 value, void *net);
