/// What the rows of shapes are written with: one-line ops, whose expression names the operands by
/// their place and kind.
///
/// Thread: any.
#pragma once

#include "geometry/ops_tables.h"
#include "geometry/shapes.h"

#define P(k) pl_v3_load(in[k].at)
#define N(k) in[k].number
#define RAY(k) pl_ray3_load(in[k].at)
#define SEGMENT(k) pl_ray3_load_segment(in[k].at)
#define BOX(k) pl_box3_load(in[k].at)
#define BALL(k) pl_ball3_load(in[k].at)
#define PLANE(k) pl_plane3_load(in[k].at)
#define TRIANGLE(k) pl_triangle3_load(in[k].at)
#define CAPSULE(k) pl_capsule3_load(in[k].at)
#define OBB(k) pl_obb3_load(in[k].at)

#define TO_NUMBER(name, expression) \
  static void name(PL_OP_ARGS) {    \
    out[0].number = (expression);   \
  }
#define TO_STORE(name, store, expression) \
  static void name(PL_OP_ARGS) {          \
    store(out[0].at, expression);         \
  }
#define TO_VEC3(name, expression) TO_STORE(name, pl_v3_store, expression)
