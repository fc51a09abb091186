// Intel's decimal library, built so that values, rounding and flags are arguments and results (the
// three 0); and the fields of the encoding for text and .NET.
//
// BID: the sign is bit 127; the coefficient has bits 0 to 112 and the exponent (bias 6176) the 14
// bits above. Where the upper two of those are both set the number is infinite, NaN, or not
// canonical.
#include "geometry/decimal128.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DECIMAL_CALL_BY_REFERENCE 0
#define DECIMAL_GLOBAL_ROUNDING 0
#define DECIMAL_GLOBAL_EXCEPTION_FLAGS 0
#include <bid_conf.h>
#include <bid_functions.h>

#include "base/decimal.h"
#include "base/error.h"

enum { BIAS = 6176, EXPONENT_MAX = 6111, NET_SCALE_MAX = 28, EXPONENT_DIGITS_MAX = 6 };

// A finite number: coefficient * 10^exponent.
struct parts {
  unsigned __int128 coefficient;
  int exponent;
  bool is_negative;
};

static BID_UINT128 to_bid(struct pl_decimal128 value) {
  BID_UINT128 bid;
  bid.w[0] = value.lo;
  bid.w[1] = value.hi;
  return bid;
}

static struct pl_decimal128 from_bid(BID_UINT128 bid) {
  return (struct pl_decimal128){.lo = bid.w[0], .hi = bid.w[1]};
}

struct pl_decimal128 pl_decimal128_load(const void *at) {
  struct pl_decimal128 value;
  memcpy(&value.lo, at, 8);
  memcpy(&value.hi, (const char *)at + 8, 8);
  return value;
}

void pl_decimal128_store(void *at, struct pl_decimal128 value) {
  memcpy(at, &value.lo, 8);
  memcpy((char *)at + 8, &value.hi, 8);
}

bool pl_decimal128_is_nan(struct pl_decimal128 value) {
  return bid128_isNaN(to_bid(value));
}

bool pl_decimal128_is_finite(struct pl_decimal128 value) {
  return bid128_isFinite(to_bid(value));
}

// @param value finite. What is not canonical is zero.
static struct parts take_apart(struct pl_decimal128 value) {
  struct parts parts = {.is_negative = value.hi >> 63};
  unsigned __int128 most = 1;
  for (int i = 0; i < PL_DECIMAL128_DIGITS; i++) most *= 10;
  bool is_large = (value.hi >> 61 & 3) == 3;
  parts.exponent = (int)(value.hi >> (is_large ? 47 : 49) & 0x3fff) - BIAS;
  if (is_large) return parts;
  unsigned __int128 coefficient =
      (unsigned __int128)(value.hi & ((UINT64_C(1) << 49) - 1)) << 64 | value.lo;
  if (coefficient < most) parts.coefficient = coefficient;
  return parts;
}

// @param parts an exponent and a coefficient that a dec128 can have
static struct pl_decimal128 put_together(struct parts parts) {
  return (struct pl_decimal128){
      .lo = (uint64_t)parts.coefficient,
      .hi = (uint64_t)(parts.coefficient >> 64) | (uint64_t)(parts.exponent + BIAS) << 49 |
            (uint64_t)parts.is_negative << 63,
  };
}

static size_t count_digits(struct pl_strv text, size_t at) {
  size_t from = at;
  while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') at++;
  return at - from;
}

// Whether it is a number as decimal128.h has it. Returns: 0, PL_ESYNTAX; PL_ELIMIT: an exponent
// beyond all measure.
static int check_number(struct pl_strv text) {
  size_t at = text.len && (text.data[0] == '-' || text.data[0] == '+');
  size_t whole = count_digits(text, at), fraction = 0;
  at += whole;
  if (at < text.len && text.data[at] == '.') {
    fraction = count_digits(text, ++at);
    at += fraction;
  }
  if (whole + fraction == 0) return PL_ESYNTAX;
  if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
    at++;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+')) at++;
    size_t digits = count_digits(text, at);
    at += digits;
    if (digits == 0) return PL_ESYNTAX;
    if (digits > EXPONENT_DIGITS_MAX && at == text.len) return PL_ELIMIT;
  }
  return at == text.len ? 0 : PL_ESYNTAX;
}

static bool read_special(struct pl_strv text, struct pl_decimal128 *out) {
  static const struct {
    struct pl_strv text;
    struct pl_decimal128 value;
  } specials[] = {
      {{"inf", 3}, {0, UINT64_C(0x78) << 56}},
      {{"+inf", 4}, {0, UINT64_C(0x78) << 56}},
      {{"-inf", 4}, {0, UINT64_C(0xf8) << 56}},
      {{"nan", 3}, {0, UINT64_C(0x7c) << 56}},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(specials); i++) {
    if (!pl_strv_eq_nocase(text, specials[i].text)) continue;
    *out = specials[i].value;
    return true;
  }
  return false;
}

