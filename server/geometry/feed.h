/// Brings the elements of any span into the shape that loops want, block by block: packed structs
/// one behind the other, or columns. What lies so already is used where it is.
///
/// Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geometry/kernel.h"

/// Bytes of the room that a block of one operand is brought into.
enum { PL_FEED_ROOM = 4096 };

/// Copies elements first .. first + count - 1 to packed ones at `to`, and back.
void pl_feed_gather(char *to, const struct pl_span *span, size_t first, size_t count);
void pl_feed_scatter(const struct pl_span *span, size_t first, size_t count, const char *from);

/// Whether the elements lie as a loop over packed structs wants them.
bool pl_feed_is_packed(const struct pl_span *span);

/// A number as a scalar: rounded to f32; of integers the next one towards zero that there is, NaN
/// is 0.
void pl_feed_number(char *at, enum pl_scalar scalar, double number);

/// Runs the kernel's loops with n counting scalars: for work that treats every scalar alike.
void pl_feed_run_scalars(const struct pl_kernel *kernel, const struct pl_span *dst,
                         const struct pl_span *self, const struct pl_kernel_operand *operands,
                         size_t first, size_t count);

/// The same with n counting elements; uses the kernel's columns and `one` where they fit.
void pl_feed_run_elements(const struct pl_kernel *kernel, const struct pl_span *dst,
                          const struct pl_span *self, const struct pl_kernel_operand *operands,
                          size_t first, size_t count);

/// Copies elements between spans of one layout that lie differently: AoS to SoA and back, strided
/// to packed. Elements of a span with stride 0 fill the other.
void pl_feed_copy(const struct pl_span *dst, const struct pl_span *src, size_t first, size_t count);
