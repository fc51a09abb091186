// Offsets are in bytes and begin at 0; b:sub(i, j) counts as string.sub does. A slice is an array's
// struct with a metatable of its own: a part of a box that holds it.
#include "structs/bytes_object.h"

#include <lauxlib.h>
#include <string.h>

#include "structs/array.h"
#include "structs/box.h"
#include "structs/field.h"
#include "structs/memory.h"
#include "structs/operand.h"
#include "structs/type.h"

// ---- self and offsets ----

static void check_self(lua_State *L, struct pl_operand *o) {
  if (!pl_operand_get(L, 1, o) || !o->is_bytes) luaL_typeerror(L, 1, "bytes");
}

static void check_writable_self(lua_State *L, struct pl_operand *o) {
  if (!pl_operand_get_writable(L, 1, o) || !o->is_bytes) luaL_typeerror(L, 1, "bytes");
}

static size_t check_offset(lua_State *L, int index, size_t need, size_t size) {
  lua_Integer offset = luaL_checkinteger(L, index);
  if (offset < 0 || need > size || (lua_Unsigned)offset > size - need)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%I bytes at offset %I do not lie within %I bytes",
                                  (lua_Integer)need, offset, (lua_Integer)size));
  return (size_t)offset;
}

// The size at `index`; none: what there is from the offset at `offset_index` on.
static size_t check_size(lua_State *L, int index, int offset_index, size_t all) {
  lua_Integer offset = luaL_checkinteger(L, offset_index);
  bool is_inside = offset >= 0 && (lua_Unsigned)offset <= all;
  lua_Integer size = luaL_optinteger(L, index, is_inside ? (lua_Integer)all - offset : 0);
  if (size < 0) luaL_argerror(L, index, lua_pushfstring(L, "%I is no size", size));
  return (size_t)size;
}

static const struct pl_layout *check_scalar(lua_State *L, int index) {
  const struct pl_layout *layout = pl_type_check(L, index)->layout;
  if (layout->kind == PL_LAYOUT_STRUCT)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%s is a struct: use %s.at(bytes, offset)", layout->name.data,
                                  layout->name.data));
  return layout;
}

// ---- scalars ----

enum { VALUES_MAX = 240, SCALAR_BYTES = 16 };

/* b:get(type, offset [, count]) -> values */
static int bytes_get(lua_State *L) {
  struct pl_operand o;
  char
      copy[VALUES_MAX * SCALAR_BYTES];  // enums and decimals are made: the bytes could go meanwhile
  check_self(L, &o);
  const struct pl_layout *layout = check_scalar(L, 2);
  lua_Integer count = luaL_optinteger(L, 4, 1);
  if (count < 0 || count > VALUES_MAX)
    luaL_argerror(L, 4, lua_pushfstring(L, "0 to %d values at once", VALUES_MAX));
  check_self(L, &o);
  size_t offset = check_offset(L, 3, (size_t)count * layout->size, o.span.count);
  luaL_checkstack(L, (int)count + 4, NULL);
  memcpy(copy, o.span.data + offset, (size_t)count * layout->size);
  for (lua_Integer i = 0; i < count; i++)
    pl_field_push_scalar(L, layout, copy + (size_t)i * layout->size);
  return (int)count;
}

/* b:set(type, offset, value...) -> b: all of the values are looked at before one is written */
static int bytes_set(lua_State *L) {
  struct pl_operand o;
  char one[SCALAR_BYTES];
  check_self(L, &o);
  const struct pl_layout *layout = check_scalar(L, 2);
  int count = lua_gettop(L) - 3;
  if (count < 1) luaL_error(L, "bad argument #4 to 'set' (a value is expected)");
  check_writable_self(L, &o);
  size_t offset = check_offset(L, 3, (size_t)count * layout->size, o.span.count);
  for (int i = 0; count > 1 && i < count; i++)
    pl_field_store_scalar(L, 4 + i, layout, one, layout->name.data);
  for (int i = 0; i < count; i++)
    pl_field_store_scalar(L, 4 + i, layout, o.span.data + offset + (size_t)i * layout->size,
                          layout->name.data);
  lua_settop(L, 1);
  return 1;
}

// ---- whole parts ----

static lua_Integer sub_bound(lua_State *L, int index, lua_Integer standard, lua_Integer size) {
  lua_Integer i = luaL_optinteger(L, index, standard);
  return i >= 0 ? i : i < -size ? 0 : i + size + 1;
}

static int bytes_sub(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  lua_Integer size = (lua_Integer)o.span.count;
  lua_Integer first = sub_bound(L, 2, 1, size), last = sub_bound(L, 3, -1, size);
  if (first < 1) first = 1;
  if (last > size) last = size;
  if (first > last)
    lua_pushliteral(L, "");
  else
    lua_pushlstring(L, o.span.data + first - 1, (size_t)(last - first) + 1);
  return 1;
}

static int bytes_tostring(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  lua_pushlstring(L, o.span.data, o.span.count);
  return 1;
}

void pl_bytes_object_push_slice(lua_State *L, int holder, size_t offset, size_t size) {
  holder = lua_absindex(L, holder);
  struct pl_array *slice = lua_newuserdatauv(L, sizeof *slice, 1);
  *slice = (struct pl_array){
      .box = lua_touserdata(L, holder), .offset = offset, .count = size, .stride = 1};
  lua_pushvalue(L, holder);
  lua_setiuservalue(L, -2, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->slice);
  lua_setmetatable(L, -2);
}

/* b:slice(offset [, size]) -> a part of the same bytes */
static int bytes_slice(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  size_t size = check_size(L, 3, 2, o.span.count);
  size_t offset = check_offset(L, 2, size, o.span.count);
  pl_operand_push_box(L, 1);
  pl_bytes_object_push_slice(L, -1, (size_t)(o.span.data - o.box->data) + offset, size);
  return 1;
}

