// A destination over the very bytes that are read would change queries that have not run yet: then
// another array is written first.
#include "structs/query_call.h"

#include <lauxlib.h>

#include "structs/array.h"
#include "structs/box.h"
#include "structs/element.h"
#include "structs/overlap.h"
#include "structs/type.h"

static bool is_wanted(const struct pl_layout *layout, const enum pl_builtin *wanted) {
  for (; *wanted != PL_BUILTIN_NONE; wanted++)
    if (pl_layout_is_a(layout, pl_layout_builtin(*wanted))) return true;
  return false;
}

static int raise_unwanted(lua_State *L, int index, const char *what,
                          const enum pl_builtin *wanted) {
  lua_pushliteral(L, "");
  for (const enum pl_builtin *at = wanted; *at != PL_BUILTIN_NONE; at++)
    lua_pushfstring(L, "%s%s%s[]", lua_tostring(L, -1), at == wanted ? "" : " or ",
                    pl_layout_builtin(*at)->name.data);
  if (!what) return luaL_typeerror(L, index, lua_tostring(L, -1));
  const struct pl_meta *meta = pl_structs_meta(L, index);
  const char *name = meta->type ? meta->type->layout->name.data : luaL_typename(L, index);
  return luaL_error(L, "%s: %s expected, got %s%s", what, lua_tostring(L, -1), name,
                    meta->form == PL_FORM_ARRAY ? "[]" : "");
}

// The list at `index` becomes an array of `layout`.
static void make_array(lua_State *L, int index, const struct pl_layout *layout) {
  size_t count = lua_rawlen(L, index);
  luaL_checkstack(L, 8, NULL);
  struct pl_span span = pl_array_push_new(L, pl_type_of(L, layout), count);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    pl_element_store(L, -1, &span, i);
    lua_pop(L, 1);
  }
  lua_replace(L, index);
}

void pl_query_call_want(lua_State *L, int index, const char *what, const enum pl_builtin *wanted) {
  index = lua_absindex(L, index);
  if (lua_istable(L, index)) make_array(L, index, pl_layout_builtin(wanted[0]));
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (meta->form != PL_FORM_ARRAY || !is_wanted(meta->type->layout, wanted))
    raise_unwanted(L, index, what, wanted);
}

void pl_query_call_see(lua_State *L, int index, struct pl_operand *operand) {
  if (!pl_operand_get(L, index, operand) || !operand->is_array) luaL_typeerror(L, index, "array");
}

// ---- destinations ----

static bool overlaps_any(lua_State *L, const struct pl_operand *dst, const int *used) {
  struct pl_operand o;
  for (; *used; used++)
    if (pl_operand_get(L, *used, &o) && o.is_array && pl_span_overlaps(&dst->span, &o.span))
      return true;
  return false;
}

struct pl_query_dst pl_query_call_dst(lua_State *L, int index, const struct pl_layout *layout,
                                      size_t count, const int *used) {
  struct pl_operand o;
  luaL_checkstack(L, 8, NULL);
  if (lua_isnoneornil(L, index)) {
    pl_array_push_new(L, pl_type_of(L, layout), count);
    lua_replace(L, index);
    return (struct pl_query_dst){index, index};
  }
  if (!pl_operand_get_writable(L, index, &o) || !o.is_array || o.span.layout != layout)
    luaL_argerror(L, index, lua_pushfstring(L, "dst must be a %s[]", layout->name.data));
  if (o.span.count != count)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "dst has %I elements, %I are needed",
                                  (lua_Integer)o.span.count, (lua_Integer)count));
  if (!overlaps_any(L, &o, used)) return (struct pl_query_dst){index, index};
  pl_array_push_new(L, pl_type_of(L, layout), count);
  return (struct pl_query_dst){index, lua_gettop(L)};
}

void pl_query_call_pin(lua_State *L, const struct pl_query_dst *dst, struct pl_bytes **bytes) {
  struct pl_operand o;
  if (dst->index == dst->written) return;
  pl_query_call_see(L, dst->index, &o);
  *bytes = o.box->bytes;
}

void pl_query_call_done(lua_State *L, const struct pl_query_dst *dst) {
  struct pl_operand to, from;
  if (dst->index == dst->written) return;
  pl_query_call_see(L, dst->written, &from);
  if (pl_operand_get_writable(L, dst->index, &to)) pl_element_copy_all(&to.span, &from.span);
}
