/// Loops over whole arrays (structs.md 4.9): element-wise arithmetic, transforms, reductions,
/// masks.
///
/// A kernel works on a range of elements, so that a long one can be cut into pieces that run on
/// the thread pool: the same calls in any order over ranges that cover the whole give the same
/// bytes. Reductions fill a struct pl_partial a piece, which are then joined in the pieces' order.
///
/// Spans may be strided, SoA, and at any alignment. A destination may be an operand's very bytes
/// (in place); spans that overlap in another way are the caller's to keep apart (structs/ copies).
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geometry/span.h"

enum { PL_KERNEL_OPERANDS_MAX = 3 };

/// An operand behind the first: an array of as many elements, one value for all (count 1, stride
/// 0), or a number (span.layout NULL).
struct pl_kernel_operand {
  struct pl_span span;
  double number;
};

struct pl_kernel;

/// The kernel for that verb on elements of that layout with these operands, or NULL: there is no
/// loop for it. @param operands behind the first span; only their layouts are looked at
const struct pl_kernel *pl_kernel_find(const char *verb, const struct pl_layout *layout,
                                       const struct pl_kernel_operand *operands, size_t count);

/// What an element of the result is: a layout (the same struct, f32 or f64 for numbers, u8 for
/// masks); NULL: it is a reduction.
const struct pl_layout *pl_kernel_result(const struct pl_kernel *kernel,
                                         const struct pl_layout *layout);

/// About how many elements a millisecond takes, a lower bound: what the size of a piece is made of.
size_t pl_kernel_rate(const struct pl_kernel *kernel);

/// Elements first .. first + count - 1.
void pl_kernel_run(const struct pl_kernel *kernel, const struct pl_span *dst,
                   const struct pl_span *self, const struct pl_kernel_operand *operands,
                   size_t first, size_t count);
