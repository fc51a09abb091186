// Lua values to JSON text, by recursion: a frame per open container on the C stack, linked to the
// outer ones, is also the path that errors name.
//
// Whether a table is an array is found out while it is written: lua_next walks the keys 1, 2, 3 ...
// of an ordinary list in order, so that one walk both writes and proves it; a list whose elements
// live elsewhere in the table is counted and then fetched by index. Cycles are looked for only when
// the depth limit is reached, which every cycle does.
#include "api/json_value.h"

#include "api/json_codec.h"
#include "base/error.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "geometry/json_form.h"
#include "structs/operand.h"
#include "structs/view.h"
#include "structs/state.h"
#include "structs/type.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { PATH_KEY_SHOWN = 60 };  // bytes of a key in an error's path

struct encoder {
  lua_State *L;
  struct pl_buf *out;
  const struct pl_json_codec *codec;
  struct pl_json_encode_options options;
};

// An open container and where in it the writer is.
struct frame {
  const struct frame *outer;
  const void *table;  // its identity
  int depth;          // 1 for the outermost
  const char *key;    // of the member being written; NULL in an array
  size_t key_len;
  lua_Integer index;  // of the element being written
};

static void encode_any(struct encoder *e, const struct frame *at);

// ---- errors

static bool is_identifier(const char *key, size_t len) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return len > 0 && len <= PATH_KEY_SHOWN && strspn(key, letters) > 0 && strspn(key, all) == len;
}

// ["any key"]: shortened, with a ? for every byte that would spoil a line of a log.
static void add_quoted(luaL_Buffer *path, const char *key, size_t len) {
  const char *p = key, *end = key + len;
  luaL_addstring(path, "[\"");
  while (p < end && p - key < PATH_KEY_SHOWN) {
    unsigned char c = (unsigned char)*p;
    size_t bytes = c < 0x80 ? 1 : pl_utf8_sequence(p, end);
    if (c < 0x20 || c == 0x7f || c == '"' || bytes == 0) {
      luaL_addchar(path, '?');
      p++;
    } else {
      luaL_addlstring(path, p, bytes);
      p += bytes;
    }
  }
  luaL_addstring(path, p < end ? "...\"]" : "\"]");
}

static void add_step(luaL_Buffer *path, const struct frame *f) {
  if (!f->key) {
    char text[32];
    lua_Integer index = f->index;
    luaL_addchar(path, '[');
    luaL_addlstring(path, text, (size_t)lua_integer2str(text, sizeof text, index));
    luaL_addchar(path, ']');
  } else if (is_identifier(f->key, f->key_len)) {
    luaL_addchar(path, '.');
    luaL_addlstring(path, f->key, f->key_len);
  } else {
    add_quoted(path, f->key, f->key_len);
  }
}

// Pushes "$.items[3].price": the place that the innermost frame is at.
static void push_path(lua_State *L, const struct frame *innermost) {
  luaL_Buffer path;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  luaL_buffinit(L, &path);
  luaL_addchar(&path, '$');
  int depth = innermost ? innermost->depth : 0;
  for (int level = 1; level <= depth; level++) {
    const struct frame *f = innermost;
    while (f->depth > level) f = f->outer;
    add_step(&path, f);
  }
  luaL_pushresult(&path);
}

// Raises "PATH: REASON"; the reason is on top of the stack.
static void raise_at(struct encoder *e, const struct frame *at) {
  push_path(e->L, at);
  luaL_error(e->L, "%s: %s", lua_tostring(e->L, -1), lua_tostring(e->L, -2));
}

static void refuse(struct encoder *e, const struct frame *at, const char *reason) {
  lua_pushstring(e->L, reason);
  raise_at(e, at);
}

// Raises what a writing function reported; at is the value's place.
static void check(struct encoder *e, const struct frame *at, int error, const char *reason) {
  if (PL_LIKELY(error == 0)) return;
  if (error == PL_ENOMEM) luaL_error(e->L, "not enough memory");
  refuse(e, at, reason);
}

static void put(struct encoder *e, char byte) {
  if (pl_json_write_byte(e->out, byte)) luaL_error(e->L, "not enough memory");
}

// The depth limit is reached: by a cycle or by mere depth.
static void refuse_depth(struct encoder *e, const struct frame *at) {
  const struct frame *found = NULL;
  const void *table = lua_topointer(e->L, -1);
  for (const struct frame *f = at; f; table = f->table, f = f->outer) {
    const struct frame *again = f;
    while (again && again->table != table) again = again->outer;
    if (again) found = f;  // the outermost place that leads back wins
  }
  if (found) refuse(e, found, "a cycle: the table is inside itself");
  lua_pushfstring(e->L, "nested deeper than %d levels", e->options.depth_max);
  raise_at(e, at);
}

