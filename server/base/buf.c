// Growable bytes: doubling, with the consumed front reused before the block grows.
#include "base/buf.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>

#define LARGEST_BLOCK (SIZE_MAX / 4)  // doubling stays below SIZE_MAX

enum { SMALLEST_BLOCK = 256 };

// The block becomes `cap` bytes. Returns: false: out of memory, nothing changed.
static bool resize(struct pl_buf *b, size_t cap) {
  if (!pl_account_move(b->account, b->cap, cap)) return false;
  char *block = pl_mem_realloc(b->block, cap);
  if (!block) {
    pl_account_give(b->account, cap - b->cap);
    return false;
  }
  b->block = block;
  b->cap = cap;
  return true;
}

static PL_COLD char *make_room(struct pl_buf *b, size_t more, size_t most) {
  size_t len = pl_buf_len(b);
  if (more > LARGEST_BLOCK - b->end) return NULL;
  // Moving fewer bytes than were consumed keeps a queue's cost per byte constant.
  if (b->start > 0 && b->start >= len && b->cap - len >= more) {
    memmove(b->block, b->block + b->start, len);
    b->start = 0;
    b->end = len;
    return b->block + len;
  }
  size_t cap = b->cap ? b->cap : SMALLEST_BLOCK;
  while (cap < b->end + more) cap *= 2;
  if (cap > most) cap = most > b->end + more ? most : b->end + more;
  return resize(b, cap) ? b->block + b->end : NULL;
}

char *pl_buf_reserve(struct pl_buf *b, size_t more) {
  if (b->cap - b->end >= more && b->block) return b->block + b->end;
  return make_room(b, more, SIZE_MAX);
}

int pl_buf_append(struct pl_buf *b, const void *data, size_t len) {
  char *to = pl_buf_reserve(b, len);
  if (!to) return PL_ENOMEM;
  if (len) memcpy(to, data, len);
  b->end += len;
  return 0;
}

int pl_buf_append_within(struct pl_buf *b, const void *data, size_t len, size_t most) {
  bool fits = b->cap - b->end >= len && b->block;
  if (!fits && !make_room(b, len, most)) return PL_ENOMEM;
  return pl_buf_append(b, data, len);
}

int pl_buf_printf(struct pl_buf *b, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *to = len < 0 ? NULL : pl_buf_reserve(b, (size_t)len + 1);
  if (to) {
    vsnprintf(to, (size_t)len + 1, format, again);
    b->end += (size_t)len;
  }
  va_end(again);
  return to ? 0 : PL_ENOMEM;
}

void pl_buf_consume(struct pl_buf *b, size_t n) {
  b->start += n;
  if (b->start == b->end) pl_buf_clear(b);
}

void pl_buf_deinit(struct pl_buf *b) {
  pl_mem_free(b->block);
  pl_account_give(b->account, b->cap);
  *b = (struct pl_buf){.account = b->account};
}
