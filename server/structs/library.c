// What a type's metatables and T get, put together from the files that each know a part.
#include "structs/library.h"

#include "structs/accessor.h"
#include "structs/array_make.h"
#include "structs/array_object.h"
#include "structs/array_verbs.h"
#include "structs/array_select.h"
#include "structs/box.h"
#include "structs/bytes_object.h"
#include "structs/dec128.h"
#include "structs/enum.h"
#include "structs/index.h"
#include "structs/method.h"
#include "structs/nearest_object.h"
#include "structs/offload.h"
#include "structs/scene_object.h"
#include "structs/state.h"
#include "structs/type.h"
#include "structs/type_object.h"
#include "structs/unsigned.h"
#include "structs/value_methods.h"
#include "structs/zones_object.h"

static void fill_scalar(lua_State *L, struct pl_type *type) {
  if (type->layout->scalar == PL_SCALAR_DEC128) pl_dec128_fill(L, type);
  if (type->layout->scalar == PL_SCALAR_U64) pl_unsigned_fill(L, type);
}

static void fill_struct(lua_State *L, struct pl_type *type) {
  pl_index_fill(L, type);
  pl_value_methods_fill(L, type);
  pl_accessor_fill(L, type);
}

static void fill_type(lua_State *L, struct pl_type *type) {
  pl_type_object_fill(L, type);
  switch ((enum pl_layout_kind)type->layout->kind) {
  case PL_LAYOUT_SCALAR:
    fill_scalar(L, type);
    break;
  case PL_LAYOUT_ENUM:
    pl_enum_fill(L, type);
    break;
  case PL_LAYOUT_STRUCT:
    fill_struct(L, type);
    break;
  }
  pl_array_object_fill(L, type);
  pl_array_make_fill(L, type);
  pl_method_fill(L, type);
  pl_array_verbs_fill(L, type);
  pl_array_select_fill(L, type);
}

void pl_structs_open(lua_State *L, struct pl_layouts *layouts, struct pl_account *account,
                     struct pl_loop *loop) {
  struct pl_structs *s = pl_structs_init(L, layouts, account);
  s->fill = fill_type;
  pl_offload_open(L, loop);
  pl_box_open(L);
  lua_pop(L, 1);
  pl_type_open(L);
  lua_pop(L, 1);
  pl_type_object_open(L);
  pl_bytes_object_open(L);
  pl_scene_object_open(L);
  pl_zones_object_open(L);
  pl_nearest_object_open(L);
}
