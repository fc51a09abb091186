/// Classes of single bytes that several parsers of this folder ask about; ASCII only, whatever the
/// locale is.
#pragma once

#include <stdbool.h>

static inline bool pl_char_is_digit(char c) {
  return c >= '0' && c <= '9';
}

static inline bool pl_char_is_alnum(char c) {
  return pl_char_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// 0..15, or -1: not a hexadecimal digit.
static inline int pl_char_hex(char c) {
  if (pl_char_is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static inline char pl_char_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/// C0 controls and DEL, TAB among them.
static inline bool pl_char_is_control(char c) {
  return (unsigned char)c < 0x20 || c == 0x7f;
}

/// RFC 9110 5.6.2: what tokens (header names, methods, cookie names) are made of.
static inline bool pl_char_is_token(char c) {
  switch (c) {
  case '!':
  case '#':
  case '$':
  case '%':
  case '&':
  case '\'':
  case '*':
  case '+':
  case '-':
  case '.':
  case '^':
  case '_':
  case '`':
  case '|':
  case '~':
    return true;
  default:
    return pl_char_is_alnum(c);
  }
}
