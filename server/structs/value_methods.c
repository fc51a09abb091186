// No method here trusts self: each is a function of its type, too, and scripts call it with
// anything. Addresses are taken behind the last allocation, since a finaliser may move bytes away.
#include "structs/value_methods.h"

#include <lauxlib.h>
#include <string.h>

#include "geometry/codec.h"
#include "structs/construct.h"
#include "structs/conversion.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/scalars.h"
#include "structs/text.h"
#include "structs/type.h"
#include "structs/value.h"

enum { SMALL_BYTES = 256 };

// ---- arguments ----

static int raise_no_value(lua_State *L, int index) {
  return luaL_typeerror(L, index, "struct");
}

static struct pl_operand check_value(lua_State *L, int index) {
  struct pl_operand o;
  if (!pl_operand_get(L, index, &o) || o.is_array || o.is_bytes) raise_no_value(L, index);
  return o;
}

static const struct pl_meta *check_meta(lua_State *L, int index) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (!pl_form_is_value(meta->form)) raise_no_value(L, index);
  return meta;
}

// The value at `index`, which must be of that very type.
static struct pl_operand check_same_type(lua_State *L, int index, const struct pl_type *type) {
  struct pl_operand o;
  if (!pl_operand_get(L, index, &o) || o.is_array || o.is_bytes || o.type != type)
    luaL_typeerror(L, index, type->layout->name.data);
  return o;
}

// ---- get and set ----

// Enums and decimals are objects: pushing one allocates, so the bytes are copied first.
static PL_COLD int push_mixed(lua_State *L, const struct pl_layout *layout, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, at, layout->size);
  return pl_scalars_push(L, layout, copy);
}

static int push_scalars(lua_State *L, const struct pl_layout *layout, const char *at) {
  return layout->part == PL_SCALAR_NONE ? push_mixed(L, layout, at)
                                        : pl_scalars_push(L, layout, at);
}

static int push_field_scalars(lua_State *L, const struct pl_field *field) {
  int pushed = 0;
  for (uint32_t i = 0; i < (field->count ? field->count : 1); i++) {
    const char *at = check_value(L, 1).span.data + field->offset;
    pushed += push_scalars(L, field->type, at + (size_t)i * field->type->size);
    if (pushed > PL_SCALARS_MAX)
      luaL_error(L, "%s has more numbers than a call can return", field->name.data);
  }
  return pushed;
}

// "xz": a field of one letter each.
static int push_letters(lua_State *L, const struct pl_layout *layout, int index) {
  struct pl_strv name;
  name.data = lua_tolstring(L, index, &name.len);
  int pushed = 0;
  for (size_t i = 0; i < name.len; i++) {
    const struct pl_field *field = pl_layout_field(layout, pl_strv(name.data + i, 1));
    if (!field || pushed > PL_SCALARS_MAX)
      luaL_argerror(L, index,
                    lua_pushfstring(L, "%s has no field '%s'", layout->name.data, name.data));
    pushed += push_field_scalars(L, field);
  }
  return pushed;
}

/* v:get() -> all scalars; v:get("xz"), v:get("t", "prim") -> those */
static int value_get(lua_State *L) {
  const struct pl_meta *meta = check_meta(L, 1);
  const struct pl_layout *layout = meta->type->layout;
  int names = lua_gettop(L);
  if (names == 1) return push_scalars(L, layout, pl_value_bytes(L, meta, lua_touserdata(L, 1)));
  int pushed = 0;
  for (int i = 2; i <= names; i++) {
    if (lua_type(L, i) != LUA_TSTRING) luaL_checktype(L, i, LUA_TSTRING);
    struct pl_strv name;
    name.data = lua_tolstring(L, i, &name.len);
    const struct pl_field *field = pl_layout_field(layout, name);
    luaL_checkstack(L, 8, NULL);
    pushed += field ? push_field_scalars(L, field) : push_letters(L, layout, i);
  }
  return pushed;
}

/* v:set(...) -> v; the arguments of T(...) */
static int value_set(lua_State *L) {
  const struct pl_meta *meta = check_meta(L, 1);
  const struct pl_layout *layout = meta->type->layout;
  char *at = pl_operand_write(L, 1, meta);
  int last = lua_gettop(L);
  if (last == 1) luaL_error(L, "set: values for %s are expected", layout->name.data);
  pl_construct_over(L, 2, last, layout, at);
  lua_settop(L, 1);
  return 1;
}

// ---- copies ----

static int value_clone(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  char *to = pl_value_push_new(L, pl_type_of(L, self.span.layout));
  self = check_value(L, 1);
  memcpy(to, self.span.data, self.span.layout->size);
  return 1;
}

// Of another type; into a copy first: it is done wholly or not at all.
static void copy_converted(lua_State *L, const struct pl_layout *layout) {
  const struct pl_convert *plan = pl_conversion_of_value(L, 2, layout);
  if (!plan) luaL_typeerror(L, 2, layout->name.data);
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, pl_operand_write(L, 1, check_meta(L, 1)), layout->size);
  pl_conversion_run(L, 2, plan, copy);
  memcpy(pl_operand_write(L, 1, check_meta(L, 1)), copy, layout->size);
}

