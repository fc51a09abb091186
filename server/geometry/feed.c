// Blocks of elements in the shape of the loops. A block's room is small enough to stay in the
// first cache together with those of the other operands; what needs no room is done in one call.
#include "geometry/feed.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum how {
  HOW_IN_PLACE,  // packed already
  HOW_GATHERED,  // strided or in columns
  HOW_REPEATED,  // a scalar for each struct
  HOW_CONSTANT,  // one value for all: filled in once
  HOW_ONE        // one value for all, and the loop knows it
};

struct feed {
  const struct pl_span *span;
  const struct pl_layout *layout;  // of what the loop sees
  enum how how;
  _Alignas(64) char room[PL_FEED_ROOM];
};

bool pl_feed_is_packed(const struct pl_span *span) {
  return span->stride == span->layout->size && (!span->column || span->layout->part_count == 1);
}

// memcpy of a constant size is a move or two.
#define COPY_EACH(SIZE)                                         \
  case SIZE:                                                    \
    for (size_t i = 0; i < count; i++) {                        \
      memcpy(to + i * to_stride, from + i * from_stride, SIZE); \
    }                                                           \
    break;

static void copy_each(char *to, size_t to_stride, const char *from, size_t from_stride, size_t size,
                      size_t count) {
  switch (size) {
    COPY_EACH(1)
    COPY_EACH(2)
    COPY_EACH(4)
    COPY_EACH(8)
    COPY_EACH(12)
    COPY_EACH(16)
    COPY_EACH(24)
    COPY_EACH(32)
    COPY_EACH(36)
    COPY_EACH(40)
    COPY_EACH(48)
    COPY_EACH(64)
  default:
    for (size_t i = 0; i < count; i++) {
      memcpy(to + i * to_stride, from + i * from_stride, size);
    }
  }
}

static size_t part_size(const struct pl_layout *layout) {
  return layout->part_count ? layout->size / layout->part_count : 0;
}

void pl_feed_gather(char *to, const struct pl_span *span, size_t first, size_t count) {
  size_t size = span->layout->size, part = part_size(span->layout);
  const char *from = span->data + first * span->stride;
  if (pl_feed_is_packed(span)) {
    memcpy(to, from, count * size);
  } else if (!span->column) {
    copy_each(to, size, from, span->stride, size, count);
  } else {
    for (size_t k = 0; k < span->layout->part_count; k++) {
      copy_each(to + k * part, size, from + k * span->column, span->stride, part, count);
    }
  }
}

void pl_feed_scatter(const struct pl_span *span, size_t first, size_t count, const char *from) {
  size_t size = span->layout->size, part = part_size(span->layout);
  char *to = span->data + first * span->stride;
  if (pl_feed_is_packed(span)) {
    memcpy(to, from, count * size);
  } else if (!span->column) {
    copy_each(to, span->stride, from, size, size, count);
  } else {
    for (size_t k = 0; k < span->layout->part_count; k++) {
      copy_each(to + k * span->column, span->stride, from + k * part, size, part, count);
    }
  }
}

static void put_integer(char *at, enum pl_scalar scalar, double number) {
  int64_t i = number >= 0x1p63 ? INT64_MAX : number <= -0x1p63 ? INT64_MIN : (int64_t)number;
  uint64_t u = number >= 0x1p64 ? UINT64_MAX : number <= 0 ? 0 : (uint64_t)number;
  unsigned bits = pl_scalar_size(scalar) * 8;
  if (scalar >= PL_SCALAR_I8 && scalar <= PL_SCALAR_I64) {
    int64_t most = (int64_t)(UINT64_MAX >> (65 - bits));
    i = i > most ? most : i < -most - 1 ? -most - 1 : i;
    memcpy(at, &i, bits / 8);
  } else {
    uint64_t most = UINT64_MAX >> (64 - bits);
    u = u > most ? most : u;
    memcpy(at, &u, bits / 8);
  }
}

void pl_feed_number(char *at, enum pl_scalar scalar, double number) {
  if (scalar == PL_SCALAR_F64) {
    memcpy(at, &number, sizeof number);
  } else if (scalar == PL_SCALAR_F32) {
    float rounded = (float)number;
    memcpy(at, &rounded, sizeof rounded);
  } else {
    put_integer(at, scalar, isnan(number) ? 0 : number);
  }
}

