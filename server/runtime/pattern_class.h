/// Which bytes a class (%a) or a set ([...]) of a Lua pattern holds. Inline: asked for each byte.
#pragma once

#include <ctype.h>
#include <stdbool.h>

/// Whether the class %name holds the byte c; for a name that is no class: whether they are the same
/// (%. is a dot). The classes are those of the C locale functions, as in stock Lua; %z is its
/// undocumented class of the byte 0.
static inline bool pl_pattern_class_has(unsigned char name, unsigned char c) {
  switch (name) {
  case 'a':
    return isalpha(c);
  case 'A':
    return !isalpha(c);
  case 'c':
    return iscntrl(c);
  case 'C':
    return !iscntrl(c);
  case 'd':
    return isdigit(c);
  case 'D':
    return !isdigit(c);
  case 'g':
    return isgraph(c);
  case 'G':
    return !isgraph(c);
  case 'l':
    return islower(c);
  case 'L':
    return !islower(c);
  case 'p':
    return ispunct(c);
  case 'P':
    return !ispunct(c);
  case 's':
    return isspace(c);
  case 'S':
    return !isspace(c);
  case 'u':
    return isupper(c);
  case 'U':
    return !isupper(c);
  case 'w':
    return isalnum(c);
  case 'W':
    return !isalnum(c);
  case 'x':
    return isxdigit(c);
  case 'X':
    return !isxdigit(c);
  case 'z':
    return c == 0;
  case 'Z':
    return c != 0;
  default:
    return name == c;
  }
}

/// Whether the set holds the byte c. @param set its '[' @param close its ']'
static inline bool pl_pattern_set_has(const char *set, const char *close, unsigned char c) {
  const unsigned char *p = (const unsigned char *)set + 1;
  const unsigned char *end = (const unsigned char *)close;
  bool is_negated = *p == '^';
  if (is_negated) p++;
  while (p < end) {
    if (*p == '%') {
      if (pl_pattern_class_has(p[1], c)) return !is_negated;
      p += 2;
    } else if (p[1] == '-' && p + 2 < end) {
      if (p[0] <= c && c <= p[2]) return !is_negated;
      p += 3;
    } else {
      if (*p == c) return !is_negated;
      p++;
    }
  }
  return is_negated;
}
