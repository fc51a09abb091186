/// Elements chosen, moved and sorted: mask:indices(), arr:select, gather, scatter, sort_by. What
/// these write depends on what they have found before, so they are no struct pl_kernel and work on
/// the whole at once. Spans may be strided or SoA; those that are read and written must not
/// overlap.
///
/// Indices are u32 arrays, 1-based, 0 is none. In masks every byte but 0 is true.
///
/// Thread: any.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/span.h"

/// How many elements of a mask (u8 or bool) are true.
size_t pl_mask_count(const struct pl_span *mask);

/// Writes the indices of those that are true to dst (u32), which has room for pl_mask_count(mask).
void pl_mask_indices(const struct pl_span *dst, const struct pl_span *mask);

/// Copies the elements of src where the mask, which is as long, is true, one behind the other.
/// dst has room for pl_mask_count(mask).
void pl_kernel_select(const struct pl_span *dst, const struct pl_span *src,
                      const struct pl_span *mask);

/// The first index that is greater than `count`, as a place in `indices` from 1; 0: none is.
/// Checked before gather and scatter, which take indices as they are.
size_t pl_indices_check(const struct pl_span *indices, size_t count);

/// dst[i] = src[indices[i]]; none gives zero bytes. dst is as long as indices.
void pl_kernel_gather(const struct pl_span *dst, const struct pl_span *src,
                      const struct pl_span *indices);

/// dst[indices[i]] = src[i], in their order; none is skipped. src is as long as indices, or one
/// value for all (stride 0).
void pl_kernel_scatter(const struct pl_span *dst, const struct pl_span *src,
                       const struct pl_span *indices);

/// Bytes that pl_sort_order works in for `count` keys.
size_t pl_sort_room(size_t count);

/// The indices that put the keys into rising order: the sorted array is gather(indices). Equal keys
/// stay in their order; -0 equals 0; NaN come last. @param dst u32, as long as keys @param keys any
/// numbers or bool @param room pl_sort_room(count) bytes, aligned to 8
/// Returns: 0; PL_ELIMIT: more than UINT32_MAX keys; PL_EINVAL: no numbers.
PL_MUST_CHECK int pl_sort_order(const struct pl_span *dst, const struct pl_span *keys, void *room);
