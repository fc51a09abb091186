// Constants of a type's own type cannot be made while it is filled, and most are never asked for:
// they are made on first use, once per state, and are frozen, since all requests share them.
#include "structs/type_object.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "structs/constants.h"
#include "structs/construct.h"
#include "structs/conversion.h"
#include "structs/enum.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/type.h"
#include "structs/value.h"

enum { HASH_DIGITS = 16 };

static struct pl_type *check_type(lua_State *L, int index) {
  struct pl_type *type = pl_type_get(L, index);
  if (!type) luaL_typeerror(L, index, "type");
  return type;
}

// ---- T(...) ----

static int push_scalar(lua_State *L, const struct pl_layout *layout, int given) {
  char at[16] = {0};
  if (given > 1) return luaL_error(L, "%s takes one value", layout->name.data);
  if (given == 1) pl_field_store_scalar(L, 2, layout, at, layout->name.data);
  pl_field_push_scalar(L, layout, at);
  return 1;
}

static int type_call(lua_State *L) {
  struct pl_type *type = check_type(L, 1);
  int last = lua_gettop(L);
  if (type->layout->kind == PL_LAYOUT_ENUM) {
    pl_enum_call(L, type, 2);
  } else if (type->layout->kind == PL_LAYOUT_SCALAR) {
    push_scalar(L, type->layout, last - 1);
  } else {
    const struct pl_convert *plan = last == 2 ? pl_conversion_of_value(L, 2, type->layout) : NULL;
    char *at = pl_value_push_new(L, type);
    if (plan)
      pl_conversion_run(L, 2, plan, at);
    else
      pl_construct(L, 2, last, type->layout, at);
  }
  return 1;
}

// ---- T.name ----

static bool push_member(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 2);
    return false;
  }
  return true;
}

static bool push_method(lua_State *L, const struct pl_type *type) {
  for (const struct pl_layout *layout = type->layout; layout; layout = layout->base) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, pl_type_of(L, layout)->methods);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return true;
    lua_pop(L, 2);
  }
  return false;
}

static void offer_keys(lua_State *L, struct pl_suggest *nearest, int ref) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) pl_suggest_offer(nearest, lua_tostring(L, -2));
  lua_pop(L, 1);
}

static int raise_unknown(lua_State *L, const struct pl_type *type) {
  const char *owner = type->layout->name.data;
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s has nothing by a key that is a %s", owner, luaL_typename(L, 2));
  struct pl_strv name;
  name.data = lua_tolstring(L, 2, &name.len);
  struct pl_suggest nearest = pl_suggest_for(name);
  for (uint32_t i = 0; i < type->layout->member_count; i++)
    pl_suggest_offer(&nearest, type->layout->members[i].name.data);
  pl_suggest_offer(&nearest, "fields");
  pl_constants_offer(type->layout, &nearest);
  offer_keys(L, &nearest, type->methods);
  offer_keys(L, &nearest, type->members);
  if (nearest.best)
    return luaL_error(L, "%s has nothing named '%s' (did you mean '%s'?)", owner, name.data,
                      nearest.best);
  return luaL_error(L, "%s has nothing named '%s'", owner, name.data);
}

// A new table each time: what a script does to it is its own affair.
static void push_fields(lua_State *L, const struct pl_layout *layout) {
  lua_createtable(L, (int)layout->field_count, 0);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    lua_createtable(L, 0, 4);
    lua_pushlstring(L, field->name.data, field->name.len);
    lua_setfield(L, -2, "name");
    lua_pushlstring(L, field->type->name.data, field->type->name.len);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, field->offset);
    lua_setfield(L, -2, "offset");
    if (field->count) {
      lua_pushinteger(L, field->count);
      lua_setfield(L, -2, "count");
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static int type_index(lua_State *L) {
  struct pl_type *type = check_type(L, 1);
  struct pl_strv name = {"", 0};
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING) name.data = lua_tolstring(L, 2, &name.len);
  if (push_member(L, type)) return 1;
  if (type->layout->member_count && pl_enum_push_named(L, type, name)) return 1;
  if (pl_constants_push(L, type, name)) return 1;
  if (push_method(L, type)) return 1;
  if (pl_strv_eq(name, PL_STRV("fields"))) {
    push_fields(L, type->layout);
    return 1;
  }
  return raise_unknown(L, type);
}

static int type_newindex(lua_State *L) {
  const char *name = check_type(L, 1)->layout->name.data;
  return luaL_error(L, "%s is a type and cannot be changed: methods go into %s.methods", name,
                    name);
}

static int type_text(lua_State *L) {
  const struct pl_layout *layout = check_type(L, 1)->layout;
  lua_pushlstring(L, layout->name.data, layout->name.len);
  return 1;
}

static const luaL_Reg metamethods[] = {
    {"__call", type_call},     {"__index", type_index},    {"__newindex", type_newindex},
    {"__tostring", type_text}, {"__pairs", pl_enum_pairs}, {NULL, NULL},
};

void pl_type_object_open(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->type_object);
  luaL_setfuncs(L, metamethods, 0);
  lua_pop(L, 1);
}

// ---- functions of a type; upvalue 1: the type ----

