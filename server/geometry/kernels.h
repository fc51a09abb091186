/// Loops over whole arrays (structs.md 4.9): element-wise arithmetic, transforms, reductions,
/// masks. What each verb computes is said at the head of the file that has it, kernels_*.c.
///
/// A kernel works on a range of elements, so that a long one can be cut into pieces that run on
/// the thread pool: the same calls in any order over ranges that cover the whole give the same
/// bytes. Reductions fill a struct pl_partial a piece, which are then joined in the pieces' order.
///
/// Spans may be strided, SoA, and at any alignment. A destination may be an operand's very bytes
/// (in place); spans that overlap in another way are the caller's to keep apart (structs/ copies).
/// An operand may also be an array of scalars beside an array of structs made of them: each scalar
/// then counts for all of its struct (`velocities:mul(masses)`).
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geometry/kernel.h"
#include "geometry/span.h"

enum { PL_KERNEL_SET_PARTS = 4 };

/// All rows of one verb, which may stand in several tables.
struct pl_kernel_set {
  const struct pl_kernel_verb *parts[PL_KERNEL_SET_PARTS];
  uint8_t part_count;
  uint8_t operand_counts;  ///< bit n: there is a row with n operands behind the first
};

/// For who will ask again: the names are compared here, once. No parts: there is no such verb.
struct pl_kernel_set pl_kernel_set_of(const char *verb);

/// The kernel on elements of that layout with these operands, or NULL: there is no loop for it.
/// @param operands behind the first span; only their layouts are looked at
const struct pl_kernel *pl_kernel_choose(const struct pl_kernel_set *set,
                                         const struct pl_layout *layout,
                                         const struct pl_kernel_operand *operands, size_t count);

/// The same by the verb's name.
const struct pl_kernel *pl_kernel_find(const char *verb, const struct pl_layout *layout,
                                       const struct pl_kernel_operand *operands, size_t count);

/// What an element of the result is: a layout (the same struct, f32 or f64 for numbers, u8 for
/// masks); NULL: it is a reduction.
const struct pl_layout *pl_kernel_result(const struct pl_kernel *kernel,
                                         const struct pl_layout *layout);

/// About how many elements a millisecond takes, a lower bound: what the size of a piece is made of.
size_t pl_kernel_rate(const struct pl_kernel *kernel, const struct pl_layout *layout);

/// Elements first .. first + count - 1. Not for reductions.
void pl_kernel_run(const struct pl_kernel *kernel, const struct pl_span *dst,
                   const struct pl_span *self, const struct pl_kernel_operand *operands,
                   size_t first, size_t count);

/// What a reduction's value is: a struct, f64, i64 or u64 (sums of integers; argmin, argmax and
/// count are i64), bool. NULL: it is none.
const struct pl_layout *pl_kernel_reduced(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout);

/// What no element gives: where every piece begins.
struct pl_partial pl_partial_none(void);

/// Adds elements first .. first + count - 1 to what *partial has, which are those just before.
void pl_kernel_reduce(const struct pl_kernel *kernel, struct pl_partial *partial,
                      const struct pl_span *self, size_t first, size_t count);

/// Adds what the piece behind it has found.
void pl_kernel_join(const struct pl_kernel *kernel, struct pl_partial *partial,
                    const struct pl_partial *next);

/// Writes the value, of layout pl_kernel_reduced(). Of no elements: sum 0, mean NaN, argmin and
/// argmax 0, aabb min = inf and max = -inf, any false, all true.
void pl_kernel_finish(const struct pl_kernel *kernel, const struct pl_layout *layout,
                      const struct pl_partial *partial, char *out);
