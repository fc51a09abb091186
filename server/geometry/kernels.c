// Finds the kernel of a verb in the tables of kernels_*.c, and calls what its row says.
#include "geometry/kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "geometry/kernels_arith.h"
#include "geometry/kernels_best.h"
#include "geometry/kernels_inside.h"
#include "geometry/kernels_integer.h"
#include "geometry/kernels_mask.h"
#include "geometry/kernels_matrix.h"
#include "geometry/kernels_reduce.h"
#include "geometry/kernels_transform.h"
#include "geometry/kernels_vector.h"

static const struct pl_kernel *find_row(const struct pl_kernel_verb *verb,
                                        const struct pl_layout *layout,
                                        const struct pl_kernel_operand *operands, size_t count) {
  for (size_t i = 0; i < verb->count; i++) {
    const struct pl_kernel *row = &verb->rows[i];
    if (row->operand_count == count && row->accepts(row, layout, operands)) return row;
  }
  return NULL;
}

static void add_part(struct pl_kernel_set *set, const struct pl_kernel_verb *verb) {
  assert(set->part_count < PL_KERNEL_SET_PARTS);
  set->parts[set->part_count++] = verb;
  for (size_t i = 0; i < verb->count; i++)
    set->operand_counts |= (uint8_t)(1u << verb->rows[i].operand_count);
}

struct pl_kernel_set pl_kernel_set_of(const char *verb) {
  const struct pl_kernel_verb *tables[] = {
      pl_kernels_arith(),     pl_kernels_integer(), pl_kernels_vector(),
      pl_kernels_transform(), pl_kernels_matrix(),  pl_kernels_reduce(),
      pl_kernels_best(),      pl_kernels_mask(),    pl_kernels_inside()};
  struct pl_kernel_set set = {0};
  for (size_t i = 0; i < PL_ARRAY_LEN(tables); i++)
    for (const struct pl_kernel_verb *at = tables[i]; at->verb; at++)
      if (strcmp(at->verb, verb) == 0) add_part(&set, at);
  return set;
}

const struct pl_kernel *pl_kernel_choose(const struct pl_kernel_set *set,
                                         const struct pl_layout *layout,
                                         const struct pl_kernel_operand *operands, size_t count) {
  for (size_t i = 0; i < set->part_count; i++) {
    const struct pl_kernel *row = find_row(set->parts[i], layout, operands, count);
    if (row) return row;
  }
  return NULL;
}

const struct pl_kernel *pl_kernel_find(const char *verb, const struct pl_layout *layout,
                                       const struct pl_kernel_operand *operands, size_t count) {
  const struct pl_kernel_set set = pl_kernel_set_of(verb);
  return pl_kernel_choose(&set, layout, operands, count);
}

const struct pl_layout *pl_kernel_result(const struct pl_kernel *kernel,
                                         const struct pl_layout *layout) {
  switch (kernel->result) {
  case PL_KERNEL_SAME:
    return layout;
  case PL_KERNEL_PART:
    return pl_layout_scalar(kernel->part);
  case PL_KERNEL_MASK:
    return pl_layout_scalar(PL_SCALAR_U8);
  default:
    return NULL;
  }
}

size_t pl_kernel_rate(const struct pl_kernel *kernel, const struct pl_layout *layout) {
  size_t parts = layout->part_count ? layout->part_count : 1;
  return kernel->part_rate > parts ? kernel->part_rate / parts : 1;
}

void pl_kernel_run(const struct pl_kernel *kernel, const struct pl_span *dst,
                   const struct pl_span *self, const struct pl_kernel_operand *operands,
                   size_t first, size_t count) {
  if (count > 0) kernel->run(kernel, dst, self, operands, first, count);
}

const struct pl_layout *pl_kernel_reduced(const struct pl_kernel *kernel,
                                          const struct pl_layout *layout) {
  return kernel->reduced ? kernel->reduced(kernel, layout) : NULL;
}

struct pl_partial pl_partial_none(void) {
  struct pl_partial partial = {0};
  for (size_t k = 0; k < PL_ARRAY_LEN(partial.least); k++) {
    partial.least[k] = INFINITY;
    partial.greatest[k] = -INFINITY;
  }
  return partial;
}

void pl_kernel_reduce(const struct pl_kernel *kernel, struct pl_partial *partial,
                      const struct pl_span *self, size_t first, size_t count) {
  if (count > 0) kernel->reduce(kernel, partial, self, first, count);
}

void pl_kernel_join(const struct pl_kernel *kernel, struct pl_partial *partial,
                    const struct pl_partial *next) {
  kernel->join(kernel, partial, next);
}

void pl_kernel_finish(const struct pl_kernel *kernel, const struct pl_layout *layout,
                      const struct pl_partial *partial, char *out) {
  kernel->finish(kernel, layout, partial, out);
}
