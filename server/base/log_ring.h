/// A ring of bytes between one thread that adds whole lines and one that takes them away, without
/// a lock: log lines on their way to the writer.
///
/// Thread: push by the producer only, the rest by the consumer only, unless it says otherwise.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/base.h"

enum { PL_LOG_RING_BYTES = 256 * 1024 };

struct pl_log_ring {
  _Atomic size_t head;       ///< bytes pushed so far, ever; the producer's
  size_t known_tail;         ///< what the producer last saw of tail
  char producer_line[48];    ///< keeps the two sides on cache lines of their own
  _Atomic size_t tail;       ///< bytes consumed so far, ever; the consumer's
  _Atomic bool is_orphan;    ///< its producer has gone: nothing will be pushed any more
  struct pl_log_ring *next;  ///< the owner's list
  char consumer_line[40];
  char bytes[PL_LOG_RING_BYTES];
};

/// Returns: an empty ring to be given to pl_mem_free, or NULL: out of memory.
PL_MUST_CHECK struct pl_log_ring *pl_log_ring_new(void);

/// Adds all of a line or nothing. Returns: whether there was room.
PL_MUST_CHECK bool pl_log_ring_push(struct pl_log_ring *ring, const char *line, size_t len);

/// Bytes in the ring; on any thread, a snapshot.
size_t pl_log_ring_used(const struct pl_log_ring *ring);

/// Up to `most` of the oldest bytes, in at most two pieces, which stay until they are consumed.
/// Returns: the number of pieces.
int pl_log_ring_peek(struct pl_log_ring *ring, size_t most, struct iovec pieces[2]);

/// Drops the n oldest bytes (n <= used): their room is the producer's again.
void pl_log_ring_consume(struct pl_log_ring *ring, size_t n);
