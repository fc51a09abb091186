// Vectors and the like are f32 or f64 throughout: those take a loop of their own.
#include "structs/scalars.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "structs/element.h"
#include "structs/field.h"

enum { SMALL_BYTES = 256 };

static size_t count_field(const struct pl_field *field) {
  return pl_scalars_count(field->type) * (field->count ? field->count : 1);
}

size_t pl_scalars_count(const struct pl_layout *layout) {
  if (layout->kind != PL_LAYOUT_STRUCT) return 1;
  if (layout->part != PL_SCALAR_NONE) return layout->part_count;
  size_t count = 0;
  for (uint32_t i = 0; i < layout->field_count; i++) count += count_field(&layout->fields[i]);
  return count;
}

// ---- to Lua ----

static void push_f32(lua_State *L, const char *at) {
  float number;
  memcpy(&number, at, sizeof number);
  lua_pushnumber(L, (lua_Number)number);
}

static void push_f64(lua_State *L, const char *at) {
  double number;
  memcpy(&number, at, sizeof number);
  lua_pushnumber(L, number);
}

// @param step bytes from one to the next. Returns: whether they are numbers that need no more.
static bool push_parts(lua_State *L, const struct pl_layout *layout, const char *at, size_t step) {
  if (layout->part == PL_SCALAR_F32) {
    for (uint32_t i = 0; i < layout->part_count; i++) push_f32(L, at + i * step);
    return true;
  }
  if (layout->part != PL_SCALAR_F64) return false;
  for (uint32_t i = 0; i < layout->part_count; i++) push_f64(L, at + i * step);
  return true;
}

static void push_fields(lua_State *L, const struct pl_layout *layout, const char *at) {
  if (layout->kind != PL_LAYOUT_STRUCT) {
    pl_field_push_scalar(L, layout, at);
    return;
  }
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    uint32_t count = field->count ? field->count : 1;
    for (uint32_t k = 0; k < count; k++)
      push_fields(L, field->type, at + field->offset + k * field->type->size);
  }
}

static int make_room(lua_State *L, const struct pl_layout *layout) {
  size_t count = pl_scalars_count(layout);
  if (count > PL_SCALARS_MAX)
    luaL_error(L, "%s has %d numbers, more than a call can return", layout->name.data, (int)count);
  luaL_checkstack(L, (int)count + 4, NULL);
  return (int)count;
}

int pl_scalars_push(lua_State *L, const struct pl_layout *layout, const char *at) {
  int count = make_room(L, layout);
  if (!push_parts(L, layout, at, pl_scalar_size(layout->part))) push_fields(L, layout, at);
  return count;
}

// Enums and decimals are objects: pushing one allocates, so the bytes are copied first.
static PL_COLD int push_copied(lua_State *L, const struct pl_span *span, size_t i) {
  char copy[PL_STRUCT_BYTES_MAX];
  pl_element_load(span, i, copy);
  return pl_scalars_push(L, span->layout, copy);
}

int pl_scalars_push_element(lua_State *L, const struct pl_span *span, size_t i) {
  const struct pl_layout *layout = span->layout;
  const char *at = pl_span_at(span, i);
  if (layout->part == PL_SCALAR_NONE || layout->part == PL_SCALAR_DEC128)
    return push_copied(L, span, i);
  if (!span->column) return pl_scalars_push(L, layout, at);
  int count = make_room(L, layout);
  if (push_parts(L, layout, at, span->column)) return count;
  for (uint32_t k = 0; k < layout->part_count; k++)
    pl_field_push_scalar(L, pl_layout_scalar(layout->part), at + k * span->column);
  return count;
}

// ---- from Lua ----

// Number k of a struct that is made of one kind of scalar: named by its field where each is one.
static void store_part(lua_State *L, int index, const struct pl_layout *owner, uint32_t k,
                       char *at) {
  const struct pl_path up = {NULL, owner->name, 0};
  struct pl_path path = {NULL, owner->name, k + 1};
  if (owner->field_count == owner->part_count)
    path = (struct pl_path){&up, owner->fields[k].name, 0};
  pl_field_lay_value(L, index, pl_layout_scalar(owner->part), false, at, &path);
}

// A number that needs no check takes no more than this. Returns: whether it was one.
static bool store_fast(lua_State *L, int index, enum pl_scalar part, char *at) {
  if (lua_type(L, index) != LUA_TNUMBER) return false;
  double number = lua_tonumber(L, index);
  if (part == PL_SCALAR_F64) {
    memcpy(at, &number, sizeof number);
    return true;
  }
  float rounded = (float)number;
  if (part != PL_SCALAR_F32 || (isinf(rounded) && !isinf(number))) return false;
  memcpy(at, &rounded, sizeof rounded);
  return true;
}

static int store_fields(lua_State *L, int index, const struct pl_layout *layout, char *at) {
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    struct pl_field one = *field;
    one.count = 0;
    uint32_t count = field->count ? field->count : 1;
    for (uint32_t k = 0; k < count; k++) {
      char *to = at + field->offset + k * field->type->size;
      if (field->type->kind == PL_LAYOUT_STRUCT)
        index = store_fields(L, index, field->type, to);
      else
        pl_field_store(L, index++, layout, &one, to);
    }
  }
  return index;
}

static void check_count(lua_State *L, const struct pl_layout *layout, int given) {
  size_t count = pl_scalars_count(layout);
  if ((size_t)given != count)
    luaL_error(L, "%s takes %d number%s, not %d", layout->name.data, (int)count,
               count == 1 ? "" : "s", given);
}

// In place: a part of it may be written when it raises.
static void store(lua_State *L, int first, const struct pl_layout *layout, char *at) {
  if (layout->kind != PL_LAYOUT_STRUCT) {
    pl_field_store_scalar(L, first, layout, at, layout->name.data);
    return;
  }
  size_t step = pl_scalar_size(layout->part);
  if (layout->part != PL_SCALAR_F32 && layout->part != PL_SCALAR_F64) {
    store_fields(L, first, layout, at);
    return;
  }
  for (uint32_t i = 0; i < layout->part_count; i++)
    if (!store_fast(L, first + (int)i, layout->part, at + i * step))
      store_part(L, first + (int)i, layout, i, at + i * step);
}

static PL_COLD void store_large(lua_State *L, int first, const struct pl_span *span, size_t i) {
  char copy[PL_STRUCT_BYTES_MAX];
  pl_element_load(span, i, copy);
  store(L, first, span->layout, copy);
  pl_element_save(span, i, copy);
}

void pl_scalars_store_element(lua_State *L, int first, int given, const struct pl_span *span,
                              size_t i) {
  char copy[SMALL_BYTES];
  check_count(L, span->layout, given);
  if (span->layout->size > SMALL_BYTES) {
    store_large(L, first, span, i);
    return;
  }
  pl_element_load(span, i, copy);
  store(L, first, span->layout, copy);
  pl_element_save(span, i, copy);
}
