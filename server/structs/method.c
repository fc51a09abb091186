// A method is a closure over its overloads, in a userdata. A call looks for the first overload that
// its arguments fit; there are seldom more than three.
#include "structs/method.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "structs/array_op.h"
#include "structs/field.h"
#include "structs/operand.h"
#include "structs/overload.h"
#include "structs/type.h"
#include "structs/value.h"

enum { SCRATCH_BYTES = 128 };  // the largest built-in struct has 96

/// What a call is made with. Tables are made into structs in `scratch`.
struct call {
  const struct pl_overload *overload;
  union pl_slot in[PL_OP_OPERANDS_MAX];
  union pl_slot out[PL_OP_RESULTS_MAX];
  char scratch[PL_OP_OPERANDS_MAX][SCRATCH_BYTES];
  bool has_tables;
  bool is_boxed;  // an operand's bytes may move away while something is allocated
};

// ---- operands ----

static bool take_struct(lua_State *L, int index, const struct pl_layout *layout, struct call *call,
                        union pl_slot *in) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (!pl_form_is_value(meta->form) || !pl_layout_is_a(meta->type->layout, layout)) return false;
  call->is_boxed |= meta->form == PL_FORM_VIEW;
  in->at = pl_value_bytes(L, meta, lua_touserdata(L, index));
  return true;
}

// Whether the argument fits; a table fits every struct, and is read when all others have fitted.
static bool take(lua_State *L, int index, const struct pl_slot_type *slot, struct call *call,
                 union pl_slot *in) {
  int type = lua_type(L, index);
  if (slot->kind == PL_SLOT_STRUCT) {
    in->at = NULL;
    call->has_tables |= type == LUA_TTABLE;
    return type == LUA_TUSERDATA ? take_struct(L, index, slot->layout, call, in)
                                 : type == LUA_TTABLE;
  }
  if (type != LUA_TNUMBER) return false;
  in->number = lua_tonumber(L, index);
  return true;
}

static bool fits(lua_State *L, struct call *call, const struct pl_overload *o, int given) {
  const struct pl_signature *s = &o->signature;
  if (given < s->required || given > s->operand_count + s->struct_results) return false;
  call->is_boxed = call->has_tables = false;
  for (int i = 0; i < s->operand_count; i++) {
    bool is_left_out = i >= s->required && lua_isnoneornil(L, i + 1);
    if (is_left_out)
      call->in[i].number = NAN;
    else if (!take(L, i + 1, &s->operands[i], call, &call->in[i]))
      return false;
  }
  call->overload = o;
  return true;
}

static void read_tables(lua_State *L, struct call *call) {
  const struct pl_signature *s = &call->overload->signature;
  for (int i = 0; i < s->operand_count; i++) {
    if (s->operands[i].kind != PL_SLOT_STRUCT || call->in[i].at) continue;
    if (!lua_istable(L, i + 1)) continue;
    call->in[i].at = call->scratch[i];
    memset(call->scratch[i], 0, SCRATCH_BYTES);
    pl_field_store_struct(L, i + 1, s->operands[i].layout, call->scratch[i]);
  }
}

static int count_given(lua_State *L) {
  int given = lua_gettop(L);
  while (given > 0 && lua_isnil(L, given)) given--;
  return given;
}

// ---- results ----

static char *take_dst(lua_State *L, int index, const struct pl_layout *layout,
                      const struct pl_method *method) {
  const struct pl_meta *meta = pl_structs_meta(L, index);
  if (!pl_form_is_value(meta->form) || !pl_layout_is_a(meta->type->layout, layout))
    luaL_error(L, "bad argument #%d to '%s.%s' (dst must be a %s, not %s)", index,
               method->type->layout->name.data, method->name, layout->name.data,
               luaL_tolstring(L, index, NULL));
  return pl_operand_write(L, index, meta);
}

// Where each struct result goes: what stands behind the operands, in their order, or a new one.
// Pushes the results in their order, numbers as place holders. Returns: whether one is new.
static bool push_results(lua_State *L, struct call *call) {
  const struct pl_signature *s = &call->overload->signature;
  int dst = s->operand_count + 1;
  bool is_new = false;
  for (int i = 0; i < s->result_count; i++) {
    if (s->results[i].kind != PL_SLOT_STRUCT) {
      lua_pushnil(L);
    } else if (lua_isnoneornil(L, dst)) {
      call->out[i].at = pl_value_push_new(L, call->overload->result_types[i]);
      is_new = true;
      dst++;
    } else {
      call->out[i].at = NULL;
      lua_pushvalue(L, dst++);
    }
  }
  return is_new;
}

static void take_dsts(lua_State *L, struct call *call, const struct pl_method *method) {
  const struct pl_signature *s = &call->overload->signature;
  int dst = s->operand_count + 1;
  for (int i = 0; i < s->result_count; i++) {
    if (s->results[i].kind != PL_SLOT_STRUCT) continue;
    if (!call->out[i].at) call->out[i].at = take_dst(L, dst, s->results[i].layout, method);
    dst++;
  }
}

