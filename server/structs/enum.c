// The weak table of an enum's values is type->values; E's members keep those with a name.
#include "structs/enum.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "structs/type.h"
#include "structs/value.h"

// ---- names ----

static const struct pl_enum_member *find_name(const struct pl_layout *layout, struct pl_strv name) {
  for (uint32_t i = 0; i < layout->member_count; i++)
    if (pl_strv_eq(layout->members[i].name, name)) return &layout->members[i];
  return NULL;
}

static const struct pl_enum_member *find_value(const struct pl_layout *layout, int64_t value) {
  for (uint32_t i = 0; i < layout->member_count; i++)
    if (layout->members[i].value == value) return &layout->members[i];
  return NULL;
}

static struct pl_strv next_name(struct pl_strv *rest) {
  const char *bar = memchr(rest->data, '|', rest->len);
  size_t len = bar ? (size_t)(bar - rest->data) : rest->len;
  struct pl_strv name = pl_strv(rest->data, len);
  *rest = bar ? pl_strv(bar + 1, rest->len - len - 1) : pl_strv(rest->data + len, 0);
  return pl_strv_trim(name);
}

// Returns: whether every name in the text is one; of flags there may be several.
static bool read_names(const struct pl_layout *layout, struct pl_strv text, int64_t *value) {
  const struct pl_enum_member *member = find_name(layout, text);
  if (member || !layout->is_flags) {
    if (member) *value = member->value;
    return member;
  }
  int64_t sum = 0;
  for (struct pl_strv rest = text; rest.len;) {
    member = find_name(layout, next_name(&rest));
    if (!member) return false;
    sum |= member->value;
  }
  *value = sum;
  return true;
}

static void push_unknown_name(lua_State *L, const struct pl_layout *layout, struct pl_strv name) {
  struct pl_suggest nearest = pl_suggest_for(name);
  for (uint32_t i = 0; i < layout->member_count; i++)
    pl_suggest_offer(&nearest, layout->members[i].name.data);
  if (nearest.best)
    lua_pushfstring(L, "%s has no value '%s' (did you mean '%s'?)", layout->name.data, name.data,
                    nearest.best);
  else
    lua_pushfstring(L, "%s has no value '%s'", layout->name.data, name.data);
}

// ---- objects ----

static void push_new(lua_State *L, const struct pl_type *type, int64_t value) {
  char *at = lua_newuserdatauv(L, type->layout->size, 0);
  pl_scalar_put_integer((enum pl_scalar)type->layout->scalar, value, at);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->frozen);
  lua_setmetatable(L, -2);
}

/* stack: ..., value's object. E keeps it by its first name. */
static void keep_named(lua_State *L, const struct pl_type *type, int64_t value) {
  const struct pl_enum_member *member = find_value(type->layout, value);
  if (!member) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, member->name.data);
  lua_pop(L, 1);
}

/* stack: ..., the weak table. A finaliser that ran meanwhile may have made the same value. */
static PL_COLD void push_cached(lua_State *L, const struct pl_type *type, int64_t value) {
  push_new(L, type, value);
  if (lua_rawgeti(L, -2, value) != LUA_TNIL) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, value);
  keep_named(L, type, value);
}

void pl_enum_push(lua_State *L, struct pl_type *type, int64_t value) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->values);
  if (lua_rawgeti(L, -1, value) == LUA_TNIL) {
    lua_pop(L, 1);
    push_cached(L, type, value);
  }
  lua_remove(L, -2);
}

bool pl_enum_push_named(lua_State *L, struct pl_type *type, struct pl_strv name) {
  const struct pl_enum_member *member = find_name(type->layout, name);
  if (member) pl_enum_push(L, type, member->value);
  return member;
}

// The value at `index` when it is one of the enum.
static bool get_value(lua_State *L, int index, const struct pl_layout *layout, int64_t *value) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (!meta->type || meta->type->layout != layout || meta->form == PL_FORM_ARRAY) return false;
  const char *at = pl_value_bytes(L, meta, lua_touserdata(L, index));
  *value = pl_scalar_integer((enum pl_scalar)layout->scalar, at);
  return true;
}

