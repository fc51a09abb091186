// The writer thread and the way of a line to it.
//
//   any thread:  line -> its own ring --(full: drop and count)
//                          |  wake: at once for warn, error and a ring half full; else only when
//                          v        the writer is idle, which then lingers for more
//   writer:      idle -> linger 100 ms -> each ring's lines -> writev -> what was dropped -> idle
//
// The log is the process's, as stderr is: its state is one static struct. A ring belongs to its
// thread and to the list; it is freed by the writer when its thread has gone and it is empty, by
// the thread when there is no writer. `lock` guards the list for a few instructions, at a thread's
// first line and its end; it is never held while something is written.
#define _GNU_SOURCE  // sem_clockwait
#include "base/log.h"

#include "base/error.h"
#include "base/log_ring.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  LINGER_MS = 100,
  STOP_MS = 1000,
  HALF_FULL = PL_LOG_RING_BYTES / 2,
  WRITE_BYTES = 64 * 1024  // in one write: then their room is the producer's again
};

static struct {
  pthread_mutex_t lock;
  struct pl_log_ring *rings;  // under lock; nodes are removed by the writer, if there is one
  bool has_writer;            // under lock

  pthread_t writer;
  sem_t wake;
  sem_t done;
  pthread_once_t key_once;
  pthread_key_t key;  // its destructor tells that a thread has gone

  _Atomic int level;
  _Atomic int format;
  _Atomic bool is_running;    // lines go to rings
  _Atomic bool is_stopping;   // the writer shall write what is there and end
  _Atomic bool is_abandoned;  // the writer shall end without writing
  _Atomic bool is_idle;       // the writer sleeps until somebody wakes it
  _Atomic bool is_urgent;     // it shall not linger
  _Atomic uint64_t dropped;

  // The writer's own.
  int fd;
  uint64_t reported;  // of dropped
  bool has_failed;    // the last write did
  bool is_line_open;  // the last byte written was no line feed
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .key_once = PTHREAD_ONCE_INIT,
            .level = PL_LOG_INFO,
            .format = PL_LOG_TEXT};

static _Thread_local struct pl_log_ring *own_ring;

// ---- the rings' life

static void remove_ring(struct pl_log_ring *ring) {
  struct pl_log_ring **link = &logger.rings;
  while (*link != ring) link = &(*link)->next;
  *link = ring->next;
  pl_mem_free(ring);
}

static void on_thread_end(void *arg) {
  struct pl_log_ring *ring = arg;
  own_ring = NULL;
  pthread_mutex_lock(&logger.lock);
  if (logger.has_writer) {
    atomic_store(&ring->is_orphan, true);
  } else {
    remove_ring(ring);
  }
  pthread_mutex_unlock(&logger.lock);
}

static void make_key(void) {
  if (pthread_key_create(&logger.key, on_thread_end) != 0) abort();
}

static struct pl_log_ring *find_own_ring(void) {
  if (PL_LIKELY(own_ring != NULL)) return own_ring;
  struct pl_log_ring *ring = pl_log_ring_new();
  if (!ring) return NULL;
  pthread_once(&logger.key_once, make_key);
  if (pthread_setspecific(logger.key, ring) != 0) {
    pl_mem_free(ring);
    return NULL;
  }
  pthread_mutex_lock(&logger.lock);
  ring->next = logger.rings;
  logger.rings = ring;
  pthread_mutex_unlock(&logger.lock);
  own_ring = ring;
  return ring;
}

static struct pl_log_ring *first_ring(void) {
  pthread_mutex_lock(&logger.lock);
  struct pl_log_ring *ring = logger.rings;
  pthread_mutex_unlock(&logger.lock);
  return ring;
}

// Called with the lock, by the writer.
static void free_orphans(void) {
  for (struct pl_log_ring *ring = logger.rings, *next; ring; ring = next) {
    next = ring->next;
    if (atomic_load(&ring->is_orphan) && pl_log_ring_used(ring) == 0) remove_ring(ring);
  }
}

// ---- the writer

// Waits until fd takes bytes. Returns: false: the writer is to give up.
static bool wait_writable(void) {
  struct pollfd fd = {.fd = logger.fd, .events = POLLOUT};
  while (!atomic_load(&logger.is_abandoned)) {
    if (poll(&fd, 1, LINGER_MS) != 0) return true;  // an error shows itself in the next write
  }
  return false;
}

