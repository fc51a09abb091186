// argmin, argmax: the number, from 1, of the first of the least or greatest; NaN is passed over,
// and 0 says that there is none. sum and mean of integers: exact, then clamped to 64 bits.
//
// The best of a block is found without asking where it is, which the compiler can vectorise; only
// a block that has a better one is looked through.
#include "geometry/kernels_best.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"

enum { BLOCK = 512, LANES = 64 };

// loop->dst is T[LANES]; n <= BLOCK.
#define BEST(NAME, N, T, better)                                               \
  PL_ALWAYS_INLINE void NAME##_##N##_body(const struct pl_kernel_loop *loop) { \
    T *best = (void *)loop->dst;                                               \
    const char *in = loop->in[0];                                              \
    size_t n = loop->n;                                                        \
    for (size_t i = 0; i < n; i += LANES) {                                    \
      size_t end = n - i < LANES ? n - i : LANES;                              \
      PL_INDEPENDENT                                                           \
      for (size_t k = 0; k < end; k++) {                                       \
        T a = pl_get_##N(in + (i + k) * sizeof(T)), b = best[k];               \
        best[k] = a better b ? a : b;                                          \
      }                                                                        \
    }                                                                          \
  }                                                                            \
  PL_LOOPS(NAME##_##N)

// A block at `at`, whose first element is number `number`. What was best is in partial->bits.
#define ADD_BEST(NAME, N, T, better, worst)                                                    \
  static void add_##NAME##_##N(const struct pl_kernel *kernel, struct pl_partial *partial,     \
                               const char *at, size_t n, uint64_t number) {                    \
    T lanes[LANES], best = worst, so_far;                                                      \
    for (size_t k = 0; k < LANES; k++) lanes[k] = worst;                                       \
    pl_loops_pick (&kernel->loops)(                                                            \
        &(struct pl_kernel_loop){.dst = (void *)lanes, .in = {at}, .n = n});                   \
    for (size_t k = 0; k < LANES; k++) best = lanes[k] better best ? lanes[k] : best;          \
    memcpy(&so_far, &partial->bits, sizeof so_far);                                            \
    if (partial->best && !(best better so_far)) return;                                        \
    for (size_t i = 0; i < n; i++) {                                                           \
      if (pl_get_##N(at + i * sizeof(T)) == best) {                                            \
        memcpy(&partial->bits, &best, sizeof best);                                            \
        partial->best = number + i;                                                            \
        return;                                                                                \
      }                                                                                        \
    }                                                                                          \
  }                                                                                            \
  static bool is_better_##NAME##_##N(const struct pl_partial *a, const struct pl_partial *b) { \
    T x, y;                                                                                    \
    memcpy(&x, &a->bits, sizeof x);                                                            \
    memcpy(&y, &b->bits, sizeof y);                                                            \
    return x better y;                                                                         \
  }

typedef void add_fn(const struct pl_kernel *kernel, struct pl_partial *partial, const char *at,
                    size_t n, uint64_t number);

static void reduce(const struct pl_kernel *kernel, struct pl_partial *partial,
                   const struct pl_span *self, size_t first, size_t count, add_fn *add) {
  char room[BLOCK * sizeof(uint64_t)];
  bool is_packed = pl_feed_is_packed(self);
  for (size_t done = 0; done < count; done += BLOCK) {
    size_t n = count - done < BLOCK ? count - done : BLOCK;
    if (!is_packed) pl_feed_gather(room, self, first + done, n);
    add(kernel, partial, is_packed ? pl_span_at(self, first + done) : room, n, first + done + 1);
  }
  partial->count += count;
}

// The earlier one where both are as good.
static void join_best(struct pl_partial *partial, const struct pl_partial *next, bool is_better) {
  partial->count += next->count;
  if (next->best && (!partial->best || is_better)) {
    partial->best = next->best;
    partial->bits = next->bits;
  }
}

