// Bump allocation in a chain of blocks. A large piece that does not fit gets a block of its own
// size, and the block that was filled before it goes on.
#include "base/arena.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdint.h>

// A block is 1 KiB with malloc's header: as large as glibc keeps at hand for each thread, and no
// more than a request that waits should hold for a few bytes.
enum { BLOCK_BYTES = 1000, LARGE_BYTES = BLOCK_BYTES / 2, ALIGNMENT = 16 };

struct pl_arena_block {
  struct pl_arena_block *older;
  size_t size;  // with this head
  _Alignas(ALIGNMENT) char bytes[];
};

struct pl_arena_defer {
  struct pl_arena_defer *older;
  void (*fn)(void *arg);
  void *arg;
};

void pl_arena_init(struct pl_arena *a, void *first, size_t size) {
  *a = (struct pl_arena){.first = first, .first_limit = first ? (char *)first + size : NULL};
  a->next = a->first;
  a->limit = a->first_limit;
}

static PL_COLD char *add_block(struct pl_arena *a, size_t usable) {
  if (usable > SIZE_MAX - sizeof(struct pl_arena_block)) return NULL;
  size_t total = sizeof(struct pl_arena_block) + usable;
  if (!pl_account_move(a->account, 0, total)) return NULL;
  struct pl_arena_block *block = pl_mem_alloc(total);
  if (!block) {
    pl_account_give(a->account, total);
    return NULL;
  }
  block->older = a->blocks;
  block->size = total;
  a->blocks = block;
  return block->bytes;
}

static char *take_elsewhere(struct pl_arena *a, size_t size) {
  if (size > LARGE_BYTES) return add_block(a, size);
  char *piece = add_block(a, BLOCK_BYTES);
  if (!piece) return NULL;
  a->next = piece + size;
  a->limit = piece + BLOCK_BYTES;
  return piece;
}

static char *take(struct pl_arena *a, size_t size, size_t alignment) {
  size_t left = (size_t)(a->limit - a->next);
  size_t pad = -(uintptr_t)a->next & (alignment - 1);
  if (PL_UNLIKELY(!a->next || size > left || pad > left - size)) return take_elsewhere(a, size);
  char *piece = a->next + pad;
  a->next = piece + size;
  return piece;
}

void *pl_arena_alloc(struct pl_arena *a, size_t size) {
  return take(a, size, ALIGNMENT);
}

char *pl_arena_copy(struct pl_arena *a, struct pl_strv s) {
  if (s.len == SIZE_MAX) return NULL;
  char *copy = take(a, s.len + 1, 1);
  if (!copy) return NULL;
  if (s.len) memcpy(copy, s.data, s.len);
  copy[s.len] = '\0';
  return copy;
}

int pl_arena_defer(struct pl_arena *a, void (*fn)(void *arg), void *arg) {
  struct pl_arena_defer *defer = pl_arena_alloc(a, sizeof *defer);
  if (!defer) return PL_ENOMEM;
  *defer = (struct pl_arena_defer){a->defers, fn, arg};
  a->defers = defer;
  return 0;
}

void pl_arena_reset(struct pl_arena *a) {
  for (struct pl_arena_defer *d = a->defers; d; d = d->older) d->fn(d->arg);
  while (a->blocks) {
    struct pl_arena_block *older = a->blocks->older;
    pl_account_give(a->account, a->blocks->size);
    pl_mem_free(a->blocks);
    a->blocks = older;
  }
  a->defers = NULL;
  a->next = a->first;
  a->limit = a->first_limit;
}
