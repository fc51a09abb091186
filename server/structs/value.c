// Owned values are userdata without user values: only those have their payload at an address that
// is a multiple of 16 (lua_newuserdata's have not, and cost 16 bytes more).
#include "structs/value.h"

#include <lauxlib.h>
#include <string.h>

#include "structs/operand.h"
#include "structs/type.h"

char *pl_value_push_new(lua_State *L, struct pl_type *type) {
  size_t size = type->layout->size;
  char *data = lua_newuserdatauv(L, size, 0);
  memset(data, 0, size);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->owned);
  lua_setmetatable(L, -2);
  return data;
}

static void check_inside(lua_State *L, const struct pl_type *type, size_t offset, size_t size) {
  size_t need = type->layout->size;
  if (offset > size || need > size - offset)
    luaL_error(L, "a %s of %d bytes at offset %I does not lie within %I bytes",
               type->layout->name.data, (int)need, (lua_Integer)offset, (lua_Integer)size);
}

// stack: ..., holder of the new view. Replaces it by the view.
static struct pl_view *push_holding(lua_State *L, const struct pl_type *type) {
  struct pl_view *view = lua_newuserdatauv(L, sizeof *view, 1);
  *view = (struct pl_view){0};
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->view);
  lua_setmetatable(L, -2);
  return view;
}

void pl_value_push_view(lua_State *L, int holder, struct pl_type *type, size_t offset) {
  struct pl_operand o;
  const struct pl_meta *meta = pl_structs_meta(L, holder);
  if (!pl_operand_get(L, holder, &o) || o.is_array)
    luaL_argerror(L, holder, "bytes or a struct are expected");
  check_inside(L, type, offset, o.is_bytes ? o.span.count : o.span.layout->size);
  if (meta->form == PL_FORM_VIEW)
    lua_getiuservalue(L, holder, 1);
  else
    lua_pushvalue(L, holder);
  struct pl_view *view = push_holding(L, type);
  view->box = o.box;
  if (o.box)
    view->offset = (size_t)(o.span.data - o.box->data) + offset;
  else
    view->inside = o.span.data + offset;
}

void pl_value_aim_view(lua_State *L, int index, int holder, size_t offset) {
  struct pl_view *view = lua_touserdata(L, index);
  struct pl_box *box = lua_touserdata(L, holder);
  if (view->box != box) {
    lua_pushvalue(L, holder);
    lua_setiuservalue(L, index, 1);
  }
  view->box = box;
  view->inside = NULL;
  view->offset = offset;
}
