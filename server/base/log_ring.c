// The ring's two counters only grow; their difference is what is in it, and the place of a byte is
// its number modulo the size. head and tail are sequentially consistent, because the producer looks
// at the writer's "idle" after it has moved head, and the writer at head after it has set "idle".
#include "base/log_ring.h"

#include "base/mem.h"

#include <string.h>

struct pl_log_ring *pl_log_ring_new(void) {
  struct pl_log_ring *ring = pl_mem_alloc(sizeof *ring);
  if (ring) memset(ring, 0, offsetof(struct pl_log_ring, bytes));  // bytes: no page before its use
  return ring;
}

bool pl_log_ring_push(struct pl_log_ring *ring, const char *line, size_t len) {
  size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
  if (len > PL_LOG_RING_BYTES - (head - ring->known_tail)) {
    ring->known_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (len > PL_LOG_RING_BYTES - (head - ring->known_tail)) return false;
  }
  size_t at = head % PL_LOG_RING_BYTES;
  size_t first = PL_LOG_RING_BYTES - at < len ? PL_LOG_RING_BYTES - at : len;
  memcpy(ring->bytes + at, line, first);
  memcpy(ring->bytes, line + first, len - first);
  atomic_store(&ring->head, head + len);
  return true;
}

size_t pl_log_ring_used(const struct pl_log_ring *ring) {
  size_t tail = atomic_load(&ring->tail);  // first: head may only be further on
  return atomic_load(&ring->head) - tail;
}

int pl_log_ring_peek(struct pl_log_ring *ring, size_t most, struct iovec pieces[2]) {
  size_t used = pl_log_ring_used(ring);
  size_t n = used < most ? used : most;
  size_t at = atomic_load_explicit(&ring->tail, memory_order_relaxed) % PL_LOG_RING_BYTES;
  size_t first = PL_LOG_RING_BYTES - at < n ? PL_LOG_RING_BYTES - at : n;
  pieces[0] = (struct iovec){ring->bytes + at, first};
  pieces[1] = (struct iovec){ring->bytes, n - first};
  return n == 0 ? 0 : n == first ? 1 : 2;
}

void pl_log_ring_consume(struct pl_log_ring *ring, size_t n) {
  atomic_fetch_add_explicit(&ring->tail, n, memory_order_release);
}
