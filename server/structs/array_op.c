// The arguments are told apart by their number: a verb takes a fixed count of operands, and one
// more is dst. What a call needs on the thread pool is in its struct pl_work by value; operands
// that are no arrays are copied into it, since a script could change them meanwhile.
//
// Arrays are looked at twice: for what they are, and, behind the last allocation, for where they
// are: it may run a finaliser, which moves bytes away.
#include "structs/array_op.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "geometry/kernels.h"
#include "structs/array.h"
#include "structs/array_input.h"
#include "structs/box.h"
#include "structs/element.h"
#include "structs/field.h"
#include "structs/offload.h"
#include "structs/operand.h"
#include "structs/overlap.h"
#include "structs/overload.h"
#include "structs/type.h"
#include "structs/value.h"

enum { INPUTS_MAX = 4, ELEMENT_BYTES = PL_ARRAY_INPUT_BYTES };

struct array_work {
  struct pl_work work;
  const struct pl_kernel *kernel;      ///< or NULL:
  const struct pl_overload *overload;  ///< for each element
  struct pl_array_input inputs[INPUTS_MAX];
  size_t input_count;
  struct pl_span dst;
  int dst_index;   ///< on the stack: what is returned; 0: a reduction without
  int copy_index;  ///< on the stack: where the result is copied to from dst at the end; 0: nowhere
  bool is_reduction;
  struct pl_partial partial;
};

// ---- operands ----

static void take_inputs(lua_State *L, struct array_work *w, size_t count) {
  w->input_count = count;
  for (size_t i = 0; i < count; i++) pl_array_input_take(L, (int)i + 1, &w->inputs[i]);
}

static const struct pl_array_input *first_array(const struct array_work *w) {
  for (size_t i = 0; i < w->input_count; i++)
    if (pl_array_input_is_array(&w->inputs[i])) return &w->inputs[i];
  return NULL;
}

// The number of elements of all arrays among the operands.
static size_t check_counts(lua_State *L, const struct array_work *w) {
  size_t count = first_array(w)->span.count;
  for (size_t i = 0; i < w->input_count; i++) {
    const struct pl_array_input *in = &w->inputs[i];
    if (pl_array_input_is_array(in) && in->span.count != count)
      luaL_argerror(L, in->index,
                    lua_pushfstring(L, "%I elements where the others have %I",
                                    (lua_Integer)in->span.count, (lua_Integer)count));
  }
  return count;
}

// Where the arrays are now, for good. Raises "stale view".
static void see_arrays(lua_State *L, struct array_work *w) {
  struct pl_operand o;
  for (size_t i = 0; i < w->input_count; i++) {
    struct pl_array_input *in = &w->inputs[i];
    if (!pl_array_input_is_array(in)) continue;
    pl_operand_get(L, in->index, &o);
    in->span.data = o.span.data;
    w->work.bytes[i] = o.box->bytes;
  }
}

// ---- what runs, on any thread ----

static void fill_operands(struct array_work *w, struct pl_kernel_operand *operands) {
  for (size_t i = 1; i < w->input_count; i++)
    operands[i - 1] = (struct pl_kernel_operand){.span = pl_array_input_span(&w->inputs[i]),
                                                 .number = w->inputs[i].number};
}

