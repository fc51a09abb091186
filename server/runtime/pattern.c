// A backtracking matcher with a stack of its own instead of C's: an item that can match in several
// ways leaves a choice there and goes on with the first; when the pattern fails further on, the
// newest choice gives its next way, or is dropped when it has none. Captures leave a choice as
// well, which only undoes them.
//
//   subject  "aab="   pattern "(%w+)="
//   choices  [undo capture 1] [%w+: ends at 3, or 2, or 1] [undo the end of capture 1]
//
// Stock Lua nests C calls at just the places where this pushes a choice, so that its limit of depth
// ("pattern too complex") is the size of this stack.
//
// Texts are Lua's strings: the byte behind their end is readable and NUL, which is no suffix and
// ends no set, so that looking one byte ahead in the pattern needs no check.
#include "runtime/pattern.h"

#include <lauxlib.h>
#include <string.h>

#include "runtime/pattern_class.h"

enum { SET_BYTES_PER_STEP = 8, COMPARED_BYTES_PER_STEP = 16 };

enum choice_kind {
  CHOICE_CAPTURE_OPENED,
  CHOICE_CAPTURE_CLOSED,
  CHOICE_LONGEST,   // * and +: one repetition less each time
  CHOICE_SHORTEST,  // -: one more
  CHOICE_OPTIONAL   // ?: without it
};

// How far both texts are matched; subject NULL: no match.
struct place {
  const char *subject;
  const char *pattern;
};

static const struct place no_match = {NULL, NULL};

_Noreturn void pl_pattern_raise_spent(const struct pl_pattern *m) {
  size_t len = (size_t)(m->subject_end - m->subject);
  lua_Integer budget = PL_PATTERN_STEPS_BASE + PL_PATTERN_STEPS_PER_BYTE * (lua_Integer)len;
  luaL_error(m->L, "pattern too complex (%I steps on a subject of %I bytes)",
             (LUAI_UACINT)(budget - m->steps_left), (LUAI_UACINT)len);
  __builtin_unreachable();
}

// ---- one item that stands for one byte: a byte, '.', %class, [set] ----

static const char *set_end(struct pl_pattern *m, const char *set) {
  const char *p = set + 1;
  if (*p == '^') p++;
  bool is_first = true;  // a ']' is a member there
  for (; is_first || *p != ']'; is_first = false) {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    p += *p == '%' && p + 1 < m->pattern_end ? 2 : 1;
  }
  pl_pattern_spend(m, (size_t)(p - set) / SET_BYTES_PER_STEP);
  return p + 1;
}

