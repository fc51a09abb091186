// The same walk twice: the first one checks and measures and may raise, the second one writes into
// a block of exactly that size and cannot. No Lua code runs between them, so both see the same.
//
// What a value would cost its receiver is bounded, too: a few tables that hold each other in many
// places are few here and millions there.
#include "api/parcel.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/api.h"
#include "api/json_codec.h"
#include "api/parcel_form.h"
#include "api/place.h"
#include "base/mem.h"
#include "io/hub.h"
#include "runtime/state.h"

// Of Lua 5.4 on 64 bits, nearly: a value in a table, a table, a string.
enum { VALUE_COST = 16, TABLE_COST = 64, STRING_COST = 24 };

struct packer {
  lua_State *L;
  const char *operation;
  const struct pl_json_codec *codec;
  size_t size;      // so far
  size_t cost;      // for the receiver
  size_t cost_max;  // 0: any
  char *out;        // NULL: the first walk
};

static void pack_value(struct packer *p, const struct pl_place *at);

// ---- errors ----

// Raises "OPERATION: PATH: REASON"; the reason is on top of the stack.
static void raise_at(struct packer *p, const struct pl_place *at) {
  pl_place_push(p->L, at);
  luaL_error(p->L, "%s: %s: %s", p->operation, lua_tostring(p->L, -1), lua_tostring(p->L, -2));
}

static void refuse(struct packer *p, const struct pl_place *at, const char *reason) {
  lua_pushstring(p->L, reason);
  raise_at(p, at);
}

static void add_cost(struct packer *p, const struct pl_place *at, size_t cost) {
  p->cost += cost;
  if (!p->cost_max || p->cost <= p->cost_max) return;
  lua_pushfstring(p->L, "the message would hold more than limits.request_memory allows (%I bytes)",
                  (LUAI_UACINT)p->cost_max);
  raise_at(p, at);
}

// ---- writing ----

static void put(struct packer *p, const void *data, size_t size) {
  if (p->out) memcpy(p->out + p->size, data, size);
  p->size += size;
}

static void put_tag(struct packer *p, enum pl_parcel_tag tag) {
  char byte = (char)tag;
  put(p, &byte, 1);
}

static void put_varint(struct packer *p, uint64_t value) {
  unsigned char bytes[10];
  size_t count = 0;
  for (; value >= 0x80; value >>= 7) bytes[count++] = (unsigned char)(value | 0x80);
  bytes[count++] = (unsigned char)value;
  put(p, bytes, count);
}

// ---- values ----

static void pack_number(struct packer *p) {
  if (lua_isinteger(p->L, -1)) {
    uint64_t bits = (uint64_t)lua_tointeger(p->L, -1);
    put_tag(p, PL_PARCEL_INTEGER);
    put_varint(p, bits << 1 ^ (bits >> 63 ? UINT64_MAX : 0));
    return;
  }
  double value = lua_tonumber(p->L, -1);
  put_tag(p, PL_PARCEL_FLOAT);
  put(p, &value, sizeof value);
}

static void pack_string(struct packer *p, const struct pl_place *at) {
  size_t len;
  const char *text = lua_tolstring(p->L, -1, &len);
  add_cost(p, at, STRING_COST + len);
  put_tag(p, PL_PARCEL_STRING);
  put_varint(p, len);
  put(p, text, len);
}

static void pack_other(struct packer *p, const struct pl_place *at) {
  if (lua_topointer(p->L, -1) == p->codec->null) {
    put_tag(p, PL_PARCEL_NULL);
    return;
  }
  bool has_name = luaL_getmetafield(p->L, -1, "__name") == LUA_TSTRING;
  lua_pushfstring(p->L, "a %s cannot be sent",
                  has_name ? lua_tostring(p->L, -1) : luaL_typename(p->L, -1));
  raise_at(p, at);
}

// ---- tables ----

// The key below the value on top.
static void pack_key(struct packer *p, const struct pl_place *at) {
  int type = lua_type(p->L, -2);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
    lua_pushfstring(p->L, "a %s as a key cannot be sent", luaL_typename(p->L, -2));
    raise_at(p, at->outer);
  }
  lua_pushvalue(p->L, -2);
  pack_value(p, at);
  lua_pop(p->L, 1);
}

