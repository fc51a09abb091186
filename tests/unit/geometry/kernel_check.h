/// Runs a kernel in every arrangement that arrays come in, and compares each element with what a
/// plain function of the test makes of the same values: packed, strided, in columns, one value for
/// all, a scalar for each struct, at every offset, in place, cut into random pieces, with the loops
/// for any CPU and those for AVX2. What lies between the elements of the result must stay.
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "geometry/feed.h"
#include "geometry/kernels.h"
#include "geometry/layout.h"

enum { CHECK_INPUTS = 4, CHECK_VALUE = 1024 };

/// One element, packed, from packed operands.
typedef void check_ref(char *out, const char *const in[]);

struct check {
  const char *verb;
  const struct pl_layout *layout;
  size_t operands;
  const struct pl_layout *operand[CHECK_INPUTS - 1];  ///< of those behind the first
  bool takes_numbers;  ///< a number or an array of scalars may stand for an operand, too
  check_ref *ref;
  double low, high;  ///< of the random numbers; both 0: -100 to 100 and special ones
  double slack;      ///< results may differ by that much of their size, or of 1; 0: by no bit
};

enum shape { SHAPE_PACKED, SHAPE_STRIDED, SHAPE_COLUMNS, SHAPE_ONE, SHAPE_NUMBER, SHAPE_SCALARS };

static uint64_t check_seed = 88172645463325252u;

static inline uint64_t random_bits(void) {
  check_seed ^= check_seed << 13;
  check_seed ^= check_seed >> 7;
  check_seed ^= check_seed << 17;
  return check_seed * 0x2545F4914F6CDD1Du;
}

static inline size_t random_below(size_t n) {
  return (size_t)((random_bits() >> 11) % n);
}

static inline double random_number(const struct check *check) {
  static const double special[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-42, 1.0, -1.0};
  double unit = (double)(random_bits() >> 11) * 0x1p-53;
  if (check->low != check->high) return check->low + unit * (check->high - check->low);
  return random_below(40) == 0 ? special[random_below(8)] : unit * 200 - 100;
}

static inline void random_scalar(char *at, enum pl_scalar scalar, const struct check *check) {
  static const int64_t edges[] = {0, 1, -1, INT64_MIN, INT64_MAX, 0x7fffffff, -0x7fffffff - 1, 127};
  double number = random_number(check);
  float single = (float)number;
  uint64_t bits = random_below(6) ? random_bits() : (uint64_t)edges[random_below(8)];
  unsigned size = pl_scalar_size(scalar);
  if (scalar == PL_SCALAR_F32) {
    memcpy(at, &single, size);
  } else if (scalar == PL_SCALAR_F64) {
    memcpy(at, &number, size);
  } else {
    if (check->low != check->high) bits = (uint64_t)(int64_t)number;
    memcpy(at, &bits, size);
  }
}

/// Packed random values of a layout that is made of one kind of scalar.
static inline void random_fill(char *at, const struct pl_layout *layout, size_t count,
                               const struct check *check) {
  size_t part = pl_scalar_size(layout->part);
  for (size_t i = 0; i < count * layout->part_count; i++) {
    random_scalar(at + i * part, layout->part, check);
  }
}

struct array {
  char *block;
  size_t bytes;
  struct pl_span span;
};

/// Room for count elements, that begins `offset` bytes behind a multiple of 64.
static inline struct array array_new(const struct pl_layout *layout, size_t count, enum shape shape,
                                     size_t offset) {
  struct array array = {0};
  size_t gap = shape == SHAPE_STRIDED ? 1 + random_below(9) : 0;
  size_t lines = shape == SHAPE_COLUMNS ? random_below(100) : 0;
  size_t part = layout->part ? layout->size / layout->part_count : 0;
  array.bytes = 128 + (layout->size + gap) * count + lines * layout->part_count;
  array.block = aligned_alloc(64, (array.bytes + 127) / 64 * 64);
  assert_non_null(array.block);
  memset(array.block, 0xA5, array.bytes);
  array.span = (struct pl_span){array.block + offset, count, layout->size + gap, layout, 0};
  if (shape == SHAPE_COLUMNS) {
    array.span.stride = part;
    array.span.column = count * part + lines;
  }
  if (shape == SHAPE_ONE) {
    array.span.count = 1;
    array.span.stride = 0;
  }
  return array;
}

/// Where part k of element i is, said once more, without the code under test.
static inline char *part_at(const struct pl_span *span, size_t i, size_t k) {
  size_t part = span->layout->size / span->layout->part_count;
  return span->data + i * span->stride + k * (span->column ? span->column : part);
}

