/// What a kernel is: a row of the tables that kernels.c looks it up in. Each kernels_*.c has the
/// loops of one kind of work and ends with its table; feed.h brings operands into the shape that
/// the loops want.
///
/// Every loop is compiled twice, for any CPU and for AVX2. Both do the same operations in the same
/// order, so that a result does not depend on the CPU.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geometry/span.h"

enum {
  PL_KERNEL_OPERANDS_MAX = 3,
  PL_KERNEL_INPUTS_MAX = 1 + PL_KERNEL_OPERANDS_MAX,
  PL_KERNEL_PARTS_MAX = 16,    ///< scalars that a struct has at most to be summed
  PL_KERNEL_STRUCT_MAX = 1024  ///< bytes that a struct has at most to be computed with
};

/// An operand behind the first: an array of as many elements, one value for all (count 1, stride
/// 0), or a number (span.layout NULL).
struct pl_kernel_operand {
  struct pl_span span;
  double number;
};

/// What a loop works on. in[0] is the array whose method it is.
struct pl_kernel_loop {
  char *dst;
  const char *in[PL_KERNEL_INPUTS_MAX];
  size_t dst_column;                    ///< of loops over columns: struct pl_span's column
  size_t column[PL_KERNEL_INPUTS_MAX];  ///< the same of each input
  size_t n;
};
typedef void pl_loop_fn(const struct pl_kernel_loop *loop);

/// One loop as it is compiled for any CPU and, NULL elsewhere, for x86 with AVX2.
struct pl_loops {
  pl_loop_fn *base;
  pl_loop_fn *avx2;
};

/// What a reduction knows after some elements. Sums are kept as two doubles whose sum is the
/// value, so that where an array was cut into pieces leaves no trace in a sum's 53 bits, but in
/// the rarest of cases.
struct pl_partial {
  uint64_t count;  ///< elements so far
  uint64_t best;   ///< argmin, argmax: the element's number, from 1; 0: none yet
  uint64_t bits;   ///< argmin, argmax: its value; sums of integers: the low half of 128 bits
  uint64_t hits;   ///< of masks: elements that are set; sums of integers: the high half
  double sum[PL_KERNEL_PARTS_MAX];
  double low[PL_KERNEL_PARTS_MAX];  ///< what did not fit into sum
  double least[4];                  ///< aabb: of each part
  double greatest[4];
};

enum pl_kernel_result {
  PL_KERNEL_SAME,     ///< the struct itself
  PL_KERNEL_PART,     ///< what it is made of: f32, f64
  PL_KERNEL_MASK,     ///< u8, 0 or 1
  PL_KERNEL_REDUCED,  ///< no array, but one value of `reduced`
};

struct pl_kernel {
  const char *verb;
  uint8_t operand_count;  ///< behind the first
  uint8_t part;           ///< enum pl_scalar that the loops compute with
  uint8_t parts;          ///< scalars of an element; 0: as many as its layout says
  uint8_t result;         ///< enum pl_kernel_result
  uint32_t part_rate;     ///< scalars a millisecond, a lower bound
  /// Whether it is this row. The verb and the number of operands are right already.
  bool (*accepts)(const struct pl_kernel *kernel, const struct pl_layout *layout,
                  const struct pl_kernel_operand *operands);
  /// Elements first .. first + count - 1; count > 0. NULL: a reduction.
  void (*run)(const struct pl_kernel *kernel, const struct pl_span *dst, const struct pl_span *self,
              const struct pl_kernel_operand *operands, size_t first, size_t count);
  struct pl_loops loops;    ///< structs one behind the other
  struct pl_loops columns;  ///< the same on columns; none: they are brought together first
  /// The same, where the first operand (of work on scalars the last one) is one value for all.
  struct pl_loops one;
  uint8_t type;  ///< enum pl_builtin that the first operand has to be; or none
  uint8_t tag;   ///< what accepts needs to know
  uint8_t work;  ///< what run or reduce needs to know
  /// A reduction: adds count elements to *partial.
  void (*reduce)(const struct pl_kernel *kernel, struct pl_partial *partial,
                 const struct pl_span *self, size_t first, size_t count);
  /// The elements of `next` follow those of *partial.
  void (*join)(const struct pl_kernel *kernel, struct pl_partial *partial,
               const struct pl_partial *next);
  /// Writes the value, of layout pl_kernel_reduced().
  void (*finish)(const struct pl_kernel *kernel, const struct pl_layout *layout,
                 const struct pl_partial *partial, char *out);
  /// What finish writes.
  const struct pl_layout *(*reduced)(const struct pl_kernel *kernel,
                                     const struct pl_layout *layout);
};

/// The rows of one verb.
struct pl_kernel_verb {
  const char *verb;
  const struct pl_kernel *rows;
  size_t count;
};

/// The same loop, as fast as this CPU can.
pl_loop_fn *pl_loops_pick(const struct pl_loops *loops);
