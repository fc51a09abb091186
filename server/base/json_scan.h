/// Looking at the bytes of strings, for the JSON reader and writer: what may stand there as it is,
/// and what is UTF-8.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Whether the byte may stand in a JSON string as it is and is ASCII.
static inline bool pl_json_is_plain(unsigned char c) {
  return c >= 0x20 && c != '"' && c != '\\' && c < 0x80;
}

/// The first byte in [p, end) that is not plain, or end. Takes eight at a time while it can.
static inline const char *pl_json_skip_plain(const char *p, const char *end) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
  for (; end - p >= 8; p += 8) {
    uint64_t w, quote, backslash;
    memcpy(&w, p, 8);
    quote = w ^ ones * '"';
    backslash = w ^ ones * '\\';
    // x - ones borrows into the top bit of each byte that was 0 (w - 0x20...: below 0x20).
    if ((w | (w - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops) break;
  }
  while (p < end && pl_json_is_plain((unsigned char)*p)) p++;
  return p;
}

static inline bool pl_utf8_is_tail(unsigned char c) {
  return (c & 0xc0) == 0x80;
}

/// The length of the UTF-8 sequence at p, whose first byte is not ASCII (RFC 3629: no overlong
/// form, no surrogate, nothing above U+10FFFF). Returns: 2 to 4, or 0: none stands there.
static inline size_t pl_utf8_sequence(const char *text, const char *end) {
  const unsigned char *p = (const unsigned char *)text;
  size_t left = (size_t)(end - text);
  if (p[0] < 0xc2 || p[0] > 0xf4 || left < 2 || !pl_utf8_is_tail(p[1])) return 0;
  if (p[0] < 0xe0) return 2;
  if (left < 3 || !pl_utf8_is_tail(p[2])) return 0;
  if (p[0] < 0xf0) {
    bool is_overlong = p[0] == 0xe0 && p[1] < 0xa0;
    bool is_surrogate = p[0] == 0xed && p[1] >= 0xa0;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  bool is_overlong = p[0] == 0xf0 && p[1] < 0x90;
  bool is_beyond = p[0] == 0xf4 && p[1] >= 0x90;
  return left < 4 || !pl_utf8_is_tail(p[3]) || is_overlong || is_beyond ? 0 : 4;
}

/// The first byte in [p, end) that cannot stand in a JSON string as it is (a quote, a backslash, a
/// control character, or no UTF-8), or end.
static inline const char *pl_json_skip_verbatim(const char *p, const char *end) {
  for (;;) {
    p = pl_json_skip_plain(p, end);
    if (p == end || (unsigned char)*p < 0x80) return p;
    do {
      size_t len = pl_utf8_sequence(p, end);
      if (len == 0) return p;
      p += len;
    } while (p < end && (unsigned char)*p >= 0x80);
  }
}
