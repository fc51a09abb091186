// A destination over the very bytes that are read would change queries that have not run yet.
#include "structs/query_call.h"

#include <lauxlib.h>

#include "structs/array.h"
#include "structs/box.h"
#include "structs/element.h"
#include "structs/type.h"

static bool is_wanted(const struct pl_layout *layout, const enum pl_builtin *wanted) {
  for (; *wanted != PL_BUILTIN_NONE; wanted++)
    if (pl_layout_is_a(layout, pl_layout_builtin(*wanted))) return true;
  return false;
}

static int raise_unwanted(lua_State *L, int index, const enum pl_builtin *wanted) {
  lua_pushliteral(L, "");
  for (const enum pl_builtin *at = wanted; *at != PL_BUILTIN_NONE; at++)
    lua_pushfstring(L, "%s%s%s[]", lua_tostring(L, -1), at == wanted ? "" : " or ",
                    pl_layout_builtin(*at)->name.data);
  return luaL_typeerror(L, index, lua_tostring(L, -1));
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

void pl_query_call_array(lua_State *L, int index, const enum pl_builtin *wanted,
                         struct pl_operand *operand) {
  index = lua_absindex(L, index);
  if (lua_istable(L, index)) make_array(L, index, pl_layout_builtin(wanted[0]));
  if (!pl_operand_get(L, index, operand) || !operand->is_array ||
      !is_wanted(operand->span.layout, wanted))
    raise_unwanted(L, index, wanted);
}

void pl_query_call_dst(lua_State *L, int index, const struct pl_layout *layout, size_t count,
                       const struct pl_bytes *used, struct pl_operand *dst) {
  if (lua_isnoneornil(L, index)) {
    lua_settop(L, index - 1);
    pl_array_push_new(L, pl_type_of(L, layout), count);
  }
  if (!pl_operand_get_writable(L, index, dst) || !dst->is_array || dst->span.layout != layout)
    luaL_argerror(L, index, lua_pushfstring(L, "dst must be a %s[]", layout->name.data));
  if (dst->span.count != count)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "dst has %I elements, %I are needed",
                                  (lua_Integer)dst->span.count, (lua_Integer)count));
  if (dst->box->bytes == used)
    luaL_argerror(L, index, "dst lies in the bytes of the queries: it needs its own");
}
