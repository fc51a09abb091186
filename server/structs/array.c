// An array is where its elements are; the bytes are a box's.
#include "structs/array.h"

#include <lauxlib.h>

#include "structs/box.h"
#include "structs/memory.h"
#include "structs/type.h"

static void check_inside(lua_State *L, const struct pl_type *type, const struct pl_box *box,
                         const struct pl_array *a) {
  size_t size = type->layout->size;
  bool fits = a->offset <= box->size;
  if (fits && a->count) {
    size_t left = box->size - a->offset;
    fits = size <= left && (a->count == 1 || a->stride <= (left - size) / (a->count - 1));
  }
  if (!fits)
    luaL_error(L, "%I elements of %s, %I bytes apart from offset %I, do not lie within %I bytes",
               (lua_Integer)a->count, type->layout->name.data, (lua_Integer)a->stride,
               (lua_Integer)a->offset, (lua_Integer)box->size);
}

/* stack: ..., box. Replaces it by the array. */
static struct pl_array *push_holding(lua_State *L, const struct pl_type *type) {
  struct pl_array *array = lua_newuserdatauv(L, sizeof *array, 1);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array);
  lua_setmetatable(L, -2);
  return array;
}

void pl_array_push(lua_State *L, int holder, struct pl_type *type, size_t offset, size_t count,
                   size_t stride) {
  struct pl_box *box = pl_box_get(L, holder);
  if (!box) luaL_argerror(L, holder, "bytes are expected");
  pl_box_check(L, box);
  struct pl_array array = {.box = box, .offset = offset, .count = count, .stride = stride};
  if (!stride) array.stride = type->layout->size;
  check_inside(L, type, box, &array);
  lua_pushvalue(L, holder);
  *push_holding(L, type) = array;
}

struct pl_span pl_array_push_new(lua_State *L, struct pl_type *type, size_t count) {
  size_t size = type->layout->size;
  struct pl_bytes *bytes = pl_memory_take(L, count, size, type->layout->name.data);
  struct pl_box *box = pl_box_push(L, bytes);
  *push_holding(L, type) = (struct pl_array){.box = box, .count = count, .stride = size};
  return (struct pl_span){
      .data = box->data, .count = count, .stride = size, .layout = type->layout};
}

struct pl_span pl_array_push_new_columns(lua_State *L, struct pl_type *type, size_t count) {
  const struct pl_layout *layout = type->layout;
  if (layout->part == PL_SCALAR_NONE)
    luaL_error(L, "%s has no columns: its scalars are not all of one kind", layout->name.data);
  struct pl_bytes *bytes = pl_memory_take(L, count, layout->size, layout->name.data);
  struct pl_box *box = pl_box_push(L, bytes);
  struct pl_array *array = push_holding(L, type);
  size_t size = pl_scalar_size((enum pl_scalar)layout->part);
  *array = (struct pl_array){.box = box, .count = count, .stride = size, .column = size * count};
  return pl_array_span(L, array, layout);
}

struct pl_array *pl_array_check(lua_State *L, int index, const struct pl_type *type) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (meta->form != PL_FORM_ARRAY || (type && meta->type != type)) {
    const char *wanted = type ? lua_pushfstring(L, "%s[]", type->layout->name.data) : "array";
    luaL_typeerror(L, index, wanted);
  }
  return lua_touserdata(L, index);
}

struct pl_span pl_array_span(lua_State *L, const struct pl_array *array,
                             const struct pl_layout *layout) {
  pl_box_check(L, array->box);
  return (struct pl_span){.data = array->box->data + array->offset,
                          .count = array->count,
                          .stride = array->stride,
                          .column = array->column,
                          .layout = layout};
}

void pl_array_push_part(lua_State *L, int index, struct pl_type *type, size_t offset, size_t count,
                        size_t stride, size_t column) {
  const struct pl_array *from = lua_touserdata(L, index);
  struct pl_box *box = from->box;
  lua_getiuservalue(L, index, 1);
  *push_holding(L, type) = (struct pl_array){
      .box = box, .offset = offset, .count = count, .stride = stride, .column = column};
}
