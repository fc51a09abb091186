// The arguments are told apart by their number: a verb takes a fixed count of operands, and one
// more is dst. What a call needs on the thread pool is in its struct pl_work by value; operands
// that are no arrays are copied into it, since a script could change them meanwhile.
#include "structs/array_op.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "geometry/kernels.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/element.h"
#include "structs/field.h"
#include "structs/offload.h"
#include "structs/operand.h"
#include "structs/overload.h"
#include "structs/type.h"
#include "structs/value.h"
#include "structs/zones_object.h"

enum { INPUTS_MAX = 4, INLINE_BYTES = 128, ELEMENT_BYTES = 128 };

/// One operand: an array, a struct for all elements, or a number (no layout).
struct input {
  struct pl_span span;
  double number;
  char bytes[INLINE_BYTES];  ///< of a struct for all elements
  bool is_inline;
};

struct array_work {
  struct pl_work work;
  const struct pl_kernel *kernel;      ///< or NULL:
  const struct pl_overload *overload;  ///< for each element
  struct input inputs[INPUTS_MAX];
  size_t input_count;
  struct pl_span dst;
  int dst_index;   ///< on the stack: what is returned; 0: a reduction
  int copy_index;  ///< on the stack: where the result is copied to from dst at the end; 0: nowhere
  struct pl_partial partial;
};

// ---- operands ----

static void take_input(lua_State *L, int index, struct array_work *w, struct input *in) {
  struct pl_operand o;
  *in = (struct input){.number = NAN};
  if (lua_type(L, index) == LUA_TNUMBER) {
    in->number = lua_tonumber(L, index);
    return;
  }
  if (!pl_operand_get(L, index, &o) || !o.type) luaL_typeerror(L, index, "array, struct or number");
  in->span = o.span;
  if (o.is_array) {
    w->work.bytes[index - 1] = o.box->bytes;
    return;
  }
  if (o.span.layout->size > INLINE_BYTES)
    luaL_argerror(L, index, "as one value for all elements this struct is too large");
  memcpy(in->bytes, o.span.data, o.span.layout->size);
  in->is_inline = true;
  in->span.stride = 0;
}

static bool is_array(const struct input *in) {
  return in->span.layout && !in->is_inline;
}

// The number of elements of all arrays among the operands.
static size_t check_counts(lua_State *L, const struct array_work *w) {
  size_t count = SIZE_MAX;
  for (size_t i = 0; i < w->input_count; i++) {
    if (!is_array(&w->inputs[i])) continue;
    size_t own = w->inputs[i].span.count;
    if (count != SIZE_MAX && own != count)
      luaL_argerror(L, (int)i + 1,
                    lua_pushfstring(L, "%I elements where the others have %I", (lua_Integer)own,
                                    (lua_Integer)count));
    count = own;
  }
  return count;
}

// Where a span's bytes are now: those of a value for all are in the work itself, wherever that is.
static struct pl_span span_of(struct input *in) {
  struct pl_span span = in->span;
  if (in->is_inline) span.data = in->bytes;
  return span;
}

// ---- what runs, on any thread ----

static void fill_operands(struct array_work *w, struct pl_kernel_operand *operands) {
  for (size_t i = 1; i < w->input_count; i++)
    operands[i - 1] =
        (struct pl_kernel_operand){.span = span_of(&w->inputs[i]), .number = w->inputs[i].number};
}

static void run_kernel(struct pl_work *work, size_t first, size_t count) {
  struct array_work *w = PL_CONTAINER_OF(work, struct array_work, work);
  struct pl_kernel_operand operands[INPUTS_MAX];
  fill_operands(w, operands);
  if (w->dst_index)
    pl_kernel_run(w->kernel, &w->dst, &w->inputs[0].span, operands, first, count);
  else
    pl_kernel_reduce(w->kernel, &w->partial, &w->inputs[0].span, first, count);
}

static void store_number(const struct pl_span *dst, size_t i, double number) {
  char *at = pl_span_at(dst, i);
  if (dst->layout->scalar == PL_SCALAR_F64) {
    memcpy(at, &number, sizeof number);
  } else if (dst->layout->scalar == PL_SCALAR_F32) {
    float rounded = (float)number;
    memcpy(at, &rounded, sizeof rounded);
  } else {
    *at = number != 0;
  }
}