/// One element, or one scalar for all parts of it, at `at`.
static void put_constant(char *at, const struct pl_kernel_operand *operand,
                         const struct pl_layout *layout) {
  size_t part = part_size(layout);
  if (operand->span.layout == layout) {
    pl_feed_gather(at, &operand->span, 0, 1);
    return;
  }
  if (operand->span.layout) {
    memcpy(at, operand->span.data, part);
  } else {
    pl_feed_number(at, layout->part, operand->number);
  }
  for (size_t k = 1; k < layout->part_count; k++) memcpy(at + k * part, at, part);
}

/// Repeats the first `size` bytes until there are `total`.
static void fill_up(char *at, size_t size, size_t total) {
  while (size < total) {
    size_t more = size < total - size ? size : total - size;
    memcpy(at + size, at, more);
    size += more;
  }
}

/// Prepares for blocks of `block` elements. @param layout what the loop wants
static void begin_feed(struct feed *feed, const struct pl_kernel_operand *operand,
                       const struct pl_layout *layout, size_t block, bool takes_one) {
  const struct pl_span *span = &operand->span;
  feed->span = span;
  feed->layout = layout;
  if (!span->layout || span->stride == 0) {
    feed->how = takes_one ? HOW_ONE : HOW_CONSTANT;
    put_constant(feed->room, operand, layout);
    if (!takes_one) fill_up(feed->room, layout->size, block * layout->size);
  } else if (span->layout != layout) {
    feed->how = HOW_REPEATED;
  } else {
    feed->how = pl_feed_is_packed(span) ? HOW_IN_PLACE : HOW_GATHERED;
  }
}

static void repeat_scalars(struct feed *feed, size_t first, size_t count) {
  size_t part = part_size(feed->layout), size = feed->layout->size;
  const char *from = pl_span_at(feed->span, first);
  for (size_t k = 0; k < feed->layout->part_count; k++) {
    copy_each(feed->room + k * part, size, from, feed->span->stride, part, count);
  }
}

static const char *feed_block(struct feed *feed, size_t first, size_t count) {
  switch (feed->how) {
  case HOW_IN_PLACE:
    return pl_span_at(feed->span, first);
  case HOW_GATHERED:
    pl_feed_gather(feed->room, feed->span, first, count);
    break;
  case HOW_REPEATED:
    repeat_scalars(feed, first, count);
    break;
  case HOW_CONSTANT:
  case HOW_ONE:
    break;
  }
  return feed->room;
}

/// Whether a block of it has to fit into a room.
static bool needs_room(const struct pl_kernel_operand *operand, const struct pl_layout *layout,
                       bool takes_one) {
  const struct pl_span *span = &operand->span;
  if (!span->layout || span->stride == 0) return !takes_one;
  return span->layout != layout || !pl_feed_is_packed(span);
}

/// What all blocks of one run have in common.
struct run {
  pl_loop_fn *fn;
  size_t unit;  // n of a block of one element
  size_t inputs;
  struct pl_kernel_operand in[PL_KERNEL_INPUTS_MAX];
  const struct pl_layout *layouts[PL_KERNEL_INPUTS_MAX];  // of what the loop sees
  size_t one_at;  // the input that the loop takes as one value for all; 0: none
};

/// Elements of a block: all of them, where no operand and not the result needs room.
static size_t block_of(const struct run *run, const struct pl_span *dst, size_t count) {
  size_t size = pl_feed_is_packed(dst) ? 0 : dst->layout->size;
  for (size_t i = 0; i < run->inputs; i++) {
    size_t own = run->layouts[i]->size;
    if (needs_room(&run->in[i], run->layouts[i], i == run->one_at && i > 0) && own > size) {
      size = own;
    }
  }
  return size == 0 || count < PL_FEED_ROOM / size ? count : PL_FEED_ROOM / size;
}

