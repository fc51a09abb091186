// A decimal is a frozen struct of 16 bytes; the arithmetic is geometry/decimal128.c's.
#include "structs/dec128.h"

#include <lauxlib.h>
#include <string.h>

#include "base/error.h"
#include "geometry/decimal128.h"
#include "structs/scalar.h"
#include "structs/type.h"
#include "structs/value.h"

// ---- objects ----

static int push_decimal(lua_State *L, struct pl_decimal128 decimal) {
  struct pl_type *type = pl_type_of(L, pl_layout_scalar(PL_SCALAR_DEC128));
  char *at = lua_newuserdatauv(L, PL_DECIMAL128_BYTES, 0);
  pl_decimal128_store(at, decimal);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->frozen);
  lua_setmetatable(L, -2);
  return 1;
}

void pl_dec128_push(lua_State *L, const char *at) {
  push_decimal(L, pl_scalar_decimal(at));
}

static int push_text(lua_State *L, struct pl_decimal128 decimal) {
  char text[PL_DECIMAL128_TEXT];
  lua_pushlstring(L, text, pl_decimal128_write(decimal, text));
  return 1;
}

void pl_dec128_push_text(lua_State *L, const char *at) {
  push_text(L, pl_scalar_decimal(at));
}

// ---- operands ----

// A decimal, a number, or a text that is one.
static struct pl_decimal128 check_decimal(lua_State *L, int index) {
  struct pl_decimal128 decimal;
  char at[PL_DECIMAL128_BYTES];
  if (pl_scalar_get_decimal(L, index, &decimal)) return decimal;
  const struct pl_path path = {NULL, PL_STRV("dec128"), 0};
  pl_scalar_store(L, index, pl_layout_scalar(PL_SCALAR_DEC128), false, at, &path);
  return pl_scalar_decimal(at);
}

#define BINARY(name)                                                      \
  static int dec128_##name(lua_State *L) {                                \
    struct pl_decimal128 a = check_decimal(L, 1);                         \
    return push_decimal(L, pl_decimal128_##name(a, check_decimal(L, 2))); \
  }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(rem)
#undef BINARY

static int dec128_unm(lua_State *L) {
  return push_decimal(L, pl_decimal128_neg(check_decimal(L, 1)));
}

static int dec128_abs(lua_State *L) {
  return push_decimal(L, pl_decimal128_abs(check_decimal(L, 1)));
}

static int compare(lua_State *L) {
  struct pl_decimal128 a = check_decimal(L, 1);
  return pl_decimal128_compare(a, check_decimal(L, 2));
}

// Two decimals, or Lua does not ask.
static int dec128_eq(lua_State *L) {
  struct pl_decimal128 a, b;
  bool are = pl_scalar_get_decimal(L, 1, &a) && pl_scalar_get_decimal(L, 2, &b);
  lua_pushboolean(L, are && pl_decimal128_compare(a, b) == 0);
  return 1;
}

static int dec128_lt(lua_State *L) {
  lua_pushboolean(L, compare(L) == -1);
  return 1;
}

static int dec128_le(lua_State *L) {
  int order = compare(L);
  lua_pushboolean(L, order == -1 || order == 0);
  return 1;
}

static int dec128_text(lua_State *L) {
  return push_text(L, check_decimal(L, 1));
}

// ---- methods ----

static int dec128_tonumber(lua_State *L) {
  lua_pushnumber(L, pl_decimal128_to_double(check_decimal(L, 1)));
  return 1;
}

static int dec128_tointeger(lua_State *L) {
  int64_t value;
  if (pl_decimal128_to_integer(check_decimal(L, 1), &value) != 0)
    luaL_pushfail(L);
  else
    lua_pushinteger(L, value);
  return 1;
}

static int dec128_round(lua_State *L) {
  static const char *const names[] = {"even", "floor", "ceil", "truncate", "away", NULL};
  static const enum pl_decimal128_rounding roundings[] = {
      PL_DECIMAL128_HALF_EVEN, PL_DECIMAL128_FLOOR, PL_DECIMAL128_CEIL, PL_DECIMAL128_TRUNCATE,
      PL_DECIMAL128_HALF_AWAY};
  struct pl_decimal128 value = check_decimal(L, 1);
  lua_Integer places = luaL_optinteger(L, 2, 0);
  int how = luaL_checkoption(L, 3, "even", names);
  luaL_argcheck(L, places >= -6200 && places <= 6200, 2, "places from -6200 to 6200 are expected");
  return push_decimal(L, pl_decimal128_round(value, (int)places, roundings[how]));
}

static int dec128_is_nan(lua_State *L) {
  lua_pushboolean(L, pl_decimal128_is_nan(check_decimal(L, 1)));
  return 1;
}

// .NET's layout, which xLua packs.
static int dec128_to_net(lua_State *L) {
  char net[PL_DECIMAL128_BYTES];
  struct pl_decimal128 value = check_decimal(L, 1);
  int status = pl_decimal128_to_net(value, net);
  push_text(L, value);
  if (status == PL_EINVAL) return luaL_error(L, "to_net: %s is not finite", lua_tostring(L, -1));
  if (status)
    return luaL_error(L, "to_net: %s does not fit .NET's decimal: 96 bits, 28 places",
                      lua_tostring(L, -1));
  lua_pushlstring(L, net, sizeof net);
  return 1;
}

static int dec128_from_net(lua_State *L) {
  struct pl_decimal128 value;
  size_t len;
  const char *net = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len == PL_DECIMAL128_BYTES, 1, "16 bytes are expected");
  luaL_argcheck(L, pl_decimal128_from_net(net, &value) == 0, 1, "no decimal of .NET");
  return push_decimal(L, value);
}

static int dec128_newindex(lua_State *L) {
  return luaL_error(L, "a dec128 cannot be changed");
}

// upvalue 1: the methods
static int dec128_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  return luaL_error(L, "dec128 has no method '%s'", luaL_tolstring(L, 2, NULL));
}

// ---- filling ----

static const luaL_Reg operators[] = {
    {"__add", dec128_add},
    {"__sub", dec128_sub},
    {"__mul", dec128_mul},
    {"__div", dec128_div},
    {"__mod", dec128_rem},
    {"__unm", dec128_unm},
    {"__eq", dec128_eq},
    {"__lt", dec128_lt},
    {"__le", dec128_le},
    {"__tostring", dec128_text},
    {"__newindex", dec128_newindex},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"add", dec128_add},
    {"sub", dec128_sub},
    {"mul", dec128_mul},
    {"div", dec128_div},
    {"rem", dec128_rem},
    {"neg", dec128_unm},
    {"abs", dec128_abs},
    {"round", dec128_round},
    {"tonumber", dec128_tonumber},
    {"tointeger", dec128_tointeger},
    {"is_nan", dec128_is_nan},
    {"to_net", dec128_to_net},
    {NULL, NULL},
};

void pl_dec128_fill(lua_State *L, struct pl_type *type) {
  const int metatables[] = {type->owned, type->frozen, type->view};
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  luaL_setfuncs(L, methods, 0);
  for (size_t i = 0; i < PL_ARRAY_LEN(metatables); i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[i]);
    luaL_setfuncs(L, operators, 0);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, dec128_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  lua_pushcfunction(L, dec128_from_net);
  lua_setfield(L, -2, "from_net");
  lua_pop(L, 1);
}
