/// A view of bytes that somebody else owns: pointer and length, not terminated, never freed here.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct pl_strv {
  const char *data;
  size_t len;
};

/// A view of a string literal, without its terminator.
#define PL_STRV(literal) ((struct pl_strv){"" literal, sizeof(literal) - 1})

static inline struct pl_strv pl_strv(const char *data, size_t len) {
  return (struct pl_strv){data, len};
}

static inline struct pl_strv pl_strv_of(const char *text) {
  return (struct pl_strv){text, strlen(text)};
}

static inline bool pl_strv_eq(struct pl_strv a, struct pl_strv b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/// Equal but for the case of ASCII letters: header names, tokens.
static inline bool pl_strv_eq_nocase(struct pl_strv a, struct pl_strv b) {
  return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

/// Without the spaces and tabs at both ends (HTTP's optional white space).
static inline struct pl_strv pl_strv_trim(struct pl_strv s) {
  while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) s.data++, s.len--;
  while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) s.len--;
  return s;
}