static inline void read_element(char *to, const struct pl_span *span, size_t i) {
  size_t part = span->layout->size / span->layout->part_count;
  for (size_t k = 0; k < span->layout->part_count; k++) {
    memcpy(to + k * part, part_at(span, i, k), part);
  }
}

static inline void write_element(const struct pl_span *span, size_t i, const char *from) {
  size_t part = span->layout->size / span->layout->part_count;
  for (size_t k = 0; k < span->layout->part_count; k++) {
    memcpy(part_at(span, i, k), from + k * part, part);
  }
}

static inline bool same_scalar(enum pl_scalar scalar, const char *a, const char *b) {
  float fa, fb;
  double da, db;
  if (memcmp(a, b, pl_scalar_size(scalar)) == 0) return true;
  if (scalar == PL_SCALAR_F32) {
    memcpy(&fa, a, 4);
    memcpy(&fb, b, 4);
    return isnan(fa) && isnan(fb);
  }
  if (scalar != PL_SCALAR_F64) return false;
  memcpy(&da, a, 8);
  memcpy(&db, b, 8);
  return isnan(da) && isnan(db);
}

static inline double as_double(enum pl_scalar scalar, const char *at) {
  float single = 0;
  double number = 0;
  memcpy(&single, at, scalar == PL_SCALAR_F32 ? 4 : 0);
  memcpy(&number, at, scalar == PL_SCALAR_F64 ? 8 : 0);
  return scalar == PL_SCALAR_F32 ? (double)single : number;
}

static inline bool near_scalar(enum pl_scalar scalar, const char *a, const char *b, double slack) {
  double x = as_double(scalar, a), y = as_double(scalar, b);
  return fabs(x - y) <= slack * fmax(1, fabs(y));
}

static inline bool same_element(const struct pl_layout *layout, const char *a, const char *b,
                                double slack) {
  size_t part = layout->size / layout->part_count;
  for (size_t k = 0; k < layout->part_count; k++) {
    const char *x = a + k * part, *y = b + k * part;
    if (!same_scalar(layout->part, x, y) &&
        !(slack > 0 && near_scalar(layout->part, x, y, slack))) {
      return false;
    }
  }
  return true;
}

static inline enum shape random_shape(const struct pl_layout *layout) {
  enum shape shape = (enum shape)random_below(3);
  return shape == SHAPE_COLUMNS && layout->part_count < 2 ? SHAPE_STRIDED : shape;
}

/// Operand `index` of element i, packed. A number is what pl_feed_number makes of it.
static inline void read_operand(char *to, const struct pl_kernel_operand *operand,
                                const struct pl_layout *layout, size_t i) {
  const struct pl_layout *own = operand->span.layout;
  size_t part = layout->size / layout->part_count;
  if (own == layout) {
    read_element(to, &operand->span, i);
    return;
  }
  for (size_t k = 0; k < layout->part_count; k++) {
    if (own) {
      read_element(to + k * part, &operand->span, i);
    } else {
      pl_feed_number(to + k * part, layout->part, operand->number);
    }
  }
}

struct trial {
  const struct check *check;
  const struct pl_kernel *kernel;
  const struct pl_layout *result;
  size_t count;
  struct array self, dst;
  struct array arrays[CHECK_INPUTS - 1];
  struct pl_kernel_operand operands[CHECK_INPUTS - 1];
  enum shape shapes[CHECK_INPUTS + 1];
  bool in_place;
};

static inline void fill_array(const struct array *array, const struct check *check) {
  char value[CHECK_VALUE];
  for (size_t i = 0; i < array->span.count; i++) {
    random_fill(value, array->span.layout, 1, check);
    write_element(&array->span, i, value);
  }
}

static inline void make_operand(struct trial *trial, size_t k) {
  const struct check *check = trial->check;
  const struct pl_layout *layout = check->operand[k];
  enum shape shape = random_below(3) == 0 ? SHAPE_ONE : random_shape(layout);
  struct pl_kernel_operand *operand = &trial->operands[k];
  if (check->takes_numbers && random_below(3) == 0) {
    shape = random_below(2) ? SHAPE_NUMBER : SHAPE_SCALARS;
  }
  trial->shapes[2 + k] = shape;
  *operand = (struct pl_kernel_operand){.number = random_number(check)};
  if (shape == SHAPE_NUMBER) return;
  if (shape == SHAPE_SCALARS) {
    layout = pl_layout_scalar(layout->part);
    shape = random_below(2) ? SHAPE_PACKED : random_below(2) ? SHAPE_ONE : SHAPE_STRIDED;
  }
  trial->arrays[k] = array_new(layout, trial->count, shape, random_below(64));
  fill_array(&trial->arrays[k], check);
  operand->span = trial->arrays[k].span;
}

