/// Reduces an array in every arrangement, cut into random pieces, with the loops for any CPU and
/// those for AVX2, and compares the bytes with what a plain function of the test makes of it.
#pragma once

#include "kernel_check.h"

/// The value that is expected of count packed elements, of the layout that the kernel says.
typedef void reduce_ref(char *out, const char *packed, size_t count);

static inline struct pl_partial reduce_piece(const struct pl_kernel *kernel,
                                             const struct pl_span *span, size_t first,
                                             size_t count) {
  struct pl_kernel plain = without_avx2(kernel);
  struct pl_partial partial = pl_partial_none();
  size_t half = count ? random_below(count + 1) : 0;
  pl_kernel_reduce(random_below(2) ? &plain : kernel, &partial, span, first, half);
  pl_kernel_reduce(random_below(2) ? &plain : kernel, &partial, span, first + half, count - half);
  return partial;
}

/// Returns: the result's layout; its bytes are at out.
static inline const struct pl_layout *reduce_span(const char *verb, const struct pl_span *span,
                                                  char *out) {
  const struct pl_kernel *kernel = pl_kernel_find(verb, span->layout, NULL, 0);
  if (!kernel) fail_msg("%s of %s: no kernel", verb, span->layout->name.data);
  assert_null(pl_kernel_result(kernel, span->layout));
  struct pl_partial all = pl_partial_none();
  for (size_t done = 0; done < span->count;) {
    size_t n = 1 + random_below(span->count - done);
    struct pl_partial piece = reduce_piece(kernel, span, done, n);
    pl_kernel_join(kernel, &all, &piece);
    done += n;
  }
  pl_kernel_finish(kernel, span->layout, &all, out);
  return pl_kernel_reduced(kernel, span->layout);
}

static inline void reduce_trial(const struct check *check, reduce_ref *ref, size_t count,
                                size_t offset) {
  const struct pl_layout *layout = check->layout;
  struct array array = array_new(layout, count, random_shape(layout), offset);
  char *packed = malloc(count * layout->size + 1), out[128], wanted[128];
  assert_non_null(packed);
  fill_array(&array, check);
  for (size_t i = 0; i < count; i++) read_element(packed + i * layout->size, &array.span, i);
  ref(wanted, packed, count);
  const struct pl_layout *result = reduce_span(check->verb, &array.span, out);
  if (!same_element(result, out, wanted, check->slack)) {
    fail_msg("%s of %zu %s differs (%.17g, not %.17g)", check->verb, count, layout->name.data,
             as_double(result->part, out), as_double(result->part, wanted));
  }
  free(packed);
  free(array.block);
}

static inline void check_reduction(const struct check *check, reduce_ref *ref) {
  static const size_t lengths[] = {0, 1, 2, 15, 16, 17, 47, 48, 49};
  for (size_t offset = 0; offset < 64; offset++) {
    reduce_trial(check, ref, lengths[random_below(9)], offset);
  }
  for (int i = 0; i < 30; i++) reduce_trial(check, ref, 300 + random_below(3000), random_below(64));
}
