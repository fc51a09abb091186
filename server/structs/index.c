// One C function for reading and one for writing, a closure of each for a type. What self is is
// looked at each time: a script may have got hold of them through the debug library.
#include "structs/index.h"

#include <lauxlib.h>
#include <string.h>

#include "base/suggest.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/row.h"
#include "structs/scalar.h"
#include "structs/swizzle.h"
#include "structs/type.h"
#include "structs/value.h"

enum { UP_NAMES = 1, UP_METHODS = 2, UP_TYPE = 3, UPVALUES = 3 };

static const struct pl_meta *check_self(lua_State *L) {
  const struct pl_type *type = lua_touserdata(L, lua_upvalueindex(UP_TYPE));
  const struct pl_meta *meta = pl_structs_meta(L, 1);
  if (PL_UNLIKELY(meta->type != type || !pl_form_is_value(meta->form)))
    luaL_typeerror(L, 1, type->layout->name.data);
  return meta;
}

// ---- fields ----

static void push_field(lua_State *L, int index, const struct pl_meta *meta,
                       const struct pl_field *field) {
  const struct pl_layout *layout = field->type;
  char *at = pl_value_bytes(L, meta, lua_touserdata(L, index)) + field->offset;
  if (PL_UNLIKELY(field->count))
    pl_row_push(L, index, field);
  else if (layout->kind == PL_LAYOUT_STRUCT)
    pl_value_push_view(L, index, pl_type_of(L, layout), field->offset);
  else if (layout->kind == PL_LAYOUT_ENUM || layout->scalar == PL_SCALAR_DEC128)
    pl_field_push_scalar(L, layout, at);
  else
    pl_scalar_push(L, (enum pl_scalar)layout->scalar, at);
}

void pl_index_push_field(lua_State *L, int index, const struct pl_field *field) {
  push_field(L, index, pl_structs_meta(L, index), field);
}

// ---- reading ----

// The components are numbers of one kind and size, one behind the other.
static int push_swizzle(lua_State *L, const struct pl_meta *meta, int64_t packed) {
  const struct pl_layout *layout = meta->type->layout;
  struct pl_swizzle swizzle = pl_swizzle_unpack(packed);
  struct pl_type *type = pl_type_of(L, pl_swizzle_result(layout, swizzle.count));
  char *to = pl_value_push_new(L, type);
  const char *from = pl_value_bytes(L, meta, lua_touserdata(L, 1));
  size_t size = layout->fields[0].type->size;
  for (unsigned i = 0; i < swizzle.count; i++)
    memcpy(to + i * size, from + swizzle.component[i] * size, size);
  return 1;
}

// What base types' methods scripts have been given, the nearest first.
static bool push_base_method(lua_State *L, const struct pl_layout *layout) {
  for (layout = layout->base; layout; layout = layout->base) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, pl_type_of(L, layout)->methods);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return true;
    lua_pop(L, 2);
  }
  return false;
}

static void offer_methods(lua_State *L, struct pl_suggest *nearest) {
  for (lua_pushnil(L); lua_next(L, lua_upvalueindex(UP_METHODS)); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) pl_suggest_offer(nearest, lua_tostring(L, -2));
}

static int raise_unknown(lua_State *L, const struct pl_layout *layout, bool is_write) {
  const char *what = is_write ? "field" : "field or method";
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s has no %s by a key that is a %s", layout->name.data, what,
                      luaL_typename(L, 2));
  struct pl_strv name;
  name.data = lua_tolstring(L, 2, &name.len);
  struct pl_suggest nearest = pl_suggest_for(name);
  for (uint32_t i = 0; i < layout->field_count; i++)
    pl_suggest_offer(&nearest, layout->fields[i].name.data);
  if (!is_write) offer_methods(L, &nearest);
  if (nearest.best)
    return luaL_error(L, "%s has no %s '%s' (did you mean '%s'?)", layout->name.data, what,
                      name.data, nearest.best);
  return luaL_error(L, "%s has no %s '%s'", layout->name.data, what, name.data);
}

static PL_COLD int read_rest(lua_State *L) {
  const struct pl_meta *meta = check_self(L);
  const struct pl_layout *layout = meta->type->layout;
  if (push_base_method(L, layout)) return 1;
  struct pl_swizzle swizzle;
  struct pl_strv name = {"", 0};
  if (lua_type(L, 2) == LUA_TSTRING) name.data = lua_tolstring(L, 2, &name.len);
  if (!pl_swizzle_read(layout, name, &swizzle)) return raise_unknown(L, layout, false);
  int64_t packed = pl_swizzle_pack(&swizzle);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, packed);
  lua_rawset(L, lua_upvalueindex(UP_NAMES));
  return push_swizzle(L, meta, packed);
}

// A method is given out whatever self is: what it takes is its own to check.
static int index_value(lua_State *L) {
  if (PL_UNLIKELY(lua_gettop(L) != 2)) lua_settop(L, 2);
  lua_pushvalue(L, 2);
  switch (lua_rawget(L, lua_upvalueindex(UP_NAMES))) {
  case LUA_TLIGHTUSERDATA:
    push_field(L, 1, check_self(L), lua_touserdata(L, -1));
    return 1;
  case LUA_TNUMBER:
    return push_swizzle(L, check_self(L), lua_tointeger(L, -1));
  default:
    lua_pushvalue(L, 2);
  }
  if (lua_rawget(L, lua_upvalueindex(UP_METHODS)) != LUA_TNIL) return 1;
  lua_settop(L, 2);
  return read_rest(L);
}

// ---- writing ----

static PL_COLD int raise_unwritable(lua_State *L, const struct pl_layout *layout) {
  struct pl_swizzle swizzle;
  struct pl_strv name = {"", 0};
  if (lua_type(L, 2) == LUA_TSTRING) name.data = lua_tolstring(L, 2, &name.len);
  if (!pl_swizzle_read(layout, name, &swizzle)) return raise_unknown(L, layout, true);
  return luaL_error(L, "%s.%s is several fields: set them one by one", layout->name.data,
                    name.data);
}

static int newindex_value(lua_State *L) {
  const struct pl_meta *meta = check_self(L);
  const struct pl_layout *layout = meta->type->layout;
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(UP_NAMES)) != LUA_TLIGHTUSERDATA)
    return raise_unwritable(L, layout);
  const struct pl_field *field = lua_touserdata(L, -1);
  pl_field_store(L, 3, layout, field, pl_operand_write(L, 1, meta) + field->offset);
  return 0;
}

// ---- filling ----

static void push_names(lua_State *L, const struct pl_layout *layout) {
  lua_createtable(L, 0, (int)layout->field_count);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    lua_pushlstring(L, field->name.data, field->name.len);
    lua_pushlightuserdata(L, (void *)field);
    lua_rawset(L, -3);
  }
}

/* stack: ..., names, methods. Pushes the closure. */
static void push_closure(lua_State *L, struct pl_type *type, lua_CFunction fn) {
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, type);
  lua_pushcclosure(L, fn, UPVALUES);
}

void pl_index_fill(lua_State *L, struct pl_type *type) {
  const int metatables[] = {type->owned, type->frozen, type->view};
  push_names(L, type->layout);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  push_closure(L, type, index_value);
  lua_insert(L, -3);
  push_closure(L, type, newindex_value);
  lua_insert(L, -3);
  lua_pop(L, 2); /* stack: ..., index, newindex */
  for (size_t i = 0; i < PL_ARRAY_LEN(metatables); i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[i]);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}
