// Element-wise arithmetic on f32 and f64, whatever structs they make up; integers are in
// kernels_integer.c.
//
// f32 is computed in f32, f64 in f64, each operation rounded once: add, sub, mul, div, min, max
// and clamp are what the op of a single value gives, lerp and mul_add may differ in the last bit.
// lerp is a + (b - a) * t with t cut to 0..1, lerp_unclamped the same with t as it is. NaN in any
// operand gives NaN; clamp is the max with lo, then the min with hi. round goes to the nearest,
// halves up.
#include "geometry/kernels_arith.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"
#include "geometry/kernel_bodies.h"

// The second of both where it is NaN.
#define MAX(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))
#define MIN(a, b) ((b) < (a) || (b) != (b) ? (b) : (a))

#define OF_FLOATS(N, T, W)                                        \
  BODY2(add, N, T, W, a + b)                                      \
  BODY2(sub, N, T, W, a - b)                                      \
  BODY2(mul, N, T, W, a *b)                                       \
  BODY2(div, N, T, W, a / b)                                      \
  BODY3(mul_add, N, T, W, a + b * c)                              \
  BODY2(min, N, T, W, MIN(a, b))                                  \
  BODY2(max, N, T, W, MAX(a, b))                                  \
  BODY3(clamp, N, T, W, MIN(MAX(a, b), c))                        \
  BODY3(lerp, N, T, W, a + (b - a) * (c < 0 ? 0 : c > 1 ? 1 : c)) \
  BODY3(lerp_unclamped, N, T, W, a + (b - a) * c)                 \
  BODY1(neg, N, T, W, -a)                                         \
  BODY1(sqrt, N, T, W, pl_sqrt_##N(a))
PL_FLOATS(OF_FLOATS)

BODY1(abs, f32, float, float, fabsf(a))
BODY1(abs, f64, double, double, fabs(a))
BODY1(floor, f32, float, float, floorf(a))
BODY1(floor, f64, double, double, floor(a))
BODY1(ceil, f32, float, float, ceilf(a))
BODY1(ceil, f64, double, double, ceil(a))
BODY1(round, f32, float, float, a - floorf(a) >= 0.5f ? floorf(a) + 1 : floorf(a))
BODY1(round, f64, double, double, a - floor(a) >= 0.5 ? floor(a) + 1 : floor(a))

bool pl_kernel_is_arithmetic(const struct pl_layout *layout) {
  if (layout->part == PL_SCALAR_NONE || layout->kind == PL_LAYOUT_ENUM) return false;
  if (layout->size > PL_KERNEL_STRUCT_MAX || layout->part_count == 0) return false;
  switch (layout->builtin) {
  case PL_BUILTIN_NONE:
  case PL_BUILTIN_vec2:
  case PL_BUILTIN_vec3:
  case PL_BUILTIN_vec4:
  case PL_BUILTIN_ivec2:
  case PL_BUILTIN_ivec3:
  case PL_BUILTIN_ivec4:
  case PL_BUILTIN_uvec2:
  case PL_BUILTIN_uvec3:
  case PL_BUILTIN_uvec4:
  case PL_BUILTIN_dvec2:
  case PL_BUILTIN_dvec3:
  case PL_BUILTIN_dvec4:
  case PL_BUILTIN_quat:
  case PL_BUILTIN_dquat:
  case PL_BUILTIN_color:
  case PL_BUILTIN_mat3:
  case PL_BUILTIN_mat4:
  case PL_BUILTIN_affine:
    return true;
  default:
    return false;
  }
}

/// Products and quotients of these are other than component by component.
static bool has_own_product(const struct pl_layout *layout) {
  return layout->builtin >= PL_BUILTIN_quat && layout->builtin <= PL_BUILTIN_affine &&
         layout->builtin != PL_BUILTIN_color;
}

/// What is between two of these is a rotation again: the op of a single value makes it one.
static bool is_rotation(const struct pl_layout *layout) {
  return layout->builtin == PL_BUILTIN_quat || layout->builtin == PL_BUILTIN_dquat;
}

bool pl_kernel_accepts_arithmetic(const struct pl_kernel *kernel, const struct pl_layout *layout,
                                  const struct pl_kernel_operand *operands) {
  if (layout->part != kernel->part || !pl_kernel_is_arithmetic(layout)) return false;
  if (kernel->tag == PL_ARITH_MIX && is_rotation(layout)) return false;
  for (size_t i = 0; i < kernel->operand_count; i++) {
    const struct pl_layout *other = operands[i].span.layout;
    bool is_struct = other == layout && layout->part_count > 1;
    if (is_struct && kernel->tag == PL_ARITH_PRODUCT && has_own_product(layout)) return false;
    if (other && other != layout && other != pl_layout_scalar(kernel->part)) return false;
  }
  return true;
}

// Scalars a millisecond of the slowest CPUs in use, data strided: an order of magnitude less than
// those of a packed array on a fast one.
enum { RATE = 300000, RATE_DIV = 60000 };

#define ROW(VERB, COUNT, N, SCALAR, TAG, RATE_OF) \
  {.verb = #VERB,                                 \
   .operand_count = COUNT,                        \
   .part = SCALAR,                                \
   .part_rate = RATE_OF,                          \
   .result = PL_KERNEL_SAME,                      \
   .tag = TAG,                                    \
   .accepts = pl_kernel_accepts_arithmetic,       \
   .run = pl_feed_run_scalars,                    \
   .loops = PL_LOOPS_OF(VERB##_##N)},
#define ROW_ONE(VERB, COUNT, N, SCALAR, TAG, RATE_OF) \
  {.verb = #VERB,                                     \
   .operand_count = COUNT,                            \
   .part = SCALAR,                                    \
   .part_rate = RATE_OF,                              \
   .result = PL_KERNEL_SAME,                          \
   .tag = TAG,                                        \
   .accepts = pl_kernel_accepts_arithmetic,           \
   .run = pl_feed_run_scalars,                        \
   .loops = PL_LOOPS_OF(VERB##_##N),                  \
   .one = PL_LOOPS_OF(VERB##_##N##_one)},
#define ONE_ROWS(VERB, COUNT, TAG, RATE_OF)              \
  ROW_ONE(VERB, COUNT, f32, PL_SCALAR_F32, TAG, RATE_OF) \
  ROW_ONE(VERB, COUNT, f64, PL_SCALAR_F64, TAG, RATE_OF)
#define FLOAT_ROWS(VERB, COUNT, TAG, RATE_OF)        \
  ROW(VERB, COUNT, f32, PL_SCALAR_F32, TAG, RATE_OF) \
  ROW(VERB, COUNT, f64, PL_SCALAR_F64, TAG, RATE_OF)
static const struct pl_kernel add_rows[] = {ONE_ROWS(add, 1, PL_ARITH_ANY, RATE)};
static const struct pl_kernel sub_rows[] = {ONE_ROWS(sub, 1, PL_ARITH_ANY, RATE)};
static const struct pl_kernel mul_rows[] = {ONE_ROWS(mul, 1, PL_ARITH_PRODUCT, RATE)};
static const struct pl_kernel div_rows[] = {ONE_ROWS(div, 1, PL_ARITH_PRODUCT, RATE_DIV)};
static const struct pl_kernel mul_add_rows[] = {ONE_ROWS(mul_add, 2, PL_ARITH_ANY, RATE)};
static const struct pl_kernel min_rows[] = {ONE_ROWS(min, 1, PL_ARITH_ANY, RATE)};
static const struct pl_kernel max_rows[] = {ONE_ROWS(max, 1, PL_ARITH_ANY, RATE)};
static const struct pl_kernel clamp_rows[] = {ONE_ROWS(clamp, 2, PL_ARITH_ANY, RATE)};
static const struct pl_kernel neg_rows[] = {FLOAT_ROWS(neg, 0, PL_ARITH_ANY, RATE)};
static const struct pl_kernel abs_rows[] = {FLOAT_ROWS(abs, 0, PL_ARITH_ANY, RATE)};
static const struct pl_kernel lerp_rows[] = {ONE_ROWS(lerp, 2, PL_ARITH_MIX, RATE)};
static const struct pl_kernel lerp_unclamped_rows[] = {
    ONE_ROWS(lerp_unclamped, 2, PL_ARITH_MIX, RATE)};
static const struct pl_kernel floor_rows[] = {FLOAT_ROWS(floor, 0, PL_ARITH_ANY, RATE_DIV)};
static const struct pl_kernel ceil_rows[] = {FLOAT_ROWS(ceil, 0, PL_ARITH_ANY, RATE_DIV)};
static const struct pl_kernel round_rows[] = {FLOAT_ROWS(round, 0, PL_ARITH_ANY, RATE_DIV)};
static const struct pl_kernel sqrt_rows[] = {FLOAT_ROWS(sqrt, 0, PL_ARITH_ANY, RATE_DIV)};

const struct pl_kernel_verb *pl_kernels_arith(void) {
#define VERB(name) \
  { #name, name##_rows, PL_ARRAY_LEN(name##_rows) }
  static const struct pl_kernel_verb verbs[] = {
      VERB(add),   VERB(sub),      VERB(mul),   VERB(div),  VERB(mul_add),
      VERB(min),   VERB(max),      VERB(clamp), VERB(lerp), VERB(lerp_unclamped),
      VERB(neg),   VERB(abs),      VERB(floor), VERB(ceil), VERB(sqrt),
      VERB(round), {NULL, NULL, 0}};
  return verbs;
}
