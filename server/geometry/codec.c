// Single scalars: load, store, and why not.
#include "geometry/codec.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/decimal.h"
#include "base/error.h"
#include "geometry/f16.h"

enum { SHOWN_TEXT_MAX = 40 };

static const double F16_LIMIT = 65520.0;         // from here on they round to infinity
static const double F32_LIMIT = 0x1.ffffffp127;  // half a step above the largest

// What the integer types take. Of u64: see fits_integer.
static const struct {
  int64_t least;
  int64_t most;
} ranges[PL_SCALAR_COUNT] = {
    [PL_SCALAR_I8] = {INT8_MIN, INT8_MAX},    [PL_SCALAR_I16] = {INT16_MIN, INT16_MAX},
    [PL_SCALAR_I32] = {INT32_MIN, INT32_MAX}, [PL_SCALAR_I64] = {INT64_MIN, INT64_MAX},
    [PL_SCALAR_U8] = {0, UINT8_MAX},          [PL_SCALAR_U16] = {0, UINT16_MAX},
    [PL_SCALAR_U32] = {0, UINT32_MAX},        [PL_SCALAR_U64] = {INT64_MIN, INT64_MAX},
};

static bool is_integer(enum pl_scalar scalar) {
  return scalar >= PL_SCALAR_I8 && scalar <= PL_SCALAR_U64;
}

// A float as a double. The CPU's own conversion would make signalling NaNs quiet ones.
static double load_f32(const void *at) {
  uint32_t bits = 0;
  float value = 0;
  memcpy(&bits, at, sizeof bits);
  memcpy(&value, at, sizeof value);
  if (PL_LIKELY((bits & 0x7fffffff) <= 0x7f800000)) return value;
  uint64_t wide =
      (uint64_t)(bits >> 31) << 63 | UINT64_C(0x7ff) << 52 | (uint64_t)(bits & 0x7fffff) << 29;
  double result = 0;
  memcpy(&result, &wide, sizeof result);
  return result;
}

static void store_f32(void *at, double value) {
  uint64_t wide = 0;
  memcpy(&wide, &value, sizeof wide);
  float narrow = (float)value;
  uint32_t bits = (uint32_t)(wide >> 32 & 0x80000000) | 0x7f800000 | (wide >> 29 & 0x7fffff);
  if (PL_UNLIKELY(isnan(value)) && (bits & 0x7fffff))
    memcpy(at, &bits, sizeof bits);
  else
    memcpy(at, &narrow, sizeof narrow);
}

// The integer's bytes, its sign stretched to 64 bits.
static int64_t load_integer(enum pl_scalar scalar, const void *at) {
  uint64_t bits = 0;
  unsigned size = pl_scalar_size(scalar);
  memcpy(&bits, at, size);
  if (scalar >= PL_SCALAR_U8 || size == 8) return (int64_t)bits;
  uint64_t sign = UINT64_C(1) << (size * 8 - 1);
  return (int64_t)((bits ^ sign) - sign);
}

struct pl_value pl_codec_load(const struct pl_layout *type, const void *at) {
  struct pl_value value = {.kind = PL_VALUE_NUMBER};
  uint16_t half = 0;
  switch ((enum pl_scalar)type->scalar) {
  case PL_SCALAR_BOOL:
    value.kind = PL_VALUE_BOOL;
    value.boolean = *(const unsigned char *)at != 0;
    break;
  case PL_SCALAR_F16:
    memcpy(&half, at, sizeof half);
    value.number = pl_f16_to_double(half);
    break;
  case PL_SCALAR_F32:
    value.number = load_f32(at);
    break;
  case PL_SCALAR_F64:
    memcpy(&value.number, at, sizeof value.number);
    break;
  case PL_SCALAR_DEC128:
    value.kind = PL_VALUE_DECIMAL;
    value.decimal = pl_decimal128_load(at);
    break;
  default:
    value.kind = PL_VALUE_INTEGER;
    value.integer = load_integer((enum pl_scalar)type->scalar, at);
  }
  return value;
}

// A float to an integer; of u64 the bits. Refuses what is no integer before what is too large.
static enum pl_codec_problem integer_of_number(enum pl_scalar scalar, double number, int64_t *out) {
  if (!isfinite(number) || number != floor(number)) return PL_CODEC_FRACTION;
  bool is_u64 = scalar == PL_SCALAR_U64;
  if (number < (is_u64 ? 0.0 : -0x1p63) || number >= (is_u64 ? 0x1p64 : 0x1p63))
    return PL_CODEC_RANGE;
  *out = is_u64 ? (int64_t)(uint64_t)number : (int64_t)number;
  return PL_CODEC_OK;
}