static void run_blocks(const struct run *run, const struct pl_span *dst, size_t first,
                       size_t count) {
  struct feed feeds[PL_KERNEL_INPUTS_MAX];
  _Alignas(64) char room[PL_FEED_ROOM];
  struct pl_kernel_loop loop = {0};
  size_t block = block_of(run, dst, count);
  bool is_direct = pl_feed_is_packed(dst);
  for (size_t i = 0; i < run->inputs; i++) {
    begin_feed(&feeds[i], &run->in[i], run->layouts[i], block, i == run->one_at && i > 0);
  }
  for (size_t done = 0; done < count; done += block) {
    size_t n = count - done < block ? count - done : block;
    for (size_t i = 0; i < run->inputs; i++) loop.in[i] = feed_block(&feeds[i], first + done, n);
    loop.dst = is_direct ? pl_span_at(dst, first + done) : room;
    loop.n = n * run->unit;
    run->fn(&loop);
    if (!is_direct) pl_feed_scatter(dst, first + done, n, room);
  }
}

static void set_inputs(struct run *run, const struct pl_kernel *kernel, const struct pl_span *self,
                       const struct pl_kernel_operand *operands) {
  run->inputs = 1 + (size_t)kernel->operand_count;
  run->in[0] = (struct pl_kernel_operand){.span = *self};
  for (size_t i = 1; i < run->inputs; i++) run->in[i] = operands[i - 1];
}

/// Part k of each element: a span of scalars.
static struct pl_span part_span(const struct pl_span *span, size_t k) {
  struct pl_span part = *span;
  if (!span->layout || span->layout->part_count == 1) return part;
  part.layout = pl_layout_scalar(span->layout->part);
  part.data += k * (span->column ? span->column : part.layout->size);
  part.column = 0;
  return part;
}

/// Whether scalars can be taken column by column.
static bool are_columns(const struct run *run, const struct pl_span *dst) {
  if (!dst->column || !run->in[0].span.column) return false;
  for (size_t i = 1; i < run->inputs; i++) {
    const struct pl_span *span = &run->in[i].span;
    if (span->layout && span->layout->part_count > 1 && span->stride != 0 && !span->column) {
      return false;
    }
  }
  return true;
}

/// Takes the loop for one value for all where the last operand is one scalar.
static void choose_scalar_loop(struct run *run, const struct pl_kernel *kernel) {
  size_t last = run->inputs - 1;
  const struct pl_span *span = &run->in[last].span;
  bool is_one = !span->layout || (span->stride == 0 && span->layout->part_count == 1);
  run->one_at = last > 0 && kernel->one.base && is_one ? last : 0;
  run->fn = pl_loops_pick(run->one_at ? &kernel->one : &kernel->loops);
}

static void run_parts(const struct run *whole, const struct pl_kernel *kernel,
                      const struct pl_span *dst, size_t first, size_t count) {
  struct run run = *whole;
  run.unit = 1;
  for (size_t k = 0; k < dst->layout->part_count; k++) {
    struct pl_span column = part_span(dst, k);
    for (size_t i = 0; i < run.inputs; i++) {
      run.in[i].span = part_span(&whole->in[i].span, k);
      run.layouts[i] = column.layout;
    }
    choose_scalar_loop(&run, kernel);
    run_blocks(&run, &column, first, count);
  }
}

void pl_feed_run_scalars(const struct pl_kernel *kernel, const struct pl_span *dst,
                         const struct pl_span *self, const struct pl_kernel_operand *operands,
                         size_t first, size_t count) {
  struct run run = {.unit = self->layout->part_count};
  set_inputs(&run, kernel, self, operands);
  for (size_t i = 0; i < run.inputs; i++) run.layouts[i] = self->layout;
  if (self->layout->part_count > 1 && dst->layout == self->layout && are_columns(&run, dst)) {
    run_parts(&run, kernel, dst, first, count);
  } else {
    choose_scalar_loop(&run, kernel);
    run_blocks(&run, dst, first, count);
  }
}

