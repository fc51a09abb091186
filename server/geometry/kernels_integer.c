// Integers of 8 to 64 bits. A result is the exact one, cut towards zero, then clamped to what the
// type holds, as the op of a single value gives it: x / 0 is the greatest or the least, 0 / 0 is 0,
// and nothing wraps.
//
// Numbers that are integers of the type are computed with as such. With any other number (0.5, or
// what is too great) the work is done in f64 and the result cut, which is exact up to 2^53.
#include "geometry/kernels_integer.h"

#include "geometry/feed.h"
#include "geometry/kernel_bodies.h"
#include "geometry/kernels_arith.h"

#define MAX(a, b) ((b) > (a) ? (b) : (a))
#define MIN(a, b) ((b) < (a) ? (b) : (a))

// The bounds of a type, and a value cut to them; the unsigned ones are exceeded upwards only.
#define SIGNED_MOST(T) ((T)(((uint64_t)1 << (sizeof(T) * 8 - 1)) - 1))
#define SIGNED_LEAST(T) ((T)(-SIGNED_MOST(T) - 1))
#define UNSIGNED_MOST(T) ((T)-1)
#define CUT_SIGNED(T, W, value)                  \
  ((value) > SIGNED_MOST(T)    ? SIGNED_MOST(T)  \
   : (value) < SIGNED_LEAST(T) ? SIGNED_LEAST(T) \
                               : (value))
#define CUT_UNSIGNED(T, W, value) ((value) > UNSIGNED_MOST(T) ? UNSIGNED_MOST(T) : (value))

#define OF_ALL(N, T, W)          \
  BODY2(min, N, T, W, MIN(a, b)) \
  BODY2(max, N, T, W, MAX(a, b)) \
  BODY3(clamp, N, T, W, MIN(MAX(a, b), c))
#define OF_SIGNED(N, T, W)                                                    \
  OF_ALL(N, T, W)                                                             \
  BODY2(add, N, T, W, CUT_SIGNED(T, W, (W)a + (W)b))                          \
  BODY2(sub, N, T, W, CUT_SIGNED(T, W, (W)a - (W)b))                          \
  BODY2(mul, N, T, W, CUT_SIGNED(T, W, (W)a *(W)b))                           \
  BODY3(mul_add, N, T, W, CUT_SIGNED(T, W, (W)a + (W)b * (W)c))               \
  BODY1(neg, N, T, W, a == SIGNED_LEAST(T) ? SIGNED_MOST(T) : -a)             \
  BODY1(abs, N, T, W, a == SIGNED_LEAST(T) ? SIGNED_MOST(T) : a < 0 ? -a : a) \
  BODY2(div, N, T, W,                                                         \
        b == 0    ? (a > 0   ? SIGNED_MOST(T)                                 \
                     : a < 0 ? SIGNED_LEAST(T)                                \
                             : 0)                                             \
        : b == -1 ? (a == SIGNED_LEAST(T) ? SIGNED_MOST(T) : -a)              \
                  : a / b)
#define OF_UNSIGNED(N, T, W)                                      \
  OF_ALL(N, T, W)                                                 \
  BODY2(add, N, T, W, CUT_UNSIGNED(T, W, (W)a + (W)b))            \
  BODY2(sub, N, T, W, a < b ? 0 : a - b)                          \
  BODY2(mul, N, T, W, CUT_UNSIGNED(T, W, (W)a *(W)b))             \
  BODY3(mul_add, N, T, W, CUT_UNSIGNED(T, W, (W)a + (W)b * (W)c)) \
  BODY1(neg, N, T, W, a & 0)                                      \
  BODY1(abs, N, T, W, a)                                          \
  BODY2(div, N, T, W, b == 0 ? (a > 0 ? UNSIGNED_MOST(T) : 0) : a / b)
OF_SIGNED(i8, int8_t, int32_t)
OF_SIGNED(i16, int16_t, int32_t)
OF_SIGNED(i32, int32_t, int64_t)
OF_SIGNED(i64, int64_t, __int128)
OF_UNSIGNED(u8, uint8_t, uint32_t)
OF_UNSIGNED(u16, uint16_t, uint32_t)
OF_UNSIGNED(u32, uint32_t, uint64_t)
OF_UNSIGNED(u64, uint64_t, unsigned __int128)

enum verb { ADD, SUB, MUL, DIV, MUL_ADD, MIN_OF, MAX_OF, CLAMP, NEG, ABS };

static double read_number(enum pl_scalar scalar, const char *at) {
  switch (scalar) {
#define CASE(N, SCALAR) \
  case SCALAR:          \
    return (double)pl_get_##N(at);
    CASE(i8, PL_SCALAR_I8)
    CASE(i16, PL_SCALAR_I16)
    CASE(i32, PL_SCALAR_I32)
    CASE(i64, PL_SCALAR_I64)
    CASE(u8, PL_SCALAR_U8)
    CASE(u16, PL_SCALAR_U16)
    CASE(u32, PL_SCALAR_U32)
    CASE(u64, PL_SCALAR_U64)
#undef CASE
  default:
    return 0;
  }
}

/// Whether the number is an integer that the type holds.
static bool is_exact(enum pl_scalar scalar, double number) {
  char at[8];
  pl_feed_number(at, scalar, number);
  // The greatest of 64 bits, which 2^64 becomes, reads as 2^64 again.
  return read_number(scalar, at) == number && !(number >= 0x1p63);
}

