// The same walk twice: the first one checks and measures, the second one writes into a block of
// exactly that size. A finaliser that runs between them may change a table; the second walk then
// finds that it needs another size, and never writes beyond its own.
//
// Arrays move at the very end, when nothing else can fail.
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
#include "api/parcel_refs.h"
#include "api/place.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "geometry/layout.h"
#include "io/hub.h"
#include "runtime/state.h"
#include "structs/box.h"
#include "structs/operand.h"
#include "structs/type.h"

// Of Lua 5.4 on 64 bits, nearly: a value in a table, a table, a string.
enum { VALUE_COST = 16, TABLE_COST = 64, STRING_COST = 24, OBJECT_COST = 96 };

enum { COPY_ALIGN = 16 };

struct packer {
  lua_State *L;
  const char *operation;
  const struct pl_json_codec *codec;
  struct pl_parcel_refs refs;
  size_t size;            // of data, so far
  size_t copies;          // bytes of copied structs, so far
  size_t cost;            // for the receiver
  size_t cost_max;        // 0: any
  struct pl_parcel *out;  // NULL: the first walk
  bool has_changed;       // the second walk found something else
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
  if (p->out) {
    p->has_changed |= size > p->out->size - p->size;
    if (p->has_changed) return;
    memcpy(p->out->data + p->size, data, size);
  }
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

// ---- structs, arrays, bytes ----

// What was not there in the first walk has no number: 0.
static void put_layout(struct packer *p, const struct pl_layout *layout) {
  put_varint(p, pl_parcel_refs_layout(&p->refs, layout, !p->out));
}

// A struct, or an enum's value.
static void pack_copy(struct packer *p, const struct pl_operand *o, const struct pl_place *at) {
  size_t offset = p->copies, size = o->span.layout->size;
  add_cost(p, at, OBJECT_COST + size);
  p->copies += (size + COPY_ALIGN - 1) / COPY_ALIGN * COPY_ALIGN;
  put_tag(p, PL_PARCEL_VALUE);
  put_layout(p, o->span.layout);
  put_varint(p, offset);
  if (!p->out) return;
  struct pl_bytes *copies = p->out->copies;
  p->has_changed |= !copies || p->copies > copies->cap;
  if (!p->has_changed) pl_bytes_copy(copies->data + offset, o->span.data, size);
}

// The array or the bytes on top.
static void pack_shared(struct packer *p, const struct pl_operand *o, const struct pl_place *at) {
  struct pl_box *box = o->box;
  if (!box->is_frozen && !box->is_in_transit) {
    lua_pushfstring(p->L, "freeze(), move() or clone() it: %s is not copied",
                    o->is_bytes ? "bytes" : "an array");
    raise_at(p, at);
  }
  pl_operand_push_box(p->L, -1);
  uint32_t before = p->refs.box_count;
  uint32_t part = pl_parcel_refs_box(&p->refs, -1, box, !p->out);
  lua_pop(p->L, 1);
  if (p->refs.box_count > before) p->refs.bytes += box->size;
  add_cost(p, at, OBJECT_COST + (p->refs.box_count > before ? box->size : 0));
  put_tag(p, o->is_bytes ? PL_PARCEL_BYTES : PL_PARCEL_ARRAY);
  if (!o->is_bytes) put_layout(p, o->span.layout);
  put_varint(p, part);
  put_varint(p, (uint64_t)(o->span.data - box->data));
  put_varint(p, o->span.count);
  if (o->is_bytes) return;
  put_varint(p, o->span.stride);
  put_varint(p, o->span.column);
}

static void refuse_type(struct packer *p, const struct pl_place *at) {
  bool has_name = luaL_getmetafield(p->L, -1, "__name") == LUA_TSTRING;
  lua_pushfstring(p->L, "a %s cannot be sent",
                  has_name ? lua_tostring(p->L, -1) : luaL_typename(p->L, -1));
  raise_at(p, at);
}

static void pack_other(struct packer *p, const struct pl_place *at) {
  struct pl_operand o;
  if (lua_topointer(p->L, -1) == p->codec->null) {
    put_tag(p, PL_PARCEL_NULL);
    return;
  }
  if (!pl_vm_of(p->L)->structs || !pl_operand_get(p->L, -1, &o)) refuse_type(p, at);
  if (o.is_array || o.is_bytes)
    pack_shared(p, &o, at);
  else
    pack_copy(p, &o, at);
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
  if (p->out && !p->has_changed) memcpy(p->out->data + counts_at, counts, sizeof counts);
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
  struct pl_parcel *parcel = PL_CONTAINER_OF(cell, struct pl_parcel, cell);
  pl_bytes_unref(parcel->copies);
  for (uint32_t i = 0; i < parcel->part_count; i++) pl_bytes_unref(parcel->parts[i]);
  pl_mem_free(parcel);
}

static size_t block_bytes(const struct packer *p) {
  return sizeof(struct pl_parcel) + (p->refs.box_count + p->refs.layout_count) * sizeof(void *) +
         p->size;
}

// An empty parcel of the size that the first walk has found; without memory NULL.
static struct pl_parcel *new_parcel(const struct packer *p, struct pl_hub_budget *budget,
                                    size_t bytes) {
  struct pl_parcel *parcel = pl_mem_zalloc(block_bytes(p));
  if (!parcel) return NULL;
  pl_cell_init(&parcel->cell, budget, bytes, free_parcel);
  parcel->part_count = p->refs.box_count;
  parcel->layout_count = p->refs.layout_count;
  parcel->parts = (struct pl_bytes **)parcel->block;
  parcel->layouts = (const struct pl_layout **)(parcel->block + parcel->part_count);
  parcel->data = (char *)(parcel->block + parcel->part_count + parcel->layout_count);
  parcel->size = p->size;
  for (uint32_t i = 0; i < parcel->layout_count; i++)
    parcel->layouts[i] = pl_parcel_refs_layout_at(&p->refs, i + 1);
  if (!p->copies) return parcel;
  parcel->copies = pl_bytes_new_empty(p->copies);
  if (parcel->copies) return parcel;
  pl_mem_free(parcel);
  return NULL;
}

static struct pl_letter *new_letter(const struct packer *p) {
  struct pl_hub_budget *budget = &pl_api_context(p->L)->hub->budget;
  size_t bytes = block_bytes(p) + p->copies + p->refs.bytes;
  if (!pl_hub_budget_take(budget, bytes))
    luaL_error(p->L,
               "%s: the messages that wait in channels and topics would hold more than "
               "limits.memory allows (%I bytes)",
               p->operation, (LUAI_UACINT)budget->limit);
  struct pl_parcel *parcel = new_parcel(p, budget, bytes);
  if (!parcel) {
    pl_hub_budget_give(budget, bytes);
    luaL_error(p->L, "not enough memory");
  }
  struct pl_letter *letter = pl_letter_new(&parcel->cell);
  if (letter) return letter;
  pl_cell_unref(&parcel->cell);
  luaL_error(p->L, "not enough memory");
  return NULL;
}

// The second walk. The value is on top of the stack.
static void fill(struct packer *p, struct pl_parcel *parcel) {
  size_t copies = p->copies;
  p->out = parcel;
  p->size = p->copies = p->cost = 0;
  pack_value(p, NULL);
  if (p->has_changed || p->size != parcel->size || p->copies != copies)
    luaL_error(p->L, "%s: a finaliser has changed the message while it was sent", p->operation);
  if (copies) pl_bytes_grew(parcel->copies, copies);
}

static void move_parts(struct packer *p, struct pl_parcel *parcel, bool for_many) {
  for (uint32_t i = 0; i < parcel->part_count; i++) {
    struct pl_box *box = pl_parcel_refs_box_at(p->L, p->refs.index, i + 1);
    parcel->parts[i] = box->is_frozen ? pl_box_share(p->L, box) : pl_box_move(p->L, box);
    if (for_many) parcel->parts[i]->is_frozen = true;
  }
  if (for_many && parcel->copies) parcel->copies->is_frozen = true;
}

void pl_parcel_pack(lua_State *L, int index, const char *operation, bool for_many,
                    struct pl_letter **letter) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushnil(L);
  struct packer p = {.L = L,
                     .operation = operation,
                     .refs = {.L = L, .index = lua_gettop(L)},
                     .cost_max = pl_vm_of(L)->request_memory};
  p.codec = pl_json_codec_push(L);  // stays on the stack: it anchors p.codec
  lua_pushvalue(L, index);
  pack_value(&p, NULL);
  *letter = new_letter(&p);
  struct pl_parcel *parcel = PL_CONTAINER_OF((*letter)->cell, struct pl_parcel, cell);
  fill(&p, parcel);
  move_parts(&p, parcel, for_many);
  lua_settop(L, p.refs.index);
}

void pl_parcel_restore(lua_State *L, int index, struct pl_cell *cell) {
  struct pl_parcel *parcel = PL_CONTAINER_OF(cell, struct pl_parcel, cell);
  index = lua_absindex(L, index);
  for (uint32_t i = 0; i < parcel->part_count; i++) {
    struct pl_box *box = pl_parcel_refs_box_at(L, index, i + 1);
    if (box->data || !parcel->parts[i]) continue;
    pl_box_restore(L, box, parcel->parts[i]);
    parcel->parts[i] = NULL;
  }
}
