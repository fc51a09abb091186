// From the innermost place outwards by links, so for each level the chain is walked again: only
// errors come here.
#include "api/place.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "base/json_scan.h"

enum { KEY_SHOWN = 60 };  // bytes

static bool is_identifier(const char *key, size_t len) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return len > 0 && len <= KEY_SHOWN && strspn(key, letters) > 0 && strspn(key, all) == len;
}

// ["any key"]: shortened, with a ? for every byte that would spoil a line of a log.
static void add_quoted(luaL_Buffer *text, const char *key, size_t len) {
  const char *p = key, *end = key + len;
  luaL_addstring(text, "[\"");
  while (p < end && p - key < KEY_SHOWN) {
    unsigned char c = (unsigned char)*p;
    size_t bytes = c < 0x80 ? 1 : pl_utf8_sequence(p, end);
    bool is_shown = c >= 0x20 && c != 0x7f && c != '"' && bytes > 0;
    if (!is_shown) bytes = 1;
    luaL_addlstring(text, is_shown ? p : "?", bytes);
    p += bytes;
  }
  luaL_addstring(text, p < end ? "...\"]" : "\"]");
}

static void add_key(lua_State *L, luaL_Buffer *text, int key) {
  if (lua_type(L, key) != LUA_TSTRING) {
    luaL_addchar(text, '[');
    luaL_tolstring(L, key, NULL);
    luaL_addvalue(text);
    luaL_addchar(text, ']');
    return;
  }
  size_t len;
  const char *name = lua_tolstring(L, key, &len);
  if (!is_identifier(name, len)) {
    add_quoted(text, name, len);
    return;
  }
  luaL_addchar(text, '.');
  luaL_addlstring(text, name, len);
}

void pl_place_push(lua_State *L, const struct pl_place *innermost) {
  luaL_Buffer text;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  luaL_buffinit(L, &text);
  luaL_addchar(&text, '$');
  int depth = innermost ? innermost->depth : 0;
  for (int level = 1; level <= depth; level++) {
    const struct pl_place *place = innermost;
    while (place->depth > level) place = place->outer;
    add_key(L, &text, place->key);
  }
  luaL_pushresult(&text);
}

const struct pl_place *pl_place_find_cycle(lua_State *L, const struct pl_place *innermost) {
  const struct pl_place *found = NULL;
  const void *table = lua_topointer(L, -1);
  for (const struct pl_place *p = innermost; p; table = p->table, p = p->outer) {
    const struct pl_place *again = p;
    while (again && again->table != table) again = again->outer;
    if (again) found = p;
  }
  return found;
}