static double compute(enum verb verb, double a, double b, double c) {
  switch (verb) {
  case ADD:
    return a + b;
  case SUB:
    return a - b;
  case MUL:
    return a * b;
  case DIV:
    return a / b;
  case MUL_ADD:
    return a + b * c;
  case MIN_OF:
    return b < a || b != b ? b : a;
  case MAX_OF:
    return b > a || b != b ? b : a;
  default: {
    double raised = compute(MAX_OF, a, b, 0);
    return compute(MIN_OF, raised, c, 0);
  }
  }
}

/// Part k of element i of an operand, in f64.
static double operand_number(const struct pl_kernel_operand *operand, size_t i, size_t k) {
  const struct pl_span *span = &operand->span;
  if (!span->layout) return operand->number;
  if (span->layout->part_count == 1) k = 0;
  size_t part = span->column ? span->column : pl_scalar_size(span->layout->part);
  return read_number(span->layout->part, pl_span_at(span, i) + k * part);
}

static void run_in_f64(const struct pl_kernel *kernel, const struct pl_span *dst,
                       const struct pl_span *self, const struct pl_kernel_operand *operands,
                       size_t first, size_t count) {
  const struct pl_kernel_operand own = {.span = *self};
  size_t size = pl_scalar_size(kernel->part);
  for (size_t i = first; i < first + count; i++) {
    for (size_t k = 0; k < self->layout->part_count; k++) {
      double a = operand_number(&own, i, k), b = operand_number(&operands[0], i, k);
      double c = kernel->operand_count > 1 ? operand_number(&operands[1], i, k) : 0;
      char *at = pl_span_at(dst, i) + k * (dst->column ? dst->column : size);
      pl_feed_number(at, kernel->part, compute((enum verb)kernel->work, a, b, c));
    }
  }
}

static void run(const struct pl_kernel *kernel, const struct pl_span *dst,
                const struct pl_span *self, const struct pl_kernel_operand *operands, size_t first,
                size_t count) {
  for (size_t i = 0; i < kernel->operand_count; i++) {
    if (!operands[i].span.layout && !is_exact(kernel->part, operands[i].number)) {
      run_in_f64(kernel, dst, self, operands, first, count);
      return;
    }
  }
  pl_feed_run_scalars(kernel, dst, self, operands, first, count);
}

// Scalars a millisecond, in f64.
enum { RATE = 30000 };

#define ROW(VERB, COUNT, N, SCALAR, WORK, ONE)                                                   \
  {                                                                                              \
    .verb = #VERB, .operand_count = COUNT, .part = SCALAR, .result = PL_KERNEL_SAME,             \
    .part_rate = RATE, .tag = PL_ARITH_ANY, .accepts = pl_kernel_accepts_arithmetic, .run = run, \
    .loops = PL_LOOPS_OF(VERB##_##N), .one = ONE(VERB##_##N##_one), .work = WORK                 \
  }
#define ROWS(VERB, COUNT, WORK, ONE)                                                              \
  static const struct pl_kernel VERB##_rows[] = {ROW(VERB, COUNT, i8, PL_SCALAR_I8, WORK, ONE),   \
                                                 ROW(VERB, COUNT, i16, PL_SCALAR_I16, WORK, ONE), \
                                                 ROW(VERB, COUNT, i32, PL_SCALAR_I32, WORK, ONE), \
                                                 ROW(VERB, COUNT, i64, PL_SCALAR_I64, WORK, ONE), \
                                                 ROW(VERB, COUNT, u8, PL_SCALAR_U8, WORK, ONE),   \
                                                 ROW(VERB, COUNT, u16, PL_SCALAR_U16, WORK, ONE), \
                                                 ROW(VERB, COUNT, u32, PL_SCALAR_U32, WORK, ONE), \
                                                 ROW(VERB, COUNT, u64, PL_SCALAR_U64, WORK, ONE)};
#define WITHOUT(name) \
  { NULL, NULL }
ROWS(add, 1, ADD, PL_LOOPS_OF)
ROWS(sub, 1, SUB, PL_LOOPS_OF)
ROWS(mul, 1, MUL, PL_LOOPS_OF)
ROWS(div, 1, DIV, PL_LOOPS_OF)
ROWS(mul_add, 2, MUL_ADD, PL_LOOPS_OF)
ROWS(min, 1, MIN_OF, PL_LOOPS_OF)
ROWS(max, 1, MAX_OF, PL_LOOPS_OF)
ROWS(clamp, 2, CLAMP, PL_LOOPS_OF)
ROWS(neg, 0, NEG, WITHOUT)
ROWS(abs, 0, ABS, WITHOUT)

const struct pl_kernel_verb *pl_kernels_integer(void) {
#define VERB(name) \
  { #name, name##_rows, PL_ARRAY_LEN(name##_rows) }
  static const struct pl_kernel_verb verbs[] = {VERB(add),     VERB(sub), VERB(mul),      VERB(div),
                                                VERB(mul_add), VERB(min), VERB(max),      VERB(neg),
                                                VERB(clamp),   VERB(abs), {NULL, NULL, 0}};
  return verbs;
}
