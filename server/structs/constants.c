// A constant goes into the type's members, so that it is found there from then on.
#include "structs/constants.h"

#include "geometry/op.h"
#include "structs/type.h"
#include "structs/value.h"

static const struct pl_constant *find(const struct pl_layout *layout, struct pl_strv name) {
  const struct pl_constant *constant = pl_constants_of((enum pl_builtin)layout->builtin);
  while (constant->name && !pl_strv_eq(pl_strv_of(constant->name), name)) constant++;
  return constant->name ? constant : NULL;
}

bool pl_constants_push(lua_State *L, const struct pl_type *type, struct pl_strv name) {
  const struct pl_layout *layout = type->layout;
  if (layout->builtin == PL_BUILTIN_NONE) return false;
  const struct pl_constant *constant = find(layout, name);
  if (!constant) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->members);
  union pl_slot out = {.at = lua_newuserdatauv(L, layout->size, 0)};
  constant->run(&out, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->frozen);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, constant->name);
  lua_remove(L, -2);
  return true;
}

void pl_constants_offer(const struct pl_layout *layout, struct pl_suggest *suggest) {
  if (layout->builtin == PL_BUILTIN_NONE) return;
  const struct pl_constant *constant = pl_constants_of((enum pl_builtin)layout->builtin);
  for (; constant->name; constant++) pl_suggest_offer(suggest, constant->name);
}