static struct pl_type *own_type(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

/* T.is(v) */
static int type_is(lua_State *L) {
  const struct pl_layout *layout = own_type(L)->layout;
  luaL_checkany(L, 1);
  const struct pl_meta *meta = pl_structs_meta(L, 1);
  lua_pushboolean(L, pl_form_is_value(meta->form) && pl_layout_is_a(meta->type->layout, layout));
  return 1;
}

// Text or bytes; stays valid until the script runs again.
static struct pl_strv check_data(lua_State *L, int index) {
  struct pl_operand o;
  struct pl_strv data;
  if (pl_operand_get(L, index, &o) && o.is_bytes) return pl_strv(o.span.data, o.span.count);
  if (lua_type(L, index) != LUA_TSTRING) luaL_typeerror(L, index, "string or bytes");
  data.data = lua_tolstring(L, index, &data.len);
  return data;
}

/* T.unpack(string [, pos]) -> value, the next position */
static int type_unpack(lua_State *L) {
  struct pl_type *type = own_type(L);
  size_t size = type->layout->size;
  size_t len = check_data(L, 1).len;
  lua_Integer pos = luaL_optinteger(L, 2, 1);
  if (pos < 0) pos = pos < -(lua_Integer)len ? 0 : (lua_Integer)len + pos + 1;
  luaL_argcheck(L, pos >= 1 && (size_t)pos <= len + 1, 2, "position is outside the data");
  if (len - (size_t)pos + 1 < size)
    return luaL_argerror(L, 1,
                         lua_pushfstring(L, "%s takes %d bytes, at position %I there are %I",
                                         type->layout->name.data, (int)size, pos,
                                         (lua_Integer)(len - (size_t)pos + 1)));
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, check_data(L, 1).data + pos - 1, size);
  memcpy(pl_value_push_new(L, type), copy, size);
  lua_pushinteger(L, pos + (lua_Integer)size);
  return 2;
}

/* T.at(bytes [, offset]) -> view */
static int type_at(lua_State *L) {
  lua_Integer offset = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, offset >= 0, 2, "an offset of at least 0 is expected");
  lua_settop(L, 2);
  pl_value_push_view(L, 1, own_type(L), (size_t)offset);
  return 1;
}

// ---- filling ----

static void push_hash(lua_State *L, uint64_t hash) {
  char text[HASH_DIGITS + 1];
  snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
  lua_pushlstring(L, text, HASH_DIGITS);
}

static const luaL_Reg struct_functions[] = {
    {"is", type_is}, {"unpack", type_unpack}, {"at", type_at}, {NULL, NULL}};
static const luaL_Reg other_functions[] = {{"is", type_is}, {NULL, NULL}};

void pl_type_object_fill(lua_State *L, struct pl_type *type) {
  const struct pl_layout *layout = type->layout;
  bool is_struct = layout->kind == PL_LAYOUT_STRUCT;
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  lua_pushlightuserdata(L, type);
  luaL_setfuncs(L, is_struct ? struct_functions : other_functions, 1);
  lua_pushlstring(L, layout->name.data, layout->name.len);
  lua_setfield(L, -2, "name");
  lua_pushinteger(L, layout->size);
  lua_setfield(L, -2, "sizeof");
  push_hash(L, layout->hash);
  lua_setfield(L, -2, "hash");
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  lua_setfield(L, -2, "methods");
  lua_pop(L, 1);
}

// ---- what a definition adds ----

/* stack: ..., a pairs' key and value */
static const char *check_key(lua_State *L, const struct pl_type *type, const char *what) {
  if (lua_type(L, -2) == LUA_TSTRING) return lua_tostring(L, -2);
  luaL_error(L, "%s: %s are by name, not by a key that is a %s", type->layout->name.data, what,
             luaL_typename(L, -2));
  return NULL;
}

void pl_type_object_add_methods(lua_State *L, const struct pl_type *type, int index) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  int methods = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *name = check_key(L, type, "methods");
    if (!lua_isfunction(L, -1))
      luaL_error(L, "%s: the method '%s' is a %s, not a function", type->layout->name.data, name,
                 luaL_typename(L, -1));
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, methods);
  }
  lua_pop(L, 1);
}

// The type is complete by now, so its statics may be of its own type.
/* stack: ..., a static. Replaces a table and a struct by a frozen value. */
static void freeze_static(lua_State *L, struct pl_type *type) {
  struct pl_operand o;
  const struct pl_layout *layout = type->layout;
  bool is_value = pl_operand_get(L, -1, &o) && !o.is_array && !o.is_bytes;
  if (is_value) {
    if (o.is_frozen && !o.box) return;
    type = pl_type_of(L, o.span.layout);
    layout = type->layout;
  } else if (!lua_istable(L, -1) || layout->kind != PL_LAYOUT_STRUCT) {
    return;
  }
  char *at = pl_value_push_new(L, type);
  pl_field_store_struct(L, -2, layout, at);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->frozen);
  lua_setmetatable(L, -2);
  lua_replace(L, -2);
}

void pl_type_object_add_statics(lua_State *L, struct pl_type *type, int index) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  int members = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    check_key(L, type, "statics");
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    freeze_static(L, type);
    lua_rawset(L, members);
  }
  lua_pop(L, 1);
}
