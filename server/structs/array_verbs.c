// A verb that single values have, too, is there already (method.h), and comes to array_op.c by
// itself.
#include "structs/array_verbs.h"

#include <lauxlib.h>

#include "structs/array_op.h"
#include "structs/overload.h"
#include "structs/type.h"
#include "structs/zones_object.h"

static int call_verb(lua_State *L) {
  return pl_array_op_call(L, lua_touserdata(L, lua_upvalueindex(1)));
}

/* `- arr` and `~ arr` come with their operand twice. */
static int call_unary(lua_State *L) {
  lua_settop(L, 1);
  return call_verb(L);
}

static int call_inside(lua_State *L) {
  return pl_polygon_object_is(L, 2) ? pl_polygon_object_inside(L) : call_verb(L);
}

static const struct verb {
  const char *name;
  const char *metamethod;  // or NULL
  lua_CFunction method;
  lua_CFunction operator_fn;
} verbs[] = {
    {"add", "__add", call_verb, call_verb},
    {"sub", "__sub", call_verb, call_verb},
    {"mul", "__mul", call_verb, call_verb},
    {"div", "__div", call_verb, call_verb},
    {"neg", "__unm", call_verb, call_unary},
    {"band", "__band", call_verb, call_verb},
    {"bor", "__bor", call_verb, call_verb},
    {"bnot", "__bnot", call_verb, call_unary},
    {"mul_add", NULL, call_verb, NULL},
    {"abs", NULL, call_verb, NULL},
    {"min", NULL, call_verb, NULL},
    {"max", NULL, call_verb, NULL},
    {"clamp", NULL, call_verb, NULL},
    {"lerp", NULL, call_verb, NULL},
    {"sum", NULL, call_verb, NULL},
    {"mean", NULL, call_verb, NULL},
    {"argmin", NULL, call_verb, NULL},
    {"argmax", NULL, call_verb, NULL},
    {"aabb", NULL, call_verb, NULL},
    {"any", NULL, call_verb, NULL},
    {"all", NULL, call_verb, NULL},
    {"count", NULL, call_verb, NULL},
    {"lt", NULL, call_verb, NULL},
    {"le", NULL, call_verb, NULL},
    {"gt", NULL, call_verb, NULL},
    {"ge", NULL, call_verb, NULL},
    {"eq", NULL, call_verb, NULL},
    {"ne", NULL, call_verb, NULL},
    {"transform", NULL, call_verb, NULL},
    {"transform_direction", NULL, call_verb, NULL},
    {"project", NULL, call_verb, NULL},
    {"unproject", NULL, call_verb, NULL},
    {"floor", NULL, call_verb, NULL},
    {"ceil", NULL, call_verb, NULL},
    {"round", NULL, call_verb, NULL},
    {"sqrt", NULL, call_verb, NULL},
    {"dot", NULL, call_verb, NULL},
    {"distance", NULL, call_verb, NULL},
    {"length", NULL, call_verb, NULL},
    {"length2", NULL, call_verb, NULL},
    {"normalize", NULL, call_verb, NULL},
    {"cross", NULL, call_verb, NULL},
    {"lerp_unclamped", NULL, call_verb, NULL},
    {"inside", NULL, call_inside, NULL},
};

/* stack: the method */
static void set_metamethod(lua_State *L, const struct pl_type *type, const struct verb *verb) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array);
  if (lua_getfield(L, -1, verb->metamethod) == LUA_TNIL) {
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, verb->operator_fn, 1);
    lua_setfield(L, -3, verb->metamethod);
  }
  lua_pop(L, 2);
}

/* stack: the array methods */
static void add_verb(lua_State *L, const struct pl_type *type, const struct verb *verb) {
  bool has = lua_getfield(L, -1, verb->name) != LUA_TNIL;
  lua_pop(L, 1);
  if (has && !verb->metamethod) return;
  pl_overload_push_verb(L, type, verb->name);
  if (verb->metamethod) set_metamethod(L, type, verb);
  if (has) {
    lua_pop(L, 1);
    return;
  }
  lua_pushcclosure(L, verb->method, 1);
  lua_setfield(L, -2, verb->name);
}

void pl_array_verbs_fill(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array_methods);
  for (size_t i = 0; i < PL_ARRAY_LEN(verbs); i++) add_verb(L, type, &verbs[i]);
  lua_pop(L, 1);
}
