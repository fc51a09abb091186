// In the table: address -> number for both; number -> box's userdata; -number -> layout's address.
#include "api/parcel_refs.h"

#include <lauxlib.h>

static void make_table(struct pl_parcel_refs *refs) {
  if (!lua_isnil(refs->L, refs->index)) return;
  lua_newtable(refs->L);
  lua_replace(refs->L, refs->index);
}

static uint32_t find(const struct pl_parcel_refs *refs, const void *address) {
  if (lua_isnil(refs->L, refs->index)) return 0;
  lua_rawgetp(refs->L, refs->index, address);
  uint32_t number = (uint32_t)lua_tointeger(refs->L, -1);
  lua_pop(refs->L, 1);
  return number;
}

static void set_number(const struct pl_parcel_refs *refs, const void *address, uint32_t number) {
  lua_pushinteger(refs->L, (lua_Integer)number);
  lua_rawsetp(refs->L, refs->index, address);
}

uint32_t pl_parcel_refs_box(struct pl_parcel_refs *refs, int box_index, struct pl_box *box,
                            bool adds) {
  uint32_t number = find(refs, box);
  if (number || !adds) return number;
  box_index = lua_absindex(refs->L, box_index);
  make_table(refs);
  lua_pushvalue(refs->L, box_index);
  lua_rawseti(refs->L, refs->index, (lua_Integer)++refs->box_count);
  set_number(refs, box, refs->box_count);
  return refs->box_count;
}

uint32_t pl_parcel_refs_layout(struct pl_parcel_refs *refs, const struct pl_layout *layout,
                               bool adds) {
  uint32_t number = find(refs, layout);
  if (number || !adds) return number;
  make_table(refs);
  lua_pushlightuserdata(refs->L, (void *)layout);
  lua_rawseti(refs->L, refs->index, -(lua_Integer)++refs->layout_count);
  set_number(refs, layout, refs->layout_count);
  return refs->layout_count;
}

static void *address_at(lua_State *L, int index, lua_Integer key) {
  lua_rawgeti(L, index, key);
  void *address = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return address;
}

struct pl_box *pl_parcel_refs_box_at(lua_State *L, int index, uint32_t number) {
  return address_at(L, index, (lua_Integer)number);
}

const struct pl_layout *pl_parcel_refs_layout_at(const struct pl_parcel_refs *refs,
                                                 uint32_t number) {
  return address_at(refs->L, refs->index, -(lua_Integer)number);
}
