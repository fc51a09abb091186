// The codec's state is a userdata: an error may longjmp out of any Lua call, and what it would
// leave behind is freed by __gc at the latest, or used again before.
#include "api/json_codec.h"

#include <lauxlib.h>

enum { SCRATCH_KEPT_BYTES = 64 * 1024 };

enum { NULL_SLOT = 1, ARRAY_SLOT = 2 };  // user values

// Its address is the registry key.
static const char registry_key = 0;

static int close_codec(lua_State *L) {
  struct pl_json_codec *codec = lua_touserdata(L, 1);
  pl_buf_deinit(&codec->scratch);
  codec->is_closed = true;
  return 0;
}

static int describe_null(lua_State *L) {
  lua_pushliteral(L, "null");
  return 1;
}

// Pushes json.null: an empty userdata, equal to itself only.
static void make_null(lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, describe_null);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "perilune.JsonNull");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

// Pushes the new codec.
static void make_codec(lua_State *L) {
  struct pl_json_codec *codec = lua_newuserdatauv(L, sizeof *codec, 2);
  *codec = (struct pl_json_codec){0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, close_codec);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  make_null(L);
  codec->null = lua_topointer(L, -1);
  lua_setiuservalue(L, -2, NULL_SLOT);
  luaL_newmetatable(L, PL_JSON_ARRAY);
  codec->array_metatable = lua_topointer(L, -1);
  lua_setiuservalue(L, -2, ARRAY_SLOT);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
}

struct pl_json_codec *pl_json_codec_push(lua_State *L) {
  luaL_checkstack(L, 5, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) == LUA_TNIL) {
    lua_pop(L, 1);
    make_codec(L);
  }
  return lua_touserdata(L, -1);
}

void pl_json_codec_release(struct pl_json_codec *codec) {
  if (codec->scratch.cap > SCRATCH_KEPT_BYTES || codec->is_closed) {
    pl_buf_deinit(&codec->scratch);
  } else {
    pl_buf_clear(&codec->scratch);
  }
}

struct pl_json_codec *pl_json_codec_push_all(lua_State *L) {
  struct pl_json_codec *codec = pl_json_codec_push(L);
  lua_getiuservalue(L, -1, NULL_SLOT);
  lua_getiuservalue(L, -2, ARRAY_SLOT);
  return codec;
}

void pl_json_push_null(lua_State *L) {
  pl_json_codec_push(L);
  lua_getiuservalue(L, -1, NULL_SLOT);
  lua_remove(L, -2);
}

void pl_json_push_array_metatable(lua_State *L) {
  pl_json_codec_push(L);
  lua_getiuservalue(L, -1, ARRAY_SLOT);
  lua_remove(L, -2);
}
