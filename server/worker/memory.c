// Giving memory back: garbage of every generation, spare buffers.
//
// A full collection stops the worker for as long as its heap is large, so the time between two is
// at least PAUSE_SHARE times what the last one took: when all of the heap is live it must not take
// over.
#include "worker/memory.h"

#include "base/clock.h"
#include "config/config.h"
#include "worker/worker_state.h"

enum { INTERVAL_MS = 100, PAUSE_SHARE = 4 };

static void relieve(struct pl_account *account) {
  struct pl_worker *worker = PL_CONTAINER_OF(account, struct pl_worker, account);
  uint64_t begin_ms = pl_clock_ms();
  if (begin_ms < worker->relieve_after_ms) return;
  pl_http_service_trim(&worker->http);
  for (struct pl_list *n = worker->generations.next; n != &worker->generations; n = n->next)
    pl_generation_collect(PL_CONTAINER_OF(n, struct pl_generation, link));
  uint64_t end_ms = pl_clock_ms(), pause_ms = (end_ms - begin_ms) * PAUSE_SHARE;
  worker->relieve_after_ms = end_ms + (pause_ms > INTERVAL_MS ? pause_ms : INTERVAL_MS);
}

void pl_worker_memory_init(struct pl_worker *worker) {
  uint64_t limit = worker->config->limits_memory_bytes;
  pl_account_init(&worker->account, limit > SIZE_MAX ? SIZE_MAX : (size_t)limit);
  worker->account.relieve = relieve;
}
