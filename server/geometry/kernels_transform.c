// Points and directions by one matrix for all, or by an array of as many.
//
// vec3 and dvec3 take a mat3, mat4, affine, quat, dquat or transform; vec2 and dvec2 a mat3, which
// acts on (x, y, 1); vec4 a mat4. A mat4's last row is left out (w stays 1; `project` divides), but
// for vec4. transform_direction leaves the translation out, and the scale in.
//
// All of them are brought into one form, a frame of three axes and an origin, so that there is one
// loop, and one for all gives the same bits as an array of the same. Frames are made in f64, points
// computed in their own type: axis x * x + axis y * y + axis z * z + origin, from left to right.
#include "geometry/kernels_transform.h"

#include "geometry/feed.h"
#include "geometry/kernel_loop.h"

enum { FRAME = 12, FRAMES = 32 };  // numbers of a frame; frames of a block

// What loops get as an operand.
static const struct pl_layout frame_f32 = {.size = FRAME * 4,
                                           .align = 1,
                                           .kind = PL_LAYOUT_STRUCT,
                                           .part = PL_SCALAR_F32,
                                           .part_count = FRAME};
static const struct pl_layout frame_f64 = {.size = FRAME * 8,
                                           .align = 1,
                                           .kind = PL_LAYOUT_STRUCT,
                                           .part = PL_SCALAR_F64,
                                           .part_count = FRAME};

#define M(N, T, k) const T m##k = pl_get_##N(m + (k) * sizeof(T));
#define FRAME_2(N, T) M(N, T, 0) M(N, T, 1) M(N, T, 3) M(N, T, 4) M(N, T, 9) M(N, T, 10)
#define FRAME_3(N, T) \
  FRAME_2(N, T) M(N, T, 2) M(N, T, 5) M(N, T, 6) M(N, T, 7) M(N, T, 8) M(N, T, 11)
#define FRAME_4(N, T) FRAME_3(N, T) M(N, T, 12) M(N, T, 13) M(N, T, 14) M(N, T, 15)

#define LOAD(N, T, k) const T v##k = pl_get_##N(in + i * step + (k)*part);
#define LOAD_2(N, T) LOAD(N, T, 0) LOAD(N, T, 1)
#define LOAD_3(N, T) LOAD_2(N, T) LOAD(N, T, 2)
#define LOAD_4(N, T) LOAD_3(N, T) LOAD(N, T, 3)

#define PUT(N, k, value) pl_put_##N(dst + i * step + (k)*dst_part, value);
#define MOVED_2(N, T)              \
  PUT(N, 0, m0 *v0 + m3 * v1 + m9) \
  PUT(N, 1, m1 *v0 + m4 * v1 + m10)
#define MOVED_3(N, T)                         \
  PUT(N, 0, m0 *v0 + m3 * v1 + m6 * v2 + m9)  \
  PUT(N, 1, m1 *v0 + m4 * v1 + m7 * v2 + m10) \
  PUT(N, 2, m2 *v0 + m5 * v1 + m8 * v2 + m11)
#define MOVED_4(N, T)                               \
  PUT(N, 0, m0 *v0 + m4 * v1 + m8 * v2 + m12 * v3)  \
  PUT(N, 1, m1 *v0 + m5 * v1 + m9 * v2 + m13 * v3)  \
  PUT(N, 2, m2 *v0 + m6 * v1 + m10 * v2 + m14 * v3) \
  PUT(N, 3, m3 *v0 + m7 * v1 + m11 * v2 + m15 * v3)

// `outer` is done once, `inner` for each element.
#define LOOP(NAME, N, T, D, STEP, PART, DST_PART, outer, inner)              \
  PL_ALWAYS_INLINE void NAME##_body(const struct pl_kernel_loop *loop) {     \
    char *dst = loop->dst;                                                   \
    const char *in = loop->in[0];                                            \
    const size_t n = loop->n, step = STEP, part = PART, dst_part = DST_PART; \
    outer PL_INDEPENDENT for (size_t i = 0; i < n; i++) {                    \
      inner LOAD_##D(N, T) MOVED_##D(N, T)                                   \
    }                                                                        \
  }                                                                          \
  PL_LOOPS(NAME)
