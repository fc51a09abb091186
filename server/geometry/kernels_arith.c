// Element-wise arithmetic on scalars, whatever structs they make up.
//
// f32 is computed in f32, f64 in f64, each operation rounded once. lerp is a + (b - a) * t.
// min is b where b < a, else a, and max likewise: a NaN of the array itself stays, one of the
// operand counts as absent. clamp is the max with lo, then the min with hi.
// Integers wrap. Their quotient is cut towards zero; divided by zero it is 0.
#include "geometry/kernels_arith.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"

/// A body for 1, 2 or 3 inputs a, b, c; `value` may use T, and W to compute in.
#define BODY1(VERB, N, T, W, value)                                     \
  PL_ALWAYS_INLINE void VERB##_##N##_body(const struct pl_loop *loop) { \
    char *dst = loop->dst;                                              \
    const char *in_a = loop->in[0];                                     \
    size_t n = loop->n;                                                 \
    PL_INDEPENDENT                                                      \
    for (size_t i = 0; i < n; i++) {                                    \
      T a = pl_get_##N(in_a + i * sizeof(T));                           \
      pl_put_##N(dst + i * sizeof(T), (T)(value));                      \
    }                                                                   \
  }                                                                     \
  PL_LOOPS(VERB##_##N)
#define BODY2(VERB, N, T, W, value)                                                 \
  PL_ALWAYS_INLINE void VERB##_##N##_body(const struct pl_loop *loop) {             \
    char *dst = loop->dst;                                                          \
    const char *in_a = loop->in[0], *in_b = loop->in[1];                            \
    size_t n = loop->n;                                                             \
    PL_INDEPENDENT                                                                  \
    for (size_t i = 0; i < n; i++) {                                                \
      T a = pl_get_##N(in_a + i * sizeof(T)), b = pl_get_##N(in_b + i * sizeof(T)); \
      pl_put_##N(dst + i * sizeof(T), (T)(value));                                  \
    }                                                                               \
  }                                                                                 \
  PL_LOOPS(VERB##_##N)
#define BODY3(VERB, N, T, W, value)                                                 \
  PL_ALWAYS_INLINE void VERB##_##N##_body(const struct pl_loop *loop) {             \
    char *dst = loop->dst;                                                          \
    const char *in_a = loop->in[0], *in_b = loop->in[1], *in_c = loop->in[2];       \
    size_t n = loop->n;                                                             \
    PL_INDEPENDENT                                                                  \
    for (size_t i = 0; i < n; i++) {                                                \
      T a = pl_get_##N(in_a + i * sizeof(T)), b = pl_get_##N(in_b + i * sizeof(T)); \
      T c = pl_get_##N(in_c + i * sizeof(T));                                       \
      pl_put_##N(dst + i * sizeof(T), (T)(value));                                  \
    }                                                                               \
  }                                                                                 \
  PL_LOOPS(VERB##_##N)

#define MAX(a, b) ((b) > (a) ? (b) : (a))
#define MIN(a, b) ((b) < (a) ? (b) : (a))

// What is said the same way for every number; W wraps where T would overflow.
#define OF_NUMBERS(N, T, W)                   \
  BODY2(add, N, T, W, (W)a + (W)b)            \
  BODY2(sub, N, T, W, (W)a - (W)b)            \
  BODY2(mul, N, T, W, (W)a *(W)b)             \
  BODY3(mul_add, N, T, W, (W)a + (W)b * (W)c) \
  BODY2(min, N, T, W, MIN(a, b))              \
  BODY2(max, N, T, W, MAX(a, b))              \
  BODY3(clamp, N, T, W, MIN(MAX(a, b), c))
PL_NUMBERS(OF_NUMBERS)

#define OF_FLOATS(N, T, W)              \
  BODY2(div, N, T, W, a / b)            \
  BODY3(lerp, N, T, W, a + (b - a) * c) \
  BODY1(neg, N, T, W, -a)               \
  BODY1(sqrt, N, T, W, pl_sqrt_##N(a))
PL_FLOATS(OF_FLOATS)

BODY1(abs, f32, float, float, fabsf(a))
BODY1(abs, f64, double, double, fabs(a))
BODY1(floor, f32, float, float, floorf(a))
BODY1(floor, f64, double, double, floor(a))
BODY1(ceil, f32, float, float, ceilf(a))
BODY1(ceil, f64, double, double, ceil(a))

#define OF_INTEGERS(N, T, W)                                                           \
  BODY2(div, N, T, W, b == 0 ? 0 : b == (T)-1 && (T)-1 < 1 ? (W)0 - (W)a : (W)(a / b)) \
  BODY1(neg, N, T, W, (W)0 - (W)a)                                                     \
  BODY1(abs, N, T, W, a < 1 ? (W)0 - (W)a : (W)a)
PL_INTEGERS(OF_INTEGERS)

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

enum { TAG_ANY, TAG_PRODUCT };

static bool accepts(const struct pl_kernel *kernel, const struct pl_layout *layout,
                    const struct pl_kernel_operand *operands) {
  if (layout->part != kernel->part || !pl_kernel_is_arithmetic(layout)) return false;
  for (size_t i = 0; i < kernel->operand_count; i++) {
    const struct pl_layout *other = operands[i].span.layout;
    bool is_struct = other == layout && layout->part_count > 1;
    if (is_struct && kernel->tag == TAG_PRODUCT && has_own_product(layout)) return false;
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
   .accepts = accepts,                            \
   .run = pl_feed_run_scalars,                    \
   .loops = PL_LOOPS_OF(VERB##_##N)},
#define FLOAT_ROWS(VERB, COUNT, TAG, RATE_OF)        \
  ROW(VERB, COUNT, f32, PL_SCALAR_F32, TAG, RATE_OF) \
  ROW(VERB, COUNT, f64, PL_SCALAR_F64, TAG, RATE_OF)
#define NUMBER_ROWS(VERB, COUNT, TAG, RATE_OF)       \
  FLOAT_ROWS(VERB, COUNT, TAG, RATE_OF)              \
  ROW(VERB, COUNT, i8, PL_SCALAR_I8, TAG, RATE_OF)   \
  ROW(VERB, COUNT, i16, PL_SCALAR_I16, TAG, RATE_OF) \
  ROW(VERB, COUNT, i32, PL_SCALAR_I32, TAG, RATE_OF) \
  ROW(VERB, COUNT, i64, PL_SCALAR_I64, TAG, RATE_OF) \
  ROW(VERB, COUNT, u8, PL_SCALAR_U8, TAG, RATE_OF)   \
  ROW(VERB, COUNT, u16, PL_SCALAR_U16, TAG, RATE_OF) \
  ROW(VERB, COUNT, u32, PL_SCALAR_U32, TAG, RATE_OF) \
  ROW(VERB, COUNT, u64, PL_SCALAR_U64, TAG, RATE_OF)

static const struct pl_kernel add_rows[] = {NUMBER_ROWS(add, 1, TAG_ANY, RATE)};
static const struct pl_kernel sub_rows[] = {NUMBER_ROWS(sub, 1, TAG_ANY, RATE)};
static const struct pl_kernel mul_rows[] = {NUMBER_ROWS(mul, 1, TAG_PRODUCT, RATE)};
static const struct pl_kernel div_rows[] = {NUMBER_ROWS(div, 1, TAG_PRODUCT, RATE_DIV)};
static const struct pl_kernel mul_add_rows[] = {NUMBER_ROWS(mul_add, 2, TAG_ANY, RATE)};
static const struct pl_kernel min_rows[] = {NUMBER_ROWS(min, 1, TAG_ANY, RATE)};
static const struct pl_kernel max_rows[] = {NUMBER_ROWS(max, 1, TAG_ANY, RATE)};
static const struct pl_kernel clamp_rows[] = {NUMBER_ROWS(clamp, 2, TAG_ANY, RATE)};
static const struct pl_kernel neg_rows[] = {NUMBER_ROWS(neg, 0, TAG_ANY, RATE)};
static const struct pl_kernel abs_rows[] = {NUMBER_ROWS(abs, 0, TAG_ANY, RATE)};
static const struct pl_kernel lerp_rows[] = {FLOAT_ROWS(lerp, 2, TAG_ANY, RATE)};
static const struct pl_kernel floor_rows[] = {FLOAT_ROWS(floor, 0, TAG_ANY, RATE_DIV)};
static const struct pl_kernel ceil_rows[] = {FLOAT_ROWS(ceil, 0, TAG_ANY, RATE_DIV)};
static const struct pl_kernel sqrt_rows[] = {FLOAT_ROWS(sqrt, 0, TAG_ANY, RATE_DIV)};

const struct pl_kernel_verb *pl_kernels_arith(void) {
#define VERB(name) \
  { #name, name##_rows, PL_ARRAY_LEN(name##_rows) }
  static const struct pl_kernel_verb verbs[] = {
      VERB(add), VERB(sub),   VERB(mul),   VERB(div),  VERB(mul_add),
      VERB(min), VERB(max),   VERB(clamp), VERB(lerp), VERB(neg),
      VERB(abs), VERB(floor), VERB(ceil),  VERB(sqrt), {NULL, NULL, 0}};
  return verbs;
}
