// P8: kernels on packed vec3 and f32 against plain loops (plain.c) and memcpy. Each round times
// every contender once, in turn; a figure is the median of the ratios within a round. One size
// stays in the second cache, the other does not fit into any.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "geometry/kernels.h"
#include "plain.h"

enum { ROUNDS = 15, SMALL = 4096, LARGE = 2000000, WORK = 4000000 };

struct data {
  size_t n;
  float *a, *b, *d;
  unsigned char *mask;
  float m[16];
  float box[6];
};

struct row {
  const char *verb;
  const char *what;
  void (*plain)(const struct data *data);
  enum pl_builtin type;  // none: f32
  enum { NONE, ARRAY, ONE_VEC3, NUMBER, MATRIX, BOX, ARRAY_AND_NUMBER } operand;
  size_t bytes;  // read and written an element
};

static volatile double sink;

#define PLAIN(name, call)                        \
  static void run_##name(const struct data *x) { \
    call;                                        \
  }
PLAIN(add, plain_add(x->d, x->a, x->b, x->n))
PLAIN(scale, plain_scale(x->d, x->a, 1.5f, x->n))
PLAIN(mul_add, plain_mul_add(x->d, x->a, x->b, 1.5f, x->n))
PLAIN(dot, plain_dot(x->d, x->a, x->b, x->n))
PLAIN(dot_one, plain_dot_one(x->d, x->a, x->b, x->n))
PLAIN(length, plain_length(x->d, x->a, x->n))
PLAIN(distance, plain_distance(x->d, x->a, x->b, x->n))
PLAIN(normalize, plain_normalize(x->d, x->a, x->n))
PLAIN(cross, plain_cross(x->d, x->a, x->b, x->n))
PLAIN(transform, plain_transform(x->d, x->a, x->m, x->n))
PLAIN(aabb, plain_aabb(x->d, x->a, x->n))
PLAIN(sum, sink = plain_sum(x->a, x->n))
PLAIN(argmin, sink = (double)plain_argmin(x->a, x->n))
PLAIN(lt, plain_lt(x->mask, x->a, 1.5f, x->n))
PLAIN(inside, plain_inside(x->mask, x->a, x->box, x->n))

static const struct row rows[] = {
    {"add", "vec3 + vec3", run_add, PL_BUILTIN_vec3, ARRAY, 36},
    {"mul", "vec3 * number", run_scale, PL_BUILTIN_vec3, NUMBER, 24},
    {"mul_add", "vec3 + vec3 * number", run_mul_add, PL_BUILTIN_vec3, ARRAY_AND_NUMBER, 36},
    {"dot", "vec3 . vec3", run_dot, PL_BUILTIN_vec3, ARRAY, 28},
    {"dot", "vec3 . one vec3", run_dot_one, PL_BUILTIN_vec3, ONE_VEC3, 16},
    {"length", "vec3", run_length, PL_BUILTIN_vec3, NONE, 16},
    {"distance", "vec3 to vec3", run_distance, PL_BUILTIN_vec3, ARRAY, 28},
    {"normalize", "vec3", run_normalize, PL_BUILTIN_vec3, NONE, 24},
    {"cross", "vec3 x vec3", run_cross, PL_BUILTIN_vec3, ARRAY, 36},
    {"transform", "vec3 by one mat4", run_transform, PL_BUILTIN_vec3, MATRIX, 24},
    {"aabb", "of vec3", run_aabb, PL_BUILTIN_vec3, NONE, 12},
    {"sum", "of f32", run_sum, PL_BUILTIN_NONE, NONE, 4},
    {"argmin", "of f32", run_argmin, PL_BUILTIN_NONE, NONE, 4},
    {"lt", "f32 < number", run_lt, PL_BUILTIN_NONE, NUMBER, 5},
    {"inside", "vec3 in one aabb", run_inside, PL_BUILTIN_vec3, BOX, 13},
};

static size_t make_operands(const struct row *row, const struct data *x,
                            struct pl_kernel_operand operands[2]) {
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  memset(operands, 0, 2 * sizeof *operands);
  operands[0].number = operands[1].number = 1.5;
  switch (row->operand) {
  case NONE:
    return 0;
  case ARRAY:
  case ARRAY_AND_NUMBER:
    operands[0].span = (struct pl_span){(char *)x->b, x->n, 12, vec3, 0};
    return row->operand == ARRAY ? 1 : 2;
  case ONE_VEC3:
    operands[0].span = (struct pl_span){(char *)x->b, 1, 0, vec3, 0};
    return 1;
  case MATRIX:
    operands[0].span = (struct pl_span){(char *)x->m, 1, 0, pl_layout_builtin(PL_BUILTIN_mat4), 0};
    return 1;
  case BOX:
    operands[0].span =
        (struct pl_span){(char *)x->box, 1, 0, pl_layout_builtin(PL_BUILTIN_aabb), 0};
    return 1;
  default:
    return 1;
  }
}