static void run_one(struct array_work *w, size_t i) {
  char elements[INPUTS_MAX][ELEMENT_BYTES], result[ELEMENT_BYTES];
  union pl_slot in[PL_OP_OPERANDS_MAX], out[PL_OP_RESULTS_MAX];
  for (size_t k = 0; k < w->overload->signature.operand_count; k++) {
    struct pl_span span = k < w->input_count ? span_of(&w->inputs[k]) : (struct pl_span){0};
    if (!span.layout) {
      in[k].number = k < w->input_count ? w->inputs[k].number : NAN;
      continue;
    }
    pl_element_load(&span, i, elements[k]);
    in[k].at = elements[k];
  }
  bool is_struct = w->overload->signature.struct_results > 0;
  if (is_struct) out[0].at = result;
  w->overload->op->run(out, in);
  if (is_struct)
    pl_element_save(&w->dst, i, result);
  else
    store_number(&w->dst, i, out[0].number);
}

static void run_each(struct pl_work *work, size_t first, size_t count) {
  struct array_work *w = PL_CONTAINER_OF(work, struct array_work, work);
  for (size_t i = first; i < first + count; i++) run_one(w, i);
}

// ---- results ----

static int finish_array(lua_State *L, struct pl_work *work) {
  const struct array_work *w = PL_CONTAINER_OF(work, struct array_work, work);
  lua_pushvalue(L, w->dst_index);
  if (!w->copy_index) return 1;
  struct pl_operand to;
  pl_operand_get_writable(L, w->copy_index, &to);
  char element[PL_STRUCT_BYTES_MAX];
  for (size_t i = 0; i < to.span.count; i++) {
    pl_element_load(&w->dst, i, element);
    pl_element_save(&to.span, i, element);
  }
  lua_pushvalue(L, w->copy_index);
  return 1;
}

static int finish_reduction(lua_State *L, struct pl_work *work) {
  const struct array_work *w = PL_CONTAINER_OF(work, struct array_work, work);
  const struct pl_layout *self = w->inputs[0].span.layout;
  const struct pl_layout *layout = pl_kernel_reduced(w->kernel, self);
  char result[ELEMENT_BYTES];
  pl_kernel_finish(w->kernel, self, &w->partial, result);
  if (layout->kind == PL_LAYOUT_STRUCT)
    memcpy(pl_value_push_new(L, pl_type_of(L, layout)), result, layout->size);
  else
    pl_field_push_scalar(L, layout, result);
  return 1;
}

static bool overlaps(const struct pl_operand *dst, const struct array_work *w) {
  for (size_t i = 0; i < w->input_count; i++) {
    const struct pl_span *in = &w->inputs[i].span, *to = &dst->span;
    if (!is_array(&w->inputs[i]) || w->work.bytes[i] != dst->box->bytes) continue;
    bool is_same = in->data == to->data && in->stride == to->stride && in->column == to->column;
    if (!is_same || in->layout->size != to->layout->size) return true;
  }
  return false;
}

// stack: what the call was made with. Sets w->dst, and where on the stack that is.
static void set_dst(lua_State *L, struct array_work *w, int index, const struct pl_layout *layout) {
  struct pl_operand dst;
  w->dst_index = index;
  if (lua_isnoneornil(L, index)) {
    lua_settop(L, index - 1);
    w->dst = pl_array_push_new(L, pl_type_of(L, layout), w->work.count);
    w->work.bytes[w->input_count] = ((struct pl_array *)lua_touserdata(L, -1))->box->bytes;
    return;
  }
  if (!pl_operand_get_writable(L, index, &dst) || !dst.is_array || dst.span.layout != layout)
    luaL_argerror(L, index, lua_pushfstring(L, "dst must be a %s[]", layout->name.data));
  if (dst.span.count != w->work.count)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "dst has %I elements, %I are needed",
                                  (lua_Integer)dst.span.count, (lua_Integer)w->work.count));
  w->dst = dst.span;
  w->work.bytes[w->input_count] = dst.box->bytes;
  if (!overlaps(&dst, w)) return;
  w->dst = pl_array_push_new(L, pl_type_of(L, layout), w->work.count);
  w->copy_index = index;
  w->dst_index = lua_gettop(L);
}

