// Over bytes an array is a view; from all else it is made anew.
#include "structs/array_make.h"

#include <lauxlib.h>
#include <string.h>

#include "structs/array.h"
#include "structs/box.h"
#include "structs/conversion.h"
#include "structs/element.h"
#include "structs/operand.h"
#include "structs/type.h"

enum making { ROWS, COLUMNS };

static struct pl_span push_new(lua_State *L, struct pl_type *type, size_t count,
                               enum making making) {
  return making == ROWS ? pl_array_push_new(L, type, count)
                        : pl_array_push_new_columns(L, type, count);
}

static void make_zeros(lua_State *L, struct pl_type *type, enum making making) {
  lua_Integer count = luaL_checkinteger(L, 1);
  if (count < 0) luaL_argerror(L, 1, lua_pushfstring(L, "%I elements: none is the least", count));
  push_new(L, type, (size_t)count, making);
}

static void make_from_list(lua_State *L, struct pl_type *type, enum making making) {
  size_t count = lua_rawlen(L, 1);
  struct pl_span span = push_new(L, type, count, making);
  luaL_checkstack(L, 8, NULL);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    pl_element_store(L, -1, &span, i);
    lua_pop(L, 1);
  }
}

static size_t check_multiple(lua_State *L, const struct pl_type *type, size_t bytes) {
  size_t size = type->layout->size;
  if (bytes % size)
    luaL_argerror(L, 1,
                  lua_pushfstring(L, "%I bytes are no multiple of %s's %d: %I would be left over",
                                  (lua_Integer)bytes, type->layout->name.data, (int)size,
                                  (lua_Integer)(bytes % size)));
  return bytes / size;
}

static void copy_rows(const struct pl_span *to, const char *from) {
  if (!to->column) {
    pl_bytes_copy(to->data, from, to->count * to->layout->size);
    return;
  }
  for (size_t i = 0; i < to->count; i++) pl_element_save(to, i, from + i * to->layout->size);
}

static void make_from_string(lua_State *L, struct pl_type *type, enum making making) {
  size_t bytes;
  const char *from = lua_tolstring(L, 1, &bytes);
  struct pl_span to = push_new(L, type, check_multiple(L, type, bytes), making);
  copy_rows(&to, from);
}

static size_t check_size(lua_State *L, int index, lua_Integer standard, const char *what) {
  lua_Integer value = luaL_optinteger(L, index, standard);
  if (value < 0) luaL_argerror(L, index, lua_pushfstring(L, "%I is no %s", value, what));
  return (size_t)value;
}

/* T.array(bytes [, offset [, count [, stride]]]): the elements as they lie there */
static void make_view(lua_State *L, struct pl_type *type, const struct pl_operand *o) {
  size_t size = type->layout->size;
  size_t offset = check_size(L, 2, 0, "offset in bytes");
  if (offset > o->span.count)
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "offset %I is behind the last of %I bytes",
                                  (lua_Integer)offset, (lua_Integer)o->span.count));
  size_t stride = check_size(L, 4, (lua_Integer)size, "distance in bytes");
  size_t count = lua_isnoneornil(L, 3) ? check_multiple(L, type, o->span.count - offset)
                                       : check_size(L, 3, 0, "number of elements");
  if (stride < size)
    luaL_argerror(L, 4,
                  lua_pushfstring(L, "%I bytes apart, elements of %d would overlap",
                                  (lua_Integer)stride, (int)size));
  size_t bytes;
  if (count && (__builtin_mul_overflow(count - 1, stride, &bytes) || bytes > o->span.count ||
                bytes + size > o->span.count - offset))
    luaL_error(L, "%I elements of %s, %I bytes apart from offset %I, do not lie within %I bytes",
               (lua_Integer)count, type->layout->name.data, (lua_Integer)stride,
               (lua_Integer)offset, (lua_Integer)o->span.count);
  size_t begin = (size_t)(o->span.data - o->box->data);
  pl_operand_push_box(L, 1);
  pl_array_push(L, lua_gettop(L), type, begin + offset, count, stride);
}

static int make_from_array(lua_State *L, struct pl_type *type, enum making making) {
  lua_settop(L, 1);
  push_new(L, type, pl_array_check(L, 1, NULL)->count, making);
  return pl_conversion_call(L, 2, 1);
}

static int make(lua_State *L, enum making making) {
  struct pl_type *type = lua_touserdata(L, lua_upvalueindex(1));
  struct pl_operand o;
  int kind = lua_type(L, 1);
  if (kind == LUA_TNUMBER)
    make_zeros(L, type, making);
  else if (kind == LUA_TSTRING)
    make_from_string(L, type, making);
  else if (kind == LUA_TTABLE)
    make_from_list(L, type, making);
  else if (!pl_operand_get(L, 1, &o) || (!o.is_array && !o.is_bytes))
    luaL_typeerror(L, 1, "count, list, bytes, string or array");
  else if (o.is_array)
    return make_from_array(L, type, making);
  else if (making == ROWS)
    make_view(L, type, &o);
  else
    luaL_typeerror(L, 1, "count, list, string or array");
  return 1;
}

static int make_rows(lua_State *L) {
  return make(L, ROWS);
}

static int make_columns(lua_State *L) {
  return make(L, COLUMNS);
}

static const luaL_Reg makers[] = {{"array", make_rows}, {"soa", make_columns}, {NULL, NULL}};

void pl_array_make_fill(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  lua_pushlightuserdata(L, type);
  luaL_setfuncs(L, makers, 1);
  lua_pop(L, 1);
}
