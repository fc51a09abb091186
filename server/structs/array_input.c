// Values are small: what is larger than a built-in struct has no verbs but arithmetic.
#include "structs/array_input.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "structs/field.h"
#include "structs/operand.h"

static const struct pl_layout *narrowed(const struct pl_layout *layout) {
  for (const struct pl_layout *at = layout; at; at = at->base)
    if (at->builtin) return at;
  return layout;
}

static void set_value(struct pl_array_input *in, const struct pl_layout *layout) {
  in->kind = PL_ARRAY_INPUT_VALUE;
  in->span = (struct pl_span){.count = 1, .layout = layout};
}

static void take_value(lua_State *L, struct pl_array_input *in, const struct pl_operand *o) {
  const struct pl_layout *layout = narrowed(o->span.layout);
  if (layout->size > PL_ARRAY_INPUT_BYTES)
    luaL_argerror(L, in->index, "as one value for all elements this struct is too large");
  memcpy(in->bytes, o->span.data, layout->size);
  set_value(in, layout);
}

static void take_number(lua_State *L, struct pl_array_input *in) {
  in->number = lua_tonumber(L, in->index);
  in->is_integer = lua_isinteger(L, in->index);
  if (in->is_integer) in->integer = lua_tointeger(L, in->index);
}

void pl_array_input_take(lua_State *L, int index, struct pl_array_input *in) {
  struct pl_operand o;
  int type = lua_type(L, index);
  in->span = (struct pl_span){0};
  in->number = NAN;
  in->index = index;
  in->kind = PL_ARRAY_INPUT_NUMBER;
  in->is_integer = false;
  if (type == LUA_TNUMBER) {
    take_number(L, in);
  } else if (type == LUA_TNIL) {
    in->kind = PL_ARRAY_INPUT_NONE;
  } else if (type == LUA_TTABLE) {
    in->kind = PL_ARRAY_INPUT_TABLE;
  } else if (!pl_operand_get(L, index, &o) || !o.type) {
    luaL_typeerror(L, index, "array, struct, table or number");
  } else if (o.is_array) {
    in->kind = PL_ARRAY_INPUT_ARRAY;
    in->span = o.span;
    in->span.layout = narrowed(o.span.layout);
  } else {
    take_value(L, in, &o);
  }
}

void pl_array_input_read_table(lua_State *L, struct pl_array_input *in,
                               const struct pl_layout *layout) {
  if (layout->size > PL_ARRAY_INPUT_BYTES)
    luaL_argerror(L, in->index, "as one value for all elements this struct is too large");
  memset(in->bytes, 0, sizeof in->bytes);
  pl_field_store_struct(L, in->index, layout, in->bytes);
  set_value(in, layout);
}

bool pl_array_input_spread(lua_State *L, struct pl_array_input *in,
                           const struct pl_layout *layout) {
  if (layout->part == PL_SCALAR_NONE || layout->size > PL_ARRAY_INPUT_BYTES) return false;
  const struct pl_layout *part = pl_layout_scalar((enum pl_scalar)layout->part);
  for (uint32_t i = 0; i < layout->part_count; i++)
    pl_field_store_scalar(L, in->index, part, in->bytes + i * part->size, layout->name.data);
  set_value(in, layout);
  return true;
}

void pl_array_input_keep_large(struct pl_array_input *in, const struct pl_layout *layout) {
  const lua_Integer most = (lua_Integer)1 << 53;
  bool is_large = in->is_integer && (in->integer > most || in->integer < -most);
  if (!is_large || (in->integer < 0 && layout->scalar == PL_SCALAR_U64)) return;
  memcpy(in->bytes, &in->integer, sizeof in->integer);
  set_value(in, layout);
}

struct pl_span pl_array_input_span(struct pl_array_input *in) {
  struct pl_span span = in->span;
  if (in->kind == PL_ARRAY_INPUT_VALUE) span.data = in->bytes;
  return span;
}
