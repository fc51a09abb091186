// The JSON reader: a state ("what may come next") and a bit per open container instead of
// recursion, so that deep nesting costs a bit a level and no stack.
//
// Strings without escapes, nearly all of them, are handed out as views of the text; numbers are
// read in one pass and made by base/decimal.h, and only the rare hard ones go through strtod.
//
// Not libyajl: decoding into Lua tables takes 0.3 to 0.7 of its time here (it hands numbers out as
// text and allocates a parser per text), and it accepts lone surrogates, escaped or in UTF-8.
#include "base/json.h"

#include "base/decimal.h"
#include "base/error.h"
#include "base/json_scan.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum expectation {
  EXPECT_VALUE,
  EXPECT_VALUE_OR_CLOSE,  // behind [
  EXPECT_KEY,
  EXPECT_KEY_OR_CLOSE,  // behind {
  EXPECT_COMMA_OR_CLOSE,
  EXPECT_NOTHING  // the value is complete
};

enum {
  AT_END = -1,
  DIGITS_MAX = 19,  // every number of 19 digits fits into 64 bits
  UTF8_MAX = 4
};

static const char not_finite[] = "NaN and Infinity are not JSON";
static const char too_deep[] = "nested deeper than";  // the message goes on with the limit

void pl_json_reader_init(struct pl_json_reader *r, struct pl_strv text, unsigned depth_max,
                         struct pl_buf *scratch) {
  const char *begin = text.len ? text.data : "";
  *r = (struct pl_json_reader){.begin = begin,
                               .next = begin,
                               .end = begin + text.len,
                               .scratch = scratch,
                               .depth_max = depth_max,
                               .expected = EXPECT_VALUE};
  if (r->depth_max > PL_JSON_DEPTH_MAX) r->depth_max = PL_JSON_DEPTH_MAX;
}

static int fail(struct pl_json_reader *r, const char *at, const char *reason) {
  r->error_at = at;
  r->reason = reason;
  return PL_ESYNTAX;
}

// Skips white space. Returns: the byte that follows, which stays unread, or AT_END.
static int peek(struct pl_json_reader *r) {
  const char *p = r->next;
  while (p < r->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
  r->next = p;
  return p < r->end ? (unsigned char)*p : AT_END;
}

static bool starts_with(const struct pl_json_reader *r, const char *at, const char *word) {
  size_t len = strlen(word);
  return (size_t)(r->end - at) >= len && memcmp(at, word, len) == 0;
}

// ---- containers

static bool is_in_object(const struct pl_json_reader *r) {
  unsigned level = r->depth - 1;
  return r->is_object[level / 64] >> (level % 64) & 1;
}

static int open_container(struct pl_json_reader *r, bool is_object) {
  if (r->depth >= r->depth_max) {
    fail(r, r->next, too_deep);
    return PL_ELIMIT;
  }
  uint64_t bit = (uint64_t)1 << (r->depth % 64);
  uint64_t *word = &r->is_object[r->depth / 64];
  *word = is_object ? *word | bit : *word & ~bit;
  r->depth++;
  r->next++;
  r->expected = is_object ? EXPECT_KEY_OR_CLOSE : EXPECT_VALUE_OR_CLOSE;
  return is_object ? PL_JSON_OBJECT_BEGIN : PL_JSON_ARRAY_BEGIN;
}

static void end_value(struct pl_json_reader *r) {
  r->expected = r->depth ? EXPECT_COMMA_OR_CLOSE : EXPECT_NOTHING;
}

static int close_container(struct pl_json_reader *r) {
  int type = is_in_object(r) ? PL_JSON_OBJECT_END : PL_JSON_ARRAY_END;
  r->depth--;
  r->next++;
  end_value(r);
  return type;
}

static bool is_close(const struct pl_json_reader *r, int c) {
  return c == (is_in_object(r) ? '}' : ']');
}

// ---- strings

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') return (c | 0x20) - 'a' + 10;
  return -1;
}

