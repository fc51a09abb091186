/// The only door to malloc: counts what goes through it and can be told to fail.
///
/// Thread: every function may be called on any thread; blocks may be freed on another one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/// What went through this door since the process began, all threads together.
struct pl_mem_stats {
  uint64_t allocations;  ///< blocks made, and blocks that realloc made larger
  uint64_t frees;        ///< blocks given back
  int64_t bytes;         ///< usable bytes held now
};

/// Returns: a block of at least `size` bytes (never NULL for size 0), or NULL: out of memory.
PL_MUST_CHECK void *pl_mem_alloc(size_t size);

/// The same, filled with zeros.
PL_MUST_CHECK void *pl_mem_zalloc(size_t size);

/// As realloc: NULL leaves `block` as it was; block may be NULL. A size of 0 is treated as 1.
PL_MUST_CHECK void *pl_mem_realloc(void *block, size_t size);

/// calloc's shape, for uv_replace_allocator; NULL on overflow.
PL_MUST_CHECK void *pl_mem_calloc(size_t count, size_t size);

/// NULL is allowed.
void pl_mem_free(void *block);

struct pl_mem_stats pl_mem_stats(void);

/// For tests: the nth allocation from now on this thread (1 = the next) fails, and only that one;
/// 0 switches this off.
void pl_mem_fail_nth(uint64_t nth);
