// Shortest output after Raffaello Giulietti, "The Schubfach way to render doubles" (2021); reading
// after Daniel Lemire, "Number parsing at a gigabyte per second" (2021), with strtod for the rest.
//
// Both need powers of ten to 128 bits. The usual table has an entry for each of 667 exponents;
// here an entry is the product of two small ones, 10^(20 i) to 192 bits and 10^0 to 10^19, which
// gives the same 128 bits for each of the 667 (tried with exact arithmetic when the rows were made;
// decimal_test.c walks all exponents both ways).
#include "base/decimal.h"

#include "base/error.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

enum {
  FRACTION_BITS = 52,
  EXPONENT_MASK = 0x7ff,
  EXPONENT_BIAS = 1023,
  SMALLEST_POWER = -342,  // of what pl_decimal_make can be asked for without being 0
  LARGEST_POWER = 308,
  LARGE_STEP = 20,
  LARGE_FIRST = -18
};

static const uint64_t small_powers[LARGE_STEP] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

// The 192 leading bits, the most significant word first, rounded down.
static const uint64_t large_powers[][3] = {
    {0x89bf722840327f82, 0x16a7853ce21f945f, 0x6edf966c1c92bea6},  // 1e-360
    {0xbaaee17fa23ebf76, 0x5d79bcf00d2df649, 0xe6cb42e81c4e7369},  // 1e-340
    {0xfd00b897478238d0, 0x8920b098955522b4, 0xab9fac96b03d8443},  // 1e-320
    {0xab70fe17c79ac6ca, 0x6dbd630a48aaf406, 0x8cc946f70d834e0b},  // 1e-300
    {0xe858ad248f5c22c9, 0xd1b3400f8f9cff68, 0xf910f9f648232f14},  // 1e-280
    {0x9d71ac8fada6c9b5, 0x6f773fc3603db4a9, 0x463d96ff273dc67d},  // 1e-260
    {0xd5605fcdcf32e1d6, 0xfb1e4a9a90880a64, 0xeb30854f603da8fc},  // 1e-240
    {0x9096ea6f3848984f, 0x3ff0d2c85def7621, 0x94bf6773709bddab},  // 1e-220
    {0xc3f490aa77bd60fc, 0xbedbfc4411068a9c, 0xf7954e1cea8679b1},  // 1e-200
    {0x84c8d4dfd2c63f3b, 0x29ecd9f40041e073, 0x75a99f7943138e73},  // 1e-180
    {0xb3f4e093db73a093, 0x59ed216765690f56, 0x8fe5b452e6b166cd},  // 1e-160
    {0xf3e2f893dec3f126, 0x5a89dba3c3efccfa, 0xd8ecb58659be9c90},  // 1e-140
    {0xa54394fe1eedb8fe, 0xc2974eb4ee658828, 0x9f36c7501c2ffa80},  // 1e-120
    {0xdff9772470297ebd, 0x59787e2b93bc56f7, 0x40626443927a9c5b},  // 1e-100
    {0x97c560ba6b0919a5, 0xdccd879fc967d41a, 0x021da8c6f15375a1},  // 1e-80
    {0xcdb02555653131b6, 0x3792f412cb06794d, 0x256bfa5628f185f9},  // 1e-60
    {0x8b61313bbabce2c6, 0x2323ac4b3b3da015, 0x3b62be7bc1a0042b},  // 1e-40
    {0xbce5086492111aea, 0x88f4bb1ca6bcf584, 0x181ea8059f76532a},  // 1e-20
    {0x8000000000000000, 0x0000000000000000, 0x0000000000000000},  // 1e0
    {0xad78ebc5ac620000, 0x0000000000000000, 0x0000000000000000},  // 1e20
    {0xeb194f8e1ae525fd, 0x5dcfab0800000000, 0x0000000000000000},  // 1e40
    {0x9f4f2726179a2245, 0x01d762422c946590, 0xd910000000000000},  // 1e60
    {0xd7e77a8f87daf7fb, 0xdc33745ec97be906, 0x3298e889d933b040},  // 1e80
    {0x924d692ca61be758, 0x593c2626705f9c56, 0x72047108d3e55592},  // 1e100
    {0xc646d63501a1511d, 0xb281e1fd541501b8, 0xbfc0ba97646c0c8f},  // 1e120
    {0x865b86925b9bc5c2, 0x0b8a2392ba45a9b2, 0x5c6658d409fb8bf7},  // 1e140
    {0xb616a12b7fe617aa, 0x577b986b314d6009, 0x2381cf8591999d63},  // 1e160
    {0xf6c69a72a3989f5b, 0x8aad549e57273d45, 0x0e4709b7db8059dc},  // 1e180
    {0xa738c6bebb12d16c, 0xb428f8ac016561db, 0x40a0f74cda221398},  // 1e200
    {0xe2a0b5dc971f303a, 0x2e44ae64840fd61d, 0xe028965c3f580abc},  // 1e220
    {0x9991a6f3d6bf1765, 0xacca6da1e0a8ef29, 0x036ee4519d59a838},  // 1e240
    {0xd01fef10a657842c, 0x2d2b7569b0432d85, 0x05ff7caf730b919d},  // 1e260
    {0x8d07e33455637eb2, 0xdb0b487b6423e1e8, 0x7ec63730f500b406},  // 1e280
    {0xbf21e44003acdd2c, 0xe0470a63e6bd56c3, 0x52522c084fc8e10e},  // 1e300
    {0x81842f29f2cce375, 0xe6a1158300d46640, 0x21ceb9ec7b8c62ed},  // 1e320
};

