// Choosing and moving elements. Those of AoS spans are copied whole; of SoA spans, scalar by
// scalar.
//
// Sorting is by counting bytes, from the lowest to the highest: stable, and linear. Keys become
// unsigned integers of the same order first, and a byte that all keys share is not sorted by.
#include "geometry/kernels_select.h"

#include <string.h>

#include "base/error.h"
#include "geometry/kernel_loop.h"

static bool is_set(const struct pl_span *mask, size_t i) {
  return *pl_span_at(mask, i) != 0;
}

size_t pl_mask_count(const struct pl_span *mask) {
  size_t hits = 0;
  for (size_t i = 0; i < mask->count; i++) hits += is_set(mask, i);
  return hits;
}

void pl_mask_indices(const struct pl_span *dst, const struct pl_span *mask) {
  size_t next = 0;
  for (size_t i = 0; i < mask->count; i++) {
    if (is_set(mask, i)) pl_put_u32(pl_span_at(dst, next++), (uint32_t)(i + 1));
  }
}

PL_ALWAYS_INLINE void copy_bytes(const struct pl_span *dst, size_t to, const struct pl_span *src,
                                 size_t from, size_t size) {
  memcpy(pl_span_at(dst, to), pl_span_at(src, from), size);
}

static void copy_parts(const struct pl_span *dst, size_t to, const struct pl_span *src,
                       size_t from) {
  size_t size = src->layout->size / src->layout->part_count;
  size_t dst_column = dst->column ? dst->column : size;
  size_t src_column = src->column ? src->column : size;
  for (size_t k = 0; k < src->layout->part_count; k++) {
    memcpy(pl_span_at(dst, to) + k * dst_column, pl_span_at(src, from) + k * src_column, size);
  }
}

/// A copy of one element whose size is not looked at again where it is a usual one.
PL_ALWAYS_INLINE void copy_element(const struct pl_span *dst, size_t to, const struct pl_span *src,
                                   size_t from) {
  if (dst->column || src->column) {
    copy_parts(dst, to, src, from);
    return;
  }
  switch (src->layout->size) {
  case 4:
    copy_bytes(dst, to, src, from, 4);
    break;
  case 8:
    copy_bytes(dst, to, src, from, 8);
    break;
  case 12:
    copy_bytes(dst, to, src, from, 12);
    break;
  case 16:
    copy_bytes(dst, to, src, from, 16);
    break;
  case 24:
    copy_bytes(dst, to, src, from, 24);
    break;
  default:
    copy_bytes(dst, to, src, from, src->layout->size);
  }
}

void pl_kernel_select(const struct pl_span *dst, const struct pl_span *src,
                      const struct pl_span *mask) {
  size_t next = 0;
  for (size_t i = 0; i < mask->count; i++) {
    if (is_set(mask, i)) copy_element(dst, next++, src, i);
  }
}

static uint32_t index_at(const struct pl_span *indices, size_t i) {
  return pl_get_u32(pl_span_at(indices, i));
}

size_t pl_indices_check(const struct pl_span *indices, size_t count) {
  for (size_t i = 0; i < indices->count; i++) {
    if (index_at(indices, i) > count) return i + 1;
  }
  return 0;
}

static void clear_element(const struct pl_span *dst, size_t i) {
  size_t parts = dst->column ? dst->layout->part_count : 1, size = dst->layout->size / parts;
  for (size_t k = 0; k < parts; k++) memset(pl_span_at(dst, i) + k * dst->column, 0, size);
}

void pl_kernel_gather(const struct pl_span *dst, const struct pl_span *src,
                      const struct pl_span *indices) {
  for (size_t i = 0; i < indices->count; i++) {
    uint32_t from = index_at(indices, i);
    if (from) {
      copy_element(dst, i, src, from - 1);
    } else {
      clear_element(dst, i);
    }
  }
}

void pl_kernel_scatter(const struct pl_span *dst, const struct pl_span *src,
                       const struct pl_span *indices) {
  for (size_t i = 0; i < indices->count; i++) {
    uint32_t to = index_at(indices, i);
    if (to) copy_element(dst, to - 1, src, i);
  }
}

struct entry {
  uint64_t key;
  uint32_t index;
};

size_t pl_sort_room(size_t count) {
  return 2 * count * sizeof(struct entry);
}

enum { BYTES = sizeof(uint64_t), VALUES = 256 };

// Negative numbers have all bits turned round, others the sign's only; NaN is beyond all.
static uint64_t order_of_float(double x) {
  uint64_t bits;
  if (x != x) return UINT64_MAX;
  x += 0.0;  // -0 becomes 0
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t order_of_signed(int64_t x) {
  return (uint64_t)x ^ (uint64_t)1 << 63;
}

static uint64_t order_of(enum pl_scalar scalar, const char *at) {
  switch (scalar) {
  case PL_SCALAR_F32:
    return order_of_float((double)pl_get_f32(at));
  case PL_SCALAR_F64:
    return order_of_float(pl_get_f64(at));
  case PL_SCALAR_I8:
    return order_of_signed(pl_get_i8(at));
  case PL_SCALAR_I16:
    return order_of_signed(pl_get_i16(at));
  case PL_SCALAR_I32:
    return order_of_signed(pl_get_i32(at));
  case PL_SCALAR_I64:
    return order_of_signed(pl_get_i64(at));
  case PL_SCALAR_BOOL:
    return pl_get_u8(at) != 0;
  case PL_SCALAR_U8:
    return pl_get_u8(at);
  case PL_SCALAR_U16:
    return pl_get_u16(at);
  case PL_SCALAR_U32:
    return pl_get_u32(at);
  default:
    return pl_get_u64(at);
  }
}

static unsigned byte_of(uint64_t key, size_t byte) {
  return key >> (8 * byte) & 0xff;
}

/// Moves the entries by one byte of their keys. Returns: false: all share it, and none was moved.
static bool sort_by_byte(struct entry *to, const struct entry *from, size_t count, size_t byte,
                         const size_t counts[VALUES]) {
  size_t places[VALUES], next = 0;
  if (counts[byte_of(from[0].key, byte)] == count) return false;
  for (size_t v = 0; v < VALUES; v++) {
    places[v] = next;
    next += counts[v];
  }
  for (size_t i = 0; i < count; i++) to[places[byte_of(from[i].key, byte)]++] = from[i];
  return true;
}

int pl_sort_order(const struct pl_span *dst, const struct pl_span *keys, void *room) {
  size_t counts[BYTES][VALUES] = {{0}};
  size_t count = keys->count;
  struct entry *from = room, *to = from + count;
  enum pl_scalar scalar = (enum pl_scalar)keys->layout->scalar;
  if (count > UINT32_MAX) return PL_ELIMIT;
  if (scalar == PL_SCALAR_NONE || scalar == PL_SCALAR_F16 || scalar == PL_SCALAR_DEC128) {
    return PL_EINVAL;
  }
  for (size_t i = 0; i < count; i++) {
    from[i] = (struct entry){order_of(scalar, pl_span_at(keys, i)), (uint32_t)(i + 1)};
    for (size_t b = 0; b < BYTES; b++) counts[b][byte_of(from[i].key, b)]++;
  }
  for (size_t b = 0; b < BYTES && count > 0; b++) {
    if (sort_by_byte(to, from, count, b, counts[b])) {
      struct entry *sorted = to;
      to = from;
      from = sorted;
    }
  }
  for (size_t i = 0; i < count; i++) pl_put_u32(pl_span_at(dst, i), from[i].index);
  return 0;
}
