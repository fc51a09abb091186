// What a value must be like is geometry/codec.c's to say; here are the Lua values, and the paths.
#include "structs/scalar.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "geometry/codec.h"
#include "geometry/f16.h"
#include "structs/type.h"
#include "structs/view.h"

enum { MESSAGE_BYTES = 512 };

// ---- messages ----

static void add_path(luaL_Buffer *b, const struct pl_path *path) {
  if (path->up) {
    add_path(b, path->up);
    luaL_addchar(b, '.');
  }
  luaL_addlstring(b, path->name.data, path->name.len);
  if (!path->index) return;
  char digits[16];
  int len = snprintf(digits, sizeof digits, "[%u]", (unsigned)path->index);
  luaL_addlstring(b, digits, (size_t)len);
}

static void push_path(lua_State *L, const struct pl_path *path) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  add_path(&b, path);
  luaL_pushresult(&b);
}

/* stack: ..., message */
int pl_path_raise(lua_State *L, const struct pl_path *path) {
  luaL_checkstack(L, 8, NULL);
  luaL_where(L, 1);
  push_path(L, path);
  lua_pushfstring(L, "%s%s: %s", lua_tostring(L, -2), lua_tostring(L, -1), lua_tostring(L, -3));
  return lua_error(L);
}

const char *pl_scalar_kind(lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return lua_tostring(L, -1);
  return luaL_typename(L, index);
}

static PL_COLD void raise_problem(lua_State *L, enum pl_codec_problem problem,
                                  const struct pl_layout *layout, const struct pl_value *value,
                                  const struct pl_path *path) {
  char message[MESSAGE_BYTES];
  luaL_checkstack(L, 8, NULL);
  luaL_where(L, 1);
  push_path(L, path);
  struct pl_strv owner;
  owner.data = lua_tolstring(L, -1, &owner.len);
  pl_codec_explain(message, sizeof message, problem, owner, pl_strv("", 0), layout, value);
  lua_pushfstring(L, "%s%s", lua_tostring(L, -2), message);
  lua_error(L);
}

// ---- storing ----

struct pl_decimal128 pl_scalar_decimal(const char *at) {
  struct pl_decimal128 decimal = pl_decimal128_load(at);
  return decimal.lo || decimal.hi ? decimal : pl_decimal128_from_integer(0);
}

bool pl_scalar_get_decimal(lua_State *L, int index, struct pl_decimal128 *decimal) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (!pl_form_is_value(meta->form) || meta->type->layout != pl_layout_scalar(PL_SCALAR_DEC128))
    return false;
  *decimal = pl_scalar_decimal(pl_value_bytes(L, meta, lua_touserdata(L, index)));
  return true;
}

// Returns: whether there is a value that a scalar may take.
static bool read_value(lua_State *L, int index, struct pl_value *value) {
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN:
    *value = (struct pl_value){.kind = PL_VALUE_BOOL, .boolean = lua_toboolean(L, index)};
    return true;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      *value = (struct pl_value){.kind = PL_VALUE_INTEGER, .integer = lua_tointeger(L, index)};
    else
      *value = (struct pl_value){.kind = PL_VALUE_NUMBER, .number = lua_tonumber(L, index)};
    return true;
  case LUA_TSTRING:
    value->kind = PL_VALUE_TEXT;
    value->text.data = lua_tolstring(L, index, &value->text.len);
    return true;
  default:
    value->kind = PL_VALUE_DECIMAL;
    return pl_scalar_get_decimal(L, index, &value->decimal);
  }
}

static void store_checked(lua_State *L, int index, const struct pl_layout *layout, bool is_finite,
                          char *at, const struct pl_path *path) {
  struct pl_value value;
  if (!read_value(L, index, &value)) {
    const char *wanted = layout->scalar == PL_SCALAR_BOOL ? "a boolean" : "a number";
    lua_pushfstring(L, "%s is expected, not %s", wanted, pl_scalar_kind(L, index));
    pl_path_raise(L, path);
  }
  enum pl_codec_problem problem = pl_codec_store(layout, is_finite, at, &value);
  if (problem) raise_problem(L, problem, layout, &value, path);
}

// Most numbers are floats that need no check.
void pl_scalar_store(lua_State *L, int index, const struct pl_layout *layout, bool is_finite,
                     char *at, const struct pl_path *path) {
  if (lua_type(L, index) == LUA_TNUMBER && !is_finite) {
    double number = lua_tonumber(L, index);
    float rounded = (float)number;
    if (layout->scalar == PL_SCALAR_F64) {
      memcpy(at, &number, sizeof number);
      return;
    }
    if (layout->scalar == PL_SCALAR_F32 && (!isinf(rounded) || isinf(number))) {
      memcpy(at, &rounded, sizeof rounded);
      return;
    }
  }
  store_checked(L, index, layout, is_finite, at, path);
}

// ---- loading ----

#define LOAD(ctype)                     \
  do {                                  \
    ctype loaded;                       \
    memcpy(&loaded, at, sizeof loaded); \
    return (int64_t)loaded;             \
  } while (0)

int64_t pl_scalar_integer(enum pl_scalar scalar, const char *at) {
  switch (scalar) {
  case PL_SCALAR_I8:
    LOAD(int8_t);
  case PL_SCALAR_I16:
    LOAD(int16_t);
  case PL_SCALAR_I32:
    LOAD(int32_t);
  case PL_SCALAR_U8:
    LOAD(uint8_t);
  case PL_SCALAR_U16:
    LOAD(uint16_t);
  case PL_SCALAR_U32:
    LOAD(uint32_t);
  default:
    LOAD(int64_t);
  }
}

// The low bytes of a little-endian integer are the narrower integer.
void pl_scalar_put_integer(enum pl_scalar scalar, int64_t value, char *at) {
  memcpy(at, &value, pl_scalar_size(scalar));
}

double pl_scalar_number(enum pl_scalar scalar, const char *at) {
  double number;
  float narrow;
  uint16_t bits;
  switch (scalar) {
  case PL_SCALAR_F64:
    memcpy(&number, at, sizeof number);
    return number;
  case PL_SCALAR_F32:
    memcpy(&narrow, at, sizeof narrow);
    return (double)narrow;
  default:
    memcpy(&bits, at, sizeof bits);
    return pl_f16_to_double(bits);
  }
}

void pl_scalar_push(lua_State *L, enum pl_scalar scalar, const char *at) {
  if (pl_scalar_is_float(scalar))
    lua_pushnumber(L, pl_scalar_number(scalar, at));
  else if (scalar == PL_SCALAR_BOOL)
    lua_pushboolean(L, at[0] != 0);
  else
    lua_pushinteger(L, pl_scalar_integer(scalar, at));
}
