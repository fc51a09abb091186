// What all bindings share; modules.c registers them.
#include "api/api.h"

#include "base/clock.h"
#include "runtime/state.h"

#include <lauxlib.h>
#include <math.h>

struct pl_api_context *pl_api_context(lua_State *L) {
  return pl_vm_of(L)->user;
}

void pl_api_push_module(lua_State *L, const struct pl_api_module *module) {
  lua_newtable(L);
  for (const struct pl_api_fn *row = module->functions; row->name; row++) {
    lua_pushcfunction(L, row->fn);
    lua_setfield(L, -2, row->name);
  }
  if (module->open) module->open(L);
}

uint64_t pl_api_check_due(lua_State *L, int index) {
  static const double farthest = 1e9;  // thirty years; later is never
  double seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, seconds >= 0, index, "a number of seconds of at least 0 is expected");
  // pl_clock_ms() rounds down: 1 more.
  return pl_clock_ms() + (uint64_t)ceil(fmin(seconds, farthest) * 1000) + 1;
}