/// What the test expects, packed.
static inline char *expected(const struct trial *trial) {
  size_t size = trial->result->size;
  char *all = malloc(trial->count * size + 1);
  assert_non_null(all);
  char values[CHECK_INPUTS][CHECK_VALUE];
  const char *in[CHECK_INPUTS] = {values[0], values[1], values[2], values[3]};
  for (size_t i = 0; i < trial->count; i++) {
    read_element(values[0], &trial->self.span, i);
    for (size_t k = 0; k < trial->check->operands; k++) {
      read_operand(values[1 + k], &trial->operands[k], trial->check->operand[k], i);
    }
    trial->check->ref(all + i * size, in);
  }
  return all;
}

/// A copy of the row that uses the loops for any CPU.
static inline struct pl_kernel without_avx2(const struct pl_kernel *kernel) {
  struct pl_kernel plain = *kernel;
  plain.loops.avx2 = plain.loops.base;
  plain.columns.avx2 = plain.columns.base;
  plain.one.avx2 = plain.one.base;
  return plain;
}

static inline void run_in_pieces(const struct trial *trial, const struct pl_kernel *kernel) {
  size_t cut = trial->count ? random_below(trial->count + 1) : 0;
  size_t cut2 = cut + (trial->count > cut ? random_below(trial->count - cut + 1) : 0);
  const struct pl_span *dst = &trial->dst.span, *self = &trial->self.span;
  pl_kernel_run(kernel, dst, self, trial->operands, cut2, trial->count - cut2);
  pl_kernel_run(kernel, dst, self, trial->operands, 0, cut);
  pl_kernel_run(kernel, dst, self, trial->operands, cut, cut2 - cut);
}

static inline void compare(const struct trial *trial, const char *wanted) {
  char value[CHECK_VALUE];
  for (size_t i = 0; i < trial->count; i++) {
    read_element(value, &trial->dst.span, i);
    if (!same_element(trial->result, value, wanted + i * trial->result->size,
                      trial->check->slack)) {
      fail_msg("%s of %s: element %zu of %zu differs (shapes %d %d %d %d, in place %d)",
               trial->check->verb, trial->check->layout->name.data, i, trial->count,
               trial->shapes[0], trial->shapes[1], trial->shapes[2], trial->shapes[3],
               trial->in_place);
    }
    memset(value, 0xA5, sizeof value);
    write_element(&trial->dst.span, i, value);
  }
  if (trial->in_place) return;
  for (size_t i = 0; i < trial->dst.bytes; i++) {
    if (trial->dst.block[i] != (char)0xA5) fail_msg("%s: a byte beside", trial->check->verb);
  }
}

static inline void run_trial(const struct check *check, size_t count, size_t offset) {
  struct trial trial = {.check = check, .count = count};
  trial.shapes[1] = random_shape(check->layout);
  trial.self = array_new(check->layout, count, trial.shapes[1], offset);
  fill_array(&trial.self, check);
  for (size_t k = 0; k < check->operands; k++) make_operand(&trial, k);
  trial.kernel = pl_kernel_find(check->verb, check->layout, trial.operands, check->operands);
  if (!trial.kernel) fail_msg("%s of %s: no kernel", check->verb, check->layout->name.data);
  trial.result = pl_kernel_result(trial.kernel, check->layout);
  assert_non_null(trial.result);
  trial.in_place = trial.result == check->layout && random_below(3) == 0;
  trial.shapes[0] = random_shape(trial.result);
  trial.dst = trial.in_place ? trial.self
                             : array_new(trial.result, count, trial.shapes[0], random_below(64));
  char *wanted = expected(&trial);
  struct pl_kernel plain = without_avx2(trial.kernel);
  run_in_pieces(&trial, random_below(2) ? &plain : trial.kernel);
  compare(&trial, wanted);
  free(wanted);
  free(trial.self.block);
  if (!trial.in_place) free(trial.dst.block);
  for (size_t k = 0; k < check->operands; k++) free(trial.arrays[k].block);
}

/// Every offset 0 to 63, lengths around a vector's, and some that take several blocks.
static inline void check_kernel(const struct check *check) {
  static const size_t lengths[] = {0, 1, 2, 15, 16, 17, 31, 33, 64};
  for (size_t offset = 0; offset < 64; offset++) {
    run_trial(check, lengths[random_below(9)], offset);
    run_trial(check, lengths[random_below(9)], offset);
  }
  for (int i = 0; i < 24; i++) run_trial(check, 300 + random_below(2500), random_below(64));
}