int pl_decimal128_read(struct pl_strv text, struct pl_decimal128 *out) {
  char copy[PL_DECIMAL128_TEXT_MAX + 1];
  if (read_special(text, out)) return 0;
  if (text.len > PL_DECIMAL128_TEXT_MAX) return PL_ELIMIT;
  int err = check_number(text);
  if (err) return err;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  _IDEC_flags flags = 0;
  BID_UINT128 value = bid128_from_string(copy, BID_ROUNDING_TO_NEAREST, &flags);
  if (flags & (BID_INEXACT_EXCEPTION | BID_OVERFLOW_EXCEPTION | BID_UNDERFLOW_EXCEPTION))
    return PL_ELIMIT;
  *out = from_bid(value);
  return 0;
}

// Returns: how many; at least one.
static int write_digits(unsigned __int128 value, char digits[PL_DECIMAL128_DIGITS]) {
  char reversed[PL_DECIMAL128_DIGITS];
  int n = 0;
  do {
    reversed[n++] = (char)('0' + (int)(value % 10));
    value /= 10;
  } while (value);
  for (int i = 0; i < n; i++) digits[i] = reversed[n - 1 - i];
  return n;
}

static size_t write_special(struct pl_decimal128 value, char *out) {
  const char *text = pl_decimal128_is_nan(value) ? "nan" : value.hi >> 63 ? "-inf" : "inf";
  memcpy(out, text, strlen(text));
  return strlen(text);
}

size_t pl_decimal128_write(struct pl_decimal128 value, char *out) {
  if (!pl_decimal128_is_finite(value)) return write_special(value, out);
  struct parts parts = take_apart(value);
  char digits[PL_DECIMAL128_DIGITS], *to = out;
  int n = write_digits(parts.coefficient, digits);
  int first = parts.exponent + n - 1;  // the exponent of the first digit
  bool is_plain = parts.exponent <= 0 && first >= -6;
  int whole = is_plain ? n + parts.exponent : 1;  // digits before the point
  if (parts.is_negative) *to++ = '-';
  if (whole <= 0) {
    *to++ = '0';
    *to++ = '.';
    for (int i = whole; i < 0; i++) *to++ = '0';
  }
  for (int i = 0; i < n; i++) {
    if (i == whole && whole > 0) *to++ = '.';
    *to++ = digits[i];
  }
  if (!is_plain) {
    char exponent[16];
    int len = snprintf(exponent, sizeof exponent, "E%+d", first);
    memcpy(to, exponent, (size_t)len);
    to += len;
  }
  return (size_t)(to - out);
}

struct pl_decimal128 pl_decimal128_from_integer(int64_t value) {
  return from_bid(bid128_from_int64(value));
}

struct pl_decimal128 pl_decimal128_from_unsigned(uint64_t value) {
  return from_bid(bid128_from_uint64(value));
}

struct pl_decimal128 pl_decimal128_from_double(double value) {
  char text[PL_DECIMAL_BYTES];
  struct pl_decimal128 out = {0, 0};
  if (!isfinite(value)) {
    read_special(isnan(value) ? PL_STRV("nan")
                 : value < 0  ? PL_STRV("-inf")
                              : PL_STRV("inf"),
                 &out);
    return out;
  }
  size_t len = pl_decimal_write(value, text);
  if (len > 2 && memcmp(text + len - 2, ".0", 2) == 0) len -= 2;
  // 17 digits and an exponent of three always fit.
  if (pl_decimal128_read(pl_strv(text, len), &out) != 0) read_special(PL_STRV("nan"), &out);
  return out;
}

double pl_decimal128_to_double(struct pl_decimal128 value) {
  _IDEC_flags flags = 0;
  return bid128_to_binary64(to_bid(value), BID_ROUNDING_TO_NEAREST, &flags);
}

// Why a conversion to an integer failed.
static int integer_error(struct pl_decimal128 value, _IDEC_flags flags) {
  if (flags & BID_INVALID_EXCEPTION) return pl_decimal128_is_nan(value) ? PL_EINVAL : PL_ELIMIT;
  return flags & BID_INEXACT_EXCEPTION ? PL_EINVAL : 0;
}

int pl_decimal128_to_integer(struct pl_decimal128 value, int64_t *out) {
  _IDEC_flags flags = 0;
  int64_t result = bid128_to_int64_xint(to_bid(value), &flags);
  int err = integer_error(value, flags);
  if (!err) *out = result;
  return err;
}

int pl_decimal128_to_unsigned(struct pl_decimal128 value, uint64_t *out) {
  _IDEC_flags flags = 0;
  uint64_t result = bid128_to_uint64_xint(to_bid(value), &flags);
  int err = integer_error(value, flags);
  if (!err) *out = result;
  return err;
}

struct pl_decimal128 pl_decimal128_add(struct pl_decimal128 a, struct pl_decimal128 b) {
  _IDEC_flags flags = 0;
  return from_bid(bid128_add(to_bid(a), to_bid(b), BID_ROUNDING_TO_NEAREST, &flags));
}

struct pl_decimal128 pl_decimal128_sub(struct pl_decimal128 a, struct pl_decimal128 b) {
  _IDEC_flags flags = 0;
  return from_bid(bid128_sub(to_bid(a), to_bid(b), BID_ROUNDING_TO_NEAREST, &flags));
}

