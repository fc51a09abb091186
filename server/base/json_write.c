// The JSON writer. Strings are copied in runs: one room check and one copy for the usual string,
// which has nothing to escape.
#include "base/json_write.h"

#include "base/decimal.h"
#include "base/error.h"
#include "base/json_scan.h"

#include <math.h>
#include <string.h>

enum { ESCAPE_MAX = 6 };  // \u0000

// pl_buf_reserve with its usual case inline: this is called for every token.
static char *reserve(struct pl_buf *out, size_t more) {
  if (PL_LIKELY(out->cap - out->end > more)) return out->block + out->end;
  return pl_buf_reserve(out, more);
}

int pl_json_write_byte(struct pl_buf *out, char byte) {
  char *to = reserve(out, 1);
  if (!to) return PL_ENOMEM;
  *to = byte;
  pl_buf_grew(out, 1);
  return 0;
}

int pl_json_write_raw(struct pl_buf *out, struct pl_strv text) {
  char *to = reserve(out, text.len);
  if (!to) return PL_ENOMEM;
  if (text.len) memcpy(to, text.data, text.len);
  pl_buf_grew(out, text.len);
  return 0;
}

static size_t put_escape(unsigned char c, char out[ESCAPE_MAX]) {
  static const char hex[] = "0123456789abcdef";
  static const char names[] = "\b\f\n\r\t\"\\";
  static const char letters[] = "bfnrt\"\\";
  const char *found = c ? strchr(names, c) : NULL;
  out[0] = '\\';
  if (found) {
    out[1] = letters[found - names];
    return 2;
  }
  memcpy(out + 1, "u00", 3);
  out[4] = hex[c >> 4];
  out[5] = hex[c & 15];
  return 6;
}

int pl_json_write_string(struct pl_buf *out, struct pl_strv string) {
  const char *p = string.len ? string.data : "";
  const char *end = p + string.len;
  char *to = reserve(out, string.len + 2);
  if (!to) return PL_ENOMEM;
  *to++ = '"';
  for (;;) {
    const char *stop = pl_json_skip_verbatim(p, end);
    size_t run = (size_t)(stop - p);
    memcpy(to, p, run);
    pl_buf_grew(out, (size_t)(to + run - (out->block + out->end)));
    if (stop == end) break;
    if ((unsigned char)*stop >= 0x80) return PL_EINVAL;
    p = stop + 1;
    to = reserve(out, ESCAPE_MAX + (size_t)(end - p) + 1);
    if (!to) return PL_ENOMEM;
    to += put_escape((unsigned char)*stop, to);
  }
  out->block[out->end] = '"';  // there is room for it in every reservation
  pl_buf_grew(out, 1);
  return 0;
}

size_t pl_json_find_invalid(struct pl_strv string) {
  const char *p = string.data, *end = p + string.len;
  while (p < end) {
    size_t len = (unsigned char)*p < 0x80 ? 1 : pl_utf8_sequence(p, end);
    if (len == 0) break;
    p += len;
  }
  return (size_t)(p - string.data);
}

int pl_json_write_integer(struct pl_buf *out, int64_t value) {
  char *to = reserve(out, PL_DECIMAL_BYTES);
  if (!to) return PL_ENOMEM;
  pl_buf_grew(out, pl_decimal_write_integer(value, to));
  return 0;
}

int pl_json_write_float(struct pl_buf *out, double value) {
  if (!isfinite(value)) return PL_EINVAL;
  char *to = reserve(out, PL_DECIMAL_BYTES);
  if (!to) return PL_ENOMEM;
  pl_buf_grew(out, pl_decimal_write(value, to));
  return 0;
}
