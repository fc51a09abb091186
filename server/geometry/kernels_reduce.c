// Reductions of f32 and f64, and of masks; argmin, argmax and those of integers are in
// kernels_best.c.
//
// sum, mean: of numbers f64, of structs the struct, of ivec* and uvec* the dvec. Every addition
// keeps what it rounds off, so that neither the order nor the pieces matter: sum + low is exact to
// some 100 bits. aabb: of vec2 a rect, of vec3 an aabb, of dvec2 a drect. NaN is passed over; -0
// counts as 0. any, all, count: of u8 or bool, where every byte but 0 is true.
//
// A sum or a least in one variable would wait for itself at every element, so there are LANES of
// them, a whole number of elements, joined at the end.
#include "geometry/kernels_reduce.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"
#include "geometry/kernels_arith.h"

enum { LANES = 48 };

/// What a loop adds to; `loop->dst` is one of these.
struct sums {
  double sum[LANES];
  double low[LANES];
};

/// a + b is *sum + *low + what is below that.
PL_ALWAYS_INLINE void add_up(double *sum, double *low, double x) {
  const double a = *sum, s = a + x, b = s - a;
  *low += (a - (s - b)) + (x - b);
  *sum = s;
}

// loop->dst_column: lanes in use, a whole number of elements.
#define SUM(N, T, W)                                                                        \
  PL_ALWAYS_INLINE void sum_##N##_body(const struct pl_kernel_loop *loop) {                 \
    struct sums *sums = (void *)loop->dst;                                                  \
    const char *in = loop->in[0];                                                           \
    size_t lanes = loop->dst_column, n = loop->n;                                           \
    for (size_t i = 0; i < n; i += lanes) {                                                 \
      size_t end = n - i < lanes ? n - i : lanes;                                           \
      PL_INDEPENDENT                                                                        \
      for (size_t k = 0; k < end; k++) {                                                    \
        add_up(&sums->sum[k], &sums->low[k], (double)pl_get_##N(in + (i + k) * sizeof(T))); \
      }                                                                                     \
    }                                                                                       \
  }                                                                                         \
  PL_LOOPS(sum_##N)
PL_FLOATS(SUM)
SUM(i32, int32_t, )
SUM(u32, uint32_t, )

struct box_f32 {
  float least[LANES], greatest[LANES];
};
struct box_f64 {
  double least[LANES], greatest[LANES];
};

#define BOX(N, T, W)                                                        \
  PL_ALWAYS_INLINE void box_##N##_body(const struct pl_kernel_loop *loop) { \
    struct box_##N *box = (void *)loop->dst;                                \
    const char *in = loop->in[0];                                           \
    size_t lanes = loop->dst_column, n = loop->n;                           \
    for (size_t i = 0; i < n; i += lanes) {                                 \
      size_t end = n - i < lanes ? n - i : lanes;                           \
      PL_INDEPENDENT                                                        \
      for (size_t k = 0; k < end; k++) {                                    \
        T x = pl_get_##N(in + (i + k) * sizeof(T));                         \
        T least = box->least[k], greatest = box->greatest[k];               \
        box->least[k] = x < least ? x : least;                              \
        box->greatest[k] = x > greatest ? x : greatest;                     \
      }                                                                     \
    }                                                                       \
  }                                                                         \
  PL_LOOPS(box_##N)
PL_FLOATS(BOX)

PL_ALWAYS_INLINE void count_body(const struct pl_kernel_loop *loop) {
  const char *in = loop->in[0];
  uint32_t hits = 0;  // a block is shorter than 2^32
  for (size_t i = 0; i < loop->n; i++) hits += in[i] != 0;
  memcpy(loop->dst, &hits, sizeof hits);
}
PL_LOOPS(count)

/// n scalars at `at` are parts part, part + 1, ... of elements of `parts`, or part only.
typedef void add_fn(const struct pl_kernel *kernel, struct pl_partial *partial, const char *at,
                    size_t n, size_t parts, size_t part);

static void add_sums(const struct pl_kernel *kernel, struct pl_partial *partial, const char *at,
                     size_t n, size_t parts, size_t part) {
  struct sums sums = {{0}, {0}};
  size_t lanes = LANES / parts * parts;
  pl_loops_pick (&kernel->loops)(
      &(struct pl_kernel_loop){.dst = (void *)&sums, .in = {at}, .dst_column = lanes, .n = n});
  for (size_t i = 0; i < lanes; i++) {
    size_t k = part + i % parts;
    add_up(&partial->sum[k], &partial->low[k], sums.sum[i]);
    partial->low[k] += sums.low[i];
  }
}

#define ADD_BOX(N, T, W)                                                                         \
  static void add_box_##N(const struct pl_kernel *kernel, struct pl_partial *partial,            \
                          const char *at, size_t n, size_t parts, size_t part) {                 \
    struct box_##N box;                                                                          \
    size_t lanes = LANES / parts * parts;                                                        \
    for (size_t i = 0; i < lanes; i++) {                                                         \
      box.least[i] = (T)INFINITY;                                                                \
      box.greatest[i] = -(T)INFINITY;                                                            \
    }                                                                                            \
    pl_loops_pick (&kernel->loops)(                                                              \
        &(struct pl_kernel_loop){.dst = (void *)&box, .in = {at}, .dst_column = lanes, .n = n}); \
    for (size_t i = 0; i < lanes; i++) {                                                         \
      size_t k = part + i % parts;                                                               \
      double least = box.least[i], greatest = box.greatest[i];                                   \
      partial->least[k] = least < partial->least[k] ? least : partial->least[k];                 \
      partial->greatest[k] = greatest > partial->greatest[k] ? greatest : partial->greatest[k];  \
    }                                                                                            \
  }