void pl_enum_store(lua_State *L, int index, const struct pl_layout *layout, char *at,
                   const struct pl_path *path) {
  int64_t value;
  enum pl_scalar scalar = (enum pl_scalar)layout->scalar;
  if (get_value(L, index, layout, &value)) {
    pl_scalar_put_integer(scalar, value, at);
  } else if (lua_type(L, index) == LUA_TSTRING) {
    struct pl_strv name;
    name.data = lua_tolstring(L, index, &name.len);
    if (!read_names(layout, name, &value)) {
      push_unknown_name(L, layout, name);
      pl_path_raise(L, path);
    }
    pl_scalar_put_integer(scalar, value, at);
  } else if (lua_type(L, index) == LUA_TNUMBER) {
    pl_scalar_store(L, index, layout, false, at, path);
  } else {
    lua_pushfstring(L, "a %s, its name or its number is expected, not %s", layout->name.data,
                    pl_scalar_kind(L, index));
    pl_path_raise(L, path);
  }
}

void pl_enum_call(lua_State *L, struct pl_type *type, int first) {
  char at[sizeof(int64_t)] = {0};
  const struct pl_path path = {NULL, type->layout->name, 0};
  if (lua_gettop(L) > first) luaL_error(L, "%s takes one value or name", type->layout->name.data);
  if (lua_gettop(L) == first) pl_enum_store(L, first, type->layout, at, &path);
  pl_enum_push(L, type, pl_scalar_integer((enum pl_scalar)type->layout->scalar, at));
}

// ---- text ----

static void push_number_text(lua_State *L, const struct pl_layout *layout, uint64_t value) {
  char text[32];
  if (layout->is_flags && value)
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
  else if (layout->scalar == PL_SCALAR_U64)
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  else
    snprintf(text, sizeof text, "%lld", (long long)value);
  lua_pushstring(L, text);
}

// Bits that the enum's size has not are no part of a value.
static uint64_t bits_of(const struct pl_layout *layout, int64_t value) {
  return (uint64_t)value & (UINT64_MAX >> (64 - 8 * layout->size));
}

// "A|B", with what has no name at the end: "A|0x40".
static void push_flags(lua_State *L, const struct pl_layout *layout, int64_t value) {
  luaL_Buffer b;
  uint64_t rest = bits_of(layout, value);
  bool is_first = true;
  luaL_buffinit(L, &b);
  for (uint32_t i = 0; i < layout->member_count; i++) {
    uint64_t bits = bits_of(layout, layout->members[i].value);
    if (!bits || (rest & bits) != bits) continue;
    rest &= ~bits;
    if (!is_first) luaL_addchar(&b, '|');
    luaL_addstring(&b, layout->members[i].name.data);
    is_first = false;
  }
  if (rest || is_first) {
    if (!is_first) luaL_addchar(&b, '|');
    push_number_text(L, layout, rest);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
}

void pl_enum_push_text(lua_State *L, const struct pl_layout *layout, int64_t value) {
  const struct pl_enum_member *member = find_value(layout, value);
  if (member) {
    lua_pushlstring(L, member->name.data, member->name.len);
  } else if (layout->is_flags) {
    push_flags(L, layout, value);
  } else {
    push_number_text(L, layout, (uint64_t)value);
    lua_pushfstring(L, "%s(%s)", layout->name.data, lua_tostring(L, -1));
    lua_remove(L, -2);
  }
}

// ---- methods and operators; upvalue 1: the type ----

static struct pl_type *own_type(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static int64_t check_self(lua_State *L, int index) {
  const struct pl_layout *layout = own_type(L)->layout;
  int64_t value;
  if (!get_value(L, index, layout, &value)) luaL_typeerror(L, index, layout->name.data);
  return value;
}

// An operand of an operator: the enum's own, or a number or name that stands for one.
static int64_t check_operand(lua_State *L, int index) {
  const struct pl_layout *layout = own_type(L)->layout;
  char at[sizeof(int64_t)];
  const struct pl_path path = {NULL, layout->name, 0};
  pl_enum_store(L, index, layout, at, &path);
  return pl_scalar_integer((enum pl_scalar)layout->scalar, at);
}

static int enum_text(lua_State *L) {
  pl_enum_push_text(L, own_type(L)->layout, check_self(L, 1));
  return 1;
}

static int enum_index(lua_State *L) {
  int64_t value = check_self(L, 1);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "value") == 0) {
    lua_pushinteger(L, value);
    return 1;
  }
  if (strcmp(key, "name") == 0) {
    const struct pl_enum_member *member = find_value(own_type(L)->layout, value);
    if (!member) return 0;
    lua_pushlstring(L, member->name.data, member->name.len);
    return 1;
  }
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) return 1;
  return luaL_error(L, "%s has no field or method '%s'", own_type(L)->layout->name.data,
                    lua_type(L, 2) == LUA_TSTRING ? key : luaL_typename(L, 2));
}

