// Calls ops by name and signature with operands as numbers: packs them, runs, unpacks. Knows the
// types' sizes from types.def, and what their scalars are from their names.
#pragma once

#include "geometry/op.h"
#include "geometry/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OP_WORDS_MAX = 12, OP_BYTES_MAX = 96, OP_LANES_MAX = 24 };

struct op_type {
  const char *name;
  size_t bytes;
};

static const struct op_type op_types[] = {
    {"", 0},
#define T(name, bytes, fields) {#name, bytes},
#include "geometry/types.def"
#undef T
};

// What an operand or a result is: a type, a number or a bool.
struct op_word {
  int type;  // PL_BUILTIN_NONE: a number
  bool is_bool;
  bool is_optional;
};

struct op_shape {
  int owner;
  bool is_static;
  struct op_word in[OP_WORDS_MAX], out[OP_WORDS_MAX];
  int in_count, out_count;
};

static inline int op_type_named(const char *name, size_t len) {
  for (int i = 1; i < PL_BUILTIN_COUNT; i++) {
    if (strlen(op_types[i].name) == len && !memcmp(op_types[i].name, name, len)) return i;
  }
  return PL_BUILTIN_NONE;
}

static inline struct op_word op_word_read(const char *word, size_t len) {
  struct op_word read = {.is_optional = word[0] == '['};
  if (read.is_optional) {
    word++;
    len -= 2;
  }
  read.is_bool = len == 4 && !memcmp(word, "bool", 4);
  if (read.is_bool || (len == 1 && *word == 'n')) return read;
  read.type = op_type_named(word, len);
  if (!read.type) fail_msg("no type is named '%.*s'", (int)len, word);
  return read;
}

static inline struct op_shape op_shape_of(const char *signature) {
  struct op_shape shape = {0};
  bool is_result = false;
  for (const char *at = signature; *at;) {
    const size_t len = strcspn(at, " ");
    if (at[len - 1] == ':') {
      shape.owner = op_word_read(at, len - 1).type;
      shape.is_static = true;
    } else if (*at == '>') {
      is_result = true;
    } else if (is_result) {
      shape.out[shape.out_count++] = op_word_read(at, len);
    } else {
      shape.in[shape.in_count++] = op_word_read(at, len);
    }
    at += len + (at[len] == ' ');
  }
  if (!shape.owner) shape.owner = shape.in[0].type;
  return shape;
}

// 'f' f32, 'd' f64, 'i' i32, 'u' u32, 'b' u8
static inline char op_kind(int type) {
  const char *name = op_types[type].name;
  if (!strcmp(name, "color8")) return 'b';
  if (!strncmp(name, "ivec", 4)) return 'i';
  if (!strncmp(name, "uvec", 4)) return 'u';
  return *name == 'd' || !strcmp(name, "lla") ? 'd' : 'f';
}

static inline size_t op_lane_bytes(int type) {
  return op_kind(type) == 'd' ? 8 : op_kind(type) == 'b' ? 1 : 4;
}

static inline size_t op_lanes(int type) {
  return op_types[type].bytes / op_lane_bytes(type);
}

static inline void op_pack(int type, char *at, const double *lanes) {
  for (size_t i = 0; i < op_lanes(type); i++) {
    char *to = at + i * op_lane_bytes(type);
    switch (op_kind(type)) {
    case 'f':
      memcpy(to, &(float){(float)lanes[i]}, 4);
      break;
    case 'd':
      memcpy(to, &lanes[i], 8);
      break;
    case 'i':
      memcpy(to, &(int32_t){(int32_t)lanes[i]}, 4);
      break;
    case 'u':
      memcpy(to, &(uint32_t){(uint32_t)lanes[i]}, 4);
      break;
    default:
      *to = (char)(unsigned char)lanes[i];
    }
  }
}

static inline double op_lane(int type, const char *at, size_t i) {
  const char *from = at + i * op_lane_bytes(type);
  float f;
  double d;
  int32_t s;
  uint32_t u;
  switch (op_kind(type)) {
  case 'f':
    memcpy(&f, from, 4);
    return (double)f;
  case 'd':
    memcpy(&d, from, 8);
    return d;
  case 'i':
    memcpy(&s, from, 4);
    return s;
  case 'u':
    memcpy(&u, from, 4);
    return u;
  default:
    return (unsigned char)*from;
  }
}

// The op of that name and signature; fails the test when there is none.
static inline const struct pl_op *op_find(const char *name, const char *signature) {
  const struct pl_op *op = pl_ops_of((enum pl_builtin)op_shape_of(signature).owner);
  if (!op_shape_of(signature).owner) op = pl_number_ops();
  for (; op->name; op++) {
    if (!strcmp(op->name, name) && !strcmp(op->signature, signature)) return op;
  }
  fail_msg("there is no op %s (%s)", name, signature);
  return NULL;
}

// Operands one behind the other in `in`, results likewise in `out`.
static inline void op_call(const char *name, const char *signature, const double *in, double *out) {
  const struct pl_op *op = op_find(name, signature);
  const struct op_shape shape = op_shape_of(signature);
  char bytes[OP_WORDS_MAX][OP_BYTES_MAX], results[OP_WORDS_MAX][OP_BYTES_MAX];
  union pl_slot from[OP_WORDS_MAX], to[OP_WORDS_MAX];
  for (int i = 0; i < shape.in_count; i++) {
    if (!shape.in[i].type) {
      from[i].number = *in++;
      continue;
    }
    op_pack(shape.in[i].type, bytes[i], in);
    from[i].at = bytes[i];
    in += op_lanes(shape.in[i].type);
  }
  for (int i = 0; i < shape.out_count; i++) to[i].at = results[i];
  op->run(to, from);
  for (int i = 0; i < shape.out_count; i++) {
    const int type = shape.out[i].type;
    if (!type) *out++ = to[i].number;
    for (size_t k = 0; type && k < op_lanes(type); k++) *out++ = op_lane(type, results[i], k);
  }
}

// The same for ops with one number as their result.
static inline double op_number(const char *name, const char *signature, const double *in) {
  double out[OP_LANES_MAX];
  op_call(name, signature, in, out);
  return out[0];
}

// A repeatable sequence (xorshift), lo .. hi.
static inline double op_random(uint64_t *state, double lo, double hi) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return lo + (hi - lo) * ((double)(*state >> 11) / 9007199254740992.0);
}
