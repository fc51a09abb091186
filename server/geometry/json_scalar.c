// Scalars and enums between JSON tokens and packed bytes. What stands in the text decides, not the
// double that the reader has made of it: 18446744073709551615 is a u64.
#include "geometry/json_scalar.h"

#include "base/decimal.h"
#include "base/error.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "geometry/decimal128.h"
#include "geometry/enum.h"
#include "geometry/f16.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- from bytes to text

static int64_t load_integer(enum pl_scalar scalar, const char *at) {
  union {
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
  } v;
  memcpy(&v, at, pl_scalar_size(scalar));
  switch (scalar) {
  case PL_SCALAR_I8:
    return v.i8;
  case PL_SCALAR_I16:
    return v.i16;
  case PL_SCALAR_I32:
    return v.i32;
  case PL_SCALAR_U8:
    return v.u8;
  case PL_SCALAR_U16:
    return v.u16;
  case PL_SCALAR_U32:
    return v.u32;
  default:
    return v.i64;
  }
}

static bool is_wide(enum pl_scalar scalar) {
  return scalar == PL_SCALAR_I64 || scalar == PL_SCALAR_U64;
}

// 64 bits in quotes: JavaScript's numbers have 53.
static int write_integer(struct pl_buf *out, enum pl_scalar scalar, int64_t value) {
  if (!is_wide(scalar)) return pl_json_write_integer(out, value);
  char *to = pl_buf_reserve(out, PL_DECIMAL_BYTES + 2);
  if (!to) return PL_ENOMEM;
  uint64_t bits = (uint64_t)value;
  bool is_large = scalar == PL_SCALAR_U64 && value < 0;
  size_t len = 0;
  to[len++] = '"';
  if (is_large) len += pl_decimal_write_integer((int64_t)(bits / 10), to + len);
  len += pl_decimal_write_integer(is_large ? (int64_t)(bits % 10) : value, to + len);
  to[len++] = '"';
  pl_buf_grew(out, len);
  return 0;
}

static int write_f32(struct pl_buf *out, const char *at) {
  float value;
  memcpy(&value, at, sizeof value);
  if (!isfinite(value)) return pl_json_write_raw(out, PL_STRV("null"));
  char *to = pl_buf_reserve(out, PL_DECIMAL_BYTES);
  if (!to) return PL_ENOMEM;
  pl_buf_grew(out, pl_decimal_write_f32(value, to));
  return 0;
}

static int write_f64(struct pl_buf *out, const char *at) {
  double value;
  memcpy(&value, at, sizeof value);
  if (!isfinite(value)) return pl_json_write_raw(out, PL_STRV("null"));
  return pl_json_write_float(out, value);
}

static int write_f16(struct pl_buf *out, const char *at) {
  uint16_t bits;
  memcpy(&bits, at, sizeof bits);
  if (!isfinite(pl_f16_to_double(bits))) return pl_json_write_raw(out, PL_STRV("null"));
  char *to = pl_buf_reserve(out, PL_DECIMAL_BYTES);
  if (!to) return PL_ENOMEM;
  pl_buf_grew(out, pl_decimal_write_f16(bits, to));
  return 0;
}

static int write_dec128(struct pl_buf *out, const char *at) {
  char text[PL_DECIMAL128_TEXT];
  struct pl_decimal128 value = pl_decimal128_load(at);
  if (!pl_decimal128_is_finite(value)) return pl_json_write_raw(out, PL_STRV("null"));
  return pl_json_write_string(out, pl_strv(text, pl_decimal128_write(value, text)));
}

int pl_json_write_scalar(struct pl_buf *out, enum pl_scalar scalar, const char *at) {
  switch (scalar) {
  case PL_SCALAR_BOOL:
    return pl_json_write_raw(out, *at ? PL_STRV("true") : PL_STRV("false"));
  case PL_SCALAR_F16:
    return write_f16(out, at);
  case PL_SCALAR_F32:
    return write_f32(out, at);
  case PL_SCALAR_F64:
    return write_f64(out, at);
  case PL_SCALAR_DEC128:
    return write_dec128(out, at);
  default:
    return write_integer(out, scalar, load_integer(scalar, at));
  }
}