// Where the operands are, behind the last allocation. Raises "stale view".
static void take_again(lua_State *L, struct call *call) {
  const struct pl_signature *s = &call->overload->signature;
  for (int i = 0; i < s->operand_count; i++)
    if (s->operands[i].kind == PL_SLOT_STRUCT && call->in[i].at != call->scratch[i])
      take_struct(L, i + 1, s->operands[i].layout, call, &call->in[i]);
}

static void push_number(lua_State *L, const struct pl_slot_type *slot, double number) {
  if (slot->kind == PL_SLOT_BOOL)
    lua_pushboolean(L, number != 0);
  else
    lua_pushnumber(L, number);
}

static void fill_numbers(lua_State *L, const struct call *call, int count) {
  const struct pl_signature *s = &call->overload->signature;
  for (int i = 0; i < count; i++) {
    if (s->results[i].kind == PL_SLOT_STRUCT) continue;
    push_number(L, &s->results[i], call->out[i].number);
    lua_replace(L, -1 - count + i);
  }
}

static int run_mixed(lua_State *L, struct call *call, const struct pl_method *method) {
  const struct pl_signature *s = &call->overload->signature;
  lua_settop(L, s->operand_count + s->struct_results);
  if (push_results(L, call) && call->is_boxed) take_again(L, call);
  take_dsts(L, call, method);
  call->overload->op->run(call->out, call->in);
  if (s->struct_results < s->result_count) fill_numbers(L, call, s->result_count);
  return s->result_count;
}

// One struct, or one number: nearly all calls. Behind its arguments a C function has room for
// LUA_MINSTACK values, more than is pushed here.
static int run_call(lua_State *L, struct call *call, const struct pl_method *method) {
  const struct pl_overload *o = call->overload;
  const struct pl_signature *s = &o->signature;
  if (s->result_count > 1) return run_mixed(L, call, method);
  if (!s->struct_results) {
    o->op->run(call->out, call->in);
    push_number(L, &s->results[0], call->out[0].number);
    return 1;
  }
  int dst = s->operand_count + 1;
  lua_settop(L, dst);
  if (lua_isnil(L, dst)) {
    call->out[0].at = pl_value_push_new(L, o->result_types[0]);
    if (call->is_boxed) take_again(L, call);
  } else {
    call->out[0].at = take_dst(L, dst, s->results[0].layout, method);
  }
  o->op->run(call->out, call->in);
  return 1;
}

// ---- calls ----

static int raise_no_fit(lua_State *L, const struct pl_method *method) {
  luaL_Buffer b;
  int given = lua_gettop(L);
  luaL_checkstack(L, (int)method->count + 8, NULL);
  luaL_buffinit(L, &b);
  for (int i = 1; i <= given; i++) {
    const struct pl_meta *meta = pl_structs_meta(L, i);
    if (i > 1) luaL_addstring(&b, ", ");
    luaL_addstring(&b, meta->type ? meta->type->layout->name.data : luaL_typename(L, i));
    if (meta->form == PL_FORM_ARRAY) luaL_addstring(&b, "[]");
  }
  luaL_pushresult(&b);
  const char *owner = method->type ? method->type->layout->name.data : "geometry";
  luaL_where(L, 1);
  lua_pushfstring(L, "%s%s.%s does not take (%s); it takes:", lua_tostring(L, -1), owner,
                  method->name, lua_tostring(L, -2));
  for (size_t i = 0; i < method->count; i++)
    lua_pushfstring(L, "%s\n  %s", lua_tostring(L, -1), method->overloads[i].op->signature);
  return lua_error(L);
}

static bool has_array(lua_State *L) {
  int given = lua_gettop(L);
  for (int i = 1; i <= given && i <= PL_OP_OPERANDS_MAX; i++)
    if (pl_structs_meta(L, i)->form == PL_FORM_ARRAY) return true;
  return false;
}

// Whether all arguments are operands comes first: what looks like a dst of another overload is one
// only where it can be nothing else.
static bool find_overload(lua_State *L, struct call *call, const struct pl_method *method,
                          int given) {
  for (size_t i = 0; i < method->count; i++) {
    const struct pl_overload *o = &method->overloads[i];
    if (o->signature.operand_count == given && fits(L, call, o, given)) return true;
  }
  for (size_t i = 0; i < method->count; i++) {
    const struct pl_overload *o = &method->overloads[i];
    if (o->signature.operand_count != given && fits(L, call, o, given)) return true;
  }
  return false;
}

// upvalue: the method
static int call_method(lua_State *L) {
  const struct pl_method *method = lua_touserdata(L, lua_upvalueindex(1));
  struct call call;
  if (find_overload(L, &call, method, count_given(L))) {
    if (call.has_tables) read_tables(L, &call);
    return run_call(L, &call, method);
  }
  if (has_array(L)) return pl_array_op_call(L, method);
  return raise_no_fit(L, method);
}