PL_FLOATS(ADD_BOX)

static void add_count(const struct pl_kernel *kernel, struct pl_partial *partial, const char *at,
                      size_t n, size_t parts, size_t part) {
  (void)parts, (void)part;
  for (size_t done = 0; done < n; done += 1 << 30) {
    uint32_t hits;
    size_t some = n - done < 1 << 30 ? n - done : 1 << 30;
    pl_loops_pick (&kernel->loops)(
        &(struct pl_kernel_loop){.dst = (void *)&hits, .in = {at + done}, .n = some});
    partial->hits += hits;
  }
}

/// Hands the scalars on as they lie: packed ones at once, columns one by one, others by blocks.
static void reduce(const struct pl_kernel *kernel, struct pl_partial *partial,
                   const struct pl_span *self, size_t first, size_t count, add_fn *add) {
  size_t parts = self->layout->part_count;
  partial->count += count;
  if (pl_feed_is_packed(self)) {
    add(kernel, partial, pl_span_at(self, first), count * parts, parts, 0);
  } else if (self->column) {
    for (size_t k = 0; k < parts; k++) {
      add(kernel, partial, pl_span_at(self, first) + k * self->column, count, 1, k);
    }
  } else {
    char room[PL_FEED_ROOM];
    size_t block = sizeof room / self->layout->size;
    for (size_t done = 0; done < count; done += block) {
      size_t n = count - done < block ? count - done : block;
      pl_feed_gather(room, self, first + done, n);
      add(kernel, partial, room, n * parts, parts, 0);
    }
  }
}

