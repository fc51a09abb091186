// Where the bytes of a Lua object are, by its form.
#include "structs/operand.h"

#include <lauxlib.h>

#include "structs/array.h"
#include "structs/box.h"
#include "structs/type.h"
#include "structs/view.h"

static void see_bytes(lua_State *L, struct pl_operand *o, struct pl_box *box, size_t offset,
                      size_t size) {
  pl_box_check(L, box);
  *o = (struct pl_operand){
      .span = {.data = box->data + offset,
               .count = size,
               .stride = 1,
               .layout = pl_layout_scalar(PL_SCALAR_U8)},
      .box = box,
      .is_bytes = true,
      .is_frozen = box->is_frozen,
  };
}

static void see_value(struct pl_operand *o, struct pl_type *type, char *data, bool is_frozen) {
  *o = (struct pl_operand){
      .type = type,
      .span = {.data = data, .count = 1, .layout = type->layout, .stride = type->layout->size},
      .is_frozen = is_frozen,
  };
}

// What a view lies inside may be frozen after the view was made.
static bool is_inside_frozen(lua_State *L, int index) {
  lua_getiuservalue(L, index, 1);
  bool is_frozen = pl_structs_meta(L, -1)->form == PL_FORM_FROZEN;
  lua_pop(L, 1);
  return is_frozen;
}

static void see_view(lua_State *L, struct pl_operand *o, struct pl_type *type, int index) {
  const struct pl_view *view = lua_touserdata(L, index);
  if (!view->box) {
    see_value(o, type, view->inside, is_inside_frozen(L, index));
    return;
  }
  pl_box_check(L, view->box);
  see_value(o, type, view->box->data + view->offset, view->box->is_frozen);
  o->box = view->box;
}

static void see_array(lua_State *L, struct pl_operand *o, struct pl_type *type,
                      const struct pl_array *array) {
  pl_box_check(L, array->box);
  *o = (struct pl_operand){
      .type = type,
      .span = {.data = array->box->data + array->offset,
               .count = array->count,
               .stride = array->stride,
               .column = array->column,
               .layout = type->layout},
      .box = array->box,
      .is_array = true,
      .is_frozen = array->box->is_frozen,
  };
}

bool pl_operand_get(lua_State *L, int index, struct pl_operand *o) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  void *object = lua_touserdata(L, index);
  switch (meta->form) {
  case PL_FORM_OWNED:
  case PL_FORM_FROZEN:
    see_value(o, meta->type, object, meta->form == PL_FORM_FROZEN);
    return true;
  case PL_FORM_VIEW:
    see_view(L, o, meta->type, index);
    return true;
  case PL_FORM_ARRAY:
    see_array(L, o, meta->type, object);
    return true;
  case PL_FORM_BOX:
    see_bytes(L, o, object, 0, ((struct pl_box *)object)->size);
    return true;
  case PL_FORM_SLICE:
    see_bytes(L, o, ((struct pl_array *)object)->box, ((struct pl_array *)object)->offset,
              ((struct pl_array *)object)->count);
    return true;
  default:
    return false;
  }
}

static void check_writable(lua_State *L, const struct pl_operand *o) {
  if (o->box)
    pl_box_check_writable(L, o->box);
  else if (o->is_frozen)
    luaL_error(L, "this %s is frozen: it cannot be changed (clone it)", o->span.layout->name.data);
}

bool pl_operand_get_writable(lua_State *L, int index, struct pl_operand *o) {
  if (!pl_operand_get(L, index, o)) return false;
  check_writable(L, o);
  return true;
}

char *pl_operand_value(lua_State *L, int index, const struct pl_layout *layout) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (!pl_form_is_value(meta->form) || !pl_layout_is_a(meta->type->layout, layout)) return NULL;
  return pl_value_bytes(L, meta, lua_touserdata(L, index));
}

char *pl_operand_write(lua_State *L, int index, const struct pl_meta *meta) {
  if (meta->form == PL_FORM_OWNED) return lua_touserdata(L, index);
  struct pl_operand o;
  pl_operand_get_writable(L, index, &o);
  return o.span.data;
}

void pl_operand_push_box(lua_State *L, int index) {
  enum pl_form form = pl_structs_meta(L, index)->form;
  bool is_holding = form == PL_FORM_ARRAY || form == PL_FORM_SLICE;
  if (form == PL_FORM_VIEW) is_holding = ((struct pl_view *)lua_touserdata(L, index))->box;
  if (form == PL_FORM_BOX)
    lua_pushvalue(L, index);
  else if (is_holding)
    lua_getiuservalue(L, index, 1);
  else
    lua_pushnil(L);
}