static int write_enum(struct pl_buf *out, const struct pl_layout *layout, int64_t value) {
  const struct pl_enum_member *member = pl_enum_by_value(layout, value);
  return member ? pl_json_write_string(out, member->name)
                : write_integer(out, layout->scalar, value);
}

static int write_separator(struct pl_buf *out, bool *is_first) {
  bool was_first = *is_first;
  *is_first = false;
  return was_first ? 0 : pl_json_write_byte(out, ',');
}

static int write_flags(struct pl_buf *out, const struct pl_layout *layout, int64_t value) {
  const struct pl_enum_member *member;
  int64_t rest = value;
  uint32_t next = 0;
  bool is_first = true;
  int err = pl_json_write_byte(out, '[');
  while (!err && (member = pl_enum_next_flag(layout, value, &rest, &next))) {
    err = write_separator(out, &is_first);
    if (!err) err = pl_json_write_string(out, member->name);
  }
  if (rest && !err) err = write_separator(out, &is_first);
  if (rest && !err) err = write_integer(out, layout->scalar, rest);
  return err ? err : pl_json_write_byte(out, ']');
}

int pl_json_scalar_write(struct pl_buf *out, const struct pl_layout *layout, const char *at) {
  if (layout->kind != PL_LAYOUT_ENUM) return pl_json_write_scalar(out, layout->scalar, at);
  int64_t value = load_integer(layout->scalar, at);
  return layout->is_flags ? write_flags(out, layout, value) : write_enum(out, layout, value);
}

// ---- messages

// Copies what fits, whole characters only, control characters as '?'.
static void copy_plain(struct pl_strv text, char *out, size_t max) {
  size_t len = text.len;
  if (len > max) {
    for (len = max - 3; len && pl_utf8_is_tail((unsigned char)text.data[len]);) len--;
  }
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
  }
  memcpy(out + len, "...", 4);
  if (len == text.len) out[len] = '\0';
}

const char *pl_json_describe(const struct pl_json_item *item, char out[PL_JSON_DESCRIBE_MAX]) {
  static const char *const names[] = {
      [PL_JSON_END] = "the end",
      [PL_JSON_NULL] = "null",
      [PL_JSON_FALSE] = "false",
      [PL_JSON_TRUE] = "true",
      [PL_JSON_ARRAY_BEGIN] = "a list",
      [PL_JSON_ARRAY_END] = "the list's end",
      [PL_JSON_OBJECT_BEGIN] = "an object",
      [PL_JSON_OBJECT_END] = "the object's end",
  };
  switch (item->type) {
  case PL_JSON_INTEGER:
  case PL_JSON_FLOAT:
    copy_plain(item->text, out, PL_JSON_DESCRIBE_MAX / 2);
    return out;
  case PL_JSON_STRING:
  case PL_JSON_KEY: {
    out[0] = '"';
    copy_plain(item->token.string, out + 1, PL_JSON_DESCRIBE_MAX / 2);
    size_t len = strlen(out);
    memcpy(out + len, "\"", 2);
    return out;
  }
  default:
    snprintf(out, PL_JSON_DESCRIBE_MAX, "%s", names[item->type]);
    return out;
  }
}

static const struct {
  const char *low, *high;
} ranges[PL_SCALAR_COUNT] = {
    [PL_SCALAR_I8] = {"-128", "127"},
    [PL_SCALAR_I16] = {"-32768", "32767"},
    [PL_SCALAR_I32] = {"-2147483648", "2147483647"},
    [PL_SCALAR_I64] = {"-9223372036854775808", "9223372036854775807"},
    [PL_SCALAR_U8] = {"0", "255"},
    [PL_SCALAR_U16] = {"0", "65535"},
    [PL_SCALAR_U32] = {"0", "4294967295"},
    [PL_SCALAR_U64] = {"0", "18446744073709551615"},
    [PL_SCALAR_F16] = {"-65504", "65504"},
    [PL_SCALAR_F32] = {"-3.4028235e38", "3.4028235e38"},
};

static int refuse_range(const struct pl_json_item *item, const struct pl_layout *layout,
                        char *problem) {
  char found[PL_JSON_DESCRIBE_MAX];
  snprintf(problem, PL_JSON_SCALAR_PROBLEM_MAX, "%s is out of range for %s (%s to %s)",
           pl_json_describe(item, found), layout->name.data, ranges[layout->scalar].low,
           ranges[layout->scalar].high);
  return PL_EINVAL;
}

