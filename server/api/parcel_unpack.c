// Reads what parcel_pack.c has written in this process: nothing in it can be wrong.
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/json_codec.h"
#include "api/parcel.h"
#include "api/parcel_form.h"

struct unpacker {
  lua_State *L;
  const char *next;
};

static void push_value(struct unpacker *u);

static void get(struct unpacker *u, void *data, size_t size) {
  memcpy(data, u->next, size);
  u->next += size;
}

static uint64_t get_varint(struct unpacker *u) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    unsigned char byte = (unsigned char)*u->next++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

static void push_integer(struct unpacker *u) {
  uint64_t zigzag = get_varint(u);
  lua_pushinteger(u->L, (lua_Integer)(zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0)));
}

static void push_float(struct unpacker *u) {
  double value;
  get(u, &value, sizeof value);
  lua_pushnumber(u->L, value);
}

static void push_string(struct unpacker *u) {
  size_t len = (size_t)get_varint(u);
  lua_pushlstring(u->L, u->next, len);
  u->next += len;
}

static void push_table(struct unpacker *u) {
  uint32_t counts[2];
  get(u, counts, sizeof counts);
  luaL_checkstack(u->L, 6, "a message's value");
  lua_createtable(u->L, (int)counts[0], (int)counts[1]);
  for (uint32_t i = 1; i <= counts[0]; i++) {
    push_value(u);
    lua_rawseti(u->L, -2, (lua_Integer)i);
  }
  for (uint32_t i = 0; i < counts[1]; i++) {
    push_value(u);
    push_value(u);
    lua_rawset(u->L, -3);
  }
}

static void push_list(struct unpacker *u) {
  push_table(u);
  pl_json_push_array_metatable(u->L);
  lua_setmetatable(u->L, -2);
}

static void push_value(struct unpacker *u) {
  switch ((enum pl_parcel_tag) * u->next++) {
  case PL_PARCEL_NIL:
    lua_pushnil(u->L);
    break;
  case PL_PARCEL_FALSE:
    lua_pushboolean(u->L, false);
    break;
  case PL_PARCEL_TRUE:
    lua_pushboolean(u->L, true);
    break;
  case PL_PARCEL_INTEGER:
    push_integer(u);
    break;
  case PL_PARCEL_FLOAT:
    push_float(u);
    break;
  case PL_PARCEL_STRING:
    push_string(u);
    break;
  case PL_PARCEL_TABLE:
    push_table(u);
    break;
  case PL_PARCEL_LIST:
    push_list(u);
    break;
  case PL_PARCEL_NULL:
    pl_json_push_null(u->L);
    break;
  }
}

void pl_parcel_unpack(lua_State *L, const struct pl_cell *cell) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  struct unpacker u = {L, PL_CONTAINER_OF(cell, const struct pl_parcel, cell)->data};
  push_value(&u);
}
