// A type's metatables are found by their address, so each is anchored before it becomes known, and
// a type that could be made in part only (memory was short) is completed by the next who needs it.
#include "structs/type.h"

#include <lauxlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"

enum { STACK_SLOTS = 12, FIRST_TYPES = 128 };

// ---- making ----

static void make_room(lua_State *L, struct pl_structs *s, size_t id) {
  if (id < s->type_cap) return;
  size_t cap = s->type_cap ? s->type_cap : FIRST_TYPES;
  while (cap <= id) cap *= 2;
  struct pl_type **types = pl_mem_realloc(s->types, cap * sizeof(struct pl_type *));
  if (!types) luaL_error(L, "not enough memory");
  memset(types + s->type_cap, 0, (cap - s->type_cap) * sizeof(struct pl_type *));
  s->types = types;
  s->type_cap = cap;
}

static struct pl_type *new_type(lua_State *L, struct pl_structs *s,
                                const struct pl_layout *layout) {
  struct pl_type *type = pl_mem_zalloc(sizeof *type);
  if (!type) luaL_error(L, "not enough memory");
  *type = (struct pl_type){.layout = layout,
                           .owned = LUA_NOREF,
                           .frozen = LUA_NOREF,
                           .view = LUA_NOREF,
                           .array = LUA_NOREF,
                           .row = LUA_NOREF,
                           .object = LUA_NOREF,
                           .members = LUA_NOREF,
                           .methods = LUA_NOREF,
                           .array_methods = LUA_NOREF,
                           .values = LUA_NOREF};
  s->types[layout->id] = type;
  return type;
}

static void make_table(lua_State *L, int *ref) {
  if (*ref != LUA_NOREF) return;
  lua_createtable(L, 0, 0);
  *ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void make_weak_table(lua_State *L, int *ref) {
  if (*ref != LUA_NOREF) return;
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  *ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

void pl_type_make_metatable(lua_State *L, struct pl_type *type, int *ref, enum pl_form form,
                            const char *name) {
  if (*ref != LUA_NOREF) return;
  lua_createtable(L, 0, 24);
  lua_pushfstring(L, name, type->layout->name.data);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, -1);
  int anchor = luaL_ref(L, LUA_REGISTRYINDEX);
  pl_structs_add_meta(L, type, form);
  *ref = anchor;
  lua_pop(L, 1);
}

static void make_object(lua_State *L, struct pl_type *type) {
  if (type->object != LUA_NOREF) return;
  struct pl_type_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  object->type = type;
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->type_object);
  lua_setmetatable(L, -2);
  type->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void complete(lua_State *L, struct pl_type *type) {
  luaL_checkstack(L, STACK_SLOTS, NULL);
  pl_type_make_metatable(L, type, &type->owned, PL_FORM_OWNED, "%s");
  pl_type_make_metatable(L, type, &type->frozen, PL_FORM_FROZEN, "%s");
  pl_type_make_metatable(L, type, &type->view, PL_FORM_VIEW, "%s");
  pl_type_make_metatable(L, type, &type->array, PL_FORM_ARRAY, "%s[]");
  make_table(L, &type->members);
  make_table(L, &type->methods);
  make_table(L, &type->array_methods);
  if (type->layout->kind == PL_LAYOUT_ENUM) make_weak_table(L, &type->values);
  make_object(L, type);
}

/* stack: the type */
static int fill_protected(lua_State *L) {
  pl_structs_of(L)->fill(L, lua_touserdata(L, 1));
  return 0;
}

// Who asks for the type while it is being filled gets it as it is: its metatables are there. When
// memory is short the next one who asks fills it again.
static void fill(lua_State *L, struct pl_type *type) {
  type->is_filling = true;
  lua_pushcfunction(L, fill_protected);
  lua_pushlightuserdata(L, type);
  int status = lua_pcall(L, 1, 0, 0);
  type->is_filling = false;
  if (status != LUA_OK) lua_error(L);
  type->is_filled = true;
}

static PL_COLD struct pl_type *make(lua_State *L, struct pl_structs *s,
                                    const struct pl_layout *layout) {
  make_room(L, s, layout->id);
  struct pl_type *type = s->types[layout->id];
  if (!type) type = new_type(L, s, layout);
  if (!type->is_filling) {
    complete(L, type);
    fill(L, type);
  }
  return type;
}

struct pl_type *pl_type_of(lua_State *L, const struct pl_layout *layout) {
  struct pl_structs *s = pl_structs_of(L);
  struct pl_type *type = layout->id < s->type_cap ? s->types[layout->id] : NULL;
  return PL_LIKELY(type && type->is_filled) ? type : make(L, s, layout);
}

void pl_type_open(lua_State *L) {
  lua_createtable(L, 0, 8);
  lua_pushliteral(L, "type");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, -1);
  pl_structs_of(L)->type_object = luaL_ref(L, LUA_REGISTRYINDEX);
  pl_structs_add_meta(L, NULL, PL_FORM_TYPE);
}