static void run_kernel(struct pl_work *work, size_t first, size_t count) {
  struct array_work *w = PL_CONTAINER_OF(work, struct array_work, work);
  struct pl_kernel_operand operands[INPUTS_MAX];
  struct pl_span self = pl_array_input_span(&w->inputs[0]);
  fill_operands(w, operands);
  if (w->is_reduction)
    pl_kernel_reduce(w->kernel, &w->partial, &self, first, count);
  else
    pl_kernel_run(w->kernel, &w->dst, &self, operands, first, count);
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

static double load_number(const struct pl_span *span, size_t i) {
  double number;
  float narrow;
  if (span->layout->scalar == PL_SCALAR_F64) {
    memcpy(&number, pl_span_at(span, i), sizeof number);
    return number;
  }
  memcpy(&narrow, pl_span_at(span, i), sizeof narrow);
  return narrow;
}

static void run_one(struct array_work *w, size_t i) {
  char elements[INPUTS_MAX][ELEMENT_BYTES], result[ELEMENT_BYTES];
  union pl_slot in[PL_OP_OPERANDS_MAX], out[PL_OP_RESULTS_MAX];
  const struct pl_signature *s = &w->overload->signature;
  for (size_t k = 0; k < s->operand_count; k++) {
    struct pl_span span =
        k < w->input_count ? pl_array_input_span(&w->inputs[k]) : (struct pl_span){0};
    if (!span.layout) {
      in[k].number = k < w->input_count ? w->inputs[k].number : NAN;
    } else if (s->operands[k].kind != PL_SLOT_STRUCT) {
      in[k].number = load_number(&span, i);
    } else {
      pl_element_load(&span, i, elements[k]);
      in[k].at = elements[k];
    }
  }
  if (s->struct_results) out[0].at = result;
  w->overload->op->run(out, in);
  if (s->struct_results)
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
  lua_pushvalue(L, w->copy_index ? w->copy_index : w->dst_index);
  if (!w->copy_index) return 1;
  struct pl_operand to;
  pl_operand_get_writable(L, -1, &to);
  to.span.layout = w->dst.layout;
  pl_element_copy_all(&to.span, &w->dst);
  return 1;
}

static bool is_value_of(lua_State *L, int index, const struct pl_layout *layout,
                        struct pl_operand *o) {
  return pl_operand_get_writable(L, index, o) && o->type && !o->is_array &&
         pl_layout_is_a(o->span.layout, layout);
}

// A reduction to a struct: into dst, or a new one.
static void push_struct(lua_State *L, int dst_index, const struct pl_layout *layout,
                        const char *result) {
  struct pl_operand dst;
  if (!dst_index) {
    memcpy(pl_value_push_new(L, pl_type_of(L, layout)), result, layout->size);
    return;
  }
  if (is_value_of(L, dst_index, layout, &dst)) memcpy(dst.span.data, result, layout->size);
  lua_pushvalue(L, dst_index);
}

static int finish_reduction(lua_State *L, struct pl_work *work) {
  const struct array_work *w = PL_CONTAINER_OF(work, struct array_work, work);
  const struct pl_layout *self = w->inputs[0].span.layout;
  const struct pl_layout *layout = pl_kernel_reduced(w->kernel, self);
  char result[PL_KERNEL_STRUCT_MAX];
  pl_kernel_finish(w->kernel, self, &w->partial, result);
  if (layout->kind == PL_LAYOUT_STRUCT)
    push_struct(L, w->dst_index, layout, result);
  else
    pl_field_push_scalar(L, layout, result);
  return 1;
}

static void set_value_dst(lua_State *L, struct array_work *w, int index) {
  const struct pl_layout *layout = pl_kernel_reduced(w->kernel, w->inputs[0].span.layout);
  struct pl_operand o;
  if (lua_isnoneornil(L, index)) return;
  if (layout->kind != PL_LAYOUT_STRUCT)
    luaL_argerror(L, index, "the result is a number: there is no dst");
  if (!is_value_of(L, index, layout, &o))
    luaL_argerror(L, index, lua_pushfstring(L, "dst must be a %s", layout->name.data));
  w->dst_index = index;
}

static bool overlaps(const struct pl_operand *dst, const struct array_work *w) {
  for (size_t i = 0; i < w->input_count; i++) {
    const struct pl_span *in = &w->inputs[i].span;
    if (!pl_array_input_is_array(&w->inputs[i]) || pl_span_is_same(in, &dst->span)) continue;
    if (pl_span_overlaps(in, &dst->span)) return true;
  }
  return false;
}

static void push_new_dst(lua_State *L, struct array_work *w, const struct pl_layout *layout) {
  w->dst = pl_array_push_new(L, pl_type_of(L, layout), w->work.count);
  w->dst_index = lua_gettop(L);
  w->work.bytes[w->input_count] = pl_array_check(L, -1, NULL)->box->bytes;
}

// stack: what the call was made with. Sets w->dst, and where on the stack that is.
static void set_dst(lua_State *L, struct array_work *w, int index, const struct pl_layout *layout) {
  struct pl_operand dst;
  if (lua_isnoneornil(L, index)) {
    push_new_dst(L, w, layout);
    return;
  }
  if (!pl_operand_get_writable(L, index, &dst) || !dst.is_array ||
      !pl_layout_is_a(dst.span.layout, layout))
    luaL_argerror(L, index, lua_pushfstring(L, "dst must be a %s[]", layout->name.data));
  dst.span.layout = layout;
  if (dst.span.count != w->work.count)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "dst has %I elements, %I are needed",
                                  (lua_Integer)dst.span.count, (lua_Integer)w->work.count));
  if (overlaps(&dst, w)) {
    push_new_dst(L, w, layout);
    w->copy_index = index;
    pl_operand_get_writable(L, index, &dst);
    w->work.bytes[w->input_count + 1] = dst.box->bytes;
  } else {
    w->dst = dst.span;
    w->dst_index = index;
    w->work.bytes[w->input_count] = dst.box->bytes;
  }
}