static enum pl_codec_problem integer_of_decimal(enum pl_scalar scalar, struct pl_decimal128 decimal,
                                                int64_t *out) {
  uint64_t bits = 0;
  int err = scalar == PL_SCALAR_U64 ? pl_decimal128_to_unsigned(decimal, &bits)
                                    : pl_decimal128_to_integer(decimal, out);
  if (err) return err == PL_EINVAL ? PL_CODEC_FRACTION : PL_CODEC_RANGE;
  if (scalar == PL_SCALAR_U64) *out = (int64_t)bits;
  return PL_CODEC_OK;
}

// Digits with a sign; no other text is an integer.
static enum pl_codec_problem integer_of_text(enum pl_scalar scalar, struct pl_strv text,
                                             int64_t *out) {
  if (scalar != PL_SCALAR_I64 && scalar != PL_SCALAR_U64) return PL_CODEC_KIND;
  bool is_negative = text.len && text.data[0] == '-', is_too_large = false;
  size_t at = is_negative;
  uint64_t value = 0;
  if (at == text.len) return PL_CODEC_TEXT;
  for (; at < text.len; at++) {
    unsigned digit = (unsigned)(unsigned char)text.data[at] - '0';
    if (digit > 9) return PL_CODEC_TEXT;
    is_too_large |= __builtin_mul_overflow(value, UINT64_C(10), &value);
    is_too_large |= __builtin_add_overflow(value, (uint64_t)digit, &value);
  }
  uint64_t most =
      scalar == PL_SCALAR_U64 ? (is_negative ? 0 : UINT64_MAX) : (uint64_t)INT64_MAX + is_negative;
  if (is_too_large || value > most) return PL_CODEC_RANGE;
  *out = (int64_t)(is_negative ? 0 - value : value);
  return PL_CODEC_OK;
}

static enum pl_codec_problem store_integer(enum pl_scalar scalar, void *at,
                                           const struct pl_value *value) {
  enum pl_codec_problem problem = PL_CODEC_KIND;
  int64_t integer = 0;
  if (value->kind == PL_VALUE_INTEGER) {
    integer = value->integer;
    problem = PL_CODEC_OK;
  } else if (value->kind == PL_VALUE_NUMBER) {
    problem = integer_of_number(scalar, value->number, &integer);
  } else if (value->kind == PL_VALUE_DECIMAL) {
    problem = integer_of_decimal(scalar, value->decimal, &integer);
  } else if (value->kind == PL_VALUE_TEXT) {
    problem = integer_of_text(scalar, value->text, &integer);
  }
  if (problem) return problem;
  if (integer < ranges[scalar].least || integer > ranges[scalar].most) return PL_CODEC_RANGE;
  memcpy(at, &integer, pl_scalar_size(scalar));  // the low bytes come first
  return PL_CODEC_OK;
}

static enum pl_codec_problem store_number(enum pl_scalar scalar, bool is_finite, void *at,
                                          const struct pl_value *value) {
  double number = 0;
  if (value->kind == PL_VALUE_NUMBER) {
    number = value->number;
  } else if (value->kind == PL_VALUE_INTEGER) {
    number = (double)value->integer;
  } else if (value->kind == PL_VALUE_DECIMAL) {
    number = pl_decimal128_to_double(value->decimal);
    if (isinf(number) && pl_decimal128_is_finite(value->decimal)) return PL_CODEC_OVERFLOW;
  } else {
    return PL_CODEC_KIND;
  }
  if (!isfinite(number)) {
    if (is_finite) return PL_CODEC_NOT_FINITE;
  } else if ((scalar == PL_SCALAR_F32 && fabs(number) >= F32_LIMIT) ||
             (scalar == PL_SCALAR_F16 && fabs(number) >= F16_LIMIT)) {
    return PL_CODEC_OVERFLOW;
  }
  if (scalar == PL_SCALAR_F64) {
    memcpy(at, &number, sizeof number);
  } else if (scalar == PL_SCALAR_F32) {
    store_f32(at, number);
  } else {
    uint16_t half = pl_f16_from_double(number);
    memcpy(at, &half, sizeof half);
  }
  return PL_CODEC_OK;
}

static enum pl_codec_problem store_decimal(bool is_finite, void *at, const struct pl_value *value) {
  struct pl_decimal128 decimal = {0, 0};
  int err = 0;
  if (value->kind == PL_VALUE_DECIMAL)
    decimal = value->decimal;
  else if (value->kind == PL_VALUE_INTEGER)
    decimal = pl_decimal128_from_integer(value->integer);
  else if (value->kind == PL_VALUE_NUMBER)
    decimal = pl_decimal128_from_double(value->number);
  else if (value->kind == PL_VALUE_TEXT)
    err = pl_decimal128_read(value->text, &decimal);
  else
    return PL_CODEC_KIND;
  if (err) return err == PL_ELIMIT ? PL_CODEC_DIGITS : PL_CODEC_TEXT;
  if (is_finite && !pl_decimal128_is_finite(decimal)) return PL_CODEC_NOT_FINITE;
  pl_decimal128_store(at, decimal);
  return PL_CODEC_OK;
}

