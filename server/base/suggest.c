// Edit distance (optimal string alignment) with three rows of the matrix on the stack.
#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>

enum { LONGEST_WORD = 64, LETTERS_PER_SLIP = 3 };

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool same_letter(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Both are at most LONGEST_WORD long.
static size_t distance_between(struct pl_strv a, struct pl_strv b) {
  size_t rows[3][LONGEST_WORD + 1];
  size_t *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= b.len; j++) above[j] = before[j] = j;
  for (size_t i = 1; i <= a.len; i++) {
    row[0] = i;
    for (size_t j = 1; j <= b.len; j++) {
      size_t replaced = above[j - 1] + !same_letter(a.data[i - 1], b.data[j - 1]);
      row[j] = smaller(replaced, smaller(above[j], row[j - 1]) + 1);
      bool is_swap = i > 1 && j > 1 && same_letter(a.data[i - 1], b.data[j - 2]) &&
                     same_letter(a.data[i - 2], b.data[j - 1]);
      if (is_swap) row[j] = smaller(row[j], before[j - 2] + 1);
    }
    size_t *oldest = before;
    before = above;
    above = row;
    row = oldest;
  }
  return above[b.len];
}

struct pl_suggest pl_suggest_for(struct pl_strv word) {
  return (struct pl_suggest){.word = word};
}

static size_t slips_allowed(struct pl_strv a, struct pl_strv b) {
  return (smaller(a.len, b.len) + LETTERS_PER_SLIP - 1) / LETTERS_PER_SLIP;
}

static void consider(struct pl_suggest *s, struct pl_strv offered, size_t handicap,
                     const char *name) {
  if (offered.len > LONGEST_WORD) return;
  size_t distance = distance_between(s->word, offered) + handicap;
  if (distance > slips_allowed(s->word, offered) || (s->best && distance >= s->distance)) return;
  s->best = name;
  s->distance = distance;
}

void pl_suggest_offer(struct pl_suggest *s, const char *name) {
  if (s->word.len == 0 || s->word.len > LONGEST_WORD) return;
  consider(s, pl_strv_of(name), 0, name);
  const char *dot = strrchr(name, '.');
  if (dot) consider(s, pl_strv_of(dot + 1), 1, name);
}