static int refuse_type(const struct pl_json_item *item, const struct pl_layout *layout,
                       const char *wanted, char *problem) {
  char found[PL_JSON_DESCRIBE_MAX];
  bool is_float = layout->scalar >= PL_SCALAR_F16 && layout->scalar <= PL_SCALAR_F64;
  snprintf(problem, PL_JSON_SCALAR_PROBLEM_MAX, "%s must be %s, not %s%s", layout->name.data,
           wanted, pl_json_describe(item, found),
           is_float && item->type == PL_JSON_NULL ? ": NaN and infinities are not read" : "");
  return PL_EINVAL;
}

// ---- from text to bytes

enum integer_result { INTEGER_OK, INTEGER_NOT, INTEGER_RANGE };

// An integer of any sign and up to 64 bits.
struct integer {
  uint64_t magnitude;
  bool is_negative;
};

static enum integer_result parse_digits(struct pl_strv text, struct integer *n) {
  size_t i = 0;
  n->is_negative = text.len && text.data[0] == '-';
  n->magnitude = 0;
  i += n->is_negative;
  if (i == text.len) return INTEGER_NOT;
  for (; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return INTEGER_NOT;
    bool is_over = __builtin_mul_overflow(n->magnitude, 10, &n->magnitude) ||
                   __builtin_add_overflow(n->magnitude, text.data[i] - '0', &n->magnitude);
    if (is_over) return INTEGER_RANGE;
  }
  return INTEGER_OK;
}

static enum integer_result parse_item(const struct pl_json_item *item, bool is_wide_type,
                                      struct integer *n) {
  if (item->type == PL_JSON_STRING && is_wide_type) return parse_digits(item->token.string, n);
  if (item->type == PL_JSON_INTEGER) {
    int64_t value = item->token.integer;
    *n = (struct integer){value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0};
    return INTEGER_OK;
  }
  if (item->type != PL_JSON_FLOAT) return INTEGER_NOT;
  enum integer_result result = parse_digits(item->text, n);  // beyond int64
  if (result != INTEGER_NOT) return result;
  double value = item->token.number, magnitude = fabs(value);
  if (magnitude != floor(magnitude)) return INTEGER_NOT;
  if (magnitude >= 0x1p64) return INTEGER_RANGE;
  *n = (struct integer){(uint64_t)magnitude, value < 0};
  return INTEGER_OK;
}

// Whether it fits; *bits is then what is stored, cut to the scalar's size.
static bool fit_integer(struct integer n, enum pl_scalar scalar, uint64_t *bits) {
  unsigned width = pl_scalar_size(scalar) * 8;
  bool is_unsigned = scalar >= PL_SCALAR_U8;
  uint64_t largest = UINT64_MAX >> (64 - width);
  if (!is_unsigned) largest = (largest >> 1) + n.is_negative;
  if (n.magnitude > largest || (is_unsigned && n.is_negative && n.magnitude)) return false;
  *bits = n.is_negative ? 0 - n.magnitude : n.magnitude;
  return true;
}

static int read_integer(const struct pl_json_item *item, const struct pl_layout *layout,
                        uint64_t *bits, char *problem) {
  struct integer n;
  bool has_wide = is_wide(layout->scalar);
  enum integer_result result = parse_item(item, has_wide, &n);
  if (result == INTEGER_NOT) {
    return refuse_type(item, layout, has_wide ? "an integer or a string of one" : "an integer",
                       problem);
  }
  if (result == INTEGER_RANGE || !fit_integer(n, layout->scalar, bits))
    return refuse_range(item, layout, problem);
  return 0;
}

// Little-endian: the low bytes are the first.
static void store_bits(char *at, uint64_t bits, enum pl_scalar scalar) {
  memcpy(at, &bits, pl_scalar_size(scalar));
}