struct power {
  uint64_t high;  // the top bit is set
  uint64_t low;
};

// The 128 leading bits of 10^k, rounded down.
static struct power power_of_ten(int k) {
  int step = (k - LARGE_FIRST * LARGE_STEP) / LARGE_STEP;
  const uint64_t *large = large_powers[step];
  uint64_t small = small_powers[k - (step + LARGE_FIRST) * LARGE_STEP];
  u128 low = (u128)large[2] * small;
  u128 middle = (u128)large[1] * small + (uint64_t)(low >> 64);
  u128 high = (u128)large[0] * small + (uint64_t)(middle >> 64);
  if ((uint64_t)(high >> 64) == 0) return (struct power){(uint64_t)high, (uint64_t)middle};
  int shift = __builtin_clzll((uint64_t)(high >> 64));
  u128 leading = shift ? high << shift | (uint64_t)middle >> (64 - shift) : high;
  return (struct power){(uint64_t)(leading >> 64), (uint64_t)leading};
}

// floor(log2(10^k)) for every k used here.
static int log2_of_power(int k) {
  return (k * 1741647) >> 19;
}

struct decimal {
  uint64_t digits;
  int exponent;
};

// The 64 leading bits of a 192-bit product; its lowest bit tells whether anything lies behind them.
static uint64_t round_to_odd(struct power g, uint64_t factor) {
  u128 low = (u128)g.low * factor;
  u128 high = (u128)g.high * factor + (uint64_t)(low >> 64);
  return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

// Giulietti's algorithm: among the decimals within the interval that rounds to c * 2^q, one with a
// digit less than needed to tell neighbours apart if there is one, else the closest. All values are
// four times too large, so that the interval's ends, half-way to the neighbours, are integers.
static struct decimal find_shortest(uint64_t c, int q, bool is_lower_closer) {
  int k = (q * 1262611 - (is_lower_closer ? 524031 : 0)) >> 22;
  int h = q + log2_of_power(-k) + 1;
  struct power g = power_of_ten(-k);
  if (-k < 0 || -k > 55) g.low++, g.high += g.low == 0;  // not exact: the method rounds up
  bool is_odd = c & 1;
  uint64_t lower = round_to_odd(g, (4 * c - 2 + is_lower_closer) << h) + is_odd;
  uint64_t value = round_to_odd(g, (4 * c) << h);
  uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - is_odd;
  uint64_t s = value / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    bool is_below_in = lower <= 40 * tens;
    bool is_above_in = 40 * tens + 40 <= upper;
    if (is_below_in != is_above_in) return (struct decimal){tens + is_above_in, k + 1};
  }
  bool is_below_in = lower <= 4 * s;
  bool is_above_in = 4 * s + 4 <= upper;
  if (is_below_in != is_above_in) return (struct decimal){s + is_above_in, k};
  uint64_t middle = 4 * s + 2;
  bool is_up = value > middle || (value == middle && (s & 1));
  return (struct decimal){s + is_up, k};
}

