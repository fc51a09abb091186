// Vectors of 2, 3 or 4 parts of f32 or f64 as a whole, computed in the type of the parts.
//
// Sums of products are added from left to right. normalize multiplies by 1 / length; a vector that
// is not longer than 1e-5 (f32) or 1e-12 (f64), or whose squares are not finite, gives zero.
#include "geometry/kernels_vector.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"
#include "geometry/kernels_arith.h"

// The parts of operand x of element i, as x0, x1, ...
#define LOAD_2(x, N, T)                       \
  T x##0 = pl_get_##N(in_##x + i * x##_step); \
  T x##1 = pl_get_##N(in_##x + i * x##_step + x##_part);
#define LOAD_3(x, N, T) \
  LOAD_2(x, N, T)       \
  T x##2 = pl_get_##N(in_##x + i * x##_step + 2 * x##_part);
#define LOAD_4(x, N, T) \
  LOAD_3(x, N, T)       \
  T x##3 = pl_get_##N(in_##x + i * x##_step + 3 * x##_part);

#define DOT_2(x, y) (x##0 * y##0 + x##1 * y##1)
#define DOT_3(x, y) (DOT_2(x, y) + x##2 * y##2)
#define DOT_4(x, y) (DOT_3(x, y) + x##3 * y##3)

#define MINUS_2(T) T d0 = a0 - b0, d1 = a1 - b1;
#define MINUS_3(T) MINUS_2(T) T d2 = a2 - b2;
#define MINUS_4(T) MINUS_3(T) T d3 = a3 - b3;

#define PUT(N, k, value) pl_put_##N(dst + i * dst_step + (k)*dst_part, value);
#define SCALED(N, T, k) PUT(N, k, is_long ? a##k *inverse : (T)0)
#define SCALED_2(N, T) SCALED(N, T, 0) SCALED(N, T, 1)
#define SCALED_3(N, T) SCALED_2(N, T) SCALED(N, T, 2)
#define SCALED_4(N, T) SCALED_3(N, T) SCALED(N, T, 3)

// As conventions.h has it.
#define SHORT_f32 1e-5f
#define SHORT_f64 1e-12

// Where the parts of operand x are: side by side, or in columns. The loops are compiled for either.
#define PACKED(x, index, T, D)             \
  const char *in_##x = loop->in[index];    \
  const size_t x##_step = (D) * sizeof(T); \
  const size_t x##_part = sizeof(T);
#define COLUMNS(x, index, T, D)         \
  const char *in_##x = loop->in[index]; \
  const size_t x##_step = sizeof(T);    \
  const size_t x##_part = loop->column[index];
#define DST_PACKED(T, D)                   \
  const size_t dst_step = (D) * sizeof(T); \
  const size_t dst_part = sizeof(T);
#define DST_COLUMNS(T, D)            \
  const size_t dst_step = sizeof(T); \
  const size_t dst_part = loop->dst_column;
#define DST_SCALAR(T, D)             \
  const size_t dst_step = sizeof(T); \
  const size_t dst_part = 0;

/// `before`: operands and what is loaded once; the rest: what is done for element i.
#define LOOP(NAME, before, ...)                                          \
  PL_ALWAYS_INLINE void NAME##_body(const struct pl_kernel_loop *loop) { \
    char *dst = loop->dst;                                               \
    size_t n = loop->n;                                                  \
    before PL_INDEPENDENT for (size_t i = 0; i < n; i++) {               \
      __VA_ARGS__                                                        \
    }                                                                    \
  }                                                                      \
  PL_LOOPS(NAME)

// One value for all, loaded before the loop: in it, i is 0.
#define ONCE(x, N, T, D) \
  PACKED(x, 1, T, D)     \
  const size_t i = 0;    \
  LOAD_##D(x, N, T)
