// A table is read without metamethods and without an allocation: nothing of a script runs in
// between, so the bytes stay where they are. Structs and arrays are laid into a copy on the C
// stack first: all or nothing is written, and a value may lie in what it is written to.
#include "structs/field.h"

#include <lauxlib.h>
#include <string.h>

#include "base/suggest.h"
#include "structs/dec128.h"
#include "structs/enum.h"
#include "structs/operand.h"
#include "structs/scalar.h"
#include "structs/type.h"
#include "structs/value.h"

enum { SMALL_BYTES = 256, STACK_SLOTS = 8 };

// ---- to Lua ----

static void push_struct(lua_State *L, const struct pl_layout *layout, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, at, layout->size);
  memcpy(pl_value_push_new(L, pl_type_of(L, layout)), copy, layout->size);
}

void pl_field_push_scalar(lua_State *L, const struct pl_layout *layout, const char *at) {
  enum pl_scalar scalar = (enum pl_scalar)layout->scalar;
  if (layout->kind == PL_LAYOUT_ENUM)
    pl_enum_push(L, pl_type_of(L, layout), pl_scalar_integer(scalar, at));
  else if (scalar == PL_SCALAR_DEC128)
    pl_dec128_push(L, at);
  else
    pl_scalar_push(L, scalar, at);
}

// What a table from before has at its top is a table to fill, too; else a new one takes its place.
static void want_table(lua_State *L, int array, int hash) {
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, array, hash);
}

/* stack: ..., table to fill */
static void fill_array(lua_State *L, const struct pl_field *field, const char *at);

/* stack: ..., table to fill */
static void fill_table(lua_State *L, const struct pl_layout *layout, const char *at) {
  luaL_checkstack(L, STACK_SLOTS, NULL);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    const char *from = at + field->offset;
    lua_pushlstring(L, field->name.data, field->name.len);
    if (field->count || field->type->kind == PL_LAYOUT_STRUCT) {
      lua_pushvalue(L, -1);
      lua_rawget(L, -3);
      want_table(L, (int)field->count, (int)field->type->field_count);
      if (field->count)
        fill_array(L, field, from);
      else
        fill_table(L, field->type, from);
    } else {
      pl_field_push_scalar(L, field->type, from);
    }
    lua_rawset(L, -3);
  }
}