static int enum_newindex(lua_State *L) {
  return luaL_error(L, "%s: an enum's value cannot be changed", own_type(L)->layout->name.data);
}

static bool is_less(const struct pl_layout *layout, int64_t a, int64_t b) {
  return layout->scalar == PL_SCALAR_U64 ? (uint64_t)a < (uint64_t)b : a < b;
}

static int enum_lt(lua_State *L) {
  int64_t a = check_operand(L, 1);
  lua_pushboolean(L, is_less(own_type(L)->layout, a, check_operand(L, 2)));
  return 1;
}

static int enum_le(lua_State *L) {
  int64_t a = check_operand(L, 1);
  lua_pushboolean(L, !is_less(own_type(L)->layout, check_operand(L, 2), a));
  return 1;
}

// The bits that the enum's size has, read back as its scalar reads them.
static int push_bits(lua_State *L, int64_t bits) {
  struct pl_type *type = own_type(L);
  char at[sizeof(int64_t)];
  enum pl_scalar scalar = (enum pl_scalar)type->layout->scalar;
  pl_scalar_put_integer(scalar, bits, at);
  pl_enum_push(L, type, pl_scalar_integer(scalar, at));
  return 1;
}

static int enum_band(lua_State *L) {
  int64_t a = check_operand(L, 1);
  return push_bits(L, a & check_operand(L, 2));
}

static int enum_bor(lua_State *L) {
  int64_t a = check_operand(L, 1);
  return push_bits(L, a | check_operand(L, 2));
}

static int enum_bxor(lua_State *L) {
  int64_t a = check_operand(L, 1);
  return push_bits(L, a ^ check_operand(L, 2));
}

static int enum_bnot(lua_State *L) {
  return push_bits(L, ~check_self(L, 1));
}

static int enum_has(lua_State *L) {
  int64_t a = check_self(L, 1);
  int64_t b = check_operand(L, 2);
  lua_pushboolean(L, (a & b) == b);
  return 1;
}

// ---- pairs(E) ----

// upvalues: the type, the place of the next member
static int next_member(lua_State *L) {
  struct pl_type *type = own_type(L);
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
  if (i >= (lua_Integer)type->layout->member_count) return 0;
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(2));
  const struct pl_enum_member *member = &type->layout->members[i];
  lua_pushlstring(L, member->name.data, member->name.len);
  pl_enum_push(L, type, member->value);
  return 2;
}

int pl_enum_pairs(lua_State *L) {
  struct pl_type *type = pl_type_get(L, 1);
  if (!type || type->layout->kind != PL_LAYOUT_ENUM)
    return luaL_argerror(L, 1, "an enum is expected");
  lua_pushlightuserdata(L, type);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_member, 2);
  return 1;
}

// ---- filling ----

static const luaL_Reg operators[] = {
    {"__tostring", enum_text},
    {"__newindex", enum_newindex},
    {"__lt", enum_lt},
    {"__le", enum_le},
    {NULL, NULL},
};

static const luaL_Reg flag_operators[] = {
    {"__band", enum_band}, {"__bor", enum_bor}, {"__bxor", enum_bxor},
    {"__bnot", enum_bnot}, {NULL, NULL},
};

/* stack: ..., metatable */
static void fill_metatable(lua_State *L, struct pl_type *type) {
  lua_pushlightuserdata(L, type);
  luaL_setfuncs(L, operators, 1);
  if (type->layout->is_flags) {
    lua_pushlightuserdata(L, type);
    luaL_setfuncs(L, flag_operators, 1);
  }
  lua_pushlightuserdata(L, type);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  lua_pushcclosure(L, enum_index, 2);
  lua_setfield(L, -2, "__index");
}

void pl_enum_fill(lua_State *L, struct pl_type *type) {
  const int metatables[] = {type->owned, type->frozen, type->view};
  for (size_t i = 0; i < PL_ARRAY_LEN(metatables); i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[i]);
    fill_metatable(L, type);
    lua_pop(L, 1);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  lua_pushlightuserdata(L, type);
  lua_pushcclosure(L, enum_has, 1);
  lua_setfield(L, -2, "has");
  lua_pop(L, 1);
}
