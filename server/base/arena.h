/// A bump allocator with deferred clean-up: what one request needs is taken from here and all of
/// it goes at once when the request is over.
///
/// Thread: one thread at a time. Memory is aligned to 16 bytes (pl_arena_copy: to 1).
#pragma once

#include <stddef.h>

#include "base/account.h"
#include "base/base.h"
#include "base/strv.h"

struct pl_arena_block;
struct pl_arena_defer;

struct pl_arena {
  char *next;                     ///< first free byte
  char *limit;                    ///< behind the current block
  char *first;                    ///< the caller's first block
  char *first_limit;              ///< behind it
  struct pl_arena_block *blocks;  ///< what was taken from pl_mem, newest first
  struct pl_arena_defer *defers;  ///< newest first
  struct pl_account *account;     ///< where blocks are counted; NULL at init: nowhere
};

/// Starts an arena in `first`, which stays the caller's and is used again after each reset: a
/// request that fits costs no allocation.
void pl_arena_init(struct pl_arena *a, void *first, size_t size);

/// Returns: memory until the next reset, or NULL: out of memory.
PL_MUST_CHECK void *pl_arena_alloc(struct pl_arena *a, size_t size);

/// A copy of s with a terminator behind it. Returns: its first byte, or NULL: out of memory.
PL_MUST_CHECK char *pl_arena_copy(struct pl_arena *a, struct pl_strv s);

/// fn(arg) runs at the next reset, newest first. Returns: 0, PL_ENOMEM (fn will not run).
PL_MUST_CHECK int pl_arena_defer(struct pl_arena *a, void (*fn)(void *arg), void *arg);

/// Runs the deferred clean-up, frees every block but the first; the arena is empty and usable.
void pl_arena_reset(struct pl_arena *a);
