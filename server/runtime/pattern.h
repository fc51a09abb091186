/// Lua's patterns: what string.find, match, gmatch and gsub match with. Same results and the same
/// errors as stock Lua 5.4, but for one: a call may take PL_PATTERN_STEPS_BASE +
/// PL_PATTERN_STEPS_PER_BYTE * #subject steps, then it raises, since nothing can interrupt it.
///
/// A step is about what 10 ns do: an item tried at a place, a byte that a repetition or %b ran
/// over, a few bytes compared or copied. What a caller does beside matching it charges itself.
///
/// Use: pl_pattern_begin once per call, then pl_pattern_next for each match; the captures of the
/// last match are in the struct. It is large (7 KB) and needs no deinit: keep it on the C stack.
///
/// Errors: malformed patterns raise when the malformed item is reached, as in stock Lua.
/// Thread: the state's. Yields: never.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
  PL_PATTERN_CAPTURES_MAX = 32,
  PL_PATTERN_CHOICES_MAX = 199,  ///< as deep as stock Lua's matcher nests
  PL_PATTERN_STEPS_BASE = 1000000,
  PL_PATTERN_STEPS_PER_BYTE = 16
};

/// In pl_pattern_capture.len: no length yet, or none at all.
enum { PL_PATTERN_OPEN = -1, PL_PATTERN_POSITION = -2 };

struct pl_pattern_capture {
  const char *start;
  ptrdiff_t len;  ///< bytes, or PL_PATTERN_OPEN, PL_PATTERN_POSITION
};

/// Where to go on when what followed does not match; or what to undo then (pattern.c).
struct pl_pattern_choice {
  const char *subject;
  const char *rest;   ///< the pattern after the item
  const char *limit;  ///< repetitions: the place of the fewest, or the item to repeat
  int kind;
  int capture;
};

struct pl_pattern {
  lua_State *L;
  const char *subject;
  const char *subject_end;
  const char *pattern;  ///< after the anchor
  const char *pattern_end;
  bool is_anchored;
  int64_t steps_left;
  int capture_count;
  int choice_count;
  struct pl_pattern_capture captures[PL_PATTERN_CAPTURES_MAX];
  struct pl_pattern_choice choices[PL_PATTERN_CHOICES_MAX];
};

struct pl_pattern_text {
  const char *data;  ///< a Lua string's: a NUL follows
  size_t len;
};

/// Sets `m` up for one call. The texts must stay while it is used.
/// @param may_anchor whether a '^' at the pattern's begin is an anchor (not in gmatch)
void pl_pattern_begin(struct pl_pattern *m, lua_State *L, struct pl_pattern_text subject,
                      struct pl_pattern_text pattern, bool may_anchor);

/// Finds the first match that begins at *start or later (at *start only when anchored) and does
/// not end at last_end, which keeps an empty match from following another match at its end.
/// @param last_end the end of the match before, or NULL
/// Returns: its end, *start moved to its begin; NULL: there is none.
const char *pl_pattern_next(struct pl_pattern *m, const char **start, const char *last_end);

/// Pushes capture i (from 0) of the match: a string or, for (), an integer. Without any capture in
/// the pattern, capture 0 is the whole match. Raises when there is no such capture or it has no
/// end.
void pl_pattern_push(struct pl_pattern *m, int i, const char *start, const char *end);

/// As pl_pattern_push, but a string is not made: its bytes are put into *text, and the answer is
/// false. An integer is pushed, and the answer is true.
bool pl_pattern_capture_text(struct pl_pattern *m, int i, const char *start, const char *end,
                             struct pl_pattern_text *text);

/// Pushes all captures. @param is_whole_default whether a pattern without any gives the whole match
/// Returns: how many.
int pl_pattern_push_all(struct pl_pattern *m, const char *start, const char *end,
                        bool is_whole_default);

/// Raises that the budget is spent.
_Noreturn void pl_pattern_raise_spent(const struct pl_pattern *m);

/// Charges steps; raises when more were taken than the call may take.
static inline void pl_pattern_spend(struct pl_pattern *m, size_t steps) {
  m->steps_left -= (int64_t)steps;
  if (PL_UNLIKELY(m->steps_left < 0)) pl_pattern_raise_spent(m);
}