// One write. Returns: bytes written, or a negative code: these bytes cannot be written.
static ssize_t write_pieces(const struct iovec *pieces, int count) {
  while (!atomic_load(&logger.is_abandoned)) {
    ssize_t n = writev(logger.fd, pieces, count);
    if (n > 0) {
      size_t first = pieces[0].iov_len, last = (size_t)n - 1;
      const char *byte = last < first ? (const char *)pieces[0].iov_base + last
                                      : (const char *)pieces[1].iov_base + (last - first);
      logger.is_line_open = *byte != '\n';
      return n;
    }
    if (n < 0 && errno == EAGAIN && wait_writable()) continue;
    if (n == 0 || errno != EINTR) break;
  }
  return PL_EPIPE;
}

static struct timespec wall_time(void) {
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  return wall;
}

static void count_dropped(uint64_t lines) {
  atomic_fetch_add_explicit(&logger.dropped, lines, memory_order_relaxed);
}

// Tells how many lines were dropped since it was last told. Returns: whether nothing is left to
// tell; false: the write failed.
static bool report_dropped(void) {
  uint64_t dropped = pl_log_dropped();
  if (dropped == logger.reported && !logger.is_line_open) return true;
  char text[64], line[PL_LOG_LINE_BYTES + 1];
  int len = snprintf(text, sizeof text, "%llu log lines dropped",
                     (unsigned long long)(dropped - logger.reported));
  size_t begin = logger.is_line_open ? 0 : 1;
  line[0] = '\n';  // ends the line that a failed write left open
  size_t end = 1 + pl_log_line_write(line + 1, (enum pl_log_format)atomic_load(&logger.format),
                                     PL_LOG_WARN, wall_time(), pl_strv(text, (size_t)len), NULL, 0);
  while (begin < end) {
    struct iovec piece = {line + begin, end - begin};
    ssize_t n = write_pieces(&piece, 1);
    if (n < 0) return false;
    begin += (size_t)n;
  }
  logger.reported = dropped;
  return true;
}

// Lines that begin in these bytes or, for the first, ended before them: a line feed ends one unless
// the text format continues it on the next line.
static uint64_t count_lines(const struct iovec pieces[2], int count) {
  uint64_t lines = 0;
  bool is_after_line = false;
  for (int i = 0; i < count; i++) {
    const char *bytes = pieces[i].iov_base;
    for (size_t k = 0; k < pieces[i].iov_len; k++) {
      lines += is_after_line && bytes[k] != ' ';
      is_after_line = bytes[k] == '\n';
    }
  }
  return lines + is_after_line;
}

static void discard_lines(struct pl_log_ring *ring, size_t bytes) {
  struct iovec pieces[2];
  int count = pl_log_ring_peek(ring, bytes, pieces);
  count_dropped(count_lines(pieces, count));
  pl_log_ring_consume(ring, bytes);
}

// Writes, or discards, what is in the ring now; what comes meanwhile is for the next round.
static void write_ring(struct pl_log_ring *ring) {
  size_t left = pl_log_ring_used(ring);
  while (left > 0) {
    struct iovec pieces[2];
    int count = pl_log_ring_peek(ring, left < WRITE_BYTES ? left : WRITE_BYTES, pieces);
    ssize_t n = logger.has_failed ? PL_EPIPE : write_pieces(pieces, count);
    if (n < 0) {
      logger.has_failed = true;
      discard_lines(ring, left);
      return;
    }
    pl_log_ring_consume(ring, (size_t)n);
    left -= (size_t)n;
  }
}

static bool has_lines(void) {
  for (struct pl_log_ring *ring = first_ring(); ring; ring = ring->next) {
    if (pl_log_ring_used(ring) > 0) return true;
  }
  return false;
}

static void write_round(void) {
  if (logger.has_failed) logger.has_failed = !report_dropped();  // does it take bytes again?
  for (struct pl_log_ring *ring = first_ring(); ring; ring = ring->next) write_ring(ring);
  if (!logger.has_failed) logger.has_failed = !report_dropped();
  pthread_mutex_lock(&logger.lock);
  free_orphans();
  pthread_mutex_unlock(&logger.lock);
}

static struct timespec after_ms(long ms) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_nsec += ms % 1000 * 1000000;
  t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
  t.tv_nsec %= 1000000000;
  return t;
}

// Returns: whether it was posted in time.
static bool wait_semaphore(sem_t *semaphore, const struct timespec *until) {
  int status;
  do status = until ? sem_clockwait(semaphore, CLOCK_MONOTONIC, until) : sem_wait(semaphore);
  while (status != 0 && errno == EINTR);
  return status == 0;
}

static bool must_hurry(void) {
  return atomic_load(&logger.is_urgent) || atomic_load(&logger.is_stopping);
}

static void wait_for_lines(void) {
  atomic_store(&logger.is_idle, true);
  if (!must_hurry() && !has_lines()) wait_semaphore(&logger.wake, NULL);
  atomic_store(&logger.is_idle, false);
  struct timespec until = after_ms(LINGER_MS);
  while (!must_hurry() && wait_semaphore(&logger.wake, &until)) continue;
  atomic_store(&logger.is_urgent, false);
}

