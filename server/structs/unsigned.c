// A Lua integer holds the bits; what Lua itself has for them is math.ult.
#include "structs/unsigned.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "geometry/layout.h"
#include "structs/scalar.h"
#include "structs/type.h"

// An integer's bits, an exact float, a decimal text.
static uint64_t check_unsigned(lua_State *L, int index) {
  char at[sizeof(uint64_t)];
  const struct pl_path path = {NULL, PL_STRV("u64"), 0};
  luaL_checkany(L, index);
  pl_scalar_store(L, index, pl_layout_scalar(PL_SCALAR_U64), false, at, &path);
  return (uint64_t)pl_scalar_integer(PL_SCALAR_U64, at);
}

static uint64_t check_divisor(lua_State *L, int index) {
  uint64_t divisor = check_unsigned(L, index);
  luaL_argcheck(L, divisor != 0, index, "division by zero");
  return divisor;
}

static int unsigned_tostring(lua_State *L) {
  char text[24];
  int len = snprintf(text, sizeof text, "%llu", (unsigned long long)check_unsigned(L, 1));
  lua_pushlstring(L, text, (size_t)len);
  return 1;
}

static int unsigned_divide(lua_State *L) {
  uint64_t a = check_unsigned(L, 1);
  lua_pushinteger(L, (lua_Integer)(a / check_divisor(L, 2)));
  return 1;
}

static int unsigned_remainder(lua_State *L) {
  uint64_t a = check_unsigned(L, 1);
  lua_pushinteger(L, (lua_Integer)(a % check_divisor(L, 2)));
  return 1;
}

static int unsigned_compare(lua_State *L) {
  uint64_t a = check_unsigned(L, 1);
  uint64_t b = check_unsigned(L, 2);
  lua_pushinteger(L, (a > b) - (a < b));
  return 1;
}

/* u64.parse(text) -> integer, or nil, message */
static int unsigned_parse(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  uint64_t value = 0;
  bool is_good = len > 0;
  for (size_t i = 0; is_good && i < len; i++) {
    unsigned digit = (unsigned)(unsigned char)text[i] - '0';
    is_good = digit <= 9 && !__builtin_mul_overflow(value, 10, &value) &&
              !__builtin_add_overflow(value, digit, &value);
  }
  if (is_good) {
    lua_pushinteger(L, (lua_Integer)value);
    return 1;
  }
  luaL_pushfail(L);
  lua_pushliteral(L, "no decimal number from 0 to 18446744073709551615");
  return 2;
}

static const luaL_Reg functions[] = {
    {"tostring", unsigned_tostring}, {"divide", unsigned_divide}, {"remainder", unsigned_remainder},
    {"compare", unsigned_compare},   {"parse", unsigned_parse},   {NULL, NULL},
};

void pl_unsigned_fill(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
