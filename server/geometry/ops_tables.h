/// The tables that ops_*.c make and ops.c hands out: for each built-in type its ops and its
/// constants, each ended by a row without a name; and what their rows are written with.
///
/// Thread: any; all of it is constant.
#pragma once

#include "geometry/op.h"

#define T(name, bytes, fields)               \
  extern const struct pl_op pl_ops_##name[]; \
  extern const struct pl_constant pl_constants_##name[];
#include "geometry/types.def"
#undef T

extern const struct pl_op pl_ops_of_numbers[];

/// Methods of vec3, made where the other operand's type is: (vec3, mat3), (vec3, mat4), ...
pl_op_fn pl_op_transform_mat3, pl_op_transform_mat4, pl_op_transform_affine,
    pl_op_transform_transform, pl_op_transform_direction_mat4, pl_op_transform_direction_affine,
    pl_op_transform_direction_transform;

/// A function of the template that is being expanded: PL_NAME(vec3, add) is vec3_add.
#define PL_NAME_(type, verb) type##_##verb
#define PL_NAME(type, verb) PL_NAME_(type, verb)
#define PL_TEXT_(text) #text
#define PL_TEXT(text) PL_TEXT_(text)

/// The parameters of every op.
#define PL_OP_ARGS union pl_slot *out, const union pl_slot *in