// ---- finding what to run ----

// Integers that a double does not hold go beside 64 bits as they are. Beside u64 a negative one is
// a negative number, not its bits.
static void keep_large_integers(struct array_work *w) {
  const struct pl_layout *self = w->inputs[0].span.layout;
  bool is_unsigned = self->part == PL_SCALAR_U64;
  if (!is_unsigned && self->part != PL_SCALAR_I64) return;
  for (size_t i = 1; i < w->input_count; i++)
    pl_array_input_keep_large(&w->inputs[i], pl_layout_scalar((enum pl_scalar)self->part));
}

// Enums are compared with values of the same enum, as the integers that carry them.
static void see_enums(struct array_work *w) {
  const struct pl_layout *self = w->inputs[0].span.layout;
  if (self->kind != PL_LAYOUT_ENUM) return;
  for (size_t i = 1; i < w->input_count; i++)
    if (w->inputs[i].span.layout != self) return;
  for (size_t i = 0; i < w->input_count; i++)
    w->inputs[i].span.layout = pl_layout_scalar((enum pl_scalar)self->scalar);
}

static const struct pl_kernel *find_kernel(struct array_work *w, const struct pl_method *method) {
  struct pl_kernel_operand operands[INPUTS_MAX];
  if (w->input_count - 1 > PL_KERNEL_OPERANDS_MAX || !method->kernels.part_count) return NULL;
  if (method->compares) see_enums(w);
  keep_large_integers(w);
  fill_operands(w, operands);
  return pl_kernel_choose(&method->kernels, w->inputs[0].span.layout, operands, w->input_count - 1);
}

// A table among them stands for an element of the array.
static const struct pl_kernel *find_kernel_with_tables(lua_State *L, struct array_work *w,
                                                       const struct pl_method *method) {
  const struct pl_layout *layout = w->inputs[0].span.layout;
  for (size_t i = 0; i < w->input_count; i++) {
    if (w->inputs[i].kind == PL_ARRAY_INPUT_NONE) return NULL;
    if (w->inputs[i].kind == PL_ARRAY_INPUT_TABLE) w->inputs[i].span.layout = layout;
  }
  const struct pl_kernel *kernel = find_kernel(w, method);
  for (size_t i = 0; i < w->input_count; i++) {
    struct pl_array_input *in = &w->inputs[i];
    if (in->kind != PL_ARRAY_INPUT_TABLE) continue;
    in->span.layout = NULL;
    if (kernel) pl_array_input_read_table(L, in, layout);
  }
  return kernel;
}

// `2 * arr` is `arr * 2`; in `2 - arr` the number is a value of the elements' layout for all.
static const struct pl_kernel *find_number_left(lua_State *L, struct array_work *w,
                                                const struct pl_method *method) {
  const char *verb = method->name;
  struct pl_array_input *in = w->inputs;
  bool is_left =
      w->input_count == 2 && in[0].kind == PL_ARRAY_INPUT_NUMBER && pl_array_input_is_array(&in[1]);
  if (!is_left) return NULL;
  struct array_work kept = *w;
  if (strcmp(verb, "add") == 0 || strcmp(verb, "mul") == 0) {
    struct pl_array_input number = in[0];
    in[0] = in[1];
    in[1] = number;
  } else if (strcmp(verb, "sub") == 0 || strcmp(verb, "div") == 0) {
    const struct pl_layout *layout = in[1].span.layout;
    if (strcmp(verb, "div") == 0 && layout->part_count > 1) return NULL;
    if (!pl_array_input_spread(L, in, layout)) return NULL;
  } else {
    return NULL;
  }
  const struct pl_kernel *kernel = find_kernel(w, method);
  if (!kernel) *w = kept;
  return kernel;
}

static bool fits_slot(const struct pl_array_input *in, const struct pl_slot_type *slot,
                      bool is_optional) {
  const struct pl_layout *layout = in->span.layout;
  if (in->kind == PL_ARRAY_INPUT_NONE) return is_optional;
  if (slot->kind == PL_SLOT_STRUCT)
    return in->kind == PL_ARRAY_INPUT_TABLE || (layout && pl_layout_is_a(layout, slot->layout));
  if (in->kind == PL_ARRAY_INPUT_NUMBER) return true;
  return pl_array_input_is_array(in) && layout->kind == PL_LAYOUT_SCALAR &&
         (layout->scalar == PL_SCALAR_F32 || layout->scalar == PL_SCALAR_F64);
}