#define WITH_ONE(NAME, N, T, D, dst_how, ...)                                            \
  PL_ALWAYS_INLINE void NAME##_with(const struct pl_kernel_loop *loop, DECLARE_##D(T)) { \
    char *dst = loop->dst;                                                               \
    size_t n = loop->n;                                                                  \
    PACKED(a, 0, T, D)                                                                   \
    dst_how(T, D) PL_INDEPENDENT for (size_t i = 0; i < n; i++) {                        \
      LOAD_##D(a, N, T) __VA_ARGS__                                                      \
    }                                                                                    \
  }                                                                                      \
  PL_ALWAYS_INLINE void NAME##_body(const struct pl_kernel_loop *loop) {                 \
    ONCE(b, N, T, D)                                                                     \
    NAME##_with(loop, PASS_##D);                                                         \
  }                                                                                      \
  PL_LOOPS(NAME)
#define DECLARE_2(T) T b0, T b1
#define DECLARE_3(T) DECLARE_2(T), T b2
#define DECLARE_4(T) DECLARE_3(T), T b3
#define PASS_2 b0, b1
#define PASS_3 PASS_2, b2
#define PASS_4 PASS_3, b3

// The three loops of a verb with one operand, and the two of one without.
#define VERB2(VERB, N, T, D, DST, ...)                                          \
  LOOP(VERB##_##N##_##D, PACKED(a, 0, T, D) PACKED(b, 1, T, D) DST##_HOW(T, D), \
       LOAD_##D(a, N, T) LOAD_##D(b, N, T) __VA_ARGS__)                         \
  LOOP(VERB##_##N##_##D##_columns,                                              \
       COLUMNS(a, 0, T, D) COLUMNS(b, 1, T, D) DST##_COLUMNS_HOW(T, D),         \
       LOAD_##D(a, N, T) LOAD_##D(b, N, T) __VA_ARGS__)                         \
  WITH_ONE(VERB##_##N##_##D##_one, N, T, D, DST##_HOW, __VA_ARGS__)
#define VERB1(VERB, N, T, D, DST, ...)                                                      \
  LOOP(VERB##_##N##_##D, PACKED(a, 0, T, D) DST##_HOW(T, D), LOAD_##D(a, N, T) __VA_ARGS__) \
  LOOP(VERB##_##N##_##D##_columns, COLUMNS(a, 0, T, D) DST##_COLUMNS_HOW(T, D),             \
       LOAD_##D(a, N, T) __VA_ARGS__)
#define NUMBER_HOW DST_SCALAR
#define NUMBER_COLUMNS_HOW DST_SCALAR
#define VECTOR_HOW DST_PACKED
#define VECTOR_COLUMNS_HOW DST_COLUMNS

#define PUT_NUMBER(N, value) pl_put_##N(dst + i * dst_step + dst_part, value);

#define OF_SIZE(N, T, D)                                                                   \
  VERB2(dot, N, T, D, NUMBER, PUT_NUMBER(N, DOT_##D(a, b)))                                \
  VERB2(distance, N, T, D, NUMBER, MINUS_##D(T) PUT_NUMBER(N, pl_sqrt_##N(DOT_##D(d, d)))) \
  VERB1(length, N, T, D, NUMBER, PUT_NUMBER(N, pl_sqrt_##N(DOT_##D(a, a))))                \
  VERB1(length2, N, T, D, NUMBER, PUT_NUMBER(N, DOT_##D(a, a)))                            \
  VERB1(normalize, N, T, D, VECTOR, T norm = pl_sqrt_##N(DOT_##D(a, a));                   \
        bool is_long = norm > SHORT_##N && norm < (T)INFINITY; T inverse = (T)1 / norm;    \
        SCALED_##D(N, T))
#define OF_FLOATS(N, T, W) OF_SIZE(N, T, 2) OF_SIZE(N, T, 3) OF_SIZE(N, T, 4)
PL_FLOATS(OF_FLOATS)

#define CROSS(N, T, W)                                                              \
  VERB2(cross, N, T, 3, VECTOR, T c0 = a1 * b2 - a2 * b1; T c1 = a2 * b0 - a0 * b2; \
        T c2 = a0 * b1 - a1 * b0; PUT(N, 0, c0) PUT(N, 1, c1) PUT(N, 2, c2))
PL_FLOATS(CROSS)

static bool accepts(const struct pl_kernel *kernel, const struct pl_layout *layout,
                    const struct pl_kernel_operand *operands) {
  return layout->part == kernel->part && layout->part_count == kernel->parts &&
         pl_kernel_is_arithmetic(layout) &&
         (kernel->operand_count == 0 || operands[0].span.layout == layout);
}

enum { RATE = 200000, RATE_SQRT = 80000 };

#define ROW(VERB, COUNT, RESULT, N, SCALAR, D, RATE_OF)                                \
  .verb = #VERB, .operand_count = COUNT, .part = SCALAR, .parts = D, .result = RESULT, \
  .part_rate = RATE_OF, .accepts = accepts, .run = pl_feed_run_elements,               \
  .loops = PL_LOOPS_OF(VERB##_##N##_##D), .columns = PL_LOOPS_OF(VERB##_##N##_##D##_columns)
#define ROW1(VERB, RESULT, N, SCALAR, D) {ROW(VERB, 0, RESULT, N, SCALAR, D, RATE_SQRT)},
#define ROW2(VERB, RESULT, N, SCALAR, D, RATE_OF) \
  {ROW(VERB, 1, RESULT, N, SCALAR, D, RATE_OF), .one = PL_LOOPS_OF(VERB##_##N##_##D##_one)},
#define ROWS1(VERB, RESULT)                 \
  ROW1(VERB, RESULT, f32, PL_SCALAR_F32, 2) \
  ROW1(VERB, RESULT, f32, PL_SCALAR_F32, 3) \
  ROW1(VERB, RESULT, f32, PL_SCALAR_F32, 4) \
  ROW1(VERB, RESULT, f64, PL_SCALAR_F64, 2) \
  ROW1(VERB, RESULT, f64, PL_SCALAR_F64, 3) ROW1(VERB, RESULT, f64, PL_SCALAR_F64, 4)
#define ROWS2(VERB, RESULT, RATE_OF)                 \
  ROW2(VERB, RESULT, f32, PL_SCALAR_F32, 2, RATE_OF) \
  ROW2(VERB, RESULT, f32, PL_SCALAR_F32, 3, RATE_OF) \
  ROW2(VERB, RESULT, f32, PL_SCALAR_F32, 4, RATE_OF) \
  ROW2(VERB, RESULT, f64, PL_SCALAR_F64, 2, RATE_OF) \
  ROW2(VERB, RESULT, f64, PL_SCALAR_F64, 3, RATE_OF) \
  ROW2(VERB, RESULT, f64, PL_SCALAR_F64, 4, RATE_OF)

static const struct pl_kernel dot_rows[] = {ROWS2(dot, PL_KERNEL_PART, RATE)};
static const struct pl_kernel distance_rows[] = {ROWS2(distance, PL_KERNEL_PART, RATE_SQRT)};
static const struct pl_kernel length_rows[] = {ROWS1(length, PL_KERNEL_PART)};
static const struct pl_kernel length2_rows[] = {ROWS1(length2, PL_KERNEL_PART)};
static const struct pl_kernel normalize_rows[] = {ROWS1(normalize, PL_KERNEL_SAME)};
static const struct pl_kernel cross_rows[] = {
    ROW2(cross, PL_KERNEL_SAME, f32, PL_SCALAR_F32, 3, RATE)
        ROW2(cross, PL_KERNEL_SAME, f64, PL_SCALAR_F64, 3, RATE)};

const struct pl_kernel_verb *pl_kernels_vector(void) {
#define VERB(name) \
  { #name, name##_rows, PL_ARRAY_LEN(name##_rows) }
  static const struct pl_kernel_verb verbs[] = {VERB(dot),      VERB(length), VERB(length2),
                                                VERB(distance), VERB(cross),  VERB(normalize),
                                                {NULL, NULL, 0}};
  return verbs;
}
