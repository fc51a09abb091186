// Made when a type is filled; the types of the results are made with it.
#include "structs/overload.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "structs/type.h"

bool pl_overload_is_first(const struct pl_op *ops, const struct pl_op *op) {
  for (const struct pl_op *before = ops; before < op; before++)
    if (strcmp(before->name, op->name) == 0) return false;
  return true;
}

static size_t count_of(const struct pl_op *ops, const char *name) {
  size_t count = 0;
  for (const struct pl_op *op = ops; op->name; op++) count += strcmp(op->name, name) == 0;
  return count;
}

static uint32_t counts_of(const struct pl_signature *s) {
  uint32_t counts = 0;
  for (unsigned n = s->required; n <= s->operand_count; n++) counts |= 1u << n;
  return counts;
}

static void make_overload(lua_State *L, struct pl_overload *o, const struct pl_op *op) {
  *o = (struct pl_overload){.op = op};
  if (pl_signature_parse(op->signature, &o->signature))
    luaL_error(L, "%s: no signature: %s", op->name, op->signature);
  for (int i = 0; i < o->signature.result_count; i++)
    if (o->signature.results[i].kind == PL_SLOT_STRUCT)
      o->result_types[i] = pl_type_of(L, o->signature.results[i].layout);
}

static bool is_comparison(const char *name) {
  static const char *const names[] = {"lt", "le", "gt", "ge", "eq", "ne"};
  for (size_t i = 0; i < PL_ARRAY_LEN(names); i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

static struct pl_method *push_method(lua_State *L, const struct pl_type *type, const char *name,
                                     size_t count) {
  size_t size = sizeof(struct pl_method) + count * sizeof(struct pl_overload);
  struct pl_method *method = lua_newuserdatauv(L, size, 0);
  *method = (struct pl_method){.name = name, .type = type, .count = count};
  method->kernels = pl_kernel_set_of(name);
  method->operand_counts = (uint32_t)method->kernels.operand_counts << 1;
  method->compares = is_comparison(name);
  const char *owner = type ? type->layout->name.data : "geometry";
  snprintf(method->label, sizeof method->label, "%.24s.%s", owner, name);
  return method;
}

const struct pl_method *pl_overload_push_method(lua_State *L, const struct pl_type *type,
                                                const struct pl_op *ops, const struct pl_op *op) {
  struct pl_method *method = push_method(L, type, op->name, count_of(ops, op->name));
  struct pl_overload *next = method->overloads;
  for (const struct pl_op *row = op; row->name; row++)
    if (strcmp(row->name, op->name) == 0) make_overload(L, next++, row);
  for (size_t i = 0; i < method->count; i++)
    method->operand_counts |= counts_of(&method->overloads[i].signature);
  return method;
}

const struct pl_method *pl_overload_push_verb(lua_State *L, const struct pl_type *type,
                                              const char *name) {
  return push_method(L, type, name, 0);
}
