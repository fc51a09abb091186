// Comparisons of scalars with scalars or a number, and masks with masks.
//
// NaN is neither less, equal nor greater, and not equal to itself. A number is rounded to f32
// beside f32; beside integers it is compared as it is, whatever its fraction and size. In masks
// that come from elsewhere every byte but 0 is true.
#include "geometry/kernels_mask.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"

// `once` and `each`: what is loaded of b before the loop, and in it.
#define LOOP(NAME, N, T, once, each, op)                                 \
  PL_ALWAYS_INLINE void NAME##_body(const struct pl_kernel_loop *loop) { \
    char *dst = loop->dst;                                               \
    const char *in_a = loop->in[0], *in_b = loop->in[1];                 \
    size_t n = loop->n;                                                  \
    once PL_INDEPENDENT for (size_t i = 0; i < n; i++) {                 \
      T a = pl_get_##N(in_a + i * sizeof(T));                            \
      each dst[i] = a op b;                                              \
    }                                                                    \
  }                                                                      \
  PL_LOOPS(NAME)
#define COMPARE(VERB, N, T, op)                                         \
  LOOP(VERB##_##N, N, T, , T b = pl_get_##N(in_b + i * sizeof(T));, op) \
  LOOP(VERB##_##N##_one, N, T, T b = pl_get_##N(in_b);, , op)
#define ALL_OF(N, T, W) \
  COMPARE(lt, N, T, <)  \
  COMPARE(le, N, T, <=) \
  COMPARE(gt, N, T, >)  \
  COMPARE(ge, N, T, >=) \
  COMPARE(eq, N, T, ==) \
  COMPARE(ne, N, T, !=)
PL_NUMBERS(ALL_OF)

#define MASKS(VERB, value)                                               \
  PL_ALWAYS_INLINE void VERB##_body(const struct pl_kernel_loop *loop) { \
    char *dst = loop->dst;                                               \
    const char *in_a = loop->in[0], *in_b = loop->in[1];                 \
    size_t n = loop->n;                                                  \
    PL_INDEPENDENT                                                       \
    for (size_t i = 0; i < n; i++) dst[i] = value;                       \
  }                                                                      \
  PL_LOOPS(VERB)
MASKS(band, (in_a[i] != 0) & (in_b[i] != 0))
MASKS(bor, (in_a[i] != 0) | (in_b[i] != 0))
PL_ALWAYS_INLINE void bnot_body(const struct pl_kernel_loop *loop) {
  char *dst = loop->dst;
  const char *in = loop->in[0];
  size_t n = loop->n;
  PL_INDEPENDENT
  for (size_t i = 0; i < n; i++) dst[i] = in[i] == 0;
}
PL_LOOPS(bnot)

enum work { LT, LE, GT, GE, EQ, NE };
enum outcome { NEVER, ALWAYS, COMPARE_WITH };

/// The number beside integers of that type: one of the type that compares the same, in *number, or
/// what every integer of the type gives.
static enum outcome beside_integers(enum pl_scalar scalar, enum work work, double *number) {
  unsigned bits = pl_scalar_size(scalar) * 8;
  bool is_signed = scalar <= PL_SCALAR_I64;
  double end = ldexp(1, (int)(is_signed ? bits - 1 : bits)), begin = is_signed ? -end : 0;
  if (isnan(*number)) return work == NE ? ALWAYS : NEVER;
  if (work == EQ || work == NE) {
    bool is_one = *number == floor(*number) && *number >= begin && *number < end;
    return is_one ? COMPARE_WITH : work == NE ? ALWAYS : NEVER;
  }
  // x < 2.5 is x < 3, x <= 2.5 is x <= 2.
  *number = work == LT || work == GE ? ceil(*number) : floor(*number);
  if (*number >= end) return work == LT || work == LE ? ALWAYS : NEVER;
  if (*number < begin) return work == GT || work == GE ? ALWAYS : NEVER;
  return COMPARE_WITH;
}

static void fill(const struct pl_span *dst, size_t first, size_t count, char value) {
  for (size_t i = first; i < first + count; i++) *pl_span_at(dst, i) = value;
}

static void run_compare(const struct pl_kernel *kernel, const struct pl_span *dst,
                        const struct pl_span *self, const struct pl_kernel_operand *operands,
                        size_t first, size_t count) {
  struct pl_kernel_operand with = operands[0];
  bool is_integer = kernel->part != PL_SCALAR_F32 && kernel->part != PL_SCALAR_F64;
  if (!with.span.layout && is_integer) {
    enum outcome outcome =
        beside_integers((enum pl_scalar)kernel->part, (enum work)kernel->work, &with.number);
    if (outcome != COMPARE_WITH) {
      fill(dst, first, count, outcome == ALWAYS);
      return;
    }
  }
  pl_feed_run_scalars(kernel, dst, self, &with, first, count);
}

static bool accepts_compare(const struct pl_kernel *kernel, const struct pl_layout *layout,
                            const struct pl_kernel_operand *operands) {
  const struct pl_layout *other = operands[0].span.layout;
  return layout == pl_layout_scalar(kernel->part) && (!other || other == layout);
}

static bool is_mask(const struct pl_layout *layout) {
  return layout == pl_layout_scalar(PL_SCALAR_U8) || layout == pl_layout_scalar(PL_SCALAR_BOOL);
}

static bool accepts_masks(const struct pl_kernel *kernel, const struct pl_layout *layout,
                          const struct pl_kernel_operand *operands) {
  return is_mask(layout) && (kernel->operand_count == 0 ||
                             (operands[0].span.layout && is_mask(operands[0].span.layout)));
}

// Scalars a millisecond.
enum { RATE = 200000 };

#define ROW(VERB, N, SCALAR, WORK)                                                   \
  {                                                                                  \
    .verb = #VERB, .operand_count = 1, .part = SCALAR, .result = PL_KERNEL_MASK,     \
    .part_rate = RATE, .work = WORK, .accepts = accepts_compare, .run = run_compare, \
    .loops = PL_LOOPS_OF(VERB##_##N), .one = PL_LOOPS_OF(VERB##_##N##_one)           \
  }
#define ROWS(VERB, WORK)                                                        \
  static const struct pl_kernel VERB##_rows[] = {                               \
      ROW(VERB, f32, PL_SCALAR_F32, WORK), ROW(VERB, f64, PL_SCALAR_F64, WORK), \
      ROW(VERB, i8, PL_SCALAR_I8, WORK),   ROW(VERB, i16, PL_SCALAR_I16, WORK), \
      ROW(VERB, i32, PL_SCALAR_I32, WORK), ROW(VERB, i64, PL_SCALAR_I64, WORK), \
      ROW(VERB, u8, PL_SCALAR_U8, WORK),   ROW(VERB, u16, PL_SCALAR_U16, WORK), \
      ROW(VERB, u32, PL_SCALAR_U32, WORK), ROW(VERB, u64, PL_SCALAR_U64, WORK)};
ROWS(lt, LT)
ROWS(le, LE)
ROWS(gt, GT)
ROWS(ge, GE)
ROWS(eq, EQ)
ROWS(ne, NE)
#define MASK_ROW(VERB, COUNT)                                                 \
  static const struct pl_kernel VERB##_rows[] = {{.verb = #VERB,              \
                                                  .operand_count = COUNT,     \
                                                  .part = PL_SCALAR_U8,       \
                                                  .result = PL_KERNEL_MASK,   \
                                                  .part_rate = RATE,          \
                                                  .accepts = accepts_masks,   \
                                                  .run = pl_feed_run_scalars, \
                                                  .loops = PL_LOOPS_OF(VERB)}};
MASK_ROW(band, 1)
MASK_ROW(bor, 1)
MASK_ROW(bnot, 0)

const struct pl_kernel_verb *pl_kernels_mask(void) {
#define VERB(name) \
  { #name, name##_rows, PL_ARRAY_LEN(name##_rows) }
  static const struct pl_kernel_verb verbs[] = {VERB(lt),   VERB(le),       VERB(gt),   VERB(ge),
                                                VERB(eq),   VERB(ne),       VERB(band), VERB(bor),
                                                VERB(bnot), {NULL, NULL, 0}};
  return verbs;
}
