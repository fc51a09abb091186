// An element of columns has no bytes in one piece: it is gathered into a copy, which is frozen so
// that a write to it is an error and not lost.
#include "structs/element.h"

#include <lauxlib.h>
#include <string.h>

#include "geometry/feed.h"
#include "structs/box.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/type.h"
#include "structs/value.h"

void pl_element_load(const struct pl_span *span, size_t i, char *to) {
  const char *at = pl_span_at(span, i);
  if (!span->column) {
    memcpy(to, at, span->layout->size);
    return;
  }
  size_t size = pl_scalar_size((enum pl_scalar)span->layout->part);
  for (uint32_t k = 0; k < span->layout->part_count; k++)
    memcpy(to + k * size, at + k * span->column, size);
}

void pl_element_save(const struct pl_span *span, size_t i, const char *from) {
  char *at = pl_span_at(span, i);
  if (!span->column) {
    memmove(at, from, span->layout->size);
    return;
  }
  size_t size = pl_scalar_size((enum pl_scalar)span->layout->part);
  for (uint32_t k = 0; k < span->layout->part_count; k++)
    memcpy(at + k * span->column, from + k * size, size);
}

void pl_element_copy_all(const struct pl_span *to, const struct pl_span *from) {
  struct pl_span base = *from;
  base.layout = to->layout;
  if (pl_span_is_dense(to) && pl_span_is_dense(&base))
    pl_bytes_copy(to->data, base.data, to->count * to->stride);
  else if (to->count)
    pl_feed_copy(to, &base, 0, to->count);
}

static void push_copy(lua_State *L, struct pl_type *type, const struct pl_span *span, size_t i) {
  char copy[PL_STRUCT_BYTES_MAX];
  pl_element_load(span, i, copy);
  memcpy(pl_value_push_new(L, type), copy, type->layout->size);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->frozen);
  lua_setmetatable(L, -2);
}

void pl_element_push(lua_State *L, int index, struct pl_type *type, size_t i) {
  const struct pl_array *array = lua_touserdata(L, index);
  struct pl_span span = pl_array_span(L, array, type->layout);
  if (type->layout->kind != PL_LAYOUT_STRUCT) {
    pl_field_push_scalar(L, type->layout, pl_span_at(&span, i));
  } else if (span.column) {
    push_copy(L, type, &span, i);
  } else {
    lua_getiuservalue(L, index, 1);
    pl_value_push_view(L, lua_gettop(L), type, array->offset + i * array->stride);
    lua_remove(L, -2);
  }
}

// For messages: "vec3[2]".
static uint32_t place_of(size_t i) {
  return i < UINT32_MAX ? (uint32_t)i + 1 : 0;
}

// A view may lie across the columns that it is stored into.
static void save_copy(const struct pl_span *span, size_t i, const char *from) {
  char copy[PL_STRUCT_BYTES_MAX];
  memcpy(copy, from, span->layout->size);
  pl_element_save(span, i, copy);
}

// Into a copy first: a table may fail half-way, and its values may be views of this very element.
static void store_table(lua_State *L, int value, const struct pl_span *span, size_t i) {
  const struct pl_path path = {NULL, span->layout->name, place_of(i)};
  char copy[PL_STRUCT_BYTES_MAX];
  memset(copy, 0, span->layout->size);
  pl_field_lay_value(L, value, span->layout, false, copy, &path);
  pl_element_save(span, i, copy);
}

void pl_element_store(lua_State *L, int value, const struct pl_span *span, size_t i) {
  struct pl_operand o;
  const struct pl_layout *layout = span->layout;
  value = lua_absindex(L, value);
  if (pl_operand_get(L, value, &o) && o.type && !o.is_array &&
      pl_layout_is_a(o.span.layout, layout)) {
    if (span->column)
      save_copy(span, i, o.span.data);
    else
      pl_element_save(span, i, o.span.data);
  } else if (layout->kind == PL_LAYOUT_STRUCT) {
    store_table(L, value, span, i);
  } else {
    const struct pl_path path = {NULL, layout->name, place_of(i)};
    pl_field_lay_value(L, value, layout, false, pl_span_at(span, i), &path);
  }
}
