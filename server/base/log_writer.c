// The writer thread and the way of a line to it.
//
//   any thread:  line -> its own ring --(full: drop and count)
//                          |  wake: at once for warn, error and a ring half full; else only when
//                          v        the writer is idle, which then lingers for more
//   writer:      idle -> linger 100 ms -> each ring's lines -> writev -> what was dropped -> idle
#define _GNU_SOURCE  // sem_clockwait
#include "base/log_writer.h"

#include "base/error.h"
#include "base/log_rings.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
  LINGER_MS = 100,
  STOP_MS = 1000,
  WRITE_BYTES = 64 * 1024  // in one write: then their room is the producer's again
};

static struct {
  pthread_t thread;
  sem_t wake;
  sem_t done;
  _Atomic bool is_stopping;   // it shall write what is there and end
  _Atomic bool is_abandoned;  // it shall end without writing
  _Atomic bool is_idle;       // it sleeps until somebody wakes it
  _Atomic bool is_urgent;     // it shall not linger
  _Atomic uint64_t dropped;

  // The writer's own.
  int fd;
  enum pl_log_format format;
  uint64_t reported;  // of dropped
  bool has_failed;    // the last write did
  bool is_line_open;  // the last byte written was no line feed
} writer;

// Waits until fd takes bytes. Returns: false: the writer is to give up.
static bool wait_writable(void) {
  struct pollfd fd = {.fd = writer.fd, .events = POLLOUT};
  while (!atomic_load(&writer.is_abandoned)) {
    if (poll(&fd, 1, LINGER_MS) != 0) return true;  // an error shows itself in the next write
  }
  return false;
}

// One write. Returns: bytes written, or a negative code: these bytes cannot be written.
static ssize_t write_pieces(const struct iovec *pieces, int count) {
  while (!atomic_load(&writer.is_abandoned)) {
    ssize_t n = writev(writer.fd, pieces, count);
    if (n > 0) {
      size_t first = pieces[0].iov_len, last = (size_t)n - 1;
      const char *byte = last < first ? (const char *)pieces[0].iov_base + last
                                      : (const char *)pieces[1].iov_base + (last - first);
      writer.is_line_open = *byte != '\n';
      return n;
    }
    if (n < 0 && errno == EAGAIN && wait_writable()) continue;
    if (n == 0 || errno != EINTR) break;
  }
  return PL_EPIPE;
}

void pl_log_writer_count_dropped(uint64_t lines) {
  atomic_fetch_add_explicit(&writer.dropped, lines, memory_order_relaxed);
}

uint64_t pl_log_writer_dropped(void) {
  return atomic_load_explicit(&writer.dropped, memory_order_relaxed);
}

// Tells how many lines were dropped since it was last told. Returns: whether nothing is left to
// tell; false: the write failed.
static bool report_dropped(void) {
  uint64_t dropped = pl_log_writer_dropped();
  if (dropped == writer.reported && !writer.is_line_open) return true;
  char text[64], line[PL_LOG_LINE_BYTES + 1];
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  int len = snprintf(text, sizeof text, "%llu log lines dropped",
                     (unsigned long long)(dropped - writer.reported));
  size_t begin = writer.is_line_open ? 0 : 1;
  line[0] = '\n';  // ends the line that a failed write left open
  size_t end = 1 + pl_log_line_write(line + 1, writer.format, PL_LOG_WARN, wall,
                                     pl_strv(text, (size_t)len), NULL, 0);
  while (begin < end) {
    struct iovec piece = {line + begin, end - begin};
    ssize_t n = write_pieces(&piece, 1);
    if (n < 0) return false;
    begin += (size_t)n;
  }
  writer.reported = dropped;
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
  pl_log_writer_count_dropped(count_lines(pieces, count));
  pl_log_ring_consume(ring, bytes);
}

// Writes, or discards, what is in the ring now; what comes meanwhile is for the next round.
static void write_ring(struct pl_log_ring *ring) {
  size_t left = pl_log_ring_used(ring);
  while (left > 0) {
    struct iovec pieces[2];
    int count = pl_log_ring_peek(ring, left < WRITE_BYTES ? left : WRITE_BYTES, pieces);
    ssize_t n = writer.has_failed ? PL_EPIPE : write_pieces(pieces, count);
    if (n < 0) {
      writer.has_failed = true;
      discard_lines(ring, left);
      return;
    }
    pl_log_ring_consume(ring, (size_t)n);
    left -= (size_t)n;
  }
}

static bool has_lines(void) {
  for (struct pl_log_ring *ring = pl_log_rings_first(); ring; ring = ring->next) {
    if (pl_log_ring_used(ring) > 0) return true;
  }
  return false;
}

static void write_round(void) {
  if (writer.has_failed) writer.has_failed = !report_dropped();  // does it take bytes again?
  for (struct pl_log_ring *ring = pl_log_rings_first(); ring; ring = ring->next) write_ring(ring);
  if (!writer.has_failed) writer.has_failed = !report_dropped();
  pl_log_rings_sweep();
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
  return atomic_load(&writer.is_urgent) || atomic_load(&writer.is_stopping);
}

static void wait_for_lines(void) {
  atomic_store(&writer.is_idle, true);
  if (!must_hurry() && !has_lines()) wait_semaphore(&writer.wake, NULL);
  atomic_store(&writer.is_idle, false);
  struct timespec until = after_ms(LINGER_MS);
  while (!must_hurry() && wait_semaphore(&writer.wake, &until)) continue;
  atomic_store(&writer.is_urgent, false);
}

static void *run_writer(void *unused) {
  (void)unused;
  for (bool is_last = false; !is_last;) {
    wait_for_lines();
    is_last = atomic_load(&writer.is_stopping);
    write_round();
  }
  sem_post(&writer.done);
  pl_log_rings_detach();
  return NULL;
}

void pl_log_writer_wake(bool is_urgent) {
  if (is_urgent) {
    if (!atomic_exchange(&writer.is_urgent, true)) sem_post(&writer.wake);
  } else if (atomic_load(&writer.is_idle) && atomic_exchange(&writer.is_idle, false)) {
    sem_post(&writer.wake);
  }
}

// ---- start and stop

static int start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int status = pthread_create(&writer.thread, NULL, run_writer, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -status;
}

int pl_log_writer_start(enum pl_log_format format, int fd) {
  if (!pl_log_rings_attach()) return -EBUSY;
  sem_init(&writer.wake, 0, 0);
  sem_init(&writer.done, 0, 0);
  atomic_store(&writer.is_stopping, false);
  atomic_store(&writer.is_abandoned, false);
  writer.fd = fd;
  writer.format = format;
  writer.has_failed = writer.is_line_open = false;
  writer.reported = pl_log_writer_dropped();
  int status = start_thread();
  if (status != 0) pl_log_rings_detach();
  return status;
}

bool pl_log_writer_stop(void) {
  atomic_store(&writer.is_stopping, true);
  sem_post(&writer.wake);
  struct timespec until = after_ms(STOP_MS);
  bool has_ended = wait_semaphore(&writer.done, &until);
  if (has_ended) {
    pthread_join(writer.thread, NULL);
  } else {
    atomic_store(&writer.is_abandoned, true);
    pthread_detach(writer.thread);
  }
  return has_ended;
}
