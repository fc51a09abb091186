// What these write depends on what they have found before, so they are not cut: a long one runs on
// the thread pool in one piece. Their destination may not share bytes with what they read.
#include "structs/array_select.h"

#include <lauxlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "geometry/kernels_select.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/nearest_object.h"
#include "structs/offload.h"
#include "structs/operand.h"
#include "structs/overlap.h"
#include "structs/query_call.h"
#include "structs/type.h"

/// A call that is done in one go: dst from self and other.
struct whole {
  struct pl_work work;
  void (*run)(struct whole *whole);
  struct pl_span dst;
  struct pl_span self;
  struct pl_span other;
  struct pl_query_dst result;  // on the stack
  int rc;
};

static void run_whole(struct pl_work *work, size_t first, size_t count) {
  struct whole *whole = PL_CONTAINER_OF(work, struct whole, work);
  (void)count;
  if (first == 0) whole->run(whole);
}

static int finish_whole(lua_State *L, struct pl_work *work) {
  const struct whole *whole = PL_CONTAINER_OF(work, struct whole, work);
  if (whole->rc) return luaL_error(L, "%s: not enough memory", work->name);
  pl_query_call_done(L, &whole->result);
  lua_settop(L, whole->result.index);
  return 1;
}

// @param a, b, c the operands whose bytes it uses
static int call_whole(lua_State *L, struct whole *whole, const char *name,
                      const struct pl_operand *a, const struct pl_operand *b,
                      const struct pl_operand *c) {
  enum { RATE = 20000 };  // elements a millisecond, at least
  whole->work = (struct pl_work){.name = name,
                                 .size = sizeof *whole,
                                 .count = whole->other.count,
                                 .rate = RATE,
                                 .run = run_whole,
                                 .finish = finish_whole};
  const struct pl_operand *operands[] = {a, b, c};
  for (size_t i = 0; i < PL_ARRAY_LEN(operands); i++)
    if (operands[i]->box) whole->work.bytes[i] = operands[i]->box->bytes;
  pl_query_call_pin(L, &whole->result, &whole->work.bytes[PL_ARRAY_LEN(operands)]);
  return pl_offload(L, &whole->work);
}

static void take_array(lua_State *L, int index, struct pl_operand *o) {
  if (!pl_operand_get(L, index, o) || !o->is_array) luaL_typeerror(L, index, "array");
}

static void take_scalars(lua_State *L, int index, enum pl_scalar a, enum pl_scalar b,
                         struct pl_operand *o) {
  take_array(L, index, o);
  const struct pl_layout *layout = o->span.layout;
  if (layout->kind != PL_LAYOUT_SCALAR || (layout->scalar != a && layout->scalar != b))
    luaL_argerror(L, index,
                  lua_pushfstring(L, "a %s[] is expected, not a %s[]", pl_scalar_name(a).data,
                                  layout->name.data));
}

static void take_mask(lua_State *L, int index, struct pl_operand *o) {
  take_scalars(L, index, PL_SCALAR_U8, PL_SCALAR_BOOL, o);
}

static void check_count(lua_State *L, int index, size_t count, size_t wanted) {
  if (count != wanted)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%I elements where %I are needed", (lua_Integer)count,
                                  (lua_Integer)wanted));
}

// A finaliser that ran while dst was made may have written the mask.
static void check_mask(lua_State *L, int index, const struct pl_operand *mask, size_t count) {
  if (pl_mask_count(&mask->span) != count)
    luaL_argerror(L, index, "the mask was changed while the call began");
}

static const int mask_used[] = {1, 0};
static const int both_used[] = {1, 2, 0};

// dst at 3, then where all three are.
static struct pl_query_dst take_dst(lua_State *L, size_t count, struct pl_operand *self,
                                    struct pl_operand *other, struct pl_operand *dst) {
  struct pl_query_dst to = pl_query_call_dst(L, 3, self->span.layout, count, both_used);
  pl_query_call_see(L, 1, self);
  pl_query_call_see(L, 2, other);
  pl_query_call_see(L, to.written, dst);
  return to;
}

static void run_indices(struct whole *w) {
  pl_mask_indices(&w->dst, &w->other);
}

/* mask:indices([dst]) -> u32[] of the places of those that are true */
static int mask_indices(lua_State *L) {
  struct pl_operand mask, dst;
  lua_settop(L, 2);
  take_mask(L, 1, &mask);
  const struct pl_layout *u32 = pl_layout_scalar(PL_SCALAR_U32);
  size_t count = pl_mask_count(&mask.span);
  struct pl_query_dst to = pl_query_call_dst(L, 2, u32, count, mask_used);
  pl_query_call_see(L, 1, &mask);
  pl_query_call_see(L, to.written, &dst);
  check_mask(L, 1, &mask, count);
  struct whole whole = {.run = run_indices, .dst = dst.span, .other = mask.span, .result = to};
  return call_whole(L, &whole, "mask.indices", &mask, &mask, &dst);
}

static void run_pick(struct whole *w) {
  pl_kernel_select(&w->dst, &w->self, &w->other);
}

/* arr:select(mask [, dst]) -> the elements where the mask is true */
static int array_pick(lua_State *L) {
  struct pl_operand self, mask, dst;
  lua_settop(L, 3);
  take_array(L, 1, &self);
  take_mask(L, 2, &mask);
  check_count(L, 2, mask.span.count, self.span.count);
  size_t count = pl_mask_count(&mask.span);
  struct pl_query_dst to = take_dst(L, count, &self, &mask, &dst);
  check_mask(L, 2, &mask, count);
  struct whole whole = {
      .run = run_pick, .dst = dst.span, .self = self.span, .other = mask.span, .result = to};
  return call_whole(L, &whole, "array.select", &self, &mask, &dst);
}