/// The kernel, found once: who calls it keeps it.
struct call {
  const struct pl_kernel *kernel;
  const struct pl_layout *layout;
  struct pl_kernel_operand operands[2];
};

static struct call make_call(const struct row *row, const struct data *x) {
  struct call call = {.layout = row->type ? pl_layout_builtin(row->type)
                                          : pl_layout_scalar(PL_SCALAR_F32)};
  size_t count = make_operands(row, x, call.operands);
  call.kernel = pl_kernel_find(row->verb, call.layout, call.operands, count);
  if (!call.kernel) abort();
  return call;
}

static void run_kernel(const struct call *call, const struct data *x) {
  const struct pl_kernel *kernel = call->kernel;
  const struct pl_layout *layout = call->layout, *result = pl_kernel_result(kernel, layout);
  struct pl_span self = {(char *)x->a, x->n, layout->size, layout, 0};
  if (!result) {
    struct pl_partial partial = pl_partial_none();
    char out[64];
    pl_kernel_reduce(kernel, &partial, &self, 0, x->n);
    pl_kernel_finish(kernel, layout, &partial, out);
    return;
  }
  char *to = result->size == 1 ? (char *)x->mask : (char *)x->d;
  struct pl_span dst = {to, x->n, result->size, result, 0};
  pl_kernel_run(kernel, &dst, &self, call->operands, 0, x->n);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/// What is timed: 0 the kernel, 1 the plain loop, 2 memcpy of as many bytes, read and written.
static double seconds(const struct row *row, const struct data *x, int which) {
  const struct call call = make_call(row, x);
  size_t times = WORK / x->n;
  double begin = now();
  for (size_t i = 0; i < times; i++) {
    if (which == 0) run_kernel(&call, x);
    if (which == 1) row->plain(x);
    if (which == 2) memcpy(x->d, x->a, x->n * row->bytes / 2);
    __asm__ volatile("" ::: "memory");
  }
  return now() - begin;
}

static int by_value(const void *a, const void *b) {
  double x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return (x > y) - (x < y);
}

static void measure(const struct row *row, const struct data *x, bool with_memcpy) {
  double plain[ROUNDS], copy[ROUNDS];
  for (int which = 0; which < 3; which++) seconds(row, x, which);
  for (int round = 0; round < ROUNDS; round++) {
    double took[3];
    for (int k = 0; k < 3; k++) took[(round + k) % 3] = seconds(row, x, (round + k) % 3);
    plain[round] = took[0] / took[1];
    copy[round] = took[2] / took[0];
  }
  qsort(plain, ROUNDS, sizeof *plain, by_value);
  qsort(copy, ROUNDS, sizeof *copy, by_value);
  printf("  %5.2f (%.2f-%.2f)", plain[ROUNDS / 2], plain[0], plain[ROUNDS - 1]);
  if (with_memcpy) printf("  %5.2f", copy[ROUNDS / 2]);
}

static struct data make_data(size_t n) {
  struct data x = {.n = n, .box = {0.2f, 0.2f, 0.2f, 2, 2, 2}};
  size_t bytes = (n * 36 + 4095) / 4096 * 4096;
  x.a = aligned_alloc(4096, bytes);
  x.b = aligned_alloc(4096, bytes);
  x.d = aligned_alloc(4096, bytes);
  x.mask = aligned_alloc(4096, bytes);
  if (!x.a || !x.b || !x.d || !x.mask) abort();
  memset(x.d, 0, bytes);
  memset(x.mask, 0, bytes);
  for (size_t i = 0; i < bytes / sizeof(float); i++) {
    x.a[i] = (float)(i * 2654435761u % 1000) / 400;
    x.b[i] = (float)(i * 40503u % 1000) / 300;
  }
  for (int i = 0; i < 16; i++) x.m[i] = (float)i / 7;
  return x;
}

int main(void) {
  struct data small = make_data(SMALL), large = make_data(LARGE);
  printf("time of the kernel / the plain loop: median (least-greatest) of %d rounds;\n", ROUNDS);
  printf("bandwidth of the kernel / memcpy's\n\n%-32s%-22s%-22s%s\n", "", "4,096 elements",
         "2,000,000 elements", "/ memcpy");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    printf("%-10s%-22s", rows[i].verb, rows[i].what);
    measure(&rows[i], &small, false);
    measure(&rows[i], &large, true);
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