// Pushes a key as errors show it.
static void push_key(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING) {
    size_t len;
    const char *key = lua_tolstring(L, index, &len);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    add_quoted(&text, key, len);
    luaL_pushresult(&text);
  } else if (lua_type(L, index) == LUA_TNUMBER) {
    lua_pushvalue(L, index);
    lua_pushfstring(L, "[%s]", lua_tostring(L, -1));
    lua_remove(L, -2);
  } else {
    lua_pushfstring(L, "a %s", luaL_typename(L, index));
  }
}

// Raises about the table at index t: names a key that fits neither 1..n nor an object.
static void refuse_keys(struct encoder *e, const struct frame *outer, int t) {
  lua_State *L = e->L;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_Integer count = 0, strings = 0;  // an array of this many keys has 1..count - strings
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    count++;
    strings += lua_type(L, -2) == LUA_TSTRING;
  }
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    bool is_index = lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 &&
                    lua_tointeger(L, -2) <= count - strings;
    if (!is_index && (strings < count || lua_type(L, -2) == LUA_TSTRING)) break;
  }
  push_key(L, -2);
  lua_pushfstring(L, "mixed or sparse keys: %s among %I; an array has 1..n, an object only strings",
                  lua_tostring(L, -1), (LUAI_UACINT)count);
  raise_at(e, outer);
}

// ---- containers

static void break_line(struct encoder *e, int depth) {
  if (e->options.indent == 0) return;
  size_t spaces = (size_t)depth * (size_t)e->options.indent;
  char *to = pl_buf_reserve(e->out, spaces + 1);
  if (!to) luaL_error(e->L, "not enough memory");
  *to = '\n';
  memset(to + 1, ' ', spaces);
  pl_buf_grew(e->out, spaces + 1);
}

static void begin_item(struct encoder *e, const struct frame *f, bool is_first) {
  if (!is_first) put(e, ',');
  break_line(e, f->depth);
}

// The elements from f->index on, which lua_next does not find in order: counts the rest, then
// fetches. stack: ..., table (at t), key, value
static void encode_unordered(struct encoder *e, struct frame *f, int t) {
  lua_State *L = e->L;
  lua_Integer count = f->index - 1;
  do {
    count++;
    lua_pop(L, 1);
  } while (lua_next(L, t));
  for (; f->index <= count; f->index++) {
    if (lua_rawgeti(L, t, f->index) == LUA_TNIL) refuse_keys(e, f->outer, t);
    begin_item(e, f, f->index == 1);
    encode_any(e, f);
    lua_pop(L, 1);
  }
}

// stack: ..., table (at t), first key, first value. Pops both.
static void encode_array(struct encoder *e, struct frame *f, int t) {
  lua_State *L = e->L;
  f->key = NULL;
  f->index = 1;
  put(e, '[');
  do {
    if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) != f->index) {
      encode_unordered(e, f, t);
      break;
    }
    begin_item(e, f, f->index == 1);
    encode_any(e, f);
    lua_pop(L, 1);
    f->index++;
  } while (lua_next(L, t));
  break_line(e, f->depth - 1);
  put(e, ']');
}

// stack: as encode_array
static void encode_object(struct encoder *e, struct frame *f, int t) {
  lua_State *L = e->L;
  bool is_first = true;
  put(e, '{');
  do {
    if (lua_type(L, -2) != LUA_TSTRING) refuse_keys(e, f->outer, t);
    f->key = lua_tolstring(L, -2, &f->key_len);
    begin_item(e, f, is_first);
    is_first = false;
    check(e, f, pl_json_write_string(e->out, pl_strv(f->key, f->key_len)),
          "the key is not valid UTF-8");
    put(e, ':');
    if (e->options.indent) put(e, ' ');
    encode_any(e, f);
    lua_pop(L, 1);
  } while (lua_next(L, t));
  break_line(e, f->depth - 1);
  put(e, '}');
}

static bool is_marked_array(const struct encoder *e) {
  if (!lua_getmetatable(e->L, -1)) return false;
  bool is_array = lua_topointer(e->L, -1) == e->codec->array_metatable;
  lua_pop(e->L, 1);
  return is_array;
}