static void fill_array(lua_State *L, const struct pl_field *field, const char *at) {
  luaL_checkstack(L, STACK_SLOTS, NULL);
  for (uint32_t i = 0; i < field->count; i++) {
    const char *from = at + (size_t)i * field->type->size;
    if (field->type->kind == PL_LAYOUT_STRUCT) {
      lua_rawgeti(L, -1, (lua_Integer)i + 1);
      want_table(L, 0, (int)field->type->field_count);
      fill_table(L, field->type, from);
    } else {
      pl_field_push_scalar(L, field->type, from);
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

void pl_field_fill_table(lua_State *L, int table, const struct pl_layout *layout, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, at, layout->size);
  lua_pushvalue(L, table);
  fill_table(L, layout, copy);
  lua_pop(L, 1);
}

void pl_field_push_table(lua_State *L, const struct pl_layout *layout, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, at, layout->size);
  lua_createtable(L, 0, (int)layout->field_count);
  fill_table(L, layout, copy);
}

static void push_array(lua_State *L, const struct pl_field *field, const char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, at, (size_t)field->count * field->type->size);
  lua_createtable(L, (int)field->count, 0);
  for (uint32_t i = 0; i < field->count; i++) {
    const char *from = copy + (size_t)i * field->type->size;
    if (field->type->kind == PL_LAYOUT_STRUCT)
      push_struct(L, field->type, from);
    else
      pl_field_push_scalar(L, field->type, from);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

void pl_field_push(lua_State *L, const struct pl_field *field, const char *at) {
  luaL_checkstack(L, STACK_SLOTS, NULL);
  if (field->count)
    push_array(L, field, at);
  else if (field->type->kind == PL_LAYOUT_STRUCT)
    push_struct(L, field->type, at);
  else
    pl_field_push_scalar(L, field->type, at);
}

// ---- from Lua: one value ----

static void lay_struct(lua_State *L, int index, const struct pl_layout *layout, char *at,
                       const struct pl_path *path);

void pl_field_lay_value(lua_State *L, int index, const struct pl_layout *layout, bool is_finite,
                        char *at, const struct pl_path *path) {
  if (layout->kind == PL_LAYOUT_STRUCT)
    lay_struct(L, index, layout, at, path);
  else if (layout->kind == PL_LAYOUT_ENUM)
    pl_enum_store(L, index, layout, at, path);
  else
    pl_scalar_store(L, index, layout, is_finite, at, path);
}

// ---- fixed arrays ----

static int raise_count(lua_State *L, size_t given, const struct pl_field *field,
                       const struct pl_path *path) {
  lua_pushfstring(L, "%d elements are expected (%s[%d]), not %I", (int)field->count,
                  field->type->name.data, (int)field->count, (lua_Integer)given);
  return pl_path_raise(L, path);
}

static void lay_list(lua_State *L, int index, const struct pl_field *field, char *at,
                     const struct pl_path *path) {
  size_t count = lua_rawlen(L, index);
  if (count != field->count) raise_count(L, count, field, path);
  for (uint32_t i = 0; i < field->count; i++) {
    const struct pl_path element = {path->up, path->name, i + 1};
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    pl_field_lay_value(L, lua_gettop(L), field->type, field->is_finite,
                       at + (size_t)i * field->type->size, &element);
    lua_pop(L, 1);
  }
}

static bool is_byte(const struct pl_layout *layout) {
  return layout->kind == PL_LAYOUT_SCALAR &&
         (layout->scalar == PL_SCALAR_U8 || layout->scalar == PL_SCALAR_I8);
}

// Text in bytes: what it does not fill is 0.
static void lay_text(lua_State *L, int index, const struct pl_field *field, char *at,
                     const struct pl_path *path) {
  size_t len;
  const char *text = lua_tolstring(L, index, &len);
  if (len > field->count) raise_count(L, len, field, path);
  memcpy(at, text, len);
  memset(at + len, 0, field->count - len);
}

static void lay_span(lua_State *L, const struct pl_operand *o, const struct pl_field *field,
                     char *at, const struct pl_path *path) {
  size_t size = field->type->size;
  if (o->span.count != field->count) raise_count(L, o->span.count, field, path);
  for (size_t i = 0; i < field->count; i++) memcpy(at + i * size, pl_span_at(&o->span, i), size);
}

// A fixed array of another struct.
static void lay_row(lua_State *L, int index, const struct pl_field *field, char *at,
                    const struct pl_path *path) {
  const struct pl_row *row = lua_touserdata(L, index);
  if (row->count != field->count) raise_count(L, row->count, field, path);
  memcpy(at, pl_view_bytes(L, &row->view), (size_t)row->count * field->type->size);
}

static void lay_array(lua_State *L, int index, const struct pl_field *field, char *at,
                      const struct pl_path *path) {
  struct pl_operand o;
  int type = lua_type(L, index);
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (type == LUA_TTABLE) {
    lay_list(L, index, field, at, path);
  } else if (meta->form == PL_FORM_ROW && meta->type->layout == field->type) {
    lay_row(L, index, field, at, path);
  } else if (type == LUA_TSTRING && is_byte(field->type)) {
    lay_text(L, index, field, at, path);
  } else if (pl_operand_get(L, index, &o) && (o.is_array || o.is_bytes) &&
             o.span.layout == field->type && !o.span.column) {
    lay_span(L, &o, field, at, path);
  } else {
    lua_pushfstring(L, "a list of %d %s is expected, not %s", (int)field->count,
                    field->type->name.data, pl_scalar_kind(L, index));
    pl_path_raise(L, path);
  }
}

void pl_field_lay(lua_State *L, int index, const struct pl_field *field, char *at,
                  const struct pl_path *up) {
  const struct pl_path path = {up, field->name, 0};
  if (field->count)
    lay_array(L, index, field, at, &path);
  else
    pl_field_lay_value(L, index, field->type, field->is_finite, at, &path);
}

// ---- tables ----

static int raise_unknown(lua_State *L, struct pl_strv key, const struct pl_layout *layout,
                         const struct pl_path *path) {
  struct pl_suggest nearest = pl_suggest_for(key);
  for (uint32_t i = 0; i < layout->field_count; i++)
    pl_suggest_offer(&nearest, layout->fields[i].name.data);
  if (nearest.best)
    lua_pushfstring(L, "%s has no field '%s' (did you mean '%s'?)", layout->name.data, key.data,
                    nearest.best);
  else
    lua_pushfstring(L, "%s has no field '%s'", layout->name.data, key.data);
  return pl_path_raise(L, path);
}

static int raise_key(lua_State *L, const struct pl_layout *layout, const struct pl_path *path) {
  lua_pushfstring(L, "%s takes its fields by name or by position, not by a key that is a %s",
                  layout->name.data, luaL_typename(L, -2));
  return pl_path_raise(L, path);
}

static void lay_named(lua_State *L, int index, const struct pl_layout *layout, char *at,
                      const struct pl_path *path) {
  memset(at, 0, layout->size);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) raise_key(L, layout, path);
    struct pl_strv key;
    key.data = lua_tolstring(L, -2, &key.len);
    const struct pl_field *field = pl_layout_field(layout, key);
    if (!field) raise_unknown(L, key, layout, path);
    pl_field_lay(L, lua_gettop(L), field, at + field->offset, path);
  }
}