// Returns: the first byte behind the item, where its suffix (* + - ?) is if it has one.
static inline const char *item_end(struct pl_pattern *m, const char *item) {
  if (*item == '[') return set_end(m, item);
  if (*item != '%') return item + 1;
  if (item + 1 == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
  return item + 2;
}

static inline bool set_has(struct pl_pattern *m, const char *set, const char *after,
                           unsigned char c) {
  pl_pattern_spend(m, (size_t)(after - set) / SET_BYTES_PER_STEP);
  return pl_pattern_set_has(set, after - 1, c);
}

// Whether the item, which ends before `after`, matches the byte at `at`.
static inline bool matches_byte(struct pl_pattern *m, const char *item, const char *after,
                                const char *at) {
  if (at == m->subject_end) return false;
  switch (*item) {
  case '.':
    return true;
  case '%':
    return pl_pattern_class_has((unsigned char)item[1], (unsigned char)*at);
  case '[':
    return set_has(m, item, after, (unsigned char)*at);
  default:
    return *item == *at;
  }
}

// Returns: the end of the bytes from `at` on that all match the item.
static const char *run_end(struct pl_pattern *m, const char *item, const char *after,
                           const char *at) {
  const char *end = m->subject_end;
  const char *p = at;
  switch (*item) {
  case '.':
    return end;
  case '%':
    while (p < end && pl_pattern_class_has((unsigned char)item[1], (unsigned char)*p)) p++;
    break;
  case '[':
    while (p < end && set_has(m, item, after, (unsigned char)*p)) p++;
    break;
  default:
    while (p < end && *p == *item) p++;
  }
  pl_pattern_spend(m, (size_t)(p - at));
  return p;
}

// ---- choices ----

// The pattern may be at its end already: stock Lua's limit holds there, too.
static inline struct pl_pattern_choice *add_choice(struct pl_pattern *m, enum choice_kind kind,
                                                   const char *subject, const char *rest) {
  if (m->choice_count == PL_PATTERN_CHOICES_MAX) luaL_error(m->L, "pattern too complex");
  struct pl_pattern_choice *choice = &m->choices[m->choice_count++];
  choice->kind = kind;
  choice->subject = subject;
  choice->rest = rest;
  return choice;
}

// The item matches once already. @param fewest repetitions, 0 or 1
static struct place repeat_longest(struct pl_pattern *m, struct place at, const char *suffix,
                                   int fewest) {
  const char *end = run_end(m, at.pattern, suffix, at.subject + 1);
  add_choice(m, CHOICE_LONGEST, end, suffix + 1)->limit = at.subject + fewest;
  return (struct place){end, suffix + 1};
}

static struct place match_byte_item(struct pl_pattern *m, struct place at) {
  const char *suffix = item_end(m, at.pattern);
  char kind = *suffix;
  if (!matches_byte(m, at.pattern, suffix, at.subject)) {
    bool may_be_absent = kind == '*' || kind == '?' || kind == '-';
    return may_be_absent ? (struct place){at.subject, suffix + 1} : no_match;
  }
  switch (kind) {
  case '*':
    return repeat_longest(m, at, suffix, 0);
  case '+':
    return repeat_longest(m, at, suffix, 1);
  case '-':
    add_choice(m, CHOICE_SHORTEST, at.subject, suffix + 1)->limit = at.pattern;
    return (struct place){at.subject, suffix + 1};
  case '?':
    add_choice(m, CHOICE_OPTIONAL, at.subject, suffix + 1);
    return (struct place){at.subject + 1, suffix + 1};
  default:
    return (struct place){at.subject + 1, suffix};
  }
}

// Goes back to the newest choice that has another way. Returns: where it leads, or no_match.
static struct place take_other_way(struct pl_pattern *m) {
  for (; m->choice_count > 0; m->choice_count--) {
    struct pl_pattern_choice *choice = &m->choices[m->choice_count - 1];
    switch ((enum choice_kind)choice->kind) {
    case CHOICE_CAPTURE_OPENED:
      m->capture_count--;
      break;
    case CHOICE_CAPTURE_CLOSED:
      m->captures[choice->capture].len = PL_PATTERN_OPEN;
      break;
    case CHOICE_LONGEST:
      if (choice->subject == choice->limit) break;
      return (struct place){--choice->subject, choice->rest};
    case CHOICE_SHORTEST:
      if (!matches_byte(m, choice->limit, choice->rest - 1, choice->subject)) break;
      return (struct place){++choice->subject, choice->rest};
    case CHOICE_OPTIONAL:
      m->choice_count--;
      return (struct place){choice->subject, choice->rest};
    }
  }
  return no_match;
}

// ---- captures ----

static struct place open_capture(struct pl_pattern *m, struct place at) {
  bool is_position = at.pattern[1] == ')';
  if (m->capture_count == PL_PATTERN_CAPTURES_MAX) luaL_error(m->L, "too many captures");
  m->captures[m->capture_count++] =
      (struct pl_pattern_capture){at.subject, is_position ? PL_PATTERN_POSITION : PL_PATTERN_OPEN};
  at.pattern += is_position ? 2 : 1;
  add_choice(m, CHOICE_CAPTURE_OPENED, at.subject, at.pattern);
  return at;
}

static struct place close_capture(struct pl_pattern *m, struct place at) {
  int i = m->capture_count - 1;
  while (i >= 0 && m->captures[i].len != PL_PATTERN_OPEN) i--;
  if (i < 0) luaL_error(m->L, "invalid pattern capture");
  m->captures[i].len = at.subject - m->captures[i].start;
  at.pattern++;
  add_choice(m, CHOICE_CAPTURE_CLOSED, at.subject, at.pattern)->capture = i;
  return at;
}

// %1 to %9: the text of that capture again. A position has no text and never matches.
static struct place match_same_text(struct pl_pattern *m, struct place at) {
  int i = at.pattern[1] - '1';
  if (i < 0 || i >= m->capture_count || m->captures[i].len == PL_PATTERN_OPEN) {
    luaL_error(m->L, "invalid capture index %%%d", i + 1);
  }
  ptrdiff_t len = m->captures[i].len;
  if (len < 0 || m->subject_end - at.subject < len) return no_match;
  pl_pattern_spend(m, (size_t)len / COMPARED_BYTES_PER_STEP);
  if (memcmp(m->captures[i].start, at.subject, (size_t)len) != 0) return no_match;
  return (struct place){at.subject + len, at.pattern + 2};
}

// ---- %b and %f ----

// Returns: the end of the text that `open` at `begin` begins and its partner ends, or NULL.
static const char *balanced_end(struct pl_pattern *m, const char *begin, char open, char close) {
  size_t depth = 1;
  const char *p = begin + 1;
  for (; p < m->subject_end; p++) {
    if (*p == close) {
      if (--depth == 0) break;
    } else if (*p == open) {
      depth++;
    }
  }
  pl_pattern_spend(m, (size_t)(p - begin));
  return p < m->subject_end ? p + 1 : NULL;
}

static struct place match_balanced(struct pl_pattern *m, struct place at) {
  const char *pair = at.pattern + 2;
  if (m->pattern_end - at.pattern < 4) {
    luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  }
  if (at.subject == m->subject_end || *at.subject != pair[0]) return no_match;
  return (struct place){balanced_end(m, at.subject, pair[0], pair[1]), at.pattern + 4};
}

// %f[set]: between a byte outside the set and one inside it. Both ends count as the byte 0.
static struct place match_frontier(struct pl_pattern *m, struct place at) {
  const char *set = at.pattern + 2;
  if (*set != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
  const char *after = set_end(m, set);
  char before = at.subject == m->subject ? '\0' : at.subject[-1];
  if (set_has(m, set, after, (unsigned char)before)) return no_match;
  if (!set_has(m, set, after, (unsigned char)*at.subject)) return no_match;
  return (struct place){at.subject, after};
}

// ---- the whole ----

static struct place match_escape(struct pl_pattern *m, struct place at) {
  switch (at.pattern[1]) {
  case 'b':
    return match_balanced(m, at);
  case 'f':
    return match_frontier(m, at);
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9':
    return match_same_text(m, at);
  default:
    return match_byte_item(m, at);
  }
}

static inline struct place match_item(struct pl_pattern *m, struct place at) {
  switch (*at.pattern) {
  case '(':
    return open_capture(m, at);
  case ')':
    return close_capture(m, at);
  case '%':
    return match_escape(m, at);
  case '$':
    if (at.pattern + 1 != m->pattern_end) return match_byte_item(m, at);
    return at.subject == m->subject_end ? (struct place){at.subject, m->pattern_end} : no_match;
  default:
    return match_byte_item(m, at);
  }
}

// Returns: the end of the match that begins at `start`, or NULL.
static const char *match_at(struct pl_pattern *m, const char *start) {
  struct place at = {start, m->pattern};
  m->capture_count = 0;
  m->choice_count = 0;
  pl_pattern_spend(m, 1);
  while (at.pattern != m->pattern_end) {
    pl_pattern_spend(m, 1);
    at = match_item(m, at);
    if (!at.subject) at = take_other_way(m);
    if (!at.subject) return NULL;
  }
  return at.subject;
}

void pl_pattern_begin(struct pl_pattern *m, lua_State *L, struct pl_pattern_text subject,
                      struct pl_pattern_text pattern, bool may_anchor) {
  m->L = L;
  m->subject = subject.data;
  m->subject_end = subject.data + subject.len;
  m->is_anchored = may_anchor && *pattern.data == '^';
  m->pattern = pattern.data + m->is_anchored;
  m->pattern_end = pattern.data + pattern.len;
  m->steps_left = PL_PATTERN_STEPS_BASE + PL_PATTERN_STEPS_PER_BYTE * (int64_t)subject.len;
}

const char *pl_pattern_next(struct pl_pattern *m, const char **start, const char *last_end) {
  for (const char *at = *start;; at++) {
    const char *end = match_at(m, at);
    if (end && end != last_end) {
      *start = at;
      return end;
    }
    if (m->is_anchored || at == m->subject_end) return NULL;
  }
}

bool pl_pattern_capture_text(struct pl_pattern *m, int i, const char *start, const char *end,
                             struct pl_pattern_text *text) {
  if (i >= m->capture_count) {
    if (i > 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
    *text = (struct pl_pattern_text){start, (size_t)(end - start)};
    return false;
  }
  const struct pl_pattern_capture *capture = &m->captures[i];
  if (capture->len == PL_PATTERN_OPEN) luaL_error(m->L, "unfinished capture");
  if (capture->len == PL_PATTERN_POSITION) {
    lua_pushinteger(m->L, capture->start - m->subject + 1);
    return true;
  }
  *text = (struct pl_pattern_text){capture->start, (size_t)capture->len};
  return false;
}

void pl_pattern_push(struct pl_pattern *m, int i, const char *start, const char *end) {
  struct pl_pattern_text text;
  if (pl_pattern_capture_text(m, i, start, end, &text)) return;
  lua_pushlstring(m->L, text.data, text.len);
}

int pl_pattern_push_all(struct pl_pattern *m, const char *start, const char *end,
                        bool is_whole_default) {
  int count = m->capture_count == 0 && is_whole_default ? 1 : m->capture_count;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) pl_pattern_push(m, i, start, end);
  return count;
}