#define FIRST const char *m = loop->in[1];
#define NEXT(T, numbers) const char *m = loop->in[1] + i * (numbers) * sizeof(T);
#define OF_SIZE(N, T, D, numbers)                                                              \
  LOOP(each_##N##_##D, N, T, D, (D) * sizeof(T), sizeof(T), sizeof(T), ,                       \
       NEXT(T, numbers) FRAME_##D(N, T))                                                       \
  LOOP(one_##N##_##D, N, T, D, (D) * sizeof(T), sizeof(T), sizeof(T), FIRST FRAME_##D(N, T), ) \
  LOOP(columns_##N##_##D, N, T, D, sizeof(T), loop->column[0], loop->dst_column,               \
       FIRST FRAME_##D(N, T), )
OF_SIZE(f32, float, 2, FRAME)
OF_SIZE(f32, float, 3, FRAME)
OF_SIZE(f32, float, 4, 16)
OF_SIZE(f64, double, 2, FRAME)
OF_SIZE(f64, double, 3, FRAME)

static void load_f32(double *to, const char *at, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = pl_get_f32(at + i * sizeof(float));
}

static void load_f64(double *to, const char *at, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = pl_get_f64(at + i * sizeof(double));
}

// The axes that q turns x, y and z to; its length is taken for 1.
static void turn(double m[FRAME], const double q[4]) {
  const double x = q[0], y = q[1], z = q[2], w = q[3];
  const double xx = 2 * x * x, yy = 2 * y * y, zz = 2 * z * z;
  const double xy = 2 * x * y, xz = 2 * x * z, yz = 2 * y * z;
  const double wx = 2 * w * x, wy = 2 * w * y, wz = 2 * w * z;
  const double axes[9] = {1 - (yy + zz), xy + wz, xz - wy, xy - wz,      1 - (xx + zz),
                          yz + wx,       xz + wy, yz - wx, 1 - (xx + yy)};
  memcpy(m, axes, sizeof axes);
}

static void load_transform(double m[FRAME], const char *at) {
  double fields[10];  // position, rotation, scale
  load_f32(fields, at, 10);
  turn(m, fields + 3);
  for (size_t i = 0; i < 9; i++) m[i] *= fields[7 + i / 3];
  memcpy(m + 9, fields, 3 * sizeof(double));
}

// A mat3 on (x, y, 1).
static void load_flat(double m[FRAME], const char *at) {
  for (size_t i = 0; i < 3; i++) load_f32(m + (i < 2 ? 3 * i : 9), at + i * 3 * sizeof(float), 2);
}

/// The frame of a matrix, rotation or transform at `at`.
static void load_frame(double m[FRAME], const struct pl_layout *layout, const char *at,
                       bool is_flat) {
  double q[4];
  memset(m, 0, FRAME * sizeof(double));
  switch (layout->builtin) {
  case PL_BUILTIN_mat3:
    if (is_flat) {
      load_flat(m, at);
    } else {
      load_f32(m, at, 9);
    }
    break;
  case PL_BUILTIN_mat4:
    for (size_t i = 0; i < 4; i++) load_f32(m + 3 * i, at + i * 4 * sizeof(float), 3);
    break;
  case PL_BUILTIN_affine:
    load_f32(m, at, FRAME);
    break;
  case PL_BUILTIN_quat:
    load_f32(q, at, 4);
    turn(m, q);
    break;
  case PL_BUILTIN_dquat:
    load_f64(q, at, 4);
    turn(m, q);
    break;
  default:
    load_transform(m, at);
  }
}

enum work { POINT, DIRECTION };

/// Frames of elements first .. first + count - 1, as the loop wants them.
static void make_frames(char *to, const struct pl_kernel *kernel, const struct pl_span *matrices,
                        size_t first, size_t count) {
  char packed[FRAMES * 64];
  double m[FRAME];
  size_t size = pl_scalar_size(kernel->part);
  pl_feed_gather(packed, matrices, first, count);
  for (size_t i = 0; i < count; i++) {
    load_frame(m, matrices->layout, packed + i * matrices->layout->size, kernel->parts == 2);
    if (kernel->work == DIRECTION) memset(m + 9, 0, 3 * sizeof(double));
    for (size_t k = 0; k < FRAME; k++) {
      pl_feed_number(to + (i * FRAME + k) * size, kernel->part, m[k]);
    }
  }
}

static void run(const struct pl_kernel *kernel, const struct pl_span *dst,
                const struct pl_span *self, const struct pl_kernel_operand *operands, size_t first,
                size_t count) {
  char frames[FRAMES * FRAME * sizeof(double)];
  const struct pl_span *matrices = &operands[0].span;
  struct pl_kernel_operand made = {.span = {.data = frames, .count = 1}};
  made.span.layout = kernel->part == PL_SCALAR_F32 ? &frame_f32 : &frame_f64;
  if (matrices->stride == 0) {
    make_frames(frames, kernel, matrices, 0, 1);
    pl_feed_run_elements(kernel, dst, self, &made, first, count);
    return;
  }
  made.span.stride = made.span.layout->size;
  for (size_t done = 0; done < count; done += FRAMES) {
    struct pl_span to = *dst, from = *self;
    size_t n = count - done < FRAMES ? count - done : FRAMES;
    to.data = pl_span_at(dst, first + done);
    from.data = pl_span_at(self, first + done);
    make_frames(frames, kernel, matrices, first + done, n);
    pl_feed_run_elements(kernel, &to, &from, &made, 0, n);
  }
}

static bool accepts(const struct pl_kernel *kernel, const struct pl_layout *layout,
                    const struct pl_kernel_operand *operands) {
  const struct pl_layout *matrix = operands[0].span.layout;
  if (layout->builtin != kernel->type || !matrix) return false;
  if (kernel->parts == 4) return matrix->builtin == PL_BUILTIN_mat4;
  if (kernel->parts == 2) return matrix->builtin == PL_BUILTIN_mat3;
  switch (matrix->builtin) {
  case PL_BUILTIN_mat3:
  case PL_BUILTIN_mat4:
  case PL_BUILTIN_affine:
  case PL_BUILTIN_quat:
  case PL_BUILTIN_dquat:
  case PL_BUILTIN_transform:
    return true;
  default:
    return false;
  }
}

// Scalars a millisecond, with a matrix each.
enum { RATE = 40000 };

#define ROW(VERB, TYPE, N, SCALAR, D, RUN, WORK)                                                \
  {                                                                                             \
    .verb = VERB, .operand_count = 1, .part = SCALAR, .parts = D, .result = PL_KERNEL_SAME,     \
    .part_rate = RATE, .type = PL_BUILTIN_##TYPE, .work = WORK, .accepts = accepts, .run = RUN, \
    .loops = PL_LOOPS_OF(each_##N##_##D), .one = PL_LOOPS_OF(one_##N##_##D),                    \
    .columns = PL_LOOPS_OF(columns_##N##_##D)                                                   \
  }
#define ROWS(VERB, WORK)                                  \
  ROW(VERB, vec2, f32, PL_SCALAR_F32, 2, run, WORK),      \
      ROW(VERB, vec3, f32, PL_SCALAR_F32, 3, run, WORK),  \
      ROW(VERB, dvec2, f64, PL_SCALAR_F64, 2, run, WORK), \
      ROW(VERB, dvec3, f64, PL_SCALAR_F64, 3, run, WORK)
static const struct pl_kernel points[] = {
    ROWS("transform", POINT),
    ROW("transform", vec4, f32, PL_SCALAR_F32, 4, pl_feed_run_elements, POINT)};
static const struct pl_kernel directions[] = {ROWS("transform_direction", DIRECTION)};

const struct pl_kernel_verb *pl_kernels_transform(void) {
  static const struct pl_kernel_verb verbs[] = {
      {"transform", points, PL_ARRAY_LEN(points)},
      {"transform_direction", directions, PL_ARRAY_LEN(directions)},
      {NULL, NULL, 0}};
  return verbs;
}