static void *run_writer(void *unused) {
  (void)unused;
  for (bool is_last = false; !is_last;) {
    wait_for_lines();
    is_last = atomic_load(&logger.is_stopping);
    write_round();
  }
  sem_post(&logger.done);
  pthread_mutex_lock(&logger.lock);
  free_orphans();
  logger.has_writer = false;
  pthread_mutex_unlock(&logger.lock);
  return NULL;
}

// ---- the callers' side

// A line when there is no writer: only if it can be written at once.
static void write_directly(const char *line, size_t len) {
  struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
  bool is_writable = poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT);
  if (!is_writable || write(STDERR_FILENO, line, len) != (ssize_t)len) count_dropped(1);
}

static void wake_writer(bool is_urgent) {
  if (is_urgent) {
    if (!atomic_exchange(&logger.is_urgent, true)) sem_post(&logger.wake);
  } else if (atomic_load(&logger.is_idle) && atomic_exchange(&logger.is_idle, false)) {
    sem_post(&logger.wake);
  }
}

static void submit_line(enum pl_log_level level, const char *line, size_t len) {
  if (!atomic_load_explicit(&logger.is_running, memory_order_acquire)) {
    write_directly(line, len);
    return;
  }
  struct pl_log_ring *ring = find_own_ring();
  if (!ring || !pl_log_ring_push(ring, line, len)) count_dropped(1);
  if (ring) wake_writer(level >= PL_LOG_WARN || pl_log_ring_used(ring) >= HALF_FULL);
}

bool pl_log_is_enabled(enum pl_log_level level) {
  return (int)level >= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

static enum pl_log_format current_format(void) {
  return (enum pl_log_format)atomic_load_explicit(&logger.format, memory_order_relaxed);
}

void pl_log_fields(enum pl_log_level level, struct pl_strv message,
                   const struct pl_log_field *fields, size_t count) {
  if (!pl_log_is_enabled(level)) return;
  char line[PL_LOG_LINE_BYTES];
  size_t len =
      pl_log_line_write(line, current_format(), level, wall_time(), message, fields, count);
  submit_line(level, line, len);
}

void pl_log(enum pl_log_level level, const char *format, ...) {
  if (!pl_log_is_enabled(level)) return;
  char text[PL_LOG_LINE_BYTES];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len < 0) return;
  size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
  pl_log_fields(level, pl_strv(text, kept), NULL, 0);
}

void pl_log_access(const struct pl_log_access *access) {
  if (!pl_log_is_enabled(PL_LOG_INFO)) return;
  char line[PL_LOG_LINE_BYTES];
  size_t len = pl_log_line_write_access(line, current_format(), wall_time(), access);
  submit_line(PL_LOG_INFO, line, len);
}

uint64_t pl_log_dropped(void) {
  return atomic_load_explicit(&logger.dropped, memory_order_relaxed);
}

// ---- start and stop

static int start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int status = pthread_create(&logger.writer, NULL, run_writer, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -status;
}

int pl_log_start(enum pl_log_level level, enum pl_log_format format, int fd) {
  pthread_mutex_lock(&logger.lock);
  bool is_busy = logger.has_writer;
  logger.has_writer = true;
  pthread_mutex_unlock(&logger.lock);
  if (is_busy) return -EBUSY;
  sem_init(&logger.wake, 0, 0);
  sem_init(&logger.done, 0, 0);
  atomic_store(&logger.is_stopping, false);
  atomic_store(&logger.is_abandoned, false);
  atomic_store(&logger.level, (int)level);
  atomic_store(&logger.format, (int)format);
  logger.fd = fd;
  logger.has_failed = logger.is_line_open = false;
  logger.reported = pl_log_dropped();
  int status = start_thread();
  if (status != 0) {
    pthread_mutex_lock(&logger.lock);
    logger.has_writer = false;
    pthread_mutex_unlock(&logger.lock);
    return status;
  }
  atomic_store_explicit(&logger.is_running, true, memory_order_release);
  return 0;
}

void pl_log_stop(void) {
  if (!atomic_exchange(&logger.is_running, false)) return;
  atomic_store(&logger.is_stopping, true);
  sem_post(&logger.wake);
  struct timespec until = after_ms(STOP_MS);
  if (wait_semaphore(&logger.done, &until)) {
    pthread_join(logger.writer, NULL);
    if (own_ring) {
      pthread_setspecific(logger.key, NULL);
      on_thread_end(own_ring);
    }
  } else {
    atomic_store(&logger.is_abandoned, true);
    pthread_detach(logger.writer);
  }
}
