// binary16 has 5 bits of exponent (bias 15) and 10 of mantissa, binary64 has 11 (bias 1023) and 52.
#include "geometry/f16.h"

#include <string.h>

enum { HALF_INF = 0x7c00, HALF_MANTISSA = 0x3ff, DOUBLE_EXPONENT = 0x7ff, SHIFT = 52 - 10 };

static const uint64_t DOUBLE_HIDDEN = UINT64_C(1) << 52;

double pl_f16_to_double(uint16_t half) {
  uint64_t sign = (uint64_t)(half >> 15) << 63;
  uint64_t exponent = (half >> 10) & 0x1f, mantissa = half & HALF_MANTISSA;
  uint64_t bits = 0;
  if (exponent == 0x1f) {
    bits = (uint64_t)DOUBLE_EXPONENT << 52 | mantissa << SHIFT;
  } else if (exponent) {
    bits = (exponent - 15 + 1023) << 52 | mantissa << SHIFT;
  } else if (mantissa) {  // subnormal: mantissa * 2^-24, exact as a double
    double value = (double)mantissa * 0x1p-24;
    memcpy(&bits, &value, sizeof bits);
  }
  bits |= sign;
  double value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// value >> shift, rounded to nearest, ties to even. @param shift 1 to 63
static uint64_t shift_rounded(uint64_t value, unsigned shift) {
  uint64_t half = UINT64_C(1) << (shift - 1);
  uint64_t rest = value & (half * 2 - 1), whole = value >> shift;
  return whole + (rest > half || (rest == half && (whole & 1)));
}

uint16_t pl_f16_from_double(double value) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 63 << 15);
  int exponent = (int)(bits >> 52 & DOUBLE_EXPONENT) - 1023;
  uint64_t mantissa = bits & (DOUBLE_HIDDEN - 1);
  if (exponent == 1024) {
    uint16_t payload = (uint16_t)(mantissa >> SHIFT);
    if (mantissa && !payload) payload = 0x200;
    return (uint16_t)(sign | HALF_INF | payload);
  }
  if (exponent > 15) return (uint16_t)(sign | HALF_INF);
  if (exponent < -25) return sign;  // below half of the least subnormal
  mantissa |= DOUBLE_HIDDEN;
  // A mantissa that is rounded up to the next power of two carries into the exponent, which is
  // what is wanted, at the largest one, too: it becomes infinite.
  if (exponent < -14) return (uint16_t)(sign | shift_rounded(mantissa, (unsigned)(28 - exponent)));
  return (uint16_t)(sign | (((uint64_t)(exponent + 14) << 10) + shift_rounded(mantissa, SHIFT)));
}
