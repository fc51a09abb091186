// Log lines in both forms. A line is built in place in a buffer of fixed size whose last bytes are
// kept free for what closes it, so that a line that is cut is as well-formed as any other.
//
// The calendar is computed here: gmtime_r takes the C library's time zone lock.
#include "base/log_line.h"

#include "base/decimal.h"

#include <math.h>

#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

enum { CLOSING_BYTES = 24, BODY_BYTES = PL_LOG_LINE_BYTES - CLOSING_BYTES };

struct line {
  char *out;
  size_t len;
  bool is_json;
  bool is_cut;  // something did not fit
};

// Appends to the body. Returns: whether it fitted.
static bool put(struct line *l, const char *bytes, size_t n) {
  if (l->len + n > BODY_BYTES) {  // len may be a few closing bytes past it
    l->is_cut = true;
    return false;
  }
  memcpy(l->out + l->len, bytes, n);
  l->len += n;
  return true;
}

// Appends to the bytes that are kept free.
static void put_closing(struct line *l, struct pl_strv bytes) {
  memcpy(l->out + l->len, bytes.data, bytes.len);
  l->len += bytes.len;
}

// Returns: how many bytes the character at p has, 0: not UTF-8.
static size_t character_length(const unsigned char *p, size_t left) {
  static const struct {
    unsigned char first, last, second_min, second_max, len;
  } rows[] = {
      {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
      {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
      {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(rows); i++) {
    if (*p < rows[i].first || *p > rows[i].last) continue;
    size_t len = rows[i].len;
    if (len > left) return 0;
    if (len > 1 && (p[1] < rows[i].second_min || p[1] > rows[i].second_max)) return 0;
    for (size_t k = 2; k < len; k++) {
      if ((p[k] & 0xc0) != 0x80) return 0;
    }
    return len;
  }
  return 0;
}

// A byte by its number: \xNN, or \u00NN, which JSON has.
static bool put_number_of(struct line *l, unsigned char byte, bool is_unicode) {
  static const char digits[] = "0123456789abcdef";
  char text[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
  if (is_unicode) return put(l, text, 6);
  text[1] = 'x';
  memmove(text + 2, text + 4, 2);
  return put(l, text, 4);
}

// An ASCII control character, a quote or a backslash. Quotes are left alone outside of quotes.
static bool put_escaped(struct line *l, unsigned char c, bool is_quoted) {
  switch (c) {
  case '"':
  case '\\':
    return put(l, (char[]){'\\', (char)c}, 2);
  case '\n':
    if (!is_quoted) return put(l, "\n    ", 5);  // the next log line begins with a digit
    return put(l, "\\n", 2);
  case '\t':
    if (!is_quoted) return put(l, "    ", 4);
    return put(l, "\\t", 2);
  case '\r':
    return put(l, "\\r", 2);
  default:
    return put_number_of(l, c, l->is_json);
  }
}

// One character of *len bytes; 0: a byte that is not UTF-8.
static bool put_character(struct line *l, const unsigned char *p, size_t len, bool is_quoted) {
  if (len == 0) return l->is_json ? put(l, REPLACEMENT, 3) : put_number_of(l, *p, false);
  bool is_c1_control = len == 2 && p[0] == 0xc2 && p[1] < 0xa0;  // a terminal obeys these too
  if (is_c1_control) return put_number_of(l, p[1], true);
  bool is_plain = len > 1 || (*p >= 0x20 && *p != 0x7f);
  bool is_mark = is_quoted && (*p == '"' || *p == '\\');
  return is_plain && !is_mark ? put(l, (const char *)p, len) : put_escaped(l, *p, is_quoted);
}

// A string's content, cut with an ellipsis where the line ends.
static void put_content(struct line *l, struct pl_strv s, bool is_quoted) {
  const unsigned char *p = (const unsigned char *)s.data;
  for (size_t i = 0; i < s.len;) {
    size_t len = character_length(p + i, s.len - i);
    if (!put_character(l, p + i, len, is_quoted)) {
      put_closing(l, PL_STRV(ELLIPSIS));
      return;
    }
    i += len ? len : 1;
  }
}

// Returns: whether there was room for its quotes at least.
static bool put_quoted(struct line *l, struct pl_strv s) {
  if (!put(l, "\"", 1)) return false;
  put_content(l, s, true);
  put_closing(l, PL_STRV("\""));
  return true;
}

// In text only what could be misread is quoted.
static bool needs_quotes(struct pl_strv s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.data[i];
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return s.len == 0;
}

static bool put_float(struct line *l, double number) {
  char text[PL_DECIMAL_BYTES];
  if (isfinite(number)) return put(l, text, pl_decimal_write(number, text));
  if (l->is_json) return put(l, "null", 4);
  return isnan(number) ? put(l, "nan", 3) : put(l, number < 0 ? "-inf" : "inf", number < 0 ? 4 : 3);
}

static bool put_integer(struct line *l, int64_t integer) {
  char text[PL_DECIMAL_BYTES];
  return put(l, text, pl_decimal_write_integer(integer, text));
}

static bool put_value(struct line *l, const struct pl_log_field *field) {
  switch (field->kind) {
  case PL_LOG_STRING:
    if (l->is_json || needs_quotes(field->value.string)) return put_quoted(l, field->value.string);
    put_content(l, field->value.string, false);
    return true;
  case PL_LOG_INTEGER:
    return put_integer(l, field->value.integer);
  case PL_LOG_FLOAT:
    return put_float(l, field->value.number);
  case PL_LOG_BOOLEAN:
    return field->value.boolean ? put(l, "true", 4) : put(l, "false", 5);
  }
  return true;
}

static bool put_json_name(struct line *l, struct pl_strv name) {
  bool is_taken = pl_strv_eq(name, PL_STRV("time")) || pl_strv_eq(name, PL_STRV("level")) ||
                  pl_strv_eq(name, PL_STRV("msg"));
  if (!put(l, ",\"", 2)) return false;
  put_content(l, name, true);
  return !l->is_cut && (!is_taken || put(l, "_", 1)) && put(l, "\":", 2);
}

static bool put_text_name(struct line *l, struct pl_strv name) {
  if (!put(l, " ", 1)) return false;
  if (needs_quotes(name)) {
    put_quoted(l, name);
  } else {
    put_content(l, name, false);
  }
  return !l->is_cut && put(l, "=", 1);
}

// A field that does not fit but for its string leaves no trace.
static void put_field(struct line *l, const struct pl_log_field *field) {
  if (l->is_cut) return;
  size_t before = l->len;
  bool has_name = l->is_json ? put_json_name(l, field->name) : put_text_name(l, field->name);
  if (!has_name || !put_value(l, field)) l->len = before;
}

static void put_digits(struct line *l, unsigned value, unsigned width, char behind) {
  char text[8];
  text[width] = behind;
  for (unsigned i = width; i-- > 0; value /= 10) text[i] = (char)('0' + value % 10);
  put(l, text, width + 1);
}

// RFC 3339, UTC, milliseconds. Days to a date: the year begins in March, so that a leap day is its
// last; 719468 days lie between 0000-03-01 and 1970-01-01, 146097 make 400 years.
static void put_time(struct line *l, struct timespec wall) {
  int64_t days = wall.tv_sec / 86400;
  unsigned second = (unsigned)(wall.tv_sec % 86400);
  days += 719468;
  unsigned day_of_era = (unsigned)(days % 146097);
  unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned month = (5 * day_of_year + 2) / 153;  // 0 = March
  unsigned year = year_of_era + (unsigned)(days / 146097) * 400 + (month >= 10);
  put_digits(l, year, 4, '-');
  put_digits(l, month < 10 ? month + 3 : month - 9, 2, '-');
  put_digits(l, day_of_year - (153 * month + 2) / 5 + 1, 2, 'T');
  put_digits(l, second / 3600, 2, ':');
  put_digits(l, second / 60 % 60, 2, ':');
  put_digits(l, second % 60, 2, '.');
  put_digits(l, (unsigned)(wall.tv_nsec / 1000000), 3, 'Z');
}

static void begin_line(struct line *l, enum pl_log_level level, struct timespec wall) {
  static const char names[][6] = {"debug", "info", "warn", "error"};
  const char *name = names[level];
  if (l->is_json) put(l, "{\"time\":\"", 9);
  put_time(l, wall);
  if (l->is_json) {
    put(l, "\",\"level\":\"", 11);
    put(l, name, strlen(name));
    put(l, "\",\"msg\":", 8);
  } else {
    put(l, " ", 1);
    put(l, name, strlen(name));
    put(l, "  ", strlen(name) == 4 ? 2 : 1);
  }
}

static size_t end_line(struct line *l) {
  if (l->is_json && l->is_cut) put_closing(l, PL_STRV(",\"cut\":true"));
  put_closing(l, l->is_json ? PL_STRV("}\n") : PL_STRV("\n"));
  return l->len;
}

size_t pl_log_line_write(char out[PL_LOG_LINE_BYTES], enum pl_log_format format,
                         enum pl_log_level level, struct timespec wall, struct pl_strv message,
                         const struct pl_log_field *fields, size_t count) {
  struct line l = {.out = out, .is_json = format == PL_LOG_JSON};
  begin_line(&l, level, wall);
  if (l.is_json) {
    put_quoted(&l, message);
  } else {
    put_content(&l, message, false);
  }
  for (size_t i = 0; i < count; i++) put_field(&l, &fields[i]);
  return end_line(&l);
}

static struct pl_log_field string_field(struct pl_strv name, struct pl_strv value) {
  return (struct pl_log_field){name, PL_LOG_STRING, {.string = value}};
}

static struct pl_log_field integer_field(struct pl_strv name, uint64_t value) {
  return (struct pl_log_field){name, PL_LOG_INTEGER, {.integer = (int64_t)value}};
}

size_t pl_log_line_write_access(char out[PL_LOG_LINE_BYTES], enum pl_log_format format,
                                struct timespec wall, const struct pl_log_access *access) {
  const struct pl_log_field fields[] = {
      string_field(PL_STRV("method"), access->method),
      string_field(PL_STRV("path"), access->path),
      integer_field(PL_STRV("status"), (uint64_t)access->status),
      integer_field(PL_STRV("bytes"), access->bytes),
      integer_field(PL_STRV("duration_us"), access->duration_us),
      string_field(PL_STRV("request_id"), access->id),
      string_field(PL_STRV("remote"), access->remote),
      string_field(PL_STRV("route"), access->route),
  };
  struct line l = {.out = out, .is_json = format == PL_LOG_JSON};
  begin_line(&l, PL_LOG_INFO, wall);
  if (l.is_json) {
    put_quoted(&l, PL_STRV("request"));
  } else {
    put(&l, "request", 7);
  }
  for (size_t i = 0; i < PL_ARRAY_LEN(fields); i++) {
    bool is_empty = fields[i].kind == PL_LOG_STRING && fields[i].value.string.len == 0;
    if (!is_empty) put_field(&l, &fields[i]);
  }
  return end_line(&l);
}