// ---- finding ----

void pl_type_push(lua_State *L, const struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->object);
}

struct pl_type *pl_type_get(lua_State *L, int index) {
  if (pl_structs_meta(L, index)->form != PL_FORM_TYPE) return NULL;
  const struct pl_type_object *object = lua_touserdata(L, index);
  return object->type;
}

struct pl_type *pl_type_find(lua_State *L, struct pl_strv name) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->names);
  lua_pushlstring(L, name.data, name.len);
  lua_rawget(L, -2);
  struct pl_type *type = pl_type_get(L, -1);
  lua_pop(L, 2);
  if (type) return type;
  const struct pl_layout *layout = pl_layout_find_builtin(name);
  return layout ? pl_type_of(L, layout) : NULL;
}

void pl_type_push_unknown(lua_State *L, struct pl_strv name) {
  struct pl_suggest nearest = pl_suggest_for(name);
  for (int i = PL_SCALAR_BOOL; i < PL_SCALAR_COUNT; i++)
    pl_suggest_offer(&nearest, pl_layout_scalar((enum pl_scalar)i)->name.data);
  for (int i = PL_BUILTIN_NONE + 1; i < PL_BUILTIN_COUNT; i++)
    pl_suggest_offer(&nearest, pl_layout_builtin((enum pl_builtin)i)->name.data);
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->names);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    pl_suggest_offer(&nearest, lua_tostring(L, -2));
  lua_pop(L, 1);
  if (nearest.best)
    lua_pushfstring(L, "no type has the name '%s' (did you mean '%s'?)", name.data, nearest.best);
  else
    lua_pushfstring(L, "no type has the name '%s'", name.data);
}

struct pl_type *pl_type_check(lua_State *L, int index) {
  struct pl_type *type = pl_type_get(L, index);
  if (type) return type;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_argerror(
        L, index,
        lua_pushfstring(L, "a type or its name is expected, not a %s", luaL_typename(L, index)));
  struct pl_strv name;
  name.data = lua_tolstring(L, index, &name.len);
  type = pl_type_find(L, name);
  if (!type) {
    pl_type_push_unknown(L, name);
    luaL_argerror(L, index, lua_tostring(L, -1));
  }
  return type;
}

void pl_type_publish(lua_State *L, struct pl_type *type) {
  const struct pl_layout *layout = type->layout;
  struct pl_type *known = pl_type_find(L, layout->name);
  if (known && known->layout != layout)
    luaL_error(L, "the type %s is defined already, otherwise: %d bytes at %s, %d bytes at %s",
               layout->name.data, (int)known->layout->size,
               known->layout->where[0] ? known->layout->where : "(built in)", (int)layout->size,
               layout->where);
  lua_rawgeti(L, LUA_REGISTRYINDEX, pl_structs_of(L)->names);
  pl_type_push(L, type);
  lua_setfield(L, -2, layout->name.data);
  lua_pop(L, 1);
}