static void take_indices(lua_State *L, int index, size_t count, struct pl_operand *o) {
  take_scalars(L, index, PL_SCALAR_U32, PL_SCALAR_U32, o);
  size_t place = pl_indices_check(&o->span, count);
  if (!place) return;
  uint32_t wrong;
  memcpy(&wrong, pl_span_at(&o->span, place - 1), sizeof wrong);
  luaL_argerror(L, index,
                lua_pushfstring(L, "element %I is %I: indices are 1 to %I, or 0 for none",
                                (lua_Integer)place, (lua_Integer)wrong, (lua_Integer)count));
}

static void run_gather(struct whole *w) {
  pl_kernel_gather(&w->dst, &w->self, &w->other);
}

/* arr:gather(indices [, dst]) -> the elements at those places; 0 gives zeros */
static int array_gather(lua_State *L) {
  struct pl_operand self, indices, dst;
  lua_settop(L, 3);
  take_array(L, 1, &self);
  take_indices(L, 2, self.span.count, &indices);
  struct pl_query_dst to = take_dst(L, indices.span.count, &self, &indices, &dst);
  take_indices(L, 2, self.span.count, &indices);
  struct whole whole = {
      .run = run_gather, .dst = dst.span, .self = self.span, .other = indices.span, .result = to};
  return call_whole(L, &whole, "array.gather", &self, &indices, &dst);
}

static void run_scatter(struct whole *w) {
  pl_kernel_scatter(&w->dst, &w->self, &w->other);
}

// The value may lie inside a Lua object, which the thread pool must not look into: it runs here.
static int scatter_one(lua_State *L, const struct pl_operand *self, struct pl_operand *value,
                       const struct pl_operand *indices) {
  value->span.stride = 0;
  pl_kernel_scatter(&self->span, &value->span, &indices->span);
  lua_settop(L, 1);
  return 1;
}

/* arr:scatter(indices, values) -> arr, with those values at those places */
static int array_scatter(lua_State *L) {
  struct pl_operand self, indices, values;
  lua_settop(L, 3);
  if (!pl_operand_get_writable(L, 1, &self) || !self.is_array) luaL_typeerror(L, 1, "array");
  take_indices(L, 2, self.span.count, &indices);
  if (!pl_operand_get(L, 3, &values) || values.is_bytes ||
      !pl_layout_is_a(values.span.layout, self.span.layout))
    luaL_argerror(
        L, 3,
        lua_pushfstring(L, "a %s or an array of them is expected", self.span.layout->name.data));
  if (values.is_array) check_count(L, 3, values.span.count, indices.span.count);
  values.span.layout = self.span.layout;
  if (pl_span_overlaps(&self.span, &indices.span) || pl_span_overlaps(&self.span, &values.span))
    luaL_argerror(L, 1, "the indices or values lie in the array that is written: clone() them");
  if (!values.is_array) return scatter_one(L, &self, &values, &indices);
  struct whole whole = {.run = run_scatter,
                        .dst = self.span,
                        .self = values.span,
                        .other = indices.span,
                        .result = {1, 1}};
  return call_whole(L, &whole, "array.scatter", &self, &values, &indices);
}

static void run_sort(struct whole *w) {
  size_t count = w->other.count;
  uint32_t *order = pl_mem_alloc(count * sizeof *order);
  void *room = pl_mem_alloc(pl_sort_room(count));
  struct pl_span places = {.data = (char *)order,
                           .count = count,
                           .stride = sizeof *order,
                           .layout = pl_layout_scalar(PL_SCALAR_U32)};
  w->rc = order && room ? pl_sort_order(&places, &w->other, room) : PL_ENOMEM;
  if (w->rc == 0) pl_kernel_gather(&w->dst, &w->self, &places);
  pl_mem_free(room);
  pl_mem_free(order);
}

static void check_keys(lua_State *L, int index, const struct pl_operand *keys) {
  const struct pl_layout *layout = keys->span.layout;
  bool is_number = layout->kind == PL_LAYOUT_SCALAR && layout->scalar != PL_SCALAR_DEC128;
  if (!is_number || keys->span.count > UINT32_MAX)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "a %s[] of %I gives no order: up to 2^32 numbers do",
                                  layout->name.data, (lua_Integer)keys->span.count));
}

/* arr:sort_by(keys [, dst]) -> the elements in rising order of their keys */
static int array_sort_by(lua_State *L) {
  struct pl_operand self, keys, dst;
  lua_settop(L, 3);
  take_array(L, 1, &self);
  take_array(L, 2, &keys);
  check_keys(L, 2, &keys);
  check_count(L, 2, keys.span.count, self.span.count);
  struct pl_query_dst to = take_dst(L, self.span.count, &self, &keys, &dst);
  struct whole whole = {
      .run = run_sort, .dst = dst.span, .self = self.span, .other = keys.span, .result = to};
  return call_whole(L, &whole, "array.sort_by", &self, &keys, &dst);
}

static const luaL_Reg methods[] = {{"indices", mask_indices},
                                   {"select", array_pick},
                                   {"gather", array_gather},
                                   {"scatter", array_scatter},
                                   {"sort_by", array_sort_by},
                                   {"nearest", pl_nearest_object_call},
                                   {NULL, NULL}};

void pl_array_select_fill(lua_State *L, struct pl_type *type) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array_methods);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}