// ---- finding what to run ----

static const struct pl_kernel *find_kernel(struct array_work *w, const char *verb) {
  struct pl_kernel_operand operands[INPUTS_MAX];
  if (!is_array(&w->inputs[0]) || w->input_count - 1 > PL_KERNEL_OPERANDS_MAX) return NULL;
  fill_operands(w, operands);
  return pl_kernel_find(verb, w->inputs[0].span.layout, operands, w->input_count - 1);
}

static bool fits(const struct array_work *w, const struct pl_signature *s) {
  if (w->input_count < s->required || w->input_count > s->operand_count) return false;
  for (size_t i = 0; i < w->input_count; i++) {
    const struct pl_layout *layout = w->inputs[i].span.layout;
    bool is_struct = s->operands[i].kind == PL_SLOT_STRUCT;
    if (is_struct != (layout != NULL)) return false;
    if (is_struct && !pl_layout_is_a(layout, s->operands[i].layout)) return false;
  }
  return s->result_count == 1;
}

static const struct pl_overload *find_overload(const struct array_work *w,
                                               const struct pl_method *method) {
  for (size_t i = 0; i < method->count; i++)
    if (fits(w, &method->overloads[i].signature)) return &method->overloads[i];
  return NULL;
}

// Numbers of f32 structs are f32.
static const struct pl_layout *result_of(const struct array_work *w) {
  const struct pl_slot_type *slot = &w->overload->signature.results[0];
  if (slot->kind == PL_SLOT_STRUCT) return slot->layout;
  if (slot->kind == PL_SLOT_BOOL) return pl_layout_scalar(PL_SCALAR_U8);
  for (size_t i = 0; i < w->input_count; i++) {
    const struct pl_layout *layout = w->inputs[i].span.layout;
    if (layout && layout->part == PL_SCALAR_F64) return pl_layout_scalar(PL_SCALAR_F64);
  }
  return pl_layout_scalar(PL_SCALAR_F32);
}

static void take_inputs(lua_State *L, struct array_work *w, size_t count) {
  memset(w->work.bytes, 0, sizeof w->work.bytes);
  w->input_count = count;
  for (size_t i = 0; i < count; i++) take_input(L, (int)i + 1, w, &w->inputs[i]);
}

// Whether the verb takes that many operands of these kinds.
static bool find(lua_State *L, struct array_work *w, const struct pl_method *method, size_t count) {
  if (count < 1 || count > INPUTS_MAX) return false;
  take_inputs(L, w, count);
  w->kernel = find_kernel(w, method->name);
  if (!w->kernel) w->overload = find_overload(w, method);
  return w->kernel || w->overload;
}

static int raise_no_fit(lua_State *L, const struct pl_method *method) {
  int given = lua_gettop(L);
  lua_pushfstring(L, "%s of arrays does not take (", method->label);
  for (int i = 1; i <= given; i++) {
    const struct pl_meta *meta = pl_structs_meta(L, i);
    const char *name = meta->type ? meta->type->layout->name.data : luaL_typename(L, i);
    const char *suffix = meta->form == PL_FORM_ARRAY ? "[]" : "";
    lua_pushfstring(L, "%s%s%s%s", lua_tostring(L, -1), i > 1 ? ", " : "", name, suffix);
  }
  lua_pushfstring(L, "%s)", lua_tostring(L, -1));
  return lua_error(L);
}

// An element-wise op is at least so fast, whatever it computes.
enum { EACH_RATE = 5000 };

static int run(lua_State *L, struct array_work *w, const struct pl_method *method) {
  w->work.name = method->label;
  w->work.size = sizeof *w;
  w->work.count = check_counts(L, w);
  const struct pl_layout *self = w->inputs[0].span.layout;
  const struct pl_layout *result = w->kernel ? pl_kernel_result(w->kernel, self) : result_of(w);
  w->work.rate = w->kernel ? pl_kernel_rate(w->kernel, self) : EACH_RATE;
  w->work.run = w->kernel ? run_kernel : run_each;
  w->work.finish = result ? finish_array : finish_reduction;
  luaL_checkstack(L, 8, NULL);
  if (result)
    set_dst(L, w, (int)w->input_count + 1, result);
  else
    w->partial = pl_partial_none();
  return pl_offload(L, &w->work);
}

