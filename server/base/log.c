// Lines on their way to the writer. The log is the process's, as stderr is: its state is static,
// here and in log_rings.c and log_writer.c.
#include "base/log.h"

#include "base/log_rings.h"
#include "base/log_writer.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { HALF_FULL = PL_LOG_RING_BYTES / 2 };

static struct {
  _Atomic int level;
  _Atomic int format;
  _Atomic bool is_running;  // lines go to rings
} logger = {.level = PL_LOG_INFO, .format = PL_LOG_TEXT};

static struct timespec wall_time(void) {
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  return wall;
}

// A line when there is no writer: only if it can be written at once.
static void write_directly(const char *line, size_t len) {
  struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
  bool is_writable = poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT);
  if (!is_writable || write(STDERR_FILENO, line, len) != (ssize_t)len)
    pl_log_writer_count_dropped(1);
}

static void submit_line(enum pl_log_level level, const char *line, size_t len) {
  if (!atomic_load_explicit(&logger.is_running, memory_order_acquire)) {
    write_directly(line, len);
    return;
  }
  struct pl_log_ring *ring = pl_log_rings_own();
  if (!ring || !pl_log_ring_push(ring, line, len)) pl_log_writer_count_dropped(1);
  if (ring) pl_log_writer_wake(level >= PL_LOG_WARN || pl_log_ring_used(ring) >= HALF_FULL);
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
  return pl_log_writer_dropped();
}

// ---- start and stop

int pl_log_start(enum pl_log_level level, enum pl_log_format format, int fd) {
  int status = pl_log_writer_start(format, fd);
  if (status != 0) return status;
  atomic_store(&logger.level, (int)level);
  atomic_store(&logger.format, (int)format);
  atomic_store_explicit(&logger.is_running, true, memory_order_release);
  return 0;
}

void pl_log_stop(void) {
  if (!atomic_exchange(&logger.is_running, false)) return;
  if (pl_log_writer_stop()) pl_log_rings_leave();
}
