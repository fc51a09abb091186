// The state is a userdata in the registry, so it goes with the Lua state, after every box.
#include "structs/state.h"

#include <lauxlib.h>

#include "base/mem.h"

enum { FIRST_METAS = 64 };

static const struct pl_meta no_meta = {NULL, NULL, PL_FORM_NONE};

static int free_state(lua_State *L) {
  struct pl_structs *s = lua_touserdata(L, 1);
  for (size_t i = 0; i < s->type_cap; i++) pl_mem_free(s->types[i]);
  pl_mem_free(s->types);
  pl_mem_free(s->metas);
  pl_vm_of(L)->structs = NULL;
  return 0;
}

struct pl_structs *pl_structs_init(lua_State *L, struct pl_layouts *layouts,
                                   struct pl_account *account) {
  struct pl_structs *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (struct pl_structs){.layouts = layouts, .account = account};
  pl_vm_of(L)->structs = s;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, free_state);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, 0, 0);
  s->names = luaL_ref(L, LUA_REGISTRYINDEX);
  return s;
}

// ---- metatables by address ----

// Addresses of tables differ in their middle bits.
static size_t slot_of(const struct pl_structs *s, const void *metatable) {
  return (size_t)(((uintptr_t)metatable >> 4) * 0x9e3779b97f4a7c15u >> 32) & (s->meta_cap - 1);
}

static struct pl_meta *find_slot(const struct pl_structs *s, const void *metatable) {
  size_t i = slot_of(s, metatable);
  while (s->metas[i].metatable && s->metas[i].metatable != metatable)
    i = (i + 1) & (s->meta_cap - 1);
  return &s->metas[i];
}

// Half of the slots stay free, so that a search ends soon.
static void make_room(lua_State *L, struct pl_structs *s) {
  if (s->meta_count * 2 < s->meta_cap) return;
  size_t old_cap = s->meta_cap;
  size_t cap = old_cap ? old_cap * 2 : FIRST_METAS;
  struct pl_meta *metas = pl_mem_zalloc(cap * sizeof *metas);
  struct pl_meta *old = s->metas;
  if (!metas) luaL_error(L, "not enough memory");
  s->metas = metas;
  s->meta_cap = cap;
  for (size_t i = 0; i < old_cap; i++)
    if (old[i].metatable) *find_slot(s, old[i].metatable) = old[i];
  pl_mem_free(old);
}

void pl_structs_add_meta(lua_State *L, struct pl_type *type, enum pl_form form) {
  struct pl_structs *s = pl_structs_of(L);
  make_room(L, s);
  const void *metatable = lua_topointer(L, -1);
  *find_slot(s, metatable) = (struct pl_meta){metatable, type, form};
  s->meta_count++;
}

const struct pl_meta *pl_structs_meta(lua_State *L, int index) {
  const struct pl_structs *s = pl_structs_of(L);
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return &no_meta;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  const struct pl_meta *meta = find_slot(s, metatable);
  return meta->metatable ? meta : &no_meta;
}
