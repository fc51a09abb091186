// Reads what parcel_pack.c has written in this process: nothing in it can be wrong.
//
// All arrays of a message that lay in one box lie in one again: boxes are made once, when the first
// value in them is met, and kept in a table; the copies' box has the number 0.
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/json_codec.h"
#include "api/parcel.h"
#include "api/parcel_form.h"
#include "base/bytes.h"
#include "geometry/layout.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/bytes_object.h"
#include "structs/field.h"
#include "structs/type.h"
#include "structs/value.h"

struct unpacker {
  lua_State *L;
  const struct pl_parcel *parcel;
  const char *next;
  int boxes;  // absolute stack index of the table
};

static void push_value(struct unpacker *u);

static void get(struct unpacker *u, void *data, size_t size) {
  memcpy(data, u->next, size);
  u->next += size;
}

static uint64_t get_varint(struct unpacker *u) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    unsigned char byte = (unsigned char)*u->next++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

static void push_integer(struct unpacker *u) {
  uint64_t zigzag = get_varint(u);
  lua_pushinteger(u->L, (lua_Integer)(zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0)));
}

static void push_float(struct unpacker *u) {
  double value;
  get(u, &value, sizeof value);
  lua_pushnumber(u->L, value);
}

static void push_string(struct unpacker *u) {
  size_t len = (size_t)get_varint(u);
  lua_pushlstring(u->L, u->next, len);
  u->next += len;
}

static void push_table(struct unpacker *u) {
  uint32_t counts[2];
  get(u, counts, sizeof counts);
  luaL_checkstack(u->L, 6, "a message's value");
  lua_createtable(u->L, (int)counts[0], (int)counts[1]);
  for (uint32_t i = 1; i <= counts[0]; i++) {
    push_value(u);
    lua_rawseti(u->L, -2, (lua_Integer)i);
  }
  for (uint32_t i = 0; i < counts[1]; i++) {
    push_value(u);
    push_value(u);
    lua_rawset(u->L, -3);
  }
}

static void push_list(struct unpacker *u) {
  push_table(u);
  pl_json_push_array_metatable(u->L);
  lua_setmetatable(u->L, -2);
}

// ---- structs, arrays, bytes ----

// Pushes the box of that number. Returns: where it is.
static int push_box(struct unpacker *u, uint32_t number, struct pl_bytes *bytes) {
  luaL_checkstack(u->L, 6, "a message's value");
  if (lua_isnil(u->L, u->boxes)) {
    lua_newtable(u->L);
    lua_replace(u->L, u->boxes);
  }
  if (lua_rawgeti(u->L, u->boxes, number) == LUA_TNIL) {
    lua_pop(u->L, 1);
    pl_box_push(u->L, pl_bytes_ref(bytes));
    lua_pushvalue(u->L, -1);
    lua_rawseti(u->L, u->boxes, number);
  }
  return lua_gettop(u->L);
}

// What this state's scripts have under the layout's name; NULL: nothing.
static struct pl_type *find_own(lua_State *L, const struct pl_layout *layout) {
  bool is_scripts = layout->builtin == PL_BUILTIN_NONE && layout->kind != PL_LAYOUT_SCALAR;
  return is_scripts ? pl_type_find(L, layout->name) : NULL;
}

static bool has_form_of(const struct pl_layout *own, const struct pl_layout *layout) {
  return own->hash == layout->hash && own->size == layout->size && own->kind == layout->kind;
}

// An enum that has got another member has the same form, and so have structs with it.
static struct pl_type *get_type(struct unpacker *u) {
  const struct pl_layout *layout = u->parcel->layouts[get_varint(u) - 1];
  struct pl_type *own = find_own(u->L, layout);
  return own && has_form_of(own->layout, layout) ? own : pl_type_of(u->L, layout);
}

static void push_copy(struct unpacker *u) {
  struct pl_type *type = get_type(u);
  size_t offset = (size_t)get_varint(u);
  if (type->layout->kind != PL_LAYOUT_STRUCT) {
    pl_field_push_scalar(u->L, type->layout, u->parcel->copies->data + offset);
    return;
  }
  pl_value_push_view(u->L, push_box(u, 0, u->parcel->copies), type, offset);
  lua_remove(u->L, -2);
}

static int push_part(struct unpacker *u) {
  uint32_t number = (uint32_t)get_varint(u);
  return push_box(u, number, u->parcel->parts[number - 1]);
}

static void push_array(struct unpacker *u) {
  struct pl_type *type = get_type(u);
  int box = push_part(u);
  size_t numbers[4];  // offset, count, stride, column
  for (int i = 0; i < 4; i++) numbers[i] = (size_t)get_varint(u);
  pl_array_push(u->L, box, type, numbers[0], 0, 0);
  struct pl_array *array = lua_touserdata(u->L, -1);
  array->count = numbers[1];
  array->stride = numbers[2];
  array->column = numbers[3];
  lua_remove(u->L, -2);
}

static void push_bytes(struct unpacker *u) {
  int box = push_part(u);
  size_t offset = (size_t)get_varint(u), size = (size_t)get_varint(u);
  if (offset == 0 && size == pl_box_get(u->L, box)->size) return;
  pl_bytes_object_push_slice(u->L, box, offset, size);
  lua_remove(u->L, -2);
}

static void push_value(struct unpacker *u) {
  switch ((enum pl_parcel_tag) * u->next++) {
  case PL_PARCEL_NIL:
    lua_pushnil(u->L);
    break;
  case PL_PARCEL_FALSE:
    lua_pushboolean(u->L, false);
    break;
  case PL_PARCEL_TRUE:
    lua_pushboolean(u->L, true);
    break;
  case PL_PARCEL_INTEGER:
    push_integer(u);
    break;
  case PL_PARCEL_FLOAT:
    push_float(u);
    break;
  case PL_PARCEL_STRING:
    push_string(u);
    break;
  case PL_PARCEL_TABLE:
    push_table(u);
    break;
  case PL_PARCEL_LIST:
    push_list(u);
    break;
  case PL_PARCEL_NULL:
    pl_json_push_null(u->L);
    break;
  case PL_PARCEL_VALUE:
    push_copy(u);
    break;
  case PL_PARCEL_ARRAY:
    push_array(u);
    break;
  case PL_PARCEL_BYTES:
    push_bytes(u);
    break;
  }
}

void pl_parcel_unpack(lua_State *L, const struct pl_cell *cell) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  const struct pl_parcel *parcel = PL_CONTAINER_OF(cell, const struct pl_parcel, cell);
  lua_pushnil(L);
  struct unpacker u = {L, parcel, parcel->data, lua_gettop(L)};
  push_value(&u);
  lua_remove(L, u.boxes);
}

const struct pl_layout *pl_parcel_changed(lua_State *L, const struct pl_cell *cell,
                                          const struct pl_layout **now) {
  const struct pl_parcel *parcel = PL_CONTAINER_OF(cell, const struct pl_parcel, cell);
  for (uint32_t i = 0; i < parcel->layout_count; i++) {
    const struct pl_type *own = find_own(L, parcel->layouts[i]);
    if (!own || has_form_of(own->layout, parcel->layouts[i])) continue;
    *now = own->layout;
    return parcel->layouts[i];
  }
  return NULL;
}
