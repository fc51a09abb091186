/// Growable bytes that own their memory. Consuming moves a read offset; the space in front is
/// taken back when the buffer has to grow or becomes empty.
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/account.h"
#include "base/base.h"
#include "base/strv.h"

/// All zeros is an empty buffer.
struct pl_buf {
  char *block;                 ///< the allocation, or NULL
  size_t start;                ///< offset of the first byte that has not been consumed
  size_t end;                  ///< offset behind the last byte
  size_t cap;                  ///< bytes in block
  struct pl_account *account;  ///< where cap is counted, and what refuses more of it; or NULL
};

static inline size_t pl_buf_len(const struct pl_buf *b) {
  return b->end - b->start;
}

/// The unread bytes; valid until the buffer is changed.
static inline struct pl_strv pl_buf_view(const struct pl_buf *b) {
  return (struct pl_strv){b->block ? b->block + b->start : "", b->end - b->start};
}

/// Makes room for `more` bytes behind the last one. Returns: where to write them (call pl_buf_grew
/// afterwards), or NULL: out of memory, nothing changed.
PL_MUST_CHECK char *pl_buf_reserve(struct pl_buf *b, size_t more);

/// `n` of the reserved bytes have been written.
static inline void pl_buf_grew(struct pl_buf *b, size_t n) {
  b->end += n;
}

/// Returns: 0, PL_ENOMEM (nothing changed).
PL_MUST_CHECK int pl_buf_append(struct pl_buf *b, const void *data, size_t len);

/// The same, but a block that grows becomes at most `most` bytes, as long as that is enough: what
/// will come is known. Growing is still by doubling until then.
PL_MUST_CHECK int pl_buf_append_within(struct pl_buf *b, const void *data, size_t len, size_t most);

/// Appends formatted text, without a terminator. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_buf_printf(struct pl_buf *b, const char *format, ...) PL_PRINTF(2, 3);

/// Drops the first n unread bytes (n <= length).
void pl_buf_consume(struct pl_buf *b, size_t n);

/// Empties the buffer and keeps its memory.
static inline void pl_buf_clear(struct pl_buf *b) {
  b->start = b->end = 0;
}

/// Gives the memory back; the buffer is empty and usable afterwards, with the account that it had.
void pl_buf_deinit(struct pl_buf *b);

/// Moves block, bytes and account to `to`, which has none; `from` is empty and keeps its account.
static inline void pl_buf_move(struct pl_buf *to, struct pl_buf *from) {
  *to = *from;
  *from = (struct pl_buf){.account = to->account};
}