/// Whether a loop over columns fits: arrays in columns, one value for all of any struct, results
/// in columns or scalars.
static bool fits_columns(const struct run *run, const struct pl_kernel *kernel,
                         const struct pl_span *dst) {
  if (!kernel->columns.base || !run->in[0].span.column) return false;
  if (!dst->column && !pl_feed_is_packed(dst)) return false;
  if (!dst->column && dst->layout->part_count > 1) return false;
  for (size_t i = 1; i < run->inputs; i++) {
    const struct pl_span *span = &run->in[i].span;
    if (span->stride != 0 && (span->layout != run->in[0].span.layout || !span->column)) {
      return false;
    }
  }
  return true;
}

/// One value for all as columns of `block` scalars; of another struct than `self`, as it is.
static void fill_columns(char *room, const struct pl_kernel_operand *operand,
                         const struct pl_layout *self, size_t block) {
  const struct pl_layout *layout = operand->span.layout;
  size_t part = part_size(layout);
  char value[PL_KERNEL_STRUCT_MAX];
  pl_feed_gather(layout == self ? value : room, &operand->span, 0, 1);
  if (layout != self) return;
  for (size_t k = 0; k < layout->part_count; k++) {
    memcpy(room + k * block * part, value + k * part, part);
    fill_up(room + k * block * part, part, block * part);
  }
}

static void run_columns(const struct run *run, const struct pl_kernel *kernel,
                        const struct pl_span *dst, size_t first, size_t count) {
  _Alignas(64) char rooms[PL_KERNEL_INPUTS_MAX][PL_FEED_ROOM];
  size_t block = count;
  struct pl_kernel_loop loop = {.dst_column = dst->column};
  for (size_t i = 0; i < run->inputs; i++) {
    const struct pl_span *span = &run->in[i].span;
    size_t most = PL_FEED_ROOM / span->layout->size;
    bool is_filled = span->stride == 0 && span->layout == run->in[0].span.layout;
    if (is_filled && block > most) block = most;
  }
  for (size_t i = 0; i < run->inputs; i++) {
    const struct pl_span *span = &run->in[i].span;
    loop.column[i] = span->stride ? span->column : block * part_size(span->layout);
    if (span->stride == 0) fill_columns(rooms[i], &run->in[i], run->in[0].span.layout, block);
  }
  pl_loop_fn *fn = pl_loops_pick(&kernel->columns);
  for (size_t done = 0; done < count; done += block) {
    for (size_t i = 0; i < run->inputs; i++) {
      const struct pl_span *span = &run->in[i].span;
      loop.in[i] = span->stride ? pl_span_at(span, first + done) : rooms[i];
    }
    loop.dst = pl_span_at(dst, first + done);
    loop.n = count - done < block ? count - done : block;
    fn(&loop);
  }
}

void pl_feed_run_elements(const struct pl_kernel *kernel, const struct pl_span *dst,
                          const struct pl_span *self, const struct pl_kernel_operand *operands,
                          size_t first, size_t count) {
  struct run run = {.unit = 1};
  set_inputs(&run, kernel, self, operands);
  if (fits_columns(&run, kernel, dst)) {
    run_columns(&run, kernel, dst, first, count);
    return;
  }
  for (size_t i = 0; i < run.inputs; i++) {
    run.layouts[i] = run.in[i].span.layout;
    assert(run.layouts[i]->size <= PL_KERNEL_STRUCT_MAX);
  }
  run.one_at = run.inputs > 1 && kernel->one.base && run.in[1].span.stride == 0;
  run.fn = pl_loops_pick(run.one_at ? &kernel->one : &kernel->loops);
  run_blocks(&run, dst, first, count);
}

void pl_feed_copy(const struct pl_span *dst, const struct pl_span *src, size_t first,
                  size_t count) {
  size_t part = part_size(dst->layout);
  char *to = pl_span_at(dst, first);
  const char *from = pl_span_at(src, first);
  if (!dst->column && !src->column) {
    copy_each(to, dst->stride, from, src->stride, dst->layout->size, count);
    return;
  }
  size_t to_part = dst->column ? dst->column : part;
  size_t from_part = src->column ? src->column : part;
  for (size_t k = 0; k < dst->layout->part_count; k++) {
    copy_each(to + k * to_part, dst->stride, from + k * from_part, src->stride, part, count);
  }
}