// A binary float, taken apart.
struct binary {
  uint64_t fraction;
  int biased;         // the exponent as it is stored
  int fraction_bits;  // 52 in f64
  int bias;           // 1023 in f64
  bool is_negative;
};

static struct decimal to_decimal(const struct binary *b) {
  if (b->biased == 0) return find_shortest(b->fraction, 1 - b->bias - b->fraction_bits, false);
  uint64_t c = b->fraction | (uint64_t)1 << b->fraction_bits;
  int q = b->biased - b->bias - b->fraction_bits;
  if (q <= 0 && q >= -b->fraction_bits && (c & (((uint64_t)1 << -q) - 1)) == 0) {
    return (struct decimal){c >> -q, 0};  // an integer below 2^53
  }
  return find_shortest(c, q, b->fraction == 0 && b->biased > 1);
}

static size_t write_digits(uint64_t value, char *out) {
  char reversed[20];
  size_t count = 0;
  do {
    reversed[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  for (size_t i = 0; i < count; i++) out[i] = reversed[count - 1 - i];
  return count;
}

static char *put(char *to, const char *from, size_t count) {
  memcpy(to, from, count);
  return to + count;
}

static char *put_zeros(char *to, int count) {
  memset(to, '0', (size_t)count);
  return to + count;
}

// 12.5, 1200.0, 0.0012: `point` is the number of digits in front of the decimal point.
static char *put_positional(char *to, const char *digits, int count, int point) {
  if (point <= 0) {
    to = put_zeros(put(to, "0.", 2), -point);
    return put(to, digits, (size_t)count);
  }
  if (point >= count) {
    to = put_zeros(put(to, digits, (size_t)count), point - count);
    return put(to, ".0", 2);
  }
  to = put(to, digits, (size_t)point);
  *to++ = '.';
  return put(to, digits + point, (size_t)(count - point));
}

// 1e300, 1.5e-7
static char *put_scientific(char *to, const char *digits, int count, int point) {
  *to++ = digits[0];
  if (count > 1) {
    *to++ = '.';
    to = put(to, digits + 1, (size_t)(count - 1));
  }
  *to++ = 'e';
  return to + pl_decimal_write_integer(point - 1, to);
}

static size_t write_binary(const struct binary *b, char *out) {
  char *to = out;
  if (b->is_negative) *to++ = '-';
  if (b->fraction == 0 && b->biased == 0) return (size_t)(put(to, "0.0", 3) - out);
  struct decimal d = to_decimal(b);
  while (d.digits % 10 == 0) d.digits /= 10, d.exponent++;
  char digits[20];
  int count = (int)write_digits(d.digits, digits);
  int point = count + d.exponent;
  bool is_positional = point > -5 && point <= 17;
  to = is_positional ? put_positional(to, digits, count, point)
                     : put_scientific(to, digits, count, point);
  return (size_t)(to - out);
}

size_t pl_decimal_write(double value, char *out) {
  assert(isfinite(value));
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  struct binary b = {.fraction = bits & (((uint64_t)1 << FRACTION_BITS) - 1),
                     .biased = (int)(bits >> FRACTION_BITS) & EXPONENT_MASK,
                     .fraction_bits = FRACTION_BITS,
                     .bias = EXPONENT_BIAS,
                     .is_negative = bits >> 63};
  return write_binary(&b, out);
}

size_t pl_decimal_write_f32(float value, char *out) {
  assert(isfinite(value));
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  struct binary b = {.fraction = bits & 0x7fffff,
                     .biased = (int)(bits >> 23) & 0xff,
                     .fraction_bits = 23,
                     .bias = 127,
                     .is_negative = bits >> 31};
  return write_binary(&b, out);
}

size_t pl_decimal_write_f16(uint16_t bits, char *out) {
  struct binary b = {.fraction = bits & 0x3ff,
                     .biased = bits >> 10 & 0x1f,
                     .fraction_bits = 10,
                     .bias = 15,
                     .is_negative = bits >> 15};
  assert(b.biased != 0x1f);
  return write_binary(&b, out);
}

size_t pl_decimal_write_integer(int64_t value, char *out) {
  if (value >= 0) return write_digits((uint64_t)value, out);
  *out = '-';
  return 1 + write_digits(0 - (uint64_t)value, out + 1);
}

static double from_parts(uint64_t fraction, int biased) {
  uint64_t bits = fraction | (uint64_t)biased << FRACTION_BITS;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Both factors are exact as floats, so the one operation rounds correctly.
static double make_exact(uint64_t digits, int q) {
  if (q < 0) return (double)digits / (double)small_powers[-q];
  return (double)digits * (double)small_powers[q];
}

// A result below 2^-1022: its fraction loses bits before it is rounded.
static double make_subnormal(uint64_t mantissa, int biased) {
  int shift = 1 - biased;
  if (shift >= 64) return 0;
  mantissa >>= shift;
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  return from_parts(mantissa, 0);  // a carry into bit 52 makes the smallest normal number
}

bool pl_decimal_make(uint64_t digits, int64_t exponent, double *out) {
  if (digits == 0 || exponent < SMALLEST_POWER) return *out = 0, true;
  if (exponent > LARGEST_POWER) return *out = HUGE_VAL, true;
  int q = (int)exponent;
  if (digits >> (FRACTION_BITS + 1) == 0 && q < LARGE_STEP && q > -LARGE_STEP) {
    *out = make_exact(digits, q);
    return true;
  }
  struct power g = power_of_ten(q);
  if (q < 0 && q >= -27) g.low++, g.high += g.low == 0;  // these must not lie below the true value
  int shift = __builtin_clzll(digits);
  uint64_t w = digits << shift;
  u128 product = (u128)w * g.high;
  if (((uint64_t)(product >> 64) & 0x1ff) == 0x1ff) product += (u128)w * g.low >> 64;
  uint64_t high = (uint64_t)(product >> 64);
  uint64_t low = (uint64_t)product;
  if (low == UINT64_MAX && (q < -27 || q > 55)) return false;
  int upper = (int)(high >> 63);
  int dropped = upper + 64 - FRACTION_BITS - 3;
  uint64_t mantissa = high >> dropped;
  int biased = log2_of_power(q) + 63 + upper - shift + EXPONENT_BIAS;
  if (biased <= 0) return *out = make_subnormal(mantissa, biased), true;
  bool is_tie =
      low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << dropped == high;
  if (is_tie) mantissa &= ~(uint64_t)1;  // exactly between two floats: to the even one
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >> (FRACTION_BITS + 1)) mantissa >>= 1, biased++;
  if (biased >= EXPONENT_MASK) return *out = HUGE_VAL, true;
  *out = from_parts(mantissa & (((uint64_t)1 << FRACTION_BITS) - 1), biased);
  return true;
}

int pl_decimal_read(struct pl_strv text, double *out) {
  char local[64];
  char *copy = text.len < sizeof local ? local : pl_mem_alloc(text.len + 1);
  if (!copy) return PL_ENOMEM;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  *out = strtod(copy, NULL);
  if (copy != local) pl_mem_free(copy);
  return 0;
}