// ---- operators ----

// `2 * c` is `c * 2` where no overload begins with a number.
static bool swap_factors(lua_State *L, const struct pl_method *method) {
  bool has_left_number = lua_type(L, 1) == LUA_TNUMBER && lua_type(L, 2) == LUA_TUSERDATA;
  if (!has_left_number || strcmp(method->name, "mul") != 0) return false;
  lua_insert(L, 1);
  return true;
}

/* stack: left, right; Lua passes a unary operator's operand twice */
static int call_operator(lua_State *L) {
  const struct pl_method *method = lua_touserdata(L, lua_upvalueindex(1));
  struct call call;
  lua_settop(L, 2);
  for (size_t i = 0; i < method->count; i++) {
    const struct pl_overload *o = &method->overloads[i];
    if (o->signature.operand_count == 1) lua_settop(L, 1);
    if (!fits(L, &call, o, lua_gettop(L))) continue;
    if (call.has_tables) read_tables(L, &call);
    return run_call(L, &call, method);
  }
  if (has_array(L)) return pl_array_op_call(L, method);
  if (swap_factors(L, method)) return call_operator(L);
  return raise_no_fit(L, method);
}

static const struct {
  const char *metamethod;
  const char *verb;
} operators[] = {{"__add", "add"}, {"__sub", "sub"}, {"__mul", "mul"},
                 {"__div", "div"}, {"__unm", "neg"}, {"__mod", "mod"}};

static const char *operator_of(const char *verb) {
  for (size_t i = 0; i < PL_ARRAY_LEN(operators); i++)
    if (strcmp(operators[i].verb, verb) == 0) return operators[i].metamethod;
  return NULL;
}

/* stack: the method's userdata. `1 - arr`, `v * arr` reach an array's metatable, too. */
static void set_operator(lua_State *L, const struct pl_type *type, const char *metamethod) {
  const int metatables[] = {type->owned, type->frozen, type->view, type->array};
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, call_operator, 1);
  for (size_t i = 0; i < PL_ARRAY_LEN(metatables); i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, metatables[i]);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, metamethod);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

// ---- filling ----

// A name that is in the table already stays: what types.c and the objects define comes first.
static void set_missing(lua_State *L, int table, const char *name) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, table);
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_pushvalue(L, -3);
    lua_setfield(L, -3, name);
  }
  lua_pop(L, 2);
}

// The operators of what it is derived from: an operation on two of it is one on its base.
static void fill_operators(lua_State *L, struct pl_type *type) {
  const struct pl_layout *base = type->layout->base;
  while (base && !base->builtin) base = base->base;
  if (!base) return;
  const struct pl_type *base_type = pl_type_of(L, base);
  const struct pl_op *ops = pl_ops_of((enum pl_builtin)base->builtin);
  for (const struct pl_op *op = ops; op->name; op++) {
    const char *metamethod = pl_overload_is_first(ops, op) ? operator_of(op->name) : NULL;
    if (!metamethod) continue;
    pl_overload_push_method(L, base_type, ops, op);
    set_operator(L, type, metamethod);
    lua_pop(L, 1);
  }
}

static bool takes_self(const struct pl_method *method) {
  for (size_t i = 0; i < method->count; i++) {
    const struct pl_signature *s = &method->overloads[i].signature;
    if (s->operand_count && s->operands[0].layout == method->type->layout) return true;
  }
  return false;
}

static void add_method(lua_State *L, struct pl_type *type, const struct pl_op *ops,
                       const struct pl_op *op) {
  const struct pl_method *method = pl_overload_push_method(L, type, ops, op);
  const char *metamethod = operator_of(op->name);
  if (metamethod) set_operator(L, type, metamethod);
  lua_pushcclosure(L, call_method, 1);
  set_missing(L, type->members, op->name);
  if (takes_self(method)) {
    set_missing(L, type->methods, op->name);
    set_missing(L, type->array_methods, op->name);
  }
  lua_pop(L, 1);
}

void pl_method_fill(lua_State *L, struct pl_type *type) {
  const struct pl_op *ops = pl_ops_of((enum pl_builtin)type->layout->builtin);
  for (const struct pl_op *op = ops; op->name; op++)
    if (pl_overload_is_first(ops, op)) add_method(L, type, ops, op);
  fill_operators(L, type);
}

void pl_method_add_numbers(lua_State *L, const struct pl_op *ops) {
  for (const struct pl_op *op = ops; op->name; op++) {
    if (!pl_overload_is_first(ops, op)) continue;
    pl_overload_push_method(L, NULL, ops, op);
    lua_pushcclosure(L, call_method, 1);
    lua_setfield(L, -2, op->name);
  }
}
