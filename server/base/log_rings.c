// The list of rings. `lock` guards it for a few instructions, at a thread's first line and its end;
// it is never held while something is written.
#include "base/log_rings.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
  pthread_mutex_t lock;
  struct pl_log_ring *first;  // under lock; nodes are removed by the writer, if there is one
  bool has_writer;            // under lock
  pthread_once_t key_once;
  pthread_key_t key;  // its destructor tells that a thread has gone
} rings = {.lock = PTHREAD_MUTEX_INITIALIZER, .key_once = PTHREAD_ONCE_INIT};

static _Thread_local struct pl_log_ring *own_ring;

static void remove_ring(struct pl_log_ring *ring) {
  struct pl_log_ring **link = &rings.first;
  while (*link != ring) link = &(*link)->next;
  *link = ring->next;
  pl_mem_free(ring);
}

static void on_thread_end(void *arg) {
  struct pl_log_ring *ring = arg;
  own_ring = NULL;
  pthread_mutex_lock(&rings.lock);
  if (rings.has_writer) {
    atomic_store(&ring->is_orphan, true);
  } else {
    remove_ring(ring);
  }
  pthread_mutex_unlock(&rings.lock);
}

static void make_key(void) {
  if (pthread_key_create(&rings.key, on_thread_end) != 0) abort();
}

struct pl_log_ring *pl_log_rings_own(void) {
  if (PL_LIKELY(own_ring != NULL)) return own_ring;
  struct pl_log_ring *ring = pl_log_ring_new();
  if (!ring) return NULL;
  pthread_once(&rings.key_once, make_key);
  if (pthread_setspecific(rings.key, ring) != 0) {
    pl_mem_free(ring);
    return NULL;
  }
  pthread_mutex_lock(&rings.lock);
  ring->next = rings.first;
  rings.first = ring;
  pthread_mutex_unlock(&rings.lock);
  own_ring = ring;
  return ring;
}

struct pl_log_ring *pl_log_rings_first(void) {
  pthread_mutex_lock(&rings.lock);
  struct pl_log_ring *ring = rings.first;
  pthread_mutex_unlock(&rings.lock);
  return ring;
}

// Called with the lock.
static void free_orphans(void) {
  for (struct pl_log_ring *ring = rings.first, *next; ring; ring = next) {
    next = ring->next;
    if (atomic_load(&ring->is_orphan) && pl_log_ring_used(ring) == 0) remove_ring(ring);
  }
}

void pl_log_rings_leave(void) {
  if (!own_ring) return;
  pthread_setspecific(rings.key, NULL);
  on_thread_end(own_ring);
}

bool pl_log_rings_attach(void) {
  pthread_mutex_lock(&rings.lock);
  bool is_free = !rings.has_writer;
  rings.has_writer = true;
  pthread_mutex_unlock(&rings.lock);
  return is_free;
}

void pl_log_rings_sweep(void) {
  pthread_mutex_lock(&rings.lock);
  free_orphans();
  pthread_mutex_unlock(&rings.lock);
}

void pl_log_rings_detach(void) {
  pthread_mutex_lock(&rings.lock);
  free_orphans();
  rings.has_writer = false;
  pthread_mutex_unlock(&rings.lock);
}
