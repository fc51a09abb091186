// A ring in the array part of a table. The table is made with all its places, and they are never
// more than that, so Lua neither rehashes it nor moves anything while values come and go.
#include "api/value_ring.h"

#include <lauxlib.h>

enum { FIRST_SIZE = 4, LARGEST_SIZE = 1 << 30 };

static int place_of(const struct pl_value_ring *ring, unsigned i) {
  return (int)((ring->head + i) & (ring->size - 1)) + 1;
}

void pl_value_ring_grow(lua_State *L, int owner, struct pl_value_ring *ring) {
  unsigned size = ring->size ? 2 * ring->size : FIRST_SIZE;
  if (size > LARGEST_SIZE) luaL_error(L, "too many values wait in a channel");
  lua_createtable(L, (int)size, 0);
  if (ring->size >= size) {  // a finaliser that ran meanwhile has grown it
    lua_pop(L, 1);
    return;
  }
  lua_getiuservalue(L, owner, 1);
  for (unsigned i = 0; i < ring->count; i++) {
    lua_rawgeti(L, -1, place_of(ring, i));
    lua_rawseti(L, -3, (int)i + 1);
  }
  lua_pop(L, 1);
  lua_setiuservalue(L, owner, 1);
  ring->head = 0;
  ring->size = size;
}

static void set_place(lua_State *L, int owner, int value, int place) {
  value = lua_absindex(L, value);
  lua_getiuservalue(L, owner, 1);
  lua_pushvalue(L, value);
  lua_rawseti(L, -2, place);
  lua_pop(L, 1);
}

void pl_value_ring_push_back(lua_State *L, int owner, struct pl_value_ring *ring, int value) {
  set_place(L, owner, value, place_of(ring, ring->count++));
}

void pl_value_ring_push_front(lua_State *L, int owner, struct pl_value_ring *ring, int value) {
  ring->head = (ring->head + ring->size - 1) & (ring->size - 1);
  ring->count++;
  set_place(L, owner, value, place_of(ring, 0));
}

void pl_value_ring_pop_front(lua_State *L, int owner, struct pl_value_ring *ring) {
  int place = place_of(ring, 0);
  lua_getiuservalue(L, owner, 1);
  lua_rawgeti(L, -1, place);
  lua_pushnil(L);
  lua_rawseti(L, -3, place);
  lua_remove(L, -2);
  ring->head = (unsigned)place & (ring->size - 1);
  ring->count--;
}
