// perilune.json: encode, decode, null, array. The work is in json_encode.c and json_decode.c.
#include "api/api.h"

#include "api/json_codec.h"
#include "api/json_value.h"
#include "base/suggest.h"

#include <lauxlib.h>
#include <stdbool.h>

enum { INDENT_MAX = 16 };

struct option {
  const char *name;
  lua_Integer smallest;
  lua_Integer largest;
};

static const struct option depth_option = {"depth", 1, PL_JSON_DEPTH_MAX};
static const struct option indent_option = {"indent", 0, INDENT_MAX};

// The option of the table at argument 2, or `fallback`.
static int read_option(lua_State *L, const struct option *option, int fallback) {
  if (lua_isnoneornil(L, 2)) return fallback;
  lua_pushstring(L, option->name);
  if (lua_rawget(L, 2) == LUA_TNIL) {
    lua_pop(L, 1);
    return fallback;
  }
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || value < option->smallest || value > option->largest) {
    luaL_error(L, "option %s: an integer from %I to %I is expected", option->name,
               (LUAI_UACINT)option->smallest, (LUAI_UACINT)option->largest);
  }
  lua_pop(L, 1);
  return (int)value;
}

// Raises unless every key of the table at argument 2 is one of the `count` options.
static void check_options(lua_State *L, const struct option *const *options, size_t count) {
  if (lua_isnoneornil(L, 2)) return;
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "options are named");
    struct pl_strv name;
    name.data = lua_tolstring(L, -2, &name.len);
    struct pl_suggest s = pl_suggest_for(name);
    bool is_known = false;
    for (size_t i = 0; i < count; i++) {
      is_known |= pl_strv_eq(name, pl_strv_of(options[i]->name));
      pl_suggest_offer(&s, options[i]->name);
    }
    if (is_known) continue;
    luaL_error(L, s.best ? "unknown option '%s', did you mean '%s'?" : "unknown option '%s'",
               name.data, s.best);
  }
}

static int json_encode(lua_State *L) {
  static const struct option *const known[] = {&depth_option, &indent_option};
  luaL_checkany(L, 1);
  check_options(L, known, PL_ARRAY_LEN(known));
  struct pl_json_encode_options options = {
      .depth_max = read_option(L, &depth_option, PL_JSON_DEPTH_DEFAULT),
      .indent = read_option(L, &indent_option, 0),
  };
  struct pl_json_codec *codec = pl_json_codec_push(L);
  pl_json_codec_release(codec);  // an encode that raised may have left something
  pl_json_encode_with(L, 1, &options, &codec->scratch);
  struct pl_strv text = pl_buf_view(&codec->scratch);
  lua_pushlstring(L, text.data, text.len);
  pl_json_codec_release(codec);
  return 1;
}

static int json_decode(lua_State *L) {
  static const struct option *const known[] = {&depth_option};
  struct pl_strv text;
  text.data = luaL_checklstring(L, 1, &text.len);
  check_options(L, known, PL_ARRAY_LEN(known));
  int depth = read_option(L, &depth_option, PL_JSON_DEPTH_DEFAULT);
  if (pl_json_decode_value(L, text, depth)) {
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  return 1;
}

static int json_array(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  pl_json_push_array_metatable(L);
  if (lua_getmetatable(L, 1) && !lua_rawequal(L, -1, -2)) {
    return luaL_argerror(L, 1, "the table has a metatable of its own");
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

static void open_json(lua_State *L) {
  pl_json_push_null(L);
  lua_setfield(L, -2, "null");
}

static const struct pl_api_fn functions[] = {
    {"encode", json_encode, PL_API_PURE,
     "(value: any, options?: {depth?: integer, indent?: integer}): string",
     "The JSON text of a value. A table with exactly the keys 1..n, or marked by array, is an "
     "array; "
     "every other one is an object."},
    {"decode", json_decode, PL_API_PURE, "(text: string, options?: {depth?: integer}): any",
     "The value of a JSON text; raises with line and column. null is json.null."},
    {"array", json_array, PL_API_PURE, "(list?: table): table",
     "Marks a table (a new one by default) as an array, so that it is [] when it is empty."},
    {0},
};

const struct pl_api_module pl_api_json = {"perilune.json", functions, open_json};