enum pl_codec_problem pl_codec_store(const struct pl_layout *type, bool is_finite, void *at,
                                     const struct pl_value *value) {
  enum pl_scalar scalar = (enum pl_scalar)type->scalar;
  if (is_integer(scalar)) return store_integer(scalar, at, value);
  if (scalar == PL_SCALAR_DEC128) return store_decimal(is_finite, at, value);
  if (scalar != PL_SCALAR_BOOL) return store_number(scalar, is_finite, at, value);
  if (value->kind != PL_VALUE_BOOL) return PL_CODEC_KIND;
  *(unsigned char *)at = value->boolean;
  return PL_CODEC_OK;
}

// The value as a script would write it; text in quotes, cut and without control characters.
static void show_value(char *out, size_t size, const struct pl_value *value) {
  char text[PL_DECIMAL128_TEXT];
  size_t len = 0;
  switch (value->kind) {
  case PL_VALUE_BOOL:
    snprintf(out, size, "%s", value->boolean ? "true" : "false");
    return;
  case PL_VALUE_INTEGER:
    snprintf(out, size, "%" PRId64, value->integer);
    return;
  case PL_VALUE_NUMBER:
    if (isfinite(value->number)) {
      len = pl_decimal_write(value->number, text);
      snprintf(out, size, "%.*s", (int)len, text);
    } else {
      snprintf(out, size, "%s", isnan(value->number) ? "nan" : value->number < 0 ? "-inf" : "inf");
    }
    return;
  case PL_VALUE_DECIMAL:
    len = pl_decimal128_write(value->decimal, text);
    snprintf(out, size, "%.*s", (int)len, text);
    return;
  case PL_VALUE_TEXT:
    len = value->text.len < SHOWN_TEXT_MAX ? value->text.len : SHOWN_TEXT_MAX;
    snprintf(out, size, "'%.*s'%s", (int)len, len ? value->text.data : "",
             len < value->text.len ? "..." : "");
    for (; *out; out++)
      if ((unsigned char)*out < ' ' || (unsigned char)*out >= 0x7f) *out = '?';
  }
}

static void show_range(char *out, size_t size, const struct pl_layout *type,
                       const struct pl_value *value) {
  enum pl_scalar scalar = (enum pl_scalar)type->scalar;
  if (scalar == PL_SCALAR_U64 && value->kind != PL_VALUE_INTEGER)
    snprintf(out, size, "0 to %" PRIu64, UINT64_MAX);
  else if (is_integer(scalar))
    snprintf(out, size, "%" PRId64 " to %" PRId64, ranges[scalar].least, ranges[scalar].most);
  else
    snprintf(out, size, "at most %s",
             scalar == PL_SCALAR_F16   ? "65504"
             : scalar == PL_SCALAR_F32 ? "3.4028234663852886e+38"
                                       : "1.7976931348623157e+308");
}

char *pl_codec_explain(char *out, size_t size, enum pl_codec_problem problem, struct pl_strv owner,
                       struct pl_strv field, const struct pl_layout *type,
                       const struct pl_value *value) {
  char place[160] = "", shown[80], range[64];
  if (owner.len || field.len)
    snprintf(place, sizeof place, "%.*s%s%.*s: ", (int)owner.len, owner.len ? owner.data : "",
             owner.len && field.len ? "." : "", (int)field.len, field.len ? field.data : "");
  show_value(shown, sizeof shown, value);
  show_range(range, sizeof range, type, value);
  const char *name = type->name.data;
  switch (problem) {
  case PL_CODEC_OK:
    snprintf(out, size, "%s%s is a %s", place, shown, name);
    break;
  case PL_CODEC_KIND:
    snprintf(out, size, "%s%s is no %s", place, shown, name);
    break;
  case PL_CODEC_RANGE:
    snprintf(out, size, "%s%s is out of range for %s: %s", place, shown, name, range);
    break;
  case PL_CODEC_FRACTION:
    snprintf(out, size, "%s%s is no integer, which %s is: %s", place, shown, name, range);
    break;
  case PL_CODEC_OVERFLOW:
    snprintf(out, size, "%s%s is too large for %s: %s", place, shown, name, range);
    break;
  case PL_CODEC_NOT_FINITE:
    snprintf(out, size, "%s%s is not finite, which this %s has to be", place, shown, name);
    break;
  case PL_CODEC_TEXT:
    snprintf(out, size, "%s%s is no number for %s", place, shown, name);
    break;
  case PL_CODEC_DIGITS:
    snprintf(out, size, "%s%s has more than the %d digits, or a larger exponent, than %s has",
             place, shown, PL_DECIMAL128_DIGITS, name);
    break;
  }
  return out;
}