/* dst:copy(src) -> dst */
static int value_copy(lua_State *L) {
  const struct pl_meta *meta = check_meta(L, 1);
  const struct pl_layout *layout = meta->type->layout;
  char *to = pl_operand_write(L, 1, meta);
  const char *from = pl_operand_value(L, 2, layout);
  if (PL_LIKELY(from))
    memmove(to, from, layout->size);
  else
    copy_converted(L, layout);
  lua_settop(L, 1);
  return 1;
}

/* v:totable([t]) -> table */
static int value_totable(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    pl_field_push_table(L, self.span.layout, self.span.data);
    return 1;
  }
  luaL_checktype(L, 2, LUA_TTABLE);
  pl_field_fill_table(L, 2, self.span.layout, self.span.data);
  return 1;
}

static int value_pack(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  lua_pushlstring(L, self.span.data, self.span.layout->size);
  return 1;
}

// ---- comparing ----

/* v:same(w): the same type and bytes */
static int value_same(lua_State *L) {
  struct pl_operand a = check_value(L, 1);
  struct pl_operand b = check_value(L, 2);
  lua_pushboolean(L,
                  a.type == b.type && memcmp(a.span.data, b.span.data, a.span.layout->size) == 0);
  return 1;
}

/* v:near(w [, eps]) */
static int value_near(lua_State *L) {
  struct pl_operand a = check_value(L, 1);
  struct pl_operand b = check_same_type(L, 2, a.type);
  double eps = luaL_optnumber(L, 3, 1e-6);
  luaL_argcheck(L, eps >= 0, 3, "a distance of at least 0 is expected");
  lua_pushboolean(L, pl_codec_near(a.span.layout, a.span.data, b.span.data, eps));
  return 1;
}

static int value_has_nan(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  lua_pushboolean(L, pl_codec_has_nan(self.span.layout, self.span.data));
  return 1;
}

// Either may be anything: Lua asks the right one when the left one has no answer.
static int value_eq(lua_State *L) {
  struct pl_operand a, b;
  bool are_values = pl_operand_get(L, 1, &a) && pl_operand_get(L, 2, &b) && !a.is_array &&
                    !b.is_array && a.type && a.type == b.type;
  lua_pushboolean(L, are_values && pl_codec_same_values(a.span.layout, a.span.data, b.span.data));
  return 1;
}

// ---- keys ----

static void drop_sign_of_zero(const struct pl_layout *scalar, char *at) {
  if (pl_scalar_is_float((enum pl_scalar)scalar->scalar) &&
      pl_scalar_number((enum pl_scalar)scalar->scalar, at) == 0)
    memset(at, 0, scalar->size);
}

// Bytes between fields stay out: equal values have equal keys. Returns: behind the last byte.
static char *add_key(const struct pl_layout *layout, const char *at, char *to) {
  if (layout->kind != PL_LAYOUT_STRUCT) {
    memcpy(to, at, layout->size);
    drop_sign_of_zero(layout, to);
    return to + layout->size;
  }
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    for (uint32_t k = 0; k < (field->count ? field->count : 1); k++)
      to = add_key(field->type, at + field->offset + (size_t)k * field->type->size, to);
  }
  return to;
}

/* v:key(): a string that equal values of the type share */
static int value_key(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  char key[PL_STRUCT_BYTES_MAX];
  const char *end = add_key(self.span.layout, self.span.data, key);
  lua_pushlstring(L, key, (size_t)(end - key));
  return 1;
}

// ---- the rest ----

/* v:freeze() -> v */
static int value_freeze(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  if (pl_structs_meta(L, 1)->form == PL_FORM_VIEW && !self.is_frozen)
    return luaL_error(L,
                      "freeze: a view of %s cannot be frozen by itself: freeze what it lies in, "
                      "or clone() it",
                      self.span.layout->name.data);
  lua_settop(L, 1);
  if (self.is_frozen) return 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, self.type->frozen);
  lua_setmetatable(L, 1);
  return 1;
}

static int value_is_frozen(lua_State *L) {
  lua_pushboolean(L, check_value(L, 1).is_frozen);
  return 1;
}

static int value_text(lua_State *L) {
  struct pl_operand self = check_value(L, 1);
  pl_text_push(L, self.span.layout, self.span.data);
  return 1;
}

static const luaL_Reg methods[] = {
    {"get", value_get},         {"set", value_set},
    {"clone", value_clone},     {"copy", value_copy},
    {"totable", value_totable}, {"pack", value_pack},
    {"same", value_same},       {"near", value_near},
    {"has_nan", value_has_nan}, {"key", value_key},
    {"freeze", value_freeze},   {"is_frozen", value_is_frozen},
    {"tostring", value_text},   {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__eq", value_eq}, {"__tostring", value_text}, {NULL, NULL}};

void pl_value_methods_fill(lua_State *L, struct pl_type *type) {
  const int metatables[] = {type->owned, type->frozen, type->view};
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->methods);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
  for (size_t i = 0; i < PL_ARRAY_LEN(metatables); i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[i]);
    luaL_setfuncs(L, metamethods, 0);
    lua_pop(L, 1);
  }
}