#define REDUCE(NAME)                                                                    \
  static void reduce_##NAME(const struct pl_kernel *kernel, struct pl_partial *partial, \
                            const struct pl_span *self, size_t first, size_t count) {   \
    reduce(kernel, partial, self, first, count, add_##NAME);                            \
  }
REDUCE(sums)
REDUCE(box_f32)
REDUCE(box_f64)
REDUCE(count)

static void join(const struct pl_kernel *kernel, struct pl_partial *partial,
                 const struct pl_partial *next) {
  (void)kernel;
  partial->count += next->count;
  partial->hits += next->hits;
  for (size_t k = 0; k < PL_KERNEL_PARTS_MAX; k++) {
    add_up(&partial->sum[k], &partial->low[k], next->sum[k]);
    partial->low[k] += next->low[k];
  }
  for (size_t k = 0; k < PL_ARRAY_LEN(partial->least); k++) {
    double least = next->least[k], greatest = next->greatest[k];
    partial->least[k] = least < partial->least[k] ? least : partial->least[k];
    partial->greatest[k] = greatest > partial->greatest[k] ? greatest : partial->greatest[k];
  }
}

static bool is_integer(const struct pl_layout *layout) {
  return layout->part == PL_SCALAR_I32 || layout->part == PL_SCALAR_U32;
}

static const struct pl_layout *doubles_of(size_t parts) {
  return pl_layout_builtin(parts == 2   ? PL_BUILTIN_dvec2
                           : parts == 3 ? PL_BUILTIN_dvec3
                                        : PL_BUILTIN_dvec4);
}

// Numbers give f64; vectors of integers those of f64; of another struct, what it is.
static const struct pl_layout *sum_layout(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout) {
  (void)kernel;
  if (layout->kind == PL_LAYOUT_SCALAR) return pl_layout_scalar(PL_SCALAR_F64);
  return is_integer(layout) ? doubles_of(layout->part_count) : layout;
}

static void finish_sums(const struct pl_kernel *kernel, const struct pl_layout *layout,
                        const struct pl_partial *partial, double by, char *out) {
  const struct pl_layout *result = sum_layout(kernel, layout);
  for (size_t k = 0; k < result->part_count; k++) {
    // What an infinity rounded off is no number.
    bool is_finite = isfinite(partial->sum[k]);
    double sum = is_finite ? partial->sum[k] + partial->low[k] : partial->sum[k];
    pl_feed_number(out + k * pl_scalar_size(result->part), result->part, sum / by);
  }
}

static void finish_sum(const struct pl_kernel *kernel, const struct pl_layout *layout,
                       const struct pl_partial *partial, char *out) {
  finish_sums(kernel, layout, partial, 1, out);
}

static void finish_mean(const struct pl_kernel *kernel, const struct pl_layout *layout,
                        const struct pl_partial *partial, char *out) {
  finish_sums(kernel, layout, partial, (double)partial->count, out);
}

static const struct pl_layout *box_layout(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout) {
  (void)kernel;
  switch (layout->builtin) {
  case PL_BUILTIN_vec2:
    return pl_layout_builtin(PL_BUILTIN_rect);
  case PL_BUILTIN_vec3:
    return pl_layout_builtin(PL_BUILTIN_aabb);
  default:
    return pl_layout_builtin(PL_BUILTIN_drect);
  }
}

static void finish_box(const struct pl_kernel *kernel, const struct pl_layout *layout,
                       const struct pl_partial *partial, char *out) {
  size_t parts = layout->part_count, size = pl_scalar_size(kernel->part);
  for (size_t k = 0; k < parts; k++) {
    // -0 + 0 is 0.
    pl_feed_number(out + k * size, kernel->part, partial->least[k] + 0.0);
    pl_feed_number(out + (parts + k) * size, kernel->part, partial->greatest[k] + 0.0);
  }
}

static const struct pl_layout *i64_layout(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout) {
  (void)kernel, (void)layout;
  return pl_layout_scalar(PL_SCALAR_I64);
}

static const struct pl_layout *bool_layout(const struct pl_kernel *kernel,
                                           const struct pl_layout *layout) {
  (void)kernel, (void)layout;
  return pl_layout_scalar(PL_SCALAR_BOOL);
}

static void finish_count(const struct pl_kernel *kernel, const struct pl_layout *layout,
                         const struct pl_partial *partial, char *out) {
  (void)kernel, (void)layout;
  memcpy(out, &partial->hits, sizeof partial->hits);
}

static void finish_any(const struct pl_kernel *kernel, const struct pl_layout *layout,
                       const struct pl_partial *partial, char *out) {
  (void)kernel, (void)layout;
  *out = partial->hits > 0;
}

static void finish_all(const struct pl_kernel *kernel, const struct pl_layout *layout,
                       const struct pl_partial *partial, char *out) {
  (void)kernel, (void)layout;
  *out = partial->hits == partial->count;
}

static bool accepts_integers(const struct pl_kernel *kernel, const struct pl_layout *layout,
                             const struct pl_kernel_operand *operands) {
  (void)operands;
  return layout->part == kernel->part && layout->builtin >= PL_BUILTIN_ivec2 &&
         layout->builtin <= PL_BUILTIN_uvec4;
}

static bool accepts_sum(const struct pl_kernel *kernel, const struct pl_layout *layout,
                        const struct pl_kernel_operand *operands) {
  (void)operands;
  return layout->part == kernel->part && layout->part_count <= PL_KERNEL_PARTS_MAX &&
         pl_kernel_is_arithmetic(layout);
}

static bool accepts_type(const struct pl_kernel *kernel, const struct pl_layout *layout,
                         const struct pl_kernel_operand *operands) {
  (void)operands;
  return layout->builtin == kernel->type;
}

static bool accepts_mask(const struct pl_kernel *kernel, const struct pl_layout *layout,
                         const struct pl_kernel_operand *operands) {
  (void)kernel, (void)operands;
  return layout->kind == PL_LAYOUT_SCALAR &&
         (layout->scalar == PL_SCALAR_U8 || layout->scalar == PL_SCALAR_BOOL);
}

// Scalars a millisecond.
enum { RATE = 200000, RATE_MASK = 500000 };

#define SUM_ROW(VERB, N, SCALAR, FINISH, ACCEPTS)                                           \
  {                                                                                         \
    .verb = VERB, .part = SCALAR, .result = PL_KERNEL_REDUCED, .part_rate = RATE,           \
    .accepts = ACCEPTS, .loops = PL_LOOPS_OF(sum_##N), .reduce = reduce_sums, .join = join, \
    .finish = FINISH, .reduced = sum_layout                                                 \
  }
#define SUM_ROWS(VERB, FINISH)                                     \
  SUM_ROW(VERB, f32, PL_SCALAR_F32, FINISH, accepts_sum),          \
      SUM_ROW(VERB, f64, PL_SCALAR_F64, FINISH, accepts_sum),      \
      SUM_ROW(VERB, i32, PL_SCALAR_I32, FINISH, accepts_integers), \
      SUM_ROW(VERB, u32, PL_SCALAR_U32, FINISH, accepts_integers)
static const struct pl_kernel sums_rows[] = {SUM_ROWS("sum", finish_sum)};
static const struct pl_kernel mean_rows[] = {SUM_ROWS("mean", finish_mean)};
#define BOX_ROW(TYPE, N, SCALAR)                                                        \
  {                                                                                     \
    .verb = "aabb", .part = SCALAR, .result = PL_KERNEL_REDUCED, .part_rate = RATE,     \
    .type = PL_BUILTIN_##TYPE, .accepts = accepts_type, .loops = PL_LOOPS_OF(box_##N),  \
    .reduce = reduce_box_##N, .join = join, .finish = finish_box, .reduced = box_layout \
  }
static const struct pl_kernel box_rows[] = {BOX_ROW(vec2, f32, PL_SCALAR_F32),
                                            BOX_ROW(vec3, f32, PL_SCALAR_F32),
                                            BOX_ROW(dvec2, f64, PL_SCALAR_F64)};
#define MASK_ROW(VERB, FINISH, LAYOUT)                                                          \
  {                                                                                             \
    .verb = VERB, .part = PL_SCALAR_U8, .result = PL_KERNEL_REDUCED, .part_rate = RATE_MASK,    \
    .accepts = accepts_mask, .loops = PL_LOOPS_OF(count), .reduce = reduce_count, .join = join, \
    .finish = FINISH, .reduced = LAYOUT                                                         \
  }
static const struct pl_kernel any_row[] = {MASK_ROW("any", finish_any, bool_layout)};
static const struct pl_kernel all_row[] = {MASK_ROW("all", finish_all, bool_layout)};
static const struct pl_kernel count_row[] = {MASK_ROW("count", finish_count, i64_layout)};

const struct pl_kernel_verb *pl_kernels_reduce(void) {
  static const struct pl_kernel_verb verbs[] = {{"sum", sums_rows, PL_ARRAY_LEN(sums_rows)},
                                                {"mean", mean_rows, PL_ARRAY_LEN(mean_rows)},
                                                {"aabb", box_rows, PL_ARRAY_LEN(box_rows)},
                                                {"any", any_row, 1},
                                                {"all", all_row, 1},
                                                {"count", count_row, 1},
                                                {NULL, NULL, 0}};
  return verbs;
}