struct pl_decimal128 pl_decimal128_mul(struct pl_decimal128 a, struct pl_decimal128 b) {
  _IDEC_flags flags = 0;
  return from_bid(bid128_mul(to_bid(a), to_bid(b), BID_ROUNDING_TO_NEAREST, &flags));
}

struct pl_decimal128 pl_decimal128_div(struct pl_decimal128 a, struct pl_decimal128 b) {
  _IDEC_flags flags = 0;
  return from_bid(bid128_div(to_bid(a), to_bid(b), BID_ROUNDING_TO_NEAREST, &flags));
}

struct pl_decimal128 pl_decimal128_rem(struct pl_decimal128 a, struct pl_decimal128 b) {
  _IDEC_flags flags = 0;
  return from_bid(bid128_fmod(to_bid(a), to_bid(b), &flags));
}

struct pl_decimal128 pl_decimal128_neg(struct pl_decimal128 value) {
  return from_bid(bid128_negate(to_bid(value)));
}

struct pl_decimal128 pl_decimal128_abs(struct pl_decimal128 value) {
  return from_bid(bid128_abs(to_bid(value)));
}

int pl_decimal128_compare(struct pl_decimal128 a, struct pl_decimal128 b) {
  _IDEC_flags flags = 0;
  if (pl_decimal128_is_nan(a) || pl_decimal128_is_nan(b)) return PL_DECIMAL128_UNORDERED;
  if (bid128_quiet_equal(to_bid(a), to_bid(b), &flags)) return 0;
  return bid128_quiet_less(to_bid(a), to_bid(b), &flags) ? -1 : 1;
}

struct pl_decimal128 pl_decimal128_quantize(struct pl_decimal128 value, int places,
                                            enum pl_decimal128_rounding rounding) {
  static const _IDEC_round modes[] = {
      [PL_DECIMAL128_HALF_EVEN] = BID_ROUNDING_TO_NEAREST,
      [PL_DECIMAL128_FLOOR] = BID_ROUNDING_DOWN,
      [PL_DECIMAL128_CEIL] = BID_ROUNDING_UP,
      [PL_DECIMAL128_TRUNCATE] = BID_ROUNDING_TO_ZERO,
      [PL_DECIMAL128_HALF_AWAY] = BID_ROUNDING_TIES_AWAY,
  };
  struct pl_decimal128 result = {0, 0};
  if (places > BIAS || places < -EXPONENT_MAX || !pl_decimal128_is_finite(value)) {
    read_special(PL_STRV("nan"), &result);
    return result;
  }
  struct pl_decimal128 unit = put_together((struct parts){.coefficient = 1, .exponent = -places});
  _IDEC_flags flags = 0;
  return from_bid(bid128_quantize(to_bid(value), to_bid(unit), modes[rounding], &flags));
}

struct pl_decimal128 pl_decimal128_round(struct pl_decimal128 value, int places,
                                         enum pl_decimal128_rounding rounding) {
  if (!pl_decimal128_is_finite(value)) return value;
  if (places > BIAS || take_apart(value).exponent >= -places) return value;
  return pl_decimal128_quantize(value, places, rounding);
}

int pl_decimal128_from_net(const void *net, struct pl_decimal128 *out) {
  unsigned char head[4];
  uint32_t high = 0;
  uint64_t low = 0;
  memcpy(head, net, sizeof head);
  memcpy(&high, (const char *)net + 4, sizeof high);
  memcpy(&low, (const char *)net + 8, sizeof low);
  if (head[0] || head[1] || head[2] > NET_SCALE_MAX || (head[3] & 0x7f)) return PL_EINVAL;
  *out = put_together((struct parts){.coefficient = (unsigned __int128)high << 64 | low,
                                     .exponent = -(int)head[2],
                                     .is_negative = head[3] != 0});
  return 0;
}

int pl_decimal128_to_net(struct pl_decimal128 value, void *net) {
  if (!pl_decimal128_is_finite(value)) return PL_EINVAL;
  struct parts parts = take_apart(value);
  unsigned __int128 most = ((unsigned __int128)1 << 96) - 1, integer = parts.coefficient;
  int scale = -parts.exponent;
  if (integer == 0) scale = scale < 0 ? 0 : scale > NET_SCALE_MAX ? NET_SCALE_MAX : scale;
  while (scale > 0 && (scale > NET_SCALE_MAX || integer > most) && integer % 10 == 0) {
    integer /= 10;
    scale--;
  }
  for (; scale < 0 && integer <= most; scale++) integer *= 10;
  if (scale < 0 || scale > NET_SCALE_MAX || integer > most) return PL_ELIMIT;
  uint32_t high = (uint32_t)(integer >> 64);
  uint64_t low = (uint64_t)integer;
  unsigned char head[4] = {0, 0, (unsigned char)scale, parts.is_negative ? 0x80 : 0};
  memcpy(net, head, sizeof head);
  memcpy((char *)net + 4, &high, sizeof high);
  memcpy((char *)net + 8, &low, sizeof low);
  return 0;
}
