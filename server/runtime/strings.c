// string.find, match and gmatch; and the list of what is replaced in Lua's libraries.
#define _GNU_SOURCE  // memmem
#include "runtime/strings.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "runtime/pattern.h"
#include "runtime/string_build.h"
#include "runtime/string_gsub.h"
#include "runtime/table_concat.h"

// ---- find and match ----

// Where to begin, from 0, for the optional argument `init` at index; behind len: nowhere.
static size_t check_begin(lua_State *L, int index, size_t len) {
  lua_Integer init = luaL_optinteger(L, index, 1);
  if (init > 0) return (size_t)init - 1;
  if (init == 0 || init < -(lua_Integer)len) return 0;
  return (size_t)((lua_Integer)len + init);
}

// Whether no byte of the pattern means more than itself.
static bool is_plain(struct pl_pattern_text pattern) {
  static const bool is_special[256] = {
      ['^'] = true, ['$'] = true, ['*'] = true, ['+'] = true, ['?'] = true,
      ['.'] = true, ['('] = true, ['['] = true, ['%'] = true, ['-'] = true};
  for (size_t i = 0; i < pattern.len; i++) {
    if (is_special[(unsigned char)pattern.data[i]]) return false;
  }
  return true;
}

// memmem is linear however nasty both texts are, but prepares a table first; for the usual short
// text the first byte is found sooner by memchr. So: a few candidates that way, then memmem.
static const char *find_plain(const char *text, size_t len, struct pl_pattern_text needle) {
  enum { CANDIDATES = 8 };
  if (needle.len == 0) return text;
  for (int i = 0; i < CANDIDATES; i++) {
    if (needle.len > len) return NULL;
    const char *at = memchr(text, needle.data[0], len - needle.len + 1);
    if (!at || memcmp(at, needle.data, needle.len) == 0) return at;
    len -= (size_t)(at + 1 - text);
    text = at + 1;
  }
  return memmem(text, len, needle.data, needle.len);
}

static int push_plain(lua_State *L, struct pl_pattern_text subject, struct pl_pattern_text needle,
                      size_t begin) {
  const char *at = find_plain(subject.data + begin, subject.len - begin, needle);
  if (!at) {
    luaL_pushfail(L);
    return 1;
  }
  lua_pushinteger(L, at - subject.data + 1);
  lua_pushinteger(L, at - subject.data + (ptrdiff_t)needle.len);
  return 2;
}

static struct pl_pattern_text check_text(lua_State *L, int index) {
  struct pl_pattern_text text;
  text.data = luaL_checklstring(L, index, &text.len);
  return text;
}

static int push_match(lua_State *L, struct pl_pattern_text subject, struct pl_pattern_text pattern,
                      size_t begin, bool is_find) {
  struct pl_pattern m;
  pl_pattern_begin(&m, L, subject, pattern, true);
  const char *start = subject.data + begin;
  const char *end = pl_pattern_next(&m, &start, NULL);
  if (!end) {
    luaL_pushfail(L);
    return 1;
  }
  if (!is_find) return pl_pattern_push_all(&m, start, end, true);
  lua_pushinteger(L, start - subject.data + 1);
  lua_pushinteger(L, end - subject.data);
  return 2 + pl_pattern_push_all(&m, start, end, false);
}

// string.find(s, pattern [, init [, plain]])
static int string_find(lua_State *L) {
  struct pl_pattern_text subject = check_text(L, 1);
  struct pl_pattern_text pattern = check_text(L, 2);
  size_t begin = check_begin(L, 3, subject.len);
  if (begin > subject.len) {
    luaL_pushfail(L);
    return 1;
  }
  if (lua_toboolean(L, 4) || is_plain(pattern)) return push_plain(L, subject, pattern, begin);
  return push_match(L, subject, pattern, begin, true);
}

// string.match(s, pattern [, init])
static int string_match(lua_State *L) {
  struct pl_pattern_text subject = check_text(L, 1);
  struct pl_pattern_text pattern = check_text(L, 2);
  size_t begin = check_begin(L, 3, subject.len);
  if (begin <= subject.len) return push_match(L, subject, pattern, begin, false);
  luaL_pushfail(L);
  return 1;
}

// ---- gmatch ----

// Between two calls of an iterator: upvalue 3. Upvalues 1 and 2 keep the texts alive.
struct gmatch {
  struct pl_pattern_text subject;
  struct pl_pattern_text pattern;
  const char *next;  // NULL: it began behind the subject's end
  const char *last_end;
};

// Each call has a budget of its own: between two of them the script runs, which a hook can stop.
static int gmatch_next(lua_State *L) {
  struct gmatch *g = lua_touserdata(L, lua_upvalueindex(3));
  if (!g->next) return 0;
  struct pl_pattern m;
  pl_pattern_begin(&m, L, g->subject, g->pattern, false);
  const char *start = g->next;
  const char *end = pl_pattern_next(&m, &start, g->last_end);
  if (!end) return 0;
  g->next = g->last_end = end;
  return pl_pattern_push_all(&m, start, end, true);
}

// string.gmatch(s, pattern [, init])
static int string_gmatch(lua_State *L) {
  struct pl_pattern_text subject = check_text(L, 1);
  struct pl_pattern_text pattern = check_text(L, 2);
  size_t begin = check_begin(L, 3, subject.len);
  lua_settop(L, 2);
  struct gmatch *g = lua_newuserdatauv(L, sizeof *g, 0);
  *g = (struct gmatch){.subject = subject, .pattern = pattern};
  if (begin <= subject.len) g->next = subject.data + begin;
  lua_pushcclosure(L, gmatch_next, 3);
  return 1;
}

// ---- opening ----

void pl_strings_open(lua_State *L) {
  static const luaL_Reg own[] = {{"find", string_find},     {"match", string_match},
                                 {"gmatch", string_gmatch}, {"gsub", pl_string_gsub},
                                 {"rep", pl_string_rep},    {NULL, NULL}};
  lua_getglobal(L, LUA_STRLIBNAME);
  luaL_setfuncs(L, own, 0);
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, pl_string_format, 1);
  lua_setfield(L, -2, "format");
  lua_getglobal(L, LUA_TABLIBNAME);
  lua_pushcfunction(L, pl_table_concat);
  lua_setfield(L, -2, "concat");
  lua_pop(L, 2);
}