static int read_float(const struct pl_json_item *item, const struct pl_layout *layout, char *at,
                      char *problem) {
  bool is_integer = item->type == PL_JSON_INTEGER;
  if (!is_integer && item->type != PL_JSON_FLOAT)
    return refuse_type(item, layout, "a number", problem);
  double value = is_integer ? (double)item->token.integer : item->token.number;
  // An integer goes to f32 in one step, so that it is rounded once; -0 is written without a point.
  float single = is_integer ? (float)item->token.integer : (float)value;
  if (is_integer && item->text.data[0] == '-' && value == 0) value = -0.0, single = -0.0F;
  uint16_t half = pl_f16_from_double(value);
  switch (layout->scalar) {
  case PL_SCALAR_F64:
    memcpy(at, &value, sizeof value);
    return 0;
  case PL_SCALAR_F32:
    if (!isfinite(single)) return refuse_range(item, layout, problem);
    memcpy(at, &single, sizeof single);
    return 0;
  default:
    if (!isfinite(pl_f16_to_double(half))) return refuse_range(item, layout, problem);
    memcpy(at, &half, sizeof half);
    return 0;
  }
}

static int read_dec128(const struct pl_json_item *item, const struct pl_layout *layout, char *at,
                       char *problem) {
  bool is_string = item->type == PL_JSON_STRING;
  bool is_number = item->type == PL_JSON_INTEGER || item->type == PL_JSON_FLOAT;
  struct pl_decimal128 value;
  int err = PL_ESYNTAX;
  if (is_string || is_number)
    err = pl_decimal128_read(is_string ? item->token.string : item->text, &value);
  if (err == PL_ELIMIT) {
    char found[PL_JSON_DESCRIBE_MAX];
    snprintf(problem, PL_JSON_SCALAR_PROBLEM_MAX,
             "%s does not fit into %s (34 digits, up to 9.99e6144)", pl_json_describe(item, found),
             layout->name.data);
    return PL_EINVAL;
  }
  if (err || !pl_decimal128_is_finite(value))
    return refuse_type(item, layout, "a decimal number or a string of one", problem);
  pl_decimal128_store(at, value);
  return 0;
}

static int refuse_member(const struct pl_json_item *item, const struct pl_layout *layout,
                         char *problem) {
  char found[PL_JSON_DESCRIBE_MAX];
  const struct pl_enum_member *nearest = pl_enum_suggest(layout, item->token.string);
  struct pl_strv name = nearest ? nearest->name : PL_STRV("");
  snprintf(problem, PL_JSON_SCALAR_PROBLEM_MAX, "%s has no member %s%s%.*s%s", layout->name.data,
           pl_json_describe(item, found), nearest ? " (did you mean \"" : "", (int)name.len,
           name.data, nearest ? "\"?)" : "");
  return PL_EINVAL;
}

static int read_enum(const struct pl_json_item *item, const struct pl_layout *layout, char *at,
                     char *problem) {
  bool is_string = item->type == PL_JSON_STRING;
  const struct pl_enum_member *member =
      is_string ? pl_enum_by_name(layout, item->token.string) : NULL;
  struct integer n;
  uint64_t bits;
  if (member) {
    bits = (uint64_t)member->value;
  } else if (is_string &&
             (!is_wide(layout->scalar) || parse_digits(item->token.string, &n) == INTEGER_NOT)) {
    return refuse_member(item, layout, problem);
  } else {
    int err = read_integer(item, layout, &bits, problem);
    if (err) return err;
  }
  store_bits(at, bits, layout->scalar);
  return 0;
}

int pl_json_scalar_read(const struct pl_json_item *item, const struct pl_layout *layout, char *at,
                        char problem[PL_JSON_SCALAR_PROBLEM_MAX]) {
  if (layout->kind == PL_LAYOUT_ENUM) return read_enum(item, layout, at, problem);
  switch (layout->scalar) {
  case PL_SCALAR_BOOL:
    if (item->type != PL_JSON_TRUE && item->type != PL_JSON_FALSE)
      return refuse_type(item, layout, "true or false", problem);
    *at = item->type == PL_JSON_TRUE;
    return 0;
  case PL_SCALAR_F16:
  case PL_SCALAR_F32:
  case PL_SCALAR_F64:
    return read_float(item, layout, at, problem);
  case PL_SCALAR_DEC128:
    return read_dec128(item, layout, at, problem);
  default: {
    uint64_t bits;
    int err = read_integer(item, layout, &bits, problem);
    if (!err) store_bits(at, bits, layout->scalar);
    return err;
  }
  }
}