// By position there is nothing else: a name beside the numbers would be lost.
static void check_positional(lua_State *L, int index, size_t count, const struct pl_layout *layout,
                             const struct pl_path *path) {
  size_t found = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) found++;
  if (found == count) return;
  lua_pushfstring(L, "%s takes its fields by name or by position, not both", layout->name.data);
  pl_path_raise(L, path);
}

// mat4{1, 2, ... 16}: the numbers themselves where everything is of one kind.
static bool is_flat(lua_State *L, int index, const struct pl_layout *layout, size_t count) {
  if (layout->part == PL_SCALAR_NONE || count != layout->part_count) return false;
  bool is_number = lua_rawgeti(L, index, 1) == LUA_TNUMBER;
  lua_pop(L, 1);
  return is_number;
}

static void lay_flat(lua_State *L, int index, const struct pl_layout *layout, char *at,
                     const struct pl_path *path) {
  const struct pl_layout *part = pl_layout_scalar((enum pl_scalar)layout->part);
  for (uint32_t i = 0; i < layout->part_count; i++) {
    const struct pl_path element = {path->up, path->name, i + 1};
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    pl_field_lay_value(L, lua_gettop(L), part, false, at + (size_t)i * part->size, &element);
    lua_pop(L, 1);
  }
}

static void lay_positional(lua_State *L, int index, const struct pl_layout *layout, char *at,
                           const struct pl_path *path) {
  size_t count = lua_rawlen(L, index);
  check_positional(L, index, count, layout, path);
  if (count != layout->field_count && is_flat(L, index, layout, count)) {
    lay_flat(L, index, layout, at, path);
    return;
  }
  if (count != layout->field_count) {
    lua_pushfstring(L, "%s has %d fields, not %I", layout->name.data, (int)layout->field_count,
                    (lua_Integer)count);
    pl_path_raise(L, path);
  }
  memset(at, 0, layout->size);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    pl_field_lay(L, lua_gettop(L), field, at + field->offset, path);
    lua_pop(L, 1);
  }
}

static void lay_struct(lua_State *L, int index, const struct pl_layout *layout, char *at,
                       const struct pl_path *path) {
  struct pl_operand o;
  luaL_checkstack(L, STACK_SLOTS, NULL);
  if (lua_istable(L, index)) {
    if (lua_rawlen(L, index))
      lay_positional(L, index, layout, at, path);
    else
      lay_named(L, index, layout, at, path);
  } else if (pl_operand_get(L, index, &o) && o.type && !o.is_array &&
             pl_layout_is_a(o.span.layout, layout)) {
    memcpy(at, o.span.data, layout->size);
  } else {
    lua_pushfstring(L, "%s or a table is expected, not %s", layout->name.data,
                    pl_scalar_kind(L, index));
    pl_path_raise(L, path);
  }
}

// ---- the entrances ----

static PL_COLD void store_large(lua_State *L, int index, const struct pl_field *field, char *at,
                                const struct pl_path *owner, size_t size) {
  char copy[PL_STRUCT_BYTES_MAX];
  pl_field_lay(L, index, field, copy, owner);
  memcpy(at, copy, size);
}

void pl_field_store(lua_State *L, int index, const struct pl_layout *owner,
                    const struct pl_field *field, char *at) {
  const struct pl_path path = {NULL, owner->name, 0};
  index = lua_absindex(L, index);
  if (!field->count && field->type->kind != PL_LAYOUT_STRUCT) {
    pl_field_lay(L, index, field, at, &path);
    return;
  }
  size_t size = (size_t)field->type->size * (field->count ? field->count : 1);
  if (size > SMALL_BYTES) {
    store_large(L, index, field, at, &path, size);
    return;
  }
  char copy[SMALL_BYTES];
  pl_field_lay(L, index, field, copy, &path);
  memcpy(at, copy, size);
}

void pl_field_store_scalar(lua_State *L, int index, const struct pl_layout *layout, char *at,
                           const char *what) {
  const struct pl_path path = {NULL, pl_strv_of(what), 0};
  pl_field_lay_value(L, lua_absindex(L, index), layout, false, at, &path);
}

static PL_COLD void store_large_struct(lua_State *L, int index, const struct pl_layout *layout,
                                       char *at, const struct pl_path *path) {
  char copy[PL_STRUCT_BYTES_MAX];
  lay_struct(L, index, layout, copy, path);
  memcpy(at, copy, layout->size);
}

void pl_field_store_struct(lua_State *L, int index, const struct pl_layout *layout, char *at) {
  const struct pl_path path = {NULL, layout->name, 0};
  index = lua_absindex(L, index);
  if (layout->size > SMALL_BYTES) {
    store_large_struct(L, index, layout, at, &path);
    return;
  }
  char copy[SMALL_BYTES];
  lay_struct(L, index, layout, copy, &path);
  memcpy(at, copy, layout->size);
}
