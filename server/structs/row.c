// The metatable of rows of a type is made when the first is looked at: most types have none.
#include "structs/row.h"

#include <lauxlib.h>
#include <string.h>

#include "structs/field.h"
#include "structs/operand.h"
#include "structs/scalars.h"
#include "structs/text.h"
#include "structs/type.h"
#include "structs/value.h"

// ---- self ----

static struct pl_row *check_row(lua_State *L, int index, struct pl_type **type) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (meta->form != PL_FORM_ROW) luaL_typeerror(L, index, "fixed array");
  *type = meta->type;
  return lua_touserdata(L, index);
}

static char *check_writable(lua_State *L, int index, const struct pl_type *type) {
  const struct pl_row *row = lua_touserdata(L, index);
  if (row->view.box) {
    pl_box_check_writable(L, row->view.box);
  } else {
    lua_getiuservalue(L, index, 1);
    if (pl_structs_meta(L, -1)->form == PL_FORM_FROZEN)
      luaL_error(L, "this %s[%d] is frozen: it cannot be changed (clone the struct)",
                 type->layout->name.data, (int)row->count);
    lua_pop(L, 1);
  }
  return pl_view_bytes(L, &row->view);
}

// The element at the Lua index, from 0; or the count when it is outside.
static uint32_t find_element(lua_State *L, int index, const struct pl_row *row) {
  int is_integer;
  lua_Integer i = lua_tointegerx(L, index, &is_integer);
  return is_integer && i >= 1 && i <= (lua_Integer)row->count ? (uint32_t)i - 1 : row->count;
}

// ---- reading ----

static void push_element(lua_State *L, struct pl_type *type, const struct pl_row *row, uint32_t i) {
  const struct pl_layout *layout = type->layout;
  size_t offset = (size_t)i * layout->size;
  if (layout->kind != PL_LAYOUT_STRUCT) {
    pl_field_push_scalar(L, layout, pl_view_bytes(L, &row->view) + offset);
    return;
  }
  lua_getiuservalue(L, 1, 1);
  if (row->view.box)
    offset += row->view.offset;
  else
    offset += (size_t)(row->view.inside - (char *)lua_touserdata(L, -1));
  pl_value_push_view(L, lua_gettop(L), type, offset);
}

/* row[i], row:method() */
static int row_index(lua_State *L) {
  struct pl_type *type;
  const struct pl_row *row = check_row(L, 1, &type);
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TNUMBER) {
    uint32_t i = find_element(L, 2, row);
    if (i == row->count) return 0;
    push_element(L, type, row, i);
    return 1;
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  return luaL_error(L, "%s[%d] has no method '%s'", type->layout->name.data, (int)row->count,
                    luaL_tolstring(L, 2, NULL));
}

/* row:get() -> all scalars */
static int row_get(lua_State *L) {
  struct pl_type *type;
  const struct pl_row *row = check_row(L, 1, &type);
  size_t each = pl_scalars_count(type->layout);
  if (each * row->count > PL_SCALARS_MAX)
    return luaL_error(L, "%s[%d] has more numbers than a call can return", type->layout->name.data,
                      (int)row->count);
  for (uint32_t i = 0; i < row->count; i++) {
    const char *at = pl_view_bytes(L, &row->view) + (size_t)i * type->layout->size;
    pl_scalars_push(L, type->layout, at);
  }
  return (int)(each * row->count);
}

static void push_plain(lua_State *L, const struct pl_layout *layout, const char *at) {
  if (layout->kind == PL_LAYOUT_STRUCT)
    pl_field_push_table(L, layout, at);
  else
    pl_field_push_scalar(L, layout, at);
}

/* row:totable() */
static int row_totable(lua_State *L) {
  struct pl_type *type;
  const struct pl_row *row = check_row(L, 1, &type);
  lua_createtable(L, (int)row->count, 0);
  for (uint32_t i = 0; i < row->count; i++) {
    push_plain(L, type->layout, pl_view_bytes(L, &row->view) + (size_t)i * type->layout->size);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* row:pack() -> string */
static int row_pack(lua_State *L) {
  struct pl_type *type;
  const struct pl_row *row = check_row(L, 1, &type);
  const char *at = pl_view_bytes(L, &row->view);
  lua_pushlstring(L, at, (size_t)row->count * type->layout->size);
  return 1;
}

static int row_len(lua_State *L) {
  struct pl_type *type;
  lua_pushinteger(L, check_row(L, 1, &type)->count);
  return 1;
}

static int row_text(lua_State *L) {
  struct pl_type *type;
  const struct pl_row *row = check_row(L, 1, &type);
  const struct pl_field field = {.type = type->layout, .count = row->count};
  pl_text_push_array(L, &field, pl_view_bytes(L, &row->view));
  return 1;
}

// ---- writing ----

static int row_newindex(lua_State *L) {
  struct pl_type *type;
  const struct pl_row *row = check_row(L, 1, &type);
  lua_settop(L, 3);
  uint32_t i = lua_type(L, 2) == LUA_TNUMBER ? find_element(L, 2, row) : row->count;
  if (i == row->count)
    return luaL_error(L, "%s[%d] takes an index from 1 to %d", type->layout->name.data,
                      (int)row->count, (int)row->count);
  char *at = check_writable(L, 1, type) + (size_t)i * type->layout->size;
  if (type->layout->kind == PL_LAYOUT_STRUCT)
    pl_field_store_struct(L, 3, type->layout, at);
  else
    pl_field_store_scalar(L, 3, type->layout, at, type->layout->name.data);
  return 0;
}

// ---- making ----

static const luaL_Reg methods[] = {
    {"get", row_get}, {"totable", row_totable}, {"pack", row_pack}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__len", row_len}, {"__tostring", row_text}, {"__newindex", row_newindex}, {NULL, NULL}};

static void fill_metatable(lua_State *L) {
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, row_index, 1);
  lua_setfield(L, -2, "__index");
}

static void want_metatable(lua_State *L, struct pl_type *type) {
  if (type->row == LUA_NOREF) pl_type_make_metatable(L, type, &type->row, PL_FORM_ROW, "%s[N]");
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->row);
  if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
    lua_pop(L, 1);
    fill_metatable(L);
  } else {
    lua_pop(L, 1);
  }
}

void pl_row_push(lua_State *L, int index, const struct pl_field *field) {
  struct pl_type *type = pl_type_of(L, field->type);
  struct pl_row *row = lua_newuserdatauv(L, sizeof *row, 1);
  *row = (struct pl_row){.count = field->count};
  if (pl_structs_meta(L, index)->form == PL_FORM_VIEW) {
    row->view = *(const struct pl_view *)lua_touserdata(L, index);
    lua_getiuservalue(L, index, 1);
  } else {
    row->view.inside = lua_touserdata(L, index);
    lua_pushvalue(L, index);
  }
  lua_setiuservalue(L, -2, 1);
  if (row->view.box)
    row->view.offset += field->offset;
  else
    row->view.inside += field->offset;
  want_metatable(L, type);
  lua_setmetatable(L, -2);
}
