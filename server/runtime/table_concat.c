// table.concat. The usual list, a table without a metatable, is measured first and then copied into
// memory of that size. Another one may change with each access: it is joined piece by piece.
#include "runtime/table_concat.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runtime/string_room.h"

enum { LIST = 1, SEPARATOR, FIRST, LAST };

enum { FLOAT_TEXT_MAX = 24 };  // "%.14g" of any

struct join {
  lua_State *L;
  const char *separator;
  size_t separator_len;
  lua_Integer first;
  lua_Integer last;
};

static _Noreturn void raise_bad_element(lua_State *L, lua_Integer i) {
  luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
             (LUAI_UACINT)i);
  __builtin_unreachable();
}

// ---- a plain table ----

static size_t integer_text_size(lua_Integer n) {
  size_t size = n < 0 ? 2 : 1;
  while (n /= 10) size++;
  return size;
}

// Pushes element i. Returns: its size, or more if it is a float.
static size_t push_element(lua_State *L, lua_Integer i) {
  switch (lua_rawgeti(L, LIST, i)) {
  case LUA_TSTRING:
    return lua_rawlen(L, -1);
  case LUA_TNUMBER:
    return lua_isinteger(L, -1) ? integer_text_size(lua_tointeger(L, -1)) : FLOAT_TEXT_MAX;
  default:
    raise_bad_element(L, i);
  }
}

// Elements stay on the stack, above `top`, until there are a few of them: one lua_settop for all.
static inline void drop_elements(lua_State *L, int top, int *count) {
  enum { ELEMENTS_MAX = LUA_MINSTACK - 8 };
  if (++*count < ELEMENTS_MAX) return;
  lua_settop(L, top);
  *count = 0;
}

static size_t list_size(const struct join *j) {
  int top = lua_gettop(j->L), kept = 0;
  size_t total = 0;
  for (lua_Integer i = j->first; i <= j->last; i++) {
    size_t size = push_element(j->L, i) + (i < j->last ? j->separator_len : 0);
    if (__builtin_add_overflow(total, size, &total)) total = SIZE_MAX / 4;
    drop_elements(j->L, top, &kept);
    if (i == LUA_MAXINTEGER) break;
  }
  lua_settop(j->L, top);
  return total;
}

// Copies element i and the separator behind it. A finaliser may have run since the list was
// measured, so that it may have grown. Returns: where the copy ends.
static char *copy_element(const struct join *j, lua_Integer i, char *to, const char *end) {
  lua_rawgeti(j->L, LIST, i);
  size_t len, separator_len = i < j->last ? j->separator_len : 0;
  const char *text = lua_tolstring(j->L, -1, &len);
  if (!text) raise_bad_element(j->L, i);
  if (len + separator_len > (size_t)(end - to)) {
    luaL_error(j->L, "table.concat: a finaliser has changed the table meanwhile");
  }
  memcpy(to, text, len);
  if (separator_len > 0) memcpy(to + len, j->separator, separator_len);
  return to + len + separator_len;
}

static void join_plain(const struct join *j) {
  luaL_Buffer out;
  size_t total = list_size(j);
  pl_string_check_room(j->L, "table.concat", 2 * total, total);
  char *begin = luaL_buffinitsize(j->L, &out, total);
  char *to = begin;
  int top = lua_gettop(j->L), kept = 0;
  for (lua_Integer i = j->first; i <= j->last; i++) {
    to = copy_element(j, i, to, begin + total);
    drop_elements(j->L, top, &kept);
    if (i == LUA_MAXINTEGER) break;
  }
  lua_settop(j->L, top);
  luaL_pushresultsize(&out, (size_t)(to - begin));
}

// ---- any other ----

static void add_element(lua_State *L, luaL_Buffer *out, lua_Integer i) {
  size_t len;
  lua_geti(L, LIST, i);
  if (!lua_tolstring(L, -1, &len)) raise_bad_element(L, i);
  pl_string_check_growth(L, "table.concat", out, len);
  luaL_addvalue(out);
}

static void join_growing(const struct join *j) {
  luaL_Buffer out;
  luaL_buffinit(j->L, &out);
  for (lua_Integer i = j->first; i < j->last; i++) {
    add_element(j->L, &out, i);
    pl_string_check_growth(j->L, "table.concat", &out, j->separator_len);
    luaL_addlstring(&out, j->separator, j->separator_len);
  }
  if (j->first <= j->last) add_element(j->L, &out, j->last);
  pl_string_check_room(j->L, "table.concat", out.n, out.n);
  luaL_pushresult(&out);
}

static bool has_metafield(lua_State *L, const char *name) {
  if (luaL_getmetafield(L, LIST, name) == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

// Raises unless the value can be read as a list. Returns: whether it is a table and nothing else.
static bool check_list(lua_State *L) {
  if (!lua_istable(L, LIST)) {
    bool is_list = has_metafield(L, "__index") && has_metafield(L, "__len");
    if (!is_list) luaL_checktype(L, LIST, LUA_TTABLE);
    return false;
  }
  if (!lua_getmetatable(L, LIST)) return true;
  lua_pop(L, 1);
  return false;
}

int pl_table_concat(lua_State *L) {
  struct join j = {.L = L};
  bool is_plain = check_list(L);
  lua_Integer length = is_plain ? (lua_Integer)lua_rawlen(L, LIST) : luaL_len(L, LIST);
  j.separator = luaL_optlstring(L, SEPARATOR, "", &j.separator_len);
  j.first = luaL_optinteger(L, FIRST, 1);
  j.last = luaL_optinteger(L, LAST, length);
  if (is_plain)
    join_plain(&j);
  else
    join_growing(&j);
  return 1;
}
