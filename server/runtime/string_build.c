// Functions whose result can be much larger than what they are given: its size is known before.
#include "runtime/string_build.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runtime/string_room.h"

// Runs the stock function of upvalue 1 in this one's place: with its arguments and, for messages,
// its name.
static int run_stock(lua_State *L) {
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// ---- rep ----

// Fills [to, to + total) with copies of its first `len` bytes.
static void fill_by_doubling(char *to, size_t len, size_t total) {
  while (len < total) {
    size_t n = len < total - len ? len : total - len;
    memcpy(to + len, to, n);
    len += n;
  }
}

int pl_string_rep(lua_State *L) {
  size_t len, separator_len;
  const char *text = luaL_checklstring(L, 1, &len);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_len);
  size_t each = len + separator_len, total;
  if (count <= 0 || each == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  bool overflows = __builtin_mul_overflow(each, (size_t)count, &total) || total > SIZE_MAX / 2;
  total -= separator_len;
  if (!overflows) pl_string_check_room(L, "string.rep", 2 * total, total);
  if (overflows || each > (size_t)(INT_MAX / count)) {  // stock Lua's own limit
    return luaL_error(L, "resulting string too large");
  }
  luaL_Buffer out;
  char *to = luaL_buffinitsize(L, &out, total);
  memcpy(to, text, len);
  if (count > 1) memcpy(to + len, separator, separator_len);
  fill_by_doubling(to, each, total);
  luaL_pushresultsize(&out, total);
  return 1;
}

// ---- format ----

enum {
  NUMBER_MAX = 512,    // more than any item that is no string: %.99f of the largest double is 409
  QUOTED_BYTE_MAX = 4  // \ddd
};

static bool has_own_text(lua_State *L, int index) {
  int type = lua_type(L, index);
  if (type != LUA_TTABLE && type != LUA_TUSERDATA) return false;
  if (!lua_getmetatable(L, index)) return false;
  lua_pop(L, 1);
  return true;
}

// A bound of what the arguments can become. *has_objects: some may have a __tostring.
static size_t bound_arguments(lua_State *L, int count, bool *has_objects) {
  size_t bound = (size_t)count * NUMBER_MAX;
  for (int i = 1; i <= count; i++) {
    int type = lua_type(L, i);
    if (type == LUA_TSTRING)
      bound += lua_rawlen(L, i) * QUOTED_BYTE_MAX;
    else if (type == LUA_TTABLE || type == LUA_TUSERDATA)
      *has_objects = true;
  }
  return bound;
}

// The item of the format that argument i is for.
struct item {
  char letter;
  bool has_precision;  // a string is cut then, at 99 bytes or less
};

// Reads the item behind its '%'. Returns: its letter's place, or the end.
static const char *read_item(const char *p, const char *end, struct item *item) {
  *item = (struct item){0};
  for (; p < end && *p && strchr("-+#0 123456789.", *p); p++) {
    if (*p == '.') item->has_precision = true;
  }
  item->letter = *p;
  return p;
}

static size_t quoted_size(const char *text, size_t len) {
  size_t size = len + 2;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\' || c == '\n')
      size += 1;
    else if (c < ' ' || c == 127)
      size += QUOTED_BYTE_MAX - 1;
  }
  return size;
}

// The size that argument i takes, or a little more. An object becomes its text first.
static size_t item_size(lua_State *L, int i, struct item item) {
  if (item.letter == 's' && has_own_text(L, i)) {
    luaL_tolstring(L, i, NULL);
    lua_replace(L, i);
  }
  if (lua_type(L, i) != LUA_TSTRING) return NUMBER_MAX;
  size_t len;
  const char *text = lua_tolstring(L, i, &len);
  if (item.letter == 'q') return quoted_size(text, len);
  return item.letter == 's' && !item.has_precision && len > NUMBER_MAX ? len : NUMBER_MAX;
}

// Adds up the items of the format one by one, and raises when it is too much. What is wrong with
// the format, the stock function says.
static void check_items(lua_State *L, int count) {
  size_t len;
  const char *p = luaL_checklstring(L, 1, &len);
  const char *end = p + len;
  size_t total = len;
  for (int i = 2; i <= count && (p = memchr(p, '%', (size_t)(end - p))); p++) {
    if (*++p == '%') continue;
    struct item item;
    p = read_item(p, end, &item);
    if (p == end) return;
    total += item_size(L, i++, item);
    pl_string_check_room(L, "string.format", 2 * total, total);
  }
}

int pl_string_format(lua_State *L) {
  int count = lua_gettop(L);
  bool has_objects = false;
  size_t bound = bound_arguments(L, count, &has_objects);
  if (has_objects || 2 * bound > pl_string_room(L)) check_items(L, count);
  return run_stock(L);
}
