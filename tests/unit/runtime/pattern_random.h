/// Random subjects and patterns that are worth matching: few different bytes, so that something
/// matches; patterns out of the grammar, some of them then damaged.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RANDOM_TEXT_MAX = 128 };

struct random_text {
  char data[RANDOM_TEXT_MAX];
  size_t len;
};

struct random_source {
  uint64_t state;
};

/// 0 .. n - 1 (splitmix64).
static inline unsigned random_below(struct random_source *r, unsigned n) {
  uint64_t z = r->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (unsigned)((z ^ z >> 31) >> 32) % n;
}

static inline bool random_chance(struct random_source *r, unsigned percent) {
  return random_below(r, 100) < percent;
}

static inline void random_add(struct random_text *t, char c) {
  if (t->len < sizeof t->data) t->data[t->len++] = c;
}

/// One byte of `bytes`, a literal: its NUL may be drawn, too.
#define RANDOM_PICK(r, bytes) ((bytes)[random_below(r, sizeof(bytes))])

static inline void random_subject(struct random_source *r, struct random_text *t) {
  t->len = 0;
  for (unsigned n = random_below(r, 25); n > 0; n--) {
    random_add(t,
               random_chance(r, 70) ? RANDOM_PICK(r, "aab1 x") : RANDOM_PICK(r, "B,()[]%-^\n\xe9"));
  }
}

static inline void random_class(struct random_source *r, struct random_text *t) {
  random_add(t, '%');
  random_add(t, RANDOM_PICK(r, "acdglpsuwxzACDGLPSUWXZ.%()[]-^$*+?,"));
}

static inline void random_set(struct random_source *r, struct random_text *t) {
  random_add(t, '[');
  if (random_chance(r, 30)) random_add(t, '^');
  if (random_chance(r, 10)) random_add(t, ']');
  for (unsigned n = 1 + random_below(r, 3); n > 0; n--) {
    unsigned what = random_below(r, 10);
    if (what < 2) {
      random_class(r, t);
    } else if (what < 5) {
      random_add(t, RANDOM_PICK(r, "a1A "));
      random_add(t, '-');
      random_add(t, RANDOM_PICK(r, "bz9Z%"));
    } else {
      random_add(t, RANDOM_PICK(r, "ab1 x,-^.("));
    }
  }
  if (random_chance(r, 5)) random_add(t, '-');
  random_add(t, ']');
}

static inline void random_byte_item(struct random_source *r, struct random_text *t) {
  unsigned what = random_below(r, 10);
  if (what < 4)
    random_add(t, RANDOM_PICK(r, "aab1 x,"));
  else if (what < 6)
    random_add(t, '.');
  else if (what < 8)
    random_class(r, t);
  else
    random_set(r, t);
}

static inline void random_special_item(struct random_source *r, struct random_text *t) {
  random_add(t, '%');
  switch (random_below(r, 4)) {
  case 0:
    random_add(t, 'b');
    random_add(t, RANDOM_PICK(r, "a(1["));
    random_add(t, RANDOM_PICK(r, "b)1]"));
    break;
  case 1:
    random_add(t, 'f');
    random_set(r, t);
    break;
  default:
    random_add(t, random_chance(r, 90) ? RANDOM_PICK(r, "12") : RANDOM_PICK(r, "0399"));
  }
}

static inline void random_damage(struct random_source *r, struct random_text *t) {
  if (t->len == 0) return;
  size_t at = random_below(r, (unsigned)t->len);
  switch (random_below(r, 3)) {
  case 0:
    t->len = at;
    break;
  case 1:
    t->data[at] = RANDOM_PICK(r, "()[]%^$*+-?.bf1");
    break;
  default:
    memmove(t->data + at, t->data + at + 1, t->len - at - 1);
    t->len--;
  }
}

/// At most four items repeat, so that stock Lua ends in time.
static inline void random_pattern(struct random_source *r, struct random_text *t) {
  unsigned open = 0, repeats = 0;
  t->len = 0;
  if (random_chance(r, 20)) random_add(t, '^');
  for (unsigned n = random_below(r, 8); n > 0; n--) {
    unsigned what = random_below(r, 100);
    if (what < 12) {
      random_add(t, '(');
      open++;
    } else if (what < 16) {
      random_add(t, '(');
      random_add(t, ')');
    } else if (what < 26 && open > 0) {
      random_add(t, ')');
      open--;
    } else if (what < 36) {
      random_special_item(r, t);
    } else {
      random_byte_item(r, t);
      if (repeats < 4 && random_chance(r, 50)) {
        random_add(t, "*+-?"[random_below(r, 4)]);
        repeats++;
      }
    }
  }
  for (; open > 0 && random_chance(r, 95); open--) random_add(t, ')');
  if (random_chance(r, 15)) random_add(t, '$');
  if (random_chance(r, 15)) random_damage(r, t);
}

/// A replacement text of gsub.
static inline void random_replacement(struct random_source *r, struct random_text *t) {
  t->len = 0;
  for (unsigned n = random_below(r, 4); n > 0; n--) {
    if (random_chance(r, 40)) {
      random_add(t, RANDOM_PICK(r, "xy"));
    } else {
      random_add(t, '%');
      random_add(t, random_chance(r, 90) ? RANDOM_PICK(r, "0011%2") : RANDOM_PICK(r, "9x "));
    }
  }
}
