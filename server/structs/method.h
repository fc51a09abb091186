/// Verbs as methods: `v:op(..., dst)`, `T.op(v, ..., dst)` and operators, made from the tables of
/// ops (geometry/op.h), and the same on arrays (array_op.h).
///
/// dst is optional, last, and returned; without it the result is new. Operands are structs, or
/// tables that make one; an operand that is an array has the whole call done for each element.
#pragma once

#include <lua.h>

struct pl_op;
struct pl_type;

/// Adds the type's ops to its methods, its members and, for those that take it as their first
/// operand, its array methods; and the operators to its metatables.
void pl_method_fill(lua_State *L, struct pl_type *type);

/// Adds the ops of a table that are functions of numbers to the table on top of the stack.
void pl_method_add_numbers(lua_State *L, const struct pl_op *ops);