// The four digits behind \u at p. Returns: their value or -1.
static int read_unit(const struct pl_json_reader *r, const char *p) {
  if (r->end - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
  int unit = 0;
  for (int i = 2; i < 6; i++) {
    int digit = hex_value(p[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

static size_t put_utf8(unsigned code, char out[UTF8_MAX]) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = len - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
  out[0] = (char)(lead[len] | code);
  return len;
}

// Reads \uXXXX, or two of them that make a pair, at r->next. Returns: the bytes put, or an error.
static int read_unicode_escape(struct pl_json_reader *r, char out[UTF8_MAX]) {
  int unit = read_unit(r, r->next);
  if (unit < 0) return fail(r, r->next, "\\u needs four hexadecimal digits");
  unsigned code = (unsigned)unit;
  const char *behind = r->next + 6;
  if (unit >= 0xd800 && unit < 0xe000) {
    int second = unit < 0xdc00 ? read_unit(r, behind) : -1;
    if (second < 0xdc00 || second >= 0xe000) return fail(r, r->next, "lone surrogate");
    code = 0x10000 + (((unsigned)unit - 0xd800) << 10) + ((unsigned)second - 0xdc00);
    behind += 6;
  }
  r->next = behind;
  return (int)put_utf8(code, out);
}

// Reads the escape at r->next. Returns: the bytes put, or an error.
static int read_escape(struct pl_json_reader *r, char out[UTF8_MAX]) {
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  if (r->end - r->next < 2) return fail(r, r->end, "the string has no end");
  char name = r->next[1];
  if (name == 'u') return read_unicode_escape(r, out);
  const char *found = name ? strchr(names, name) : NULL;
  if (!found) return fail(r, r->next, "invalid escape");
  out[0] = values[found - names];
  r->next += 2;
  return 1;
}

// Moves r->next over everything that stands for itself: to a quote, a backslash or a fault.
static int skip_verbatim(struct pl_json_reader *r) {
  const char *p = pl_json_skip_verbatim(r->next, r->end);
  r->next = p;
  if (p == r->end) return fail(r, p, "the string has no end");
  if ((unsigned char)*p >= 0x80) return fail(r, p, "invalid UTF-8");
  if ((unsigned char)*p < 0x20) return fail(r, p, "a control character must be escaped");
  return 0;
}

// The rest of a string with escapes: r->next is at the first one, [from, r->next) is verbatim.
static int read_escaped(struct pl_json_reader *r, const char *from, struct pl_strv *out) {
  pl_buf_clear(r->scratch);
  for (;;) {
    size_t run = (size_t)(r->next - from);
    char *to = pl_buf_reserve(r->scratch, run + UTF8_MAX);
    if (!to) return PL_ENOMEM;
    memcpy(to, from, run);
    pl_buf_grew(r->scratch, run);
    if (*r->next == '"') break;
    int count = read_escape(r, to + run);
    if (count < 0) return count;
    pl_buf_grew(r->scratch, (size_t)count);
    from = r->next;
    int error = skip_verbatim(r);
    if (error) return error;
  }
  *out = pl_buf_view(r->scratch);
  return 0;
}

// r->next is at the opening quote. Returns: type, or an error.
static int read_string(struct pl_json_reader *r, struct pl_strv *out, int type) {
  const char *from = ++r->next;
  int error = skip_verbatim(r);
  if (error) return error;
  if (PL_LIKELY(*r->next == '"')) {
    *out = pl_strv(from, (size_t)(r->next - from));
  } else {
    error = read_escaped(r, from, out);
    if (error) return error;
  }
  r->next++;
  return type;
}

static int read_key(struct pl_json_reader *r, union pl_json_token *token) {
  int type = read_string(r, &token->string, PL_JSON_KEY);
  if (type < 0) return type;
  if (peek(r) != ':') return fail(r, r->next, "expected ':'");
  r->next++;
  r->expected = EXPECT_VALUE;
  return type;
}

// ---- numbers

struct number {
  uint64_t digits;   // the first DIGITS_MAX significant ones
  int count;         // of significant digits, capped at DIGITS_MAX + 1
  int64_t exponent;  // of ten
  bool is_negative;
  bool is_integer;
};

static bool is_digit(const struct pl_json_reader *r) {
  return r->next < r->end && *r->next >= '0' && *r->next <= '9';
}

// Reads digits, at least one. @param step added to the exponent for each (0 or -1)
static int read_digits(struct pl_json_reader *r, struct number *n, int step) {
  if (!is_digit(r)) return fail(r, r->next, "expected a digit");
  const char *p = r->next;
  uint64_t digits = n->digits;
  int count = n->count;
  for (; p < r->end && *p >= '0' && *p <= '9' && count < DIGITS_MAX; p++) {
    digits = digits * 10 + (unsigned)(*p - '0');
    count += digits != 0;
  }
  n->exponent += step * (p - r->next);
  n->digits = digits;
  n->count = count;
  for (r->next = p; is_digit(r); r->next++) n->count = DIGITS_MAX + 1;
  return 0;
}

static int read_exponent(struct pl_json_reader *r, struct number *n) {
  r->next++;
  bool is_negative = r->next < r->end && *r->next == '-';
  if (is_negative || (r->next < r->end && *r->next == '+')) r->next++;
  if (!is_digit(r)) return fail(r, r->next, "expected a digit");
  int64_t value = 0;
  for (; is_digit(r); r->next++) {
    if (value < INT32_MAX) value = value * 10 + (*r->next - '0');
  }
  n->exponent += is_negative ? -value : value;
  return 0;
}

// The grammar of a number; r->next is at its first byte.
static int scan_number(struct pl_json_reader *r, struct number *n) {
  const char *at = r->next;
  n->is_negative = *at == '-';
  r->next += n->is_negative;
  const char *first = r->next;
  int error = read_digits(r, n, 0);
  if (error) return starts_with(r, first, "Inf") ? fail(r, at, not_finite) : error;
  if (*first == '0' && r->next - first > 1) return fail(r, first, "a number has a leading zero");
  if (r->next < r->end && *r->next == '.') {
    n->is_integer = false;
    r->next++;
    error = read_digits(r, n, -1);
    if (error) return error;
  }
  if (r->next < r->end && (*r->next == 'e' || *r->next == 'E')) {
    n->is_integer = false;
    return read_exponent(r, n);
  }
  return 0;
}

static int make_float(struct pl_json_reader *r, const char *at, const struct number *n,
                      double *out) {
  double value;
  if (n->count <= DIGITS_MAX && pl_decimal_make(n->digits, n->exponent, &value)) {
    if (n->is_negative) value = -value;
  } else if (pl_decimal_read(pl_strv(at, (size_t)(r->next - at)), &value)) {
    return PL_ENOMEM;
  }
  if (isinf(value)) return fail(r, at, "the number is too large");
  *out = value;
  return PL_JSON_FLOAT;
}

static int read_number(struct pl_json_reader *r, union pl_json_token *token) {
  const char *at = r->next;
  struct number n = {.is_integer = true};
  int error = scan_number(r, &n);
  if (error) return error;
  end_value(r);
  uint64_t largest = (uint64_t)INT64_MAX + n.is_negative;
  if (n.is_integer && n.count <= DIGITS_MAX && n.digits <= largest) {
    token->integer = (int64_t)(n.is_negative ? 0 - n.digits : n.digits);
    return PL_JSON_INTEGER;
  }
  return make_float(r, at, &n, &token->number);
}

// ---- values

static int read_word(struct pl_json_reader *r, const char *word, int type) {
  if (!starts_with(r, r->next, word)) return fail(r, r->next, "expected a value");
  r->next += strlen(word);
  end_value(r);
  return type;
}

static int refuse_value(struct pl_json_reader *r) {
  if (r->next == r->begin && starts_with(r, r->next, "\xef\xbb\xbf")) {
    return fail(r, r->next, "a byte order mark is not allowed");
  }
  bool is_constant = starts_with(r, r->next, "NaN") || starts_with(r, r->next, "Inf");
  return fail(r, r->next, is_constant ? not_finite : "expected a value");
}

static int read_value(struct pl_json_reader *r, int c, union pl_json_token *token) {
  switch (c) {
  case '"':
    end_value(r);
    return read_string(r, &token->string, PL_JSON_STRING);
  case '{':
    return open_container(r, true);
  case '[':
    return open_container(r, false);
  case 't':
    return read_word(r, "true", PL_JSON_TRUE);
  case 'f':
    return read_word(r, "false", PL_JSON_FALSE);
  case 'n':
    return read_word(r, "null", PL_JSON_NULL);
  default:
    if (c == '-' || (c >= '0' && c <= '9')) return read_number(r, token);
    return refuse_value(r);
  }
}

// Reads the comma, or closes the container. Returns: PL_JSON_END when it was a comma.
static int read_separator(struct pl_json_reader *r, int c) {
  if (is_close(r, c)) return close_container(r);
  if (c != ',')
    return fail(r, r->next, is_in_object(r) ? "expected ',' or '}'" : "expected ',' or ']'");
  r->next++;
  r->expected = is_in_object(r) ? EXPECT_KEY : EXPECT_VALUE;
  return PL_JSON_END;
}

int pl_json_next(struct pl_json_reader *r, union pl_json_token *token) {
  int c = peek(r);
  if (r->expected == EXPECT_COMMA_OR_CLOSE) {
    int type = read_separator(r, c);
    if (type != PL_JSON_END) return type;
    c = peek(r);
  }
  switch (r->expected) {
  case EXPECT_VALUE_OR_CLOSE:
    if (c == ']') return close_container(r);
    return read_value(r, c, token);
  case EXPECT_KEY_OR_CLOSE:
    if (c == '}') return close_container(r);
    if (c == '"') return read_key(r, token);
    return fail(r, r->next, "expected a key in double quotes or '}'");
  case EXPECT_KEY:
    if (c == '"') return read_key(r, token);
    return fail(r, r->next, "expected a key in double quotes");
  case EXPECT_NOTHING:
    return c == AT_END ? PL_JSON_END : fail(r, r->next, "unexpected text behind the value");
  default:
    return read_value(r, c, token);
  }
}

// ---- messages

// ", found 'x'" behind reasons that say what was expected.
static void describe_found(const struct pl_json_reader *r, char *out, size_t size) {
  unsigned char c = r->error_at < r->end ? (unsigned char)*r->error_at : 0;
  if (r->error_at == r->end) {
    snprintf(out, size, ", found the end of the text");
  } else if (c > 0x20 && c < 0x7f) {
    snprintf(out, size, ", found '%c'", c);
  } else {
    snprintf(out, size, ", found byte 0x%02x", c);
  }
}

void pl_json_explain(const struct pl_json_reader *r, char out[PL_JSON_MESSAGE_BYTES]) {
  size_t line = 1, column = 1;
  for (const char *p = r->begin; p < r->error_at; p++) {
    if (*p == '\n') {
      line++;
      column = 1;
    } else if (!pl_utf8_is_tail((unsigned char)*p)) {
      column++;
    }
  }
  char more[40] = "";
  if (strncmp(r->reason, "expected", 8) == 0) describe_found(r, more, sizeof more);
  if (r->reason == too_deep) snprintf(more, sizeof more, " %u levels", r->depth_max);
  snprintf(out, PL_JSON_MESSAGE_BYTES, "line %zu, column %zu: %s%s", line, column, r->reason, more);
}