#define OF_VERB(NAME, N, T, better, worst)                                                    \
  BEST(NAME, N, T, better)                                                                    \
  ADD_BEST(NAME, N, T, better, worst)                                                         \
  static void reduce_##NAME##_##N(const struct pl_kernel *kernel, struct pl_partial *partial, \
                                  const struct pl_span *self, size_t first, size_t count) {   \
    reduce(kernel, partial, self, first, count, add_##NAME##_##N);                            \
  }                                                                                           \
  static void join_##NAME##_##N(const struct pl_kernel *kernel, struct pl_partial *partial,   \
                                const struct pl_partial *next) {                              \
    (void)kernel;                                                                             \
    join_best(partial, next, is_better_##NAME##_##N(next, partial));                          \
  }
#define OF_FLOATS(N, T, W)             \
  OF_VERB(least, N, T, <, (T)INFINITY) \
  OF_VERB(greatest, N, T, >, -(T)INFINITY)
PL_FLOATS(OF_FLOATS)
#define OF_INTEGER(N, T, least_of, most_of) \
  OF_VERB(least, N, T, <, most_of)          \
  OF_VERB(greatest, N, T, >, least_of)
OF_INTEGER(i8, int8_t, INT8_MIN, INT8_MAX)
OF_INTEGER(i16, int16_t, INT16_MIN, INT16_MAX)
OF_INTEGER(i32, int32_t, INT32_MIN, INT32_MAX)
OF_INTEGER(i64, int64_t, INT64_MIN, INT64_MAX)
OF_INTEGER(u8, uint8_t, 0, UINT8_MAX)
OF_INTEGER(u16, uint16_t, 0, UINT16_MAX)
OF_INTEGER(u32, uint32_t, 0, UINT32_MAX)
OF_INTEGER(u64, uint64_t, 0, UINT64_MAX)

// Totals of integers: bits is the low half of a 128-bit sum, hits the high one.
static void add_total(struct pl_partial *partial, __int128 more) {
  unsigned __int128 sum =
      ((unsigned __int128)partial->hits << 64 | partial->bits) + (unsigned __int128)more;
  partial->bits = (uint64_t)sum;
  partial->hits = (uint64_t)(sum >> 64);
}

// A block of what is narrower than 64 bits fits into them.
#define TOTAL(N, T, S)                                                                     \
  PL_ALWAYS_INLINE void total_##N##_body(const struct pl_kernel_loop *loop) {              \
    S sum = 0;                                                                             \
    for (size_t i = 0; i < loop->n; i++) sum += pl_get_##N(loop->in[0] + i * sizeof(T));   \
    memcpy(loop->dst, &sum, sizeof sum);                                                   \
  }                                                                                        \
  PL_LOOPS(total_##N)                                                                      \
  static void add_total_##N(const struct pl_kernel *kernel, struct pl_partial *partial,    \
                            const char *at, size_t n, uint64_t number) {                   \
    S sum;                                                                                 \
    (void)number;                                                                          \
    pl_loops_pick (&kernel->loops)(                                                        \
        &(struct pl_kernel_loop){.dst = (void *)&sum, .in = {at}, .n = n});                \
    add_total(partial, sum);                                                               \
  }                                                                                        \
  static void reduce_total_##N(const struct pl_kernel *kernel, struct pl_partial *partial, \
                               const struct pl_span *self, size_t first, size_t count) {   \
    reduce(kernel, partial, self, first, count, add_total_##N);                            \
  }
TOTAL(i8, int8_t, int64_t)
TOTAL(i16, int16_t, int64_t)
TOTAL(i32, int32_t, int64_t)
TOTAL(i64, int64_t, __int128)
TOTAL(u8, uint8_t, int64_t)
TOTAL(u16, uint16_t, int64_t)
TOTAL(u32, uint32_t, int64_t)
TOTAL(u64, uint64_t, __int128)

static void join_total(const struct pl_kernel *kernel, struct pl_partial *partial,
                       const struct pl_partial *next) {
  (void)kernel;
  partial->count += next->count;
  add_total(partial, (__int128)((unsigned __int128)next->hits << 64 | next->bits));
}

static void finish_best(const struct pl_kernel *kernel, const struct pl_layout *layout,
                        const struct pl_partial *partial, char *out) {
  (void)kernel, (void)layout;
  memcpy(out, &partial->best, sizeof partial->best);
}

static void finish_total(const struct pl_kernel *kernel, const struct pl_layout *layout,
                         const struct pl_partial *partial, char *out) {
  __int128 sum = (__int128)((unsigned __int128)partial->hits << 64 | partial->bits);
  __int128 most = kernel->part == PL_SCALAR_U64 ? (__int128)UINT64_MAX : INT64_MAX;
  __int128 least = kernel->part == PL_SCALAR_U64 ? 0 : INT64_MIN;
  uint64_t bits = (uint64_t)(sum > most ? most : sum < least ? least : sum);
  (void)layout;
  memcpy(out, &bits, sizeof bits);
}

static void finish_mean(const struct pl_kernel *kernel, const struct pl_layout *layout,
                        const struct pl_partial *partial, char *out) {
  double sum = (double)(__int128)((unsigned __int128)partial->hits << 64 | partial->bits);
  (void)kernel, (void)layout;
  pl_feed_number(out, PL_SCALAR_F64, sum / (double)partial->count);
}

static const struct pl_layout *i64_layout(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout) {
  (void)kernel, (void)layout;
  return pl_layout_scalar(PL_SCALAR_I64);
}

static const struct pl_layout *total_layout(const struct pl_kernel *kernel,
                                            const struct pl_layout *layout) {
  (void)layout;
  return pl_layout_scalar(kernel->part == PL_SCALAR_U64 ? PL_SCALAR_U64 : PL_SCALAR_I64);
}

static const struct pl_layout *f64_layout(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout) {
  (void)kernel, (void)layout;
  return pl_layout_scalar(PL_SCALAR_F64);
}

static bool accepts(const struct pl_kernel *kernel, const struct pl_layout *layout,
                    const struct pl_kernel_operand *operands) {
  (void)operands;
  return layout->kind == PL_LAYOUT_SCALAR && layout->scalar == kernel->part;
}

// Scalars a millisecond.
enum { RATE = 200000 };

#define BEST_ROW(VERB, NAME, N, SCALAR)                                                  \
  {                                                                                      \
    .verb = VERB, .part = SCALAR, .result = PL_KERNEL_REDUCED, .part_rate = RATE,        \
    .accepts = accepts, .loops = PL_LOOPS_OF(NAME##_##N), .reduce = reduce_##NAME##_##N, \
    .join = join_##NAME##_##N, .finish = finish_best, .reduced = i64_layout              \
  }
#define TOTAL_ROW(VERB, N, SCALAR, FINISH, LAYOUT)                                   \
  {                                                                                  \
    .verb = VERB, .part = SCALAR, .result = PL_KERNEL_REDUCED, .part_rate = RATE,    \
    .accepts = accepts, .loops = PL_LOOPS_OF(total_##N), .reduce = reduce_total_##N, \
    .join = join_total, .finish = FINISH, .reduced = LAYOUT                          \
  }
#define BEST_ROWS(VERB, NAME)                                                             \
  BEST_ROW(VERB, NAME, f32, PL_SCALAR_F32), BEST_ROW(VERB, NAME, f64, PL_SCALAR_F64),     \
      BEST_ROW(VERB, NAME, i8, PL_SCALAR_I8), BEST_ROW(VERB, NAME, i16, PL_SCALAR_I16),   \
      BEST_ROW(VERB, NAME, i32, PL_SCALAR_I32), BEST_ROW(VERB, NAME, i64, PL_SCALAR_I64), \
      BEST_ROW(VERB, NAME, u8, PL_SCALAR_U8), BEST_ROW(VERB, NAME, u16, PL_SCALAR_U16),   \
      BEST_ROW(VERB, NAME, u32, PL_SCALAR_U32), BEST_ROW(VERB, NAME, u64, PL_SCALAR_U64)
#define TOTAL_ROWS(VERB, FINISH, LAYOUT)                   \
  TOTAL_ROW(VERB, i8, PL_SCALAR_I8, FINISH, LAYOUT),       \
      TOTAL_ROW(VERB, i16, PL_SCALAR_I16, FINISH, LAYOUT), \
      TOTAL_ROW(VERB, i32, PL_SCALAR_I32, FINISH, LAYOUT), \
      TOTAL_ROW(VERB, i64, PL_SCALAR_I64, FINISH, LAYOUT), \
      TOTAL_ROW(VERB, u8, PL_SCALAR_U8, FINISH, LAYOUT),   \
      TOTAL_ROW(VERB, u16, PL_SCALAR_U16, FINISH, LAYOUT), \
      TOTAL_ROW(VERB, u32, PL_SCALAR_U32, FINISH, LAYOUT), \
      TOTAL_ROW(VERB, u64, PL_SCALAR_U64, FINISH, LAYOUT)
static const struct pl_kernel argmin_rows[] = {BEST_ROWS("argmin", least)};
static const struct pl_kernel argmax_rows[] = {BEST_ROWS("argmax", greatest)};
static const struct pl_kernel sum_rows[] = {TOTAL_ROWS("sum", finish_total, total_layout)};
static const struct pl_kernel mean_rows[] = {TOTAL_ROWS("mean", finish_mean, f64_layout)};

const struct pl_kernel_verb *pl_kernels_best(void) {
  static const struct pl_kernel_verb verbs[] = {{"argmin", argmin_rows, PL_ARRAY_LEN(argmin_rows)},
                                                {"argmax", argmax_rows, PL_ARRAY_LEN(argmax_rows)},
                                                {"sum", sum_rows, PL_ARRAY_LEN(sum_rows)},
                                                {"mean", mean_rows, PL_ARRAY_LEN(mean_rows)},
                                                {NULL, NULL, 0}};
  return verbs;
}