int pl_array_op_call(lua_State *L, const struct pl_method *method) {
  struct array_work w = {0};
  int given = lua_gettop(L);
  while (given > 0 && lua_isnil(L, given)) given--;
  lua_settop(L, given);
  bool is_found = find(L, &w, method, (size_t)given);
  if (!is_found && given > 1) is_found = find(L, &w, method, (size_t)given - 1);
  if (!is_found) return raise_no_fit(L, method);
  return run(L, &w, method);
}

// ---- verbs that only arrays have ----

static int call_verb(lua_State *L) {
  return pl_array_op_call(L, lua_touserdata(L, lua_upvalueindex(1)));
}

/* `- arr` and `~ arr` come with their operand twice. */
static int call_unary(lua_State *L) {
  lua_settop(L, 1);
  return call_verb(L);
}

static int call_inside(lua_State *L) {
  return pl_polygon_object_is(L, 2) ? pl_polygon_object_inside(L) : call_verb(L);
}

static const struct verb {
  const char *name;
  const char *metamethod;  // or NULL
  lua_CFunction method;
  lua_CFunction operator_fn;
} verbs[] = {
    {"add", "__add", call_verb, call_verb},  {"sub", "__sub", call_verb, call_verb},
    {"mul", "__mul", call_verb, call_verb},  {"div", "__div", call_verb, call_verb},
    {"neg", "__unm", call_verb, call_unary}, {"band", "__band", call_verb, call_verb},
    {"bor", "__bor", call_verb, call_verb},  {"bnot", "__bnot", call_verb, call_unary},
    {"mul_add", NULL, call_verb, NULL},      {"abs", NULL, call_verb, NULL},
    {"min", NULL, call_verb, NULL},          {"max", NULL, call_verb, NULL},
    {"clamp", NULL, call_verb, NULL},        {"lerp", NULL, call_verb, NULL},
    {"sum", NULL, call_verb, NULL},          {"mean", NULL, call_verb, NULL},
    {"argmin", NULL, call_verb, NULL},       {"argmax", NULL, call_verb, NULL},
    {"aabb", NULL, call_verb, NULL},         {"any", NULL, call_verb, NULL},
    {"all", NULL, call_verb, NULL},          {"count", NULL, call_verb, NULL},
    {"lt", NULL, call_verb, NULL},           {"le", NULL, call_verb, NULL},
    {"gt", NULL, call_verb, NULL},           {"ge", NULL, call_verb, NULL},
    {"eq", NULL, call_verb, NULL},           {"ne", NULL, call_verb, NULL},
    {"transform", NULL, call_verb, NULL},    {"transform_direction", NULL, call_verb, NULL},
    {"project", NULL, call_verb, NULL},      {"unproject", NULL, call_verb, NULL},
    {"inside", NULL, call_inside, NULL},
};

/* stack: the method */
static void set_metamethod(lua_State *L, const struct pl_type *type, const struct verb *verb) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array);
  if (lua_getfield(L, -1, verb->metamethod) == LUA_TNIL) {
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, verb->operator_fn, 1);
    lua_setfield(L, -3, verb->metamethod);
  }
  lua_pop(L, 2);
}

// A verb that single values have, too, is there already (method.h), and comes here by itself.
static void add_verb(lua_State *L, const struct pl_type *type, const struct verb *verb) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, type->array_methods);
  pl_overload_push_verb(L, type, verb->name);
  if (verb->metamethod) set_metamethod(L, type, verb);
  lua_pushcclosure(L, verb->method, 1);
  if (lua_getfield(L, -2, verb->name) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_setfield(L, -2, verb->name);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 3);
  }
}

void pl_array_op_fill(lua_State *L, struct pl_type *type) {
  for (size_t i = 0; i < PL_ARRAY_LEN(verbs); i++) add_verb(L, type, &verbs[i]);
}