static bool fits(const struct array_work *w, const struct pl_signature *s) {
  if (w->input_count < s->required || w->input_count > s->operand_count) return false;
  for (size_t i = 0; i < w->input_count; i++)
    if (!fits_slot(&w->inputs[i], &s->operands[i], i >= s->required)) return false;
  return s->result_count == 1;
}

static const struct pl_overload *find_overload(lua_State *L, struct array_work *w,
                                               const struct pl_method *method) {
  for (size_t i = 0; i < method->count; i++) {
    const struct pl_overload *o = &method->overloads[i];
    if (!fits(w, &o->signature)) continue;
    for (size_t k = 0; k < w->input_count; k++)
      if (w->inputs[k].kind == PL_ARRAY_INPUT_TABLE)
        pl_array_input_read_table(L, &w->inputs[k], o->signature.operands[k].layout);
    return o;
  }
  return NULL;
}

// Numbers of f32 structs are f32.
static const struct pl_layout *result_of(const struct array_work *w) {
  const struct pl_slot_type *slot = &w->overload->signature.results[0];
  if (slot->kind == PL_SLOT_STRUCT) return slot->layout;
  if (slot->kind == PL_SLOT_BOOL) return pl_layout_scalar(PL_SCALAR_U8);
  for (size_t i = 0; i < w->input_count; i++) {
    const struct pl_layout *layout = w->inputs[i].span.layout;
    bool is_exact = layout && layout->part != PL_SCALAR_F32 && layout->part != PL_SCALAR_NONE;
    if (is_exact && layout->part != PL_SCALAR_U8) return pl_layout_scalar(PL_SCALAR_F64);
  }
  return pl_layout_scalar(PL_SCALAR_F32);
}

// Whether the verb takes that many operands of these kinds.
static bool find(lua_State *L, struct array_work *w, const struct pl_method *method, size_t count) {
  if (count < 1 || count > INPUTS_MAX || !(method->operand_counts >> count & 1)) return false;
  take_inputs(L, w, count);
  if (!first_array(w)) return false;
  w->kernel = pl_array_input_is_array(&w->inputs[0]) ? find_kernel_with_tables(L, w, method)
                                                     : find_number_left(L, w, method);
  if (!w->kernel) w->overload = find_overload(L, w, method);
  return w->kernel || w->overload;
}

static int raise_no_fit(lua_State *L, const struct pl_method *method) {
  luaL_Buffer b;
  int given = lua_gettop(L);
  luaL_checkstack(L, 8, NULL);
  luaL_buffinit(L, &b);
  for (int i = 1; i <= given; i++) {
    const struct pl_meta *meta = pl_structs_meta(L, i);
    if (i > 1) luaL_addstring(&b, ", ");
    luaL_addstring(&b, meta->type ? meta->type->layout->name.data : luaL_typename(L, i));
    if (meta->form == PL_FORM_ARRAY) luaL_addstring(&b, "[]");
  }
  luaL_pushresult(&b);
  return luaL_error(L, "%s of arrays does not take (%s)", method->label, lua_tostring(L, -1));
}

// An element-wise op is at least so fast, whatever it computes.
enum { EACH_RATE = 5000 };

static int run(lua_State *L, struct array_work *w, const struct pl_method *method) {
  const struct pl_layout *self = w->inputs[0].span.layout;
  const struct pl_layout *result = w->kernel ? pl_kernel_result(w->kernel, self) : result_of(w);
  w->is_reduction = !result;
  w->work = (struct pl_work){.name = method->label,
                             .size = sizeof *w,
                             .count = check_counts(L, w),
                             .rate = w->kernel ? pl_kernel_rate(w->kernel, self) : EACH_RATE,
                             .run = w->kernel ? run_kernel : run_each,
                             .finish = result ? finish_array : finish_reduction};
  luaL_checkstack(L, 8, NULL);
  int index = (int)w->input_count + 1;
  lua_settop(L, index);
  if (result)
    set_dst(L, w, index, result);
  else
    set_value_dst(L, w, index);
  if (w->is_reduction) w->partial = pl_partial_none();
  see_arrays(L, w);
  return pl_offload(L, &w->work);
}

int pl_array_op_call(lua_State *L, const struct pl_method *method) {
  struct array_work w;  // large, and most of it is not used
  w.kernel = NULL;
  w.overload = NULL;
  w.dst_index = w.copy_index = 0;
  int given = lua_gettop(L);
  while (given > 0 && lua_isnil(L, given)) given--;
  lua_settop(L, given);
  bool is_found = find(L, &w, method, (size_t)given);
  if (!is_found && given > 1) is_found = find(L, &w, method, (size_t)given - 1);
  if (!is_found) return raise_no_fit(L, method);
  return run(L, &w, method);
}
