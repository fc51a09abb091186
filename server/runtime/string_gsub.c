// string.gsub. The result is built in a luaL_Buffer, which keeps its memory in the stack's top
// slot; what a replacement yields is therefore put away in a slot below it first. Text that stays
// as it is is not copied byte by byte but with the next replacement; when there was none, the
// subject itself is the result.
#include "runtime/string_gsub.h"

#include <lauxlib.h>
#include <string.h>

#include "runtime/pattern.h"
#include "runtime/string_room.h"

enum { SUBJECT = 1, PATTERN, REPLACEMENT, COUNT_MAX, VALUE };

enum { COPIED_BYTES_PER_STEP = 16 };

struct gsub {
  struct pl_pattern match;
  luaL_Buffer out;
  const char *done;  // the subject is in `out`, or replaced there, up to here
  bool is_changed;
  struct pl_pattern_text replacement;  // if it is a text
};

static void add(struct gsub *g, const char *bytes, size_t len) {
  pl_pattern_spend(&g->match, 1 + len / COPIED_BYTES_PER_STEP);
  pl_string_check_growth(g->match.L, "string.gsub", &g->out, len);
  luaL_addlstring(&g->out, bytes, len);
}

static void add_capture(struct gsub *g, int i, const char *start, const char *end) {
  enum { POSITION_TEXT_MAX = 20 };
  struct pl_pattern_text text;
  if (!pl_pattern_capture_text(&g->match, i, start, end, &text)) {
    add(g, text.data, text.len);
    return;
  }
  pl_string_check_growth(g->match.L, "string.gsub", &g->out, POSITION_TEXT_MAX);
  luaL_addvalue(&g->out);
}

// Adds the replacement text with %0 to %9 and %% in their meaning.
static void add_expanded(struct gsub *g, const char *start, const char *end) {
  const char *p = g->replacement.data;
  const char *p_end = p + g->replacement.len;
  for (const char *escape; (escape = memchr(p, '%', (size_t)(p_end - p))); p = escape + 2) {
    char what = escape[1];
    add(g, p, (size_t)(escape - p));
    if (what == '%')
      add(g, "%", 1);
    else if (what == '0')
      add(g, start, (size_t)(end - start));
    else if (what >= '1' && what <= '9')
      add_capture(g, what - '1', start, end);
    else
      luaL_error(g->match.L, "invalid use of '%%' in replacement string");
  }
  add(g, p, (size_t)(p_end - p));
}

// Asks the function or the table. Returns: whether it gave a text, now in VALUE; if not (nil or
// false) the match stays as it is.
static bool ask_for_value(struct gsub *g, int type, const char *start, const char *end) {
  lua_State *L = g->match.L;
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, REPLACEMENT);
    lua_call(L, pl_pattern_push_all(&g->match, start, end, true), 1);
  } else {
    pl_pattern_push(&g->match, 0, start, end);
    lua_gettable(L, REPLACEMENT);
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
  lua_replace(L, VALUE);
  return true;
}

static void replace_match(struct gsub *g, int type, const char *start, const char *end) {
  bool is_text = type == LUA_TSTRING || type == LUA_TNUMBER;
  if (!is_text && !ask_for_value(g, type, start, end)) return;
  add(g, g->done, (size_t)(start - g->done));
  if (is_text) {
    add_expanded(g, start, end);
  } else {
    size_t len;
    const char *value = lua_tolstring(g->match.L, VALUE, &len);
    add(g, value, len);
  }
  g->done = end;
  g->is_changed = true;
}

// Returns: how many matches there were.
static lua_Integer replace_all(struct gsub *g, int type, lua_Integer count_max) {
  const char *at = g->match.subject;
  const char *last_end = NULL;
  lua_Integer count = 0;
  while (count < count_max) {
    const char *end = pl_pattern_next(&g->match, &at, last_end);
    if (!end) break;
    count++;
    replace_match(g, type, at, end);
    at = last_end = end;
    if (g->match.is_anchored) break;
  }
  return count;
}

int pl_string_gsub(lua_State *L) {
  struct gsub g;
  struct pl_pattern_text subject, pattern;
  subject.data = luaL_checklstring(L, SUBJECT, &subject.len);
  pattern.data = luaL_checklstring(L, PATTERN, &pattern.len);
  int type = lua_type(L, REPLACEMENT);
  lua_Integer count_max = luaL_optinteger(L, COUNT_MAX, (lua_Integer)subject.len + 1);
  luaL_argexpected(
      L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE,
      REPLACEMENT, "string/function/table");
  g.replacement.data = lua_tolstring(L, REPLACEMENT, &g.replacement.len);
  lua_settop(L, VALUE);
  pl_pattern_begin(&g.match, L, subject, pattern, true);
  luaL_buffinit(L, &g.out);
  g.done = subject.data;
  g.is_changed = false;
  lua_Integer count = replace_all(&g, type, count_max);
  if (g.is_changed) {
    add(&g, g.done, (size_t)(g.match.subject_end - g.done));
    pl_string_check_room(L, "string.gsub", g.out.n, g.out.n);
    luaL_pushresult(&g.out);
  } else {
    lua_pushvalue(L, SUBJECT);
  }
  lua_pushinteger(L, count);
  return 2;
}
