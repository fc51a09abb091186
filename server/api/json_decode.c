// JSON text to Lua values. Open containers live on the Lua stack, each with its key above it where
// it is an object; the C side keeps a counter per level.
//
// Tables are made with the size that their last sibling had, which is right for lists of records
// and rows of matrices and saves most of the rehashing. What that can waste is bounded: a size is
// used for one table only, so no more room is given in advance than was really filled before.
#include "api/json_value.h"

#include "api/json_codec.h"
#include "base/error.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>

struct level {
  lua_Integer count;  // elements or members so far
  bool is_object;
  int array_hint;  // size of the last array that was closed at this level
  int object_hint;
};

struct builder {
  lua_State *L;
  int null;       // stack indexes
  int metatable;  // of arrays
  unsigned levels_known;
  struct pl_json_reader reader;
  struct level levels[PL_JSON_DEPTH_MAX];  // the first levels_known are set
};

static void open_table(struct builder *b, bool is_object) {
  struct level *level = &b->levels[b->reader.depth - 1];
  if (b->reader.depth > b->levels_known) {
    b->levels_known = b->reader.depth;
    *level = (struct level){0};
  }
  level->is_object = is_object;
  level->count = 0;
  luaL_checkstack(b->L, 4, "JSON value");  // a table, its key, a value, the metatable
  if (is_object) {
    lua_createtable(b->L, 0, level->object_hint);
  } else {
    lua_createtable(b->L, level->array_hint, 0);
  }
}

static void close_table(struct builder *b) {
  struct level *level = &b->levels[b->reader.depth];
  int size = level->count < INT_MAX ? (int)level->count : INT_MAX;
  if (level->is_object) {
    level->object_hint = size;
    return;
  }
  level->array_hint = size;
  lua_pushvalue(b->L, b->metatable);
  lua_setmetatable(b->L, -2);
}

// Moves the value on top of the stack into its container, if it has one.
static void attach(struct builder *b) {
  if (b->reader.depth == 0) return;
  struct level *level = &b->levels[b->reader.depth - 1];
  level->count++;
  if (level->is_object) {
    lua_rawset(b->L, -3);
  } else {
    lua_rawseti(b->L, -2, level->count);
  }
}

// Pushes what the token stands for. Returns: whether that is a complete value.
static bool push_token(struct builder *b, int type, const union pl_json_token *token) {
  switch (type) {
  case PL_JSON_NULL:
    lua_pushvalue(b->L, b->null);
    return true;
  case PL_JSON_FALSE:
  case PL_JSON_TRUE:
    lua_pushboolean(b->L, type == PL_JSON_TRUE);
    return true;
  case PL_JSON_INTEGER:
    lua_pushinteger(b->L, token->integer);
    return true;
  case PL_JSON_FLOAT:
    lua_pushnumber(b->L, token->number);
    return true;
  case PL_JSON_STRING:
  case PL_JSON_KEY:
    lua_pushlstring(b->L, token->string.data, token->string.len);
    return type == PL_JSON_STRING;
  case PL_JSON_ARRAY_BEGIN:
  case PL_JSON_OBJECT_BEGIN:
    open_table(b, type == PL_JSON_OBJECT_BEGIN);
    return false;
  default:
    close_table(b);
    return true;
  }
}

static int build(struct builder *b) {
  union pl_json_token token;
  int type;
  while ((type = pl_json_next(&b->reader, &token)) > PL_JSON_END) {
    if (push_token(b, type, &token)) attach(b);
  }
  return type;
}

int pl_json_decode_value(lua_State *L, struct pl_strv text, int depth) {
  int base = lua_gettop(L);
  struct pl_json_codec *codec = pl_json_codec_push_all(L);
  struct builder b;
  b.L = L;
  b.null = base + 2;
  b.metatable = base + 3;
  b.levels_known = 0;
  pl_json_reader_init(&b.reader, text, (unsigned)depth, &codec->scratch);
  int result = build(&b);
  pl_json_codec_release(codec);
  if (result == PL_ENOMEM) return luaL_error(L, "not enough memory");
  if (result < 0) {
    char message[PL_JSON_MESSAGE_BYTES];
    pl_json_explain(&b.reader, message);
    lua_pushstring(L, message);
  }
  lua_replace(L, base + 1);
  lua_settop(L, base + 1);
  return result;
}