/* b:fill(byte [, offset [, size]]) -> b */
static int bytes_fill(lua_State *L) {
  struct pl_operand o;
  check_writable_self(L, &o);
  lua_Integer byte = luaL_checkinteger(L, 2);
  if (byte < 0 || byte > 255) luaL_argerror(L, 2, "a byte is 0 to 255");
  if (lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
  }
  size_t size = check_size(L, 4, 3, o.span.count);
  size_t offset = check_offset(L, 3, size, o.span.count);
  memset(o.span.data + offset, (int)byte, size);
  lua_settop(L, 1);
  return 1;
}

/* b:copy(source [, offset]) -> b: a string's bytes, a struct's, an array's, other bytes */
static int bytes_copy(lua_State *L) {
  struct pl_operand o, from;
  check_writable_self(L, &o);
  size_t size;
  const char *data = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &size) : NULL;
  if (!data) {
    if (!pl_operand_get(L, 2, &from)) return luaL_typeerror(L, 2, "string, bytes, struct or array");
    bool is_dense = !from.is_array || pl_span_is_dense(&from.span);
    if (!is_dense)
      return luaL_argerror(L, 2, "its elements do not lie in one piece: clone() it first");
    data = from.span.data;
    size = from.span.count * from.span.stride;
  }
  if (lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
  }
  size_t offset = check_offset(L, 3, size, o.span.count);
  pl_bytes_copy(o.span.data + offset, data, size);
  lua_settop(L, 1);
  return 1;
}

static int bytes_clone(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  struct pl_bytes *copy = pl_memory_take(L, o.span.count, 1, "bytes");
  pl_bytes_copy(copy->data, o.span.data, o.span.count);
  pl_box_push(L, copy);
  return 1;
}

// ---- ownership ----

static int bytes_freeze(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  pl_box_freeze(L, o.box);
  lua_settop(L, 1);
  return 1;
}

static int bytes_is_frozen(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  lua_pushboolean(L, o.is_frozen);
  return 1;
}

static int bytes_move(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  if (pl_structs_meta(L, 1)->form == PL_FORM_SLICE)
    return luaL_error(L, "a slice cannot be moved: clone() it, or move the whole bytes");
  struct pl_box *box = pl_box_push(L, pl_box_move(L, o.box));
  box->is_in_transit = true;
  return 1;
}

// ---- metamethods ----

static int bytes_len(lua_State *L) {
  struct pl_operand o;
  check_self(L, &o);
  lua_pushinteger(L, (lua_Integer)o.span.count);
  return 1;
}

// Either may be something else: Lua asks the right one when the left one has no answer.
static int bytes_eq(lua_State *L) {
  struct pl_operand a, b;
  bool is_bytes = pl_operand_get(L, 1, &a) && a.is_bytes && pl_operand_get(L, 2, &b) && b.is_bytes;
  lua_pushboolean(L, is_bytes && a.span.count == b.span.count &&
                         memcmp(a.span.data, b.span.data, a.span.count) == 0);
  return 1;
}

static int bytes_text(lua_State *L) {
  const struct pl_box *box = pl_box_get(L, 1);
  struct pl_operand o;
  if (box && !box->data) {
    lua_pushliteral(L, "bytes (stale)");
    return 1;
  }
  check_self(L, &o);
  lua_pushfstring(L, "bytes: %I", (lua_Integer)o.span.count);
  return 1;
}

static int bytes_newindex(lua_State *L) {
  return luaL_error(L, "bytes have no field '%s': use b:set(type, offset, value)",
                    luaL_tolstring(L, 2, NULL));
}

// ---- struct.bytes ----

int pl_bytes_object_new(lua_State *L) {
  size_t size;
  const char *data = NULL;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    lua_Integer wanted = luaL_checkinteger(L, 1);
    if (wanted < 0) return luaL_argerror(L, 1, lua_pushfstring(L, "%I is no size", wanted));
    size = (size_t)wanted;
  } else {
    data = luaL_checklstring(L, 1, &size);
  }
  struct pl_bytes *bytes = pl_memory_take(L, size, 1, "bytes");
  if (data) pl_bytes_copy(bytes->data, data, size);
  pl_box_push(L, bytes);
  return 1;
}

static const luaL_Reg methods[] = {
    {"get", bytes_get},     {"set", bytes_set},           {"sub", bytes_sub},
    {"slice", bytes_slice}, {"fill", bytes_fill},         {"copy", bytes_copy},
    {"clone", bytes_clone}, {"freeze", bytes_freeze},     {"is_frozen", bytes_is_frozen},
    {"move", bytes_move},   {"tostring", bytes_tostring}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__len", bytes_len},
                                       {"__eq", bytes_eq},
                                       {"__tostring", bytes_text},
                                       {"__newindex", bytes_newindex},
                                       {NULL, NULL}};

/* stack: metatable, methods -> the same */
static void fill(lua_State *L) {
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, metamethods, 0);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

static void push_slice_metatable(lua_State *L) {
  lua_createtable(L, 0, 8);
  lua_pushliteral(L, "bytes");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, -1);
  pl_structs_of(L)->slice = luaL_ref(L, LUA_REGISTRYINDEX);
  pl_structs_add_meta(L, NULL, PL_FORM_SLICE);
}

void pl_bytes_object_open(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->box);
  luaL_newlib(L, methods);
  fill(L);
  lua_remove(L, -2);
  push_slice_metatable(L);
  lua_insert(L, -2);
  fill(L);
  lua_pop(L, 2);
}
