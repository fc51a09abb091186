/// For the templates in component_ops.def and vector_ops.def: functions that apply an expression
/// to each component. The expression sees the operands' components x, y, z (in their order).
///
/// What the template's user defines: VEC the type, LANES its components, LOAD and STORE (lanes.h),
/// NUMBER(n): a number as the type's field would hold it.
///
/// Thread: any.
#pragma once

#include "geometry/lanes.h"
#include "geometry/ops_tables.h"

#define EACH_BEGIN(verb)                       \
  static void PL_NAME(VEC, verb)(PL_OP_ARGS) { \
    double r[LANES];
#define EACH_END(expression)                           \
  for (int i = 0; i < LANES; i++) r[i] = (expression); \
  STORE(out[0].at, r, LANES);                          \
  }
#define EACH_LOAD(name, k) \
  double name[LANES];      \
  LOAD(name, in[k].at, LANES);

#define EACH_V(verb, expression)    \
  EACH_BEGIN(verb)                  \
  EACH_LOAD(a, 0)                   \
  for (int i = 0; i < LANES; i++) { \
    const double x = a[i];          \
    r[i] = (expression);            \
  }                                 \
  EACH_END(r[i])

/// Operands: two vectors.
#define EACH_VV(verb, expression)    \
  EACH_BEGIN(verb)                   \
  EACH_LOAD(a, 0)                    \
  EACH_LOAD(b, 1)                    \
  for (int i = 0; i < LANES; i++) {  \
    const double x = a[i], y = b[i]; \
    r[i] = (expression);             \
  }                                  \
  EACH_END(r[i])

/// A vector and a number.
#define EACH_VN(verb, expression)        \
  EACH_BEGIN(verb)                       \
  EACH_LOAD(a, 0)                        \
  const double y = NUMBER(in[1].number); \
  for (int i = 0; i < LANES; i++) {      \
    const double x = a[i];               \
    r[i] = (expression);                 \
  }                                      \
  EACH_END(r[i])

/// A number and a vector.
#define EACH_NV(verb, expression)        \
  EACH_BEGIN(verb)                       \
  EACH_LOAD(b, 1)                        \
  const double x = NUMBER(in[0].number); \
  for (int i = 0; i < LANES; i++) {      \
    const double y = b[i];               \
    r[i] = (expression);                 \
  }                                      \
  EACH_END(r[i])

/// A vector and two numbers.
#define EACH_VNN(verb, expression)                                 \
  EACH_BEGIN(verb)                                                 \
  EACH_LOAD(a, 0)                                                  \
  const double y = NUMBER(in[1].number), z = NUMBER(in[2].number); \
  for (int i = 0; i < LANES; i++) {                                \
    const double x = a[i];                                         \
    r[i] = (expression);                                           \
  }                                                                \
  EACH_END(r[i])

/// Two vectors and a number, which is as it was given: a weight, not a component.
#define EACH_VVN(verb, expression)   \
  EACH_BEGIN(verb)                   \
  EACH_LOAD(a, 0)                    \
  EACH_LOAD(b, 1)                    \
  const double z = in[2].number;     \
  for (int i = 0; i < LANES; i++) {  \
    const double x = a[i], y = b[i]; \
    r[i] = (expression);             \
  }                                  \
  EACH_END(r[i])

/// Three vectors.
#define EACH_VVV(verb, expression)             \
  EACH_BEGIN(verb)                             \
  EACH_LOAD(a, 0)                              \
  EACH_LOAD(b, 1)                              \
  EACH_LOAD(c, 2)                              \
  for (int i = 0; i < LANES; i++) {            \
    const double x = a[i], y = b[i], z = c[i]; \
    r[i] = (expression);                       \
  }                                            \
  EACH_END(r[i])

/// A constant: the expression sees the component's number i.
#define EACH_CONSTANT(verb, expression) \
  EACH_BEGIN(verb)                      \
  (void)in;                             \
  EACH_END(expression)

/// GLSL's: of NaN and a number, the first operand.
static inline double pl_lane_min(double x, double y) {
  return y < x ? y : x;
}

static inline double pl_lane_max(double x, double y) {
  return x < y ? y : x;
}

/// Halves go up, as tolua's; the sum x + 0.5 is not formed, it would round.
static inline double pl_lane_round(double x) {
  const double down = floor(x);
  return x - down >= 0.5 ? down + 1 : down;
}

/// Returns: -1, 0 or 1; of NaN 0.
static inline double pl_lane_sign(double x) {
  return (x > 0) - (x < 0);
}

/// Returns: 0 .. 1; NaN stays.
static inline double pl_lane_clamp01(double x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}