// The table on top of the stack.
static void encode_table(struct encoder *e, const struct frame *at) {
  lua_State *L = e->L;
  int t = lua_gettop(L);
  struct frame f = {.outer = at, .table = lua_topointer(L, t), .depth = at ? at->depth + 1 : 1};
  if (f.depth > e->options.depth_max) refuse_depth(e, at);
  luaL_checkstack(L, 4, "JSON value");
  bool is_array = is_marked_array(e);
  lua_pushnil(L);
  if (!lua_next(L, t)) {
    check(e, at, pl_json_write_raw(e->out, is_array ? PL_STRV("[]") : PL_STRV("{}")), NULL);
  } else if (is_array || lua_type(L, -2) != LUA_TSTRING) {
    encode_array(e, &f, t);
  } else {
    encode_object(e, &f, t);
  }
}

// ---- scalars

static void encode_number(struct encoder *e, const struct frame *at) {
  if (lua_isinteger(e->L, -1)) {
    check(e, at, pl_json_write_integer(e->out, lua_tointeger(e->L, -1)), NULL);
    return;
  }
  double value = lua_tonumber(e->L, -1);
  check(e, at, pl_json_write_float(e->out, value),
        isnan(value) ? "NaN is not JSON" : "Infinity is not JSON");
}

static void encode_string(struct encoder *e, const struct frame *at) {
  struct pl_strv s;
  s.data = lua_tolstring(e->L, -1, &s.len);
  int error = pl_json_write_string(e->out, s);
  if (error == PL_EINVAL) {
    lua_pushfstring(e->L, "the string is not valid UTF-8 at byte %I",
                    (LUAI_UACINT)pl_json_find_invalid(s) + 1);
    raise_at(e, at);
  }
  check(e, at, error, NULL);
}

// A fixed array inside a struct.
static void encode_row(struct encoder *e, const struct frame *at, const struct pl_layout *layout) {
  const struct pl_row *row = lua_touserdata(e->L, -1);
  char *data = pl_view_bytes(e->L, &row->view);
  struct pl_span span = {
      .data = data, .count = row->count, .stride = layout->size, .layout = layout};
  check(e, at, pl_json_form_write_span(e->out, &span), NULL);
}

// Returns: whether the value on top of the stack is a struct, an array or the like.
static bool encode_struct(struct encoder *e, const struct frame *at) {
  const struct pl_meta *meta = pl_structs_meta(e->L, -1);
  struct pl_operand o;
  if (meta->form == PL_FORM_ROW) {
    encode_row(e, at, meta->type->layout);
    return true;
  }
  if (!meta->type || !pl_operand_get(e->L, lua_gettop(e->L), &o)) return false;
  check(e, at,
        o.is_array ? pl_json_form_write_span(e->out, &o.span)
                   : pl_json_form_write(e->out, o.span.layout, o.span.data),
        NULL);
  return true;
}

static void encode_other(struct encoder *e, const struct frame *at) {
  bool is_null = lua_topointer(e->L, -1) == e->codec->null;
  if (!is_null && lua_type(e->L, -1) == LUA_TUSERDATA && encode_struct(e, at)) return;
  if (!is_null) {
    lua_pushfstring(e->L, "a %s has no JSON form", luaL_typename(e->L, -1));
    raise_at(e, at);
  }
  check(e, at, pl_json_write_raw(e->out, PL_STRV("null")), NULL);
}

// The value on top of the stack, which stays there.
static void encode_any(struct encoder *e, const struct frame *at) {
  switch (lua_type(e->L, -1)) {
  case LUA_TSTRING:
    encode_string(e, at);
    break;
  case LUA_TNUMBER:
    encode_number(e, at);
    break;
  case LUA_TTABLE:
    encode_table(e, at);
    break;
  case LUA_TBOOLEAN:
    check(e, at,
          pl_json_write_raw(e->out, lua_toboolean(e->L, -1) ? PL_STRV("true") : PL_STRV("false")),
          NULL);
    break;
  case LUA_TNIL:  // at the top only: no table holds one
    check(e, at, pl_json_write_raw(e->out, PL_STRV("null")), NULL);
    break;
  default:
    encode_other(e, at);
  }
}

void pl_json_encode_with(lua_State *L, int index, const struct pl_json_encode_options *options,
                         struct pl_buf *out) {
  index = lua_absindex(L, index);
  struct encoder e = {.L = L, .out = out, .options = *options};
  e.codec = pl_json_codec_push(L);  // stays on the stack: it anchors e.codec
  lua_pushvalue(L, index);
  encode_any(&e, NULL);
  lua_pop(L, 2);
}

void pl_json_encode_value(lua_State *L, int index, struct pl_buf *out) {
  static const struct pl_json_encode_options defaults = {PL_JSON_DEPTH_DEFAULT, 0};
  pl_json_encode_with(L, index, &defaults, out);
}
