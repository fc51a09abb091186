// Plans are in a table of the registry, by the two types' numbers; `false` for types that do not
// convert. What lies over the bytes that are written is copied first, as if it was read at once.
#include "structs/conversion.h"

#include <lauxlib.h>
#include <string.h>

#include "base/error.h"
#include "geometry/feed.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/element.h"
#include "structs/offload.h"
#include "structs/operand.h"
#include "structs/overlap.h"
#include "structs/scalars.h"
#include "structs/type.h"

enum { MESSAGE_MAX = 512 };

// ---- plans ----

static const char plans_key;

static int free_plan(lua_State *L) {
  struct pl_convert **plan = lua_touserdata(L, 1);
  pl_convert_unref(*plan);
  *plan = NULL;
  return 0;
}

static struct pl_convert **push_holder(lua_State *L) {
  struct pl_convert **plan = lua_newuserdatauv(L, sizeof *plan, 0);
  *plan = NULL;
  if (luaL_newmetatable(L, "perilune.conversion")) {
    lua_pushcfunction(L, free_plan);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return plan;
}

static void push_plans(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &plans_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &plans_key);
}

/* stack: the plans. Pushes the new one, or false. */
static struct pl_convert *make_plan(lua_State *L, const struct pl_layout *to,
                                    const struct pl_layout *from) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_convert **plan = push_holder(L);
  int err = pl_convert_new(to, from, plan, problem);
  if (err == PL_ENOMEM) luaL_error(L, "not enough memory");
  struct pl_convert *made = err ? NULL : *plan;
  if (err) {
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
  }
  return made;
}

// Returns: NULL: they do not convert.
static struct pl_convert *find_plan(lua_State *L, const struct pl_layout *to,
                                    const struct pl_layout *from) {
  lua_Integer pair = (lua_Integer)to->id << 16 | from->id;
  luaL_checkstack(L, 6, NULL);
  push_plans(L);
  int kind = lua_rawgeti(L, -1, pair);
  struct pl_convert *plan = NULL;
  if (kind == LUA_TUSERDATA) plan = *(struct pl_convert **)lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (kind == LUA_TNIL) {
    plan = make_plan(L, to, from);
    lua_rawseti(L, -2, pair);
  }
  lua_pop(L, 1);
  return plan;
}

static int raise_no_plan(lua_State *L, int index, const struct pl_layout *to,
                         const struct pl_layout *from) {
  char problem[PL_LAYOUT_PROBLEM_MAX] = "";
  struct pl_convert *plan = NULL;
  if (pl_convert_new(to, from, &plan, problem) == 0) pl_convert_unref(plan);
  return luaL_argerror(L, index, problem);
}

static const char *explain(char message[MESSAGE_MAX], const struct pl_convert_failure *f) {
  return pl_codec_explain(message, MESSAGE_MAX, f->problem, f->owner, f->field, f->type, &f->value);
}

// ---- single values ----

struct pl_convert *pl_conversion_of_value(lua_State *L, int index, const struct pl_layout *to) {
  struct pl_operand o;
  if (lua_type(L, index) != LUA_TUSERDATA || !pl_operand_get(L, index, &o)) return NULL;
  if (!o.type || o.is_array || o.span.layout->kind != PL_LAYOUT_STRUCT) return NULL;
  if (pl_layout_is_a(o.span.layout, to)) return NULL;
  return find_plan(L, to, o.span.layout);
}

void pl_conversion_run(lua_State *L, int index, const struct pl_convert *plan, char *to) {
  struct pl_operand o;
  struct pl_convert_failure failure;
  char message[MESSAGE_MAX];
  pl_operand_get(L, index, &o);
  if (pl_convert_run(plan, to, o.span.data, &failure) == 0) return;
  luaL_error(L, "%s", explain(message, &failure));
}

// ---- arrays: what runs, on any thread ----

struct convert_work {
  struct pl_work work;
  struct pl_convert *plan;  // NULL: elements of one layout
  bool is_held;             // plan is a reference of its own
  struct pl_span to;
  struct pl_span from;
  int result;     // on the stack
  size_t failed;  // the element that does not fit, from 1; 0: none
  struct pl_convert_failure failure;
};

static void copy_range(const struct convert_work *w, size_t first, size_t count) {
  if (pl_span_is_dense(&w->to) && pl_span_is_dense(&w->from))
    pl_bytes_copy(pl_span_at(&w->to, first), pl_span_at(&w->from, first), count * w->to.stride);
  else
    pl_feed_copy(&w->to, &w->from, first, count);
}

