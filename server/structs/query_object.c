// An object is made before what it holds, and found empty where that failed.
#include "structs/query_object.h"

#include "structs/state.h"

struct object {
  void *what;
  size_t bytes;  // what it counts for
};

// upvalue: the kind
static int free_object(lua_State *L) {
  const struct pl_query_kind *kind = lua_touserdata(L, lua_upvalueindex(1));
  struct object *object = lua_touserdata(L, 1);
  kind->unref(object->what);
  pl_vm_of(L)->heap.outside -= object->bytes;
  pl_account_give(pl_structs_of(L)->account, object->bytes);
  *object = (struct object){0};
  return 0;
}

void pl_query_object_open(lua_State *L, const struct pl_query_kind *kind, const luaL_Reg *methods) {
  luaL_newmetatable(L, kind->type);
  lua_createtable(L, 0, 4);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pushlightuserdata(L, (void *)kind);
  lua_pushcclosure(L, free_object, 1);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void pl_query_object_push(lua_State *L, const struct pl_query_kind *kind) {
  struct object *object = lua_newuserdatauv(L, sizeof *object, 0);
  *object = (struct object){0};
  luaL_setmetatable(L, kind->type);
}

void pl_query_object_set(lua_State *L, int index, const struct pl_query_kind *kind, void *what) {
  struct pl_structs *s = pl_structs_of(L);
  struct object *object = lua_touserdata(L, index);
  *object = (struct object){.what = what, .bytes = kind->bytes(what)};
  pl_vm_of(L)->heap.outside += object->bytes;
  if (s->account) s->account->bytes += object->bytes;
}

void *pl_query_object_check(lua_State *L, int index, const struct pl_query_kind *kind) {
  const struct object *object = luaL_checkudata(L, index, kind->type);
  if (!object->what) luaL_argerror(L, index, "it could not be made: it holds nothing");
  return object->what;
}

void *pl_query_object_get(lua_State *L, int index, const struct pl_query_kind *kind) {
  const struct object *object = luaL_testudata(L, index, kind->type);
  return object ? object->what : NULL;
}