// The tag of the table on top.
static enum pl_parcel_tag check_table(struct packer *p, const struct pl_place *at) {
  if (!lua_getmetatable(p->L, -1)) return PL_PARCEL_TABLE;
  bool is_list = lua_topointer(p->L, -1) == p->codec->array_metatable;
  lua_pop(p->L, 1);
  if (!is_list)
    refuse(p, at, "a table with a metatable cannot be sent: copy what it holds into a plain one");
  return PL_PARCEL_LIST;
}

static void check_depth(struct packer *p, const struct pl_place *at) {
  if (!at || at->depth < PL_PARCEL_DEPTH_MAX) return;
  const struct pl_place *cycle = pl_place_find_cycle(p->L, at);
  if (cycle) refuse(p, cycle, "a cycle: the table is inside itself");
  lua_pushfstring(p->L, "nested deeper than %d levels", PL_PARCEL_DEPTH_MAX);
  raise_at(p, at);
}

// The table on top, which stays there.
static void pack_table(struct packer *p, const struct pl_place *at) {
  lua_State *L = p->L;
  int table = lua_gettop(L);
  uint32_t counts[2] = {0, 0};  // leading values, pairs
  struct pl_place here = {at, lua_topointer(L, table), at ? at->depth + 1 : 1, table + 1};
  check_depth(p, at);
  luaL_checkstack(L, 6, "a message's value");
  put_tag(p, check_table(p, at));
  size_t counts_at = p->size;
  put(p, counts, sizeof counts);
  add_cost(p, at, TABLE_COST);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    add_cost(p, &here, VALUE_COST);
    bool is_next =
        !counts[1] && lua_isinteger(L, -2) && lua_tointeger(L, -2) == (lua_Integer)counts[0] + 1;
    counts[is_next ? 0 : 1]++;
    if (!is_next) pack_key(p, &here);
    pack_value(p, &here);
  }
  if (p->out) memcpy(p->out + counts_at, counts, sizeof counts);
}

// The value on top, which stays there.
static void pack_value(struct packer *p, const struct pl_place *at) {
  switch (lua_type(p->L, -1)) {
  case LUA_TNIL:
    put_tag(p, PL_PARCEL_NIL);
    break;
  case LUA_TBOOLEAN:
    put_tag(p, lua_toboolean(p->L, -1) ? PL_PARCEL_TRUE : PL_PARCEL_FALSE);
    break;
  case LUA_TNUMBER:
    pack_number(p);
    break;
  case LUA_TSTRING:
    pack_string(p, at);
    break;
  case LUA_TTABLE:
    pack_table(p, at);
    break;
  default:
    pack_other(p, at);
  }
}

// ---- parcels ----

static void free_parcel(struct pl_cell *cell) {
  pl_mem_free(PL_CONTAINER_OF(cell, struct pl_parcel, cell));
}

// A letter with an empty parcel of that size. Raises.
static struct pl_letter *new_parcel(lua_State *L, size_t size, const char *operation) {
  struct pl_hub_budget *budget = &pl_api_context(L)->hub->budget;
  size_t bytes = sizeof(struct pl_parcel) + size;
  if (!pl_hub_budget_take(budget, bytes))
    luaL_error(L,
               "%s: the messages that wait in channels and topics would hold more than "
               "limits.memory allows (%I bytes)",
               operation, (LUAI_UACINT)budget->limit);
  struct pl_parcel *parcel = pl_mem_alloc(bytes);
  if (!parcel) {
    pl_hub_budget_give(budget, bytes);
    luaL_error(L, "not enough memory");
  }
  parcel->size = size;
  pl_cell_init(&parcel->cell, budget, bytes, free_parcel);
  struct pl_letter *letter = pl_letter_new(&parcel->cell);
  if (letter) return letter;
  pl_cell_unref(&parcel->cell);
  luaL_error(L, "not enough memory");
  return NULL;
}

struct pl_letter *pl_parcel_pack(lua_State *L, int index, const char *operation) {
  index = lua_absindex(L, index);
  struct packer p = {.L = L, .operation = operation, .cost_max = pl_vm_of(L)->request_memory};
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  p.codec = pl_json_codec_push(L);  // stays on the stack: it anchors p.codec
  lua_pushvalue(L, index);
  pack_value(&p, NULL);
  struct pl_letter *letter = new_parcel(L, p.size, operation);
  p.out = PL_CONTAINER_OF(letter->cell, struct pl_parcel, cell)->data;
  p.size = p.cost = 0;
  pack_value(&p, NULL);
  lua_pop(L, 2);
  return letter;
}