// Into a copy: an element is converted wholly or not at all, and what lies between its fields
// stays.
static bool convert_one(struct convert_work *w, size_t i, char *target, char *source) {
  const char *from = source;
  if (w->from.column)
    pl_element_load(&w->from, i, source);
  else
    from = pl_span_at(&w->from, i);
  pl_element_load(&w->to, i, target);
  if (pl_convert_run(w->plan, target, from, &w->failure)) return false;
  pl_element_save(&w->to, i, target);
  return true;
}

static void run_convert(struct pl_work *work, size_t first, size_t count) {
  struct convert_work *w = PL_CONTAINER_OF(work, struct convert_work, work);
  char target[PL_STRUCT_BYTES_MAX], source[PL_STRUCT_BYTES_MAX];
  if (!w->plan) {
    copy_range(w, first, count);
    return;
  }
  for (size_t i = first; !w->failed && i < first + count; i++)
    if (!convert_one(w, i, target, source)) w->failed = i + 1;
}

static void hold_plan(struct pl_work *work) {
  struct convert_work *w = PL_CONTAINER_OF(work, struct convert_work, work);
  w->is_held = w->plan != NULL;
  if (w->plan) pl_convert_ref(w->plan);
}

static void drop_plan(struct pl_work *work) {
  struct convert_work *w = PL_CONTAINER_OF(work, struct convert_work, work);
  if (w->is_held) pl_convert_unref(w->plan);
}

static int finish_convert(lua_State *L, struct pl_work *work) {
  struct convert_work *w = PL_CONTAINER_OF(work, struct convert_work, work);
  char message[MESSAGE_MAX];
  drop_plan(work);
  if (w->failed)
    return luaL_error(L, "element %I: %s", (lua_Integer)w->failed, explain(message, &w->failure));
  lua_pushvalue(L, w->result);
  return 1;
}

// ---- arrays: the call ----

// Elements a millisecond, a lower bound.
static size_t rate_of(const struct convert_work *w) {
  enum { BYTES = 1 << 19, SCALARS = 5000 };
  return w->plan ? SCALARS / pl_scalars_count(w->to.layout) + 1 : BYTES / w->to.layout->size + 1;
}

// A copy of the array at `index`, on top of the stack.
static void push_copy(lua_State *L, int index, struct pl_operand *from) {
  const struct pl_layout *layout = from->span.layout;
  struct pl_span copy = pl_array_push_new(L, pl_type_of(L, layout), from->span.count);
  pl_operand_get(L, index, from);
  from->span.layout = layout;
  pl_feed_copy(&copy, &from->span, 0, copy.count);
  pl_operand_get(L, -1, from);
}

// Elements of a derived type are taken as those of `to`.
static void take_arrays(lua_State *L, int to_index, int from_index, struct pl_operand *to,
                        struct pl_operand *from) {
  pl_operand_get_writable(L, to_index, to);
  pl_operand_get(L, from_index, from);
  if (pl_layout_is_a(from->span.layout, to->span.layout)) from->span.layout = to->span.layout;
}

int pl_conversion_call(lua_State *L, int to_index, int from_index) {
  struct pl_operand to, from;
  struct convert_work w = {.work = {.name = "array.copy",
                                    .size = sizeof w,
                                    .run = run_convert,
                                    .hold = hold_plan,
                                    .drop = drop_plan,
                                    .finish = finish_convert},
                           .result = to_index};
  take_arrays(L, to_index, from_index, &to, &from);
  const struct pl_layout *layout = to.span.layout, *source = from.span.layout;
  if (layout != source) {
    w.plan = find_plan(L, layout, source);
    if (!w.plan) return raise_no_plan(L, from_index, layout, source);
    take_arrays(L, to_index, from_index, &to, &from);
  }
  bool is_same = pl_span_is_same(&to.span, &from.span);
  if (!is_same && pl_span_overlaps(&to.span, &from.span)) {
    push_copy(L, from_index, &from);
    pl_operand_get_writable(L, to_index, &to);
  }
  w.to = to.span;
  w.from = from.span;
  w.work.count = is_same && !w.plan ? 0 : to.span.count;
  w.work.rate = rate_of(&w);
  w.work.bytes[0] = to.box->bytes;
  w.work.bytes[1] = from.box->bytes;
  return pl_offload(L, &w.work);
}
