// The writer thread: what arrives, in which order, and what happens when nobody reads.
//
// Nothing sleeps: a test reads the pipe until it has what it waits for, or polls a counter.
#define _GNU_SOURCE  // F_SETPIPE_SZ
#include "base/log.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 4, LINES = 20000, OUTPUT_BYTES = 16 * 1024 * 1024 };

// What came out of a pipe so far.
struct output {
  int fd;
  char *text;
  size_t len;
};

static void open_pipe(struct output *out, int *write_end) {
  int fds[2];
  assert_int_equal(pipe(fds), 0);
  *out = (struct output){.fd = fds[0], .text = calloc(1, OUTPUT_BYTES)};
  *write_end = fds[1];
}

// Reads some more. Returns: false at the end.
static bool read_more(struct output *out) {
  ssize_t n = read(out->fd, out->text + out->len, OUTPUT_BYTES - 1 - out->len);
  assert_true(n >= 0);
  out->len += (size_t)n;
  return n > 0;
}

static void read_until(struct output *out, const char *needle) {
  while (!strstr(out->text, needle)) assert_true(read_more(out));
}

static void read_to_end(struct output *out) {
  while (read_more(out)) continue;
}

static void close_output(struct output *out) {
  close(out->fd);
  free(out->text);
}

static uint64_t count_lines(const struct output *out) {
  uint64_t lines = 0;
  for (size_t i = 0; i < out->len; i++) lines += out->text[i] == '\n';
  return lines;
}

static void start(enum pl_log_level level, int fd) {
  int status;
  do {
    status = pl_log_start(level, PL_LOG_TEXT, fd);
    sched_yield();
  } while (status == -EBUSY);  // a writer that another test abandoned is on its way out
  assert_int_equal(status, 0);
}

static void lines_of_the_level_and_above_arrive(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  start(PL_LOG_INFO, fd);
  assert_false(pl_log_is_enabled(PL_LOG_DEBUG));
  assert_true(pl_log_is_enabled(PL_LOG_INFO));
  pl_log(PL_LOG_DEBUG, "not %s", "this");
  pl_log(PL_LOG_INFO, "number %d", 7);
  read_until(&out, "info  number 7\n");
  const struct pl_log_field field = {PL_STRV("key"), PL_LOG_INTEGER, {.integer = 3}};
  pl_log_fields(PL_LOG_ERROR, PL_STRV("failed"), &field, 1);
  read_until(&out, "error failed key=3\n");
  pl_log_access(&(struct pl_log_access){.method = PL_STRV("GET"), .path = PL_STRV("/")});
  read_until(&out, "request method=GET path=/ ");
  assert_null(strstr(out.text, "not this"));
  pl_log_stop();
  close(fd);
  close_output(&out);
}

static void stop_writes_what_is_there(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  start(PL_LOG_DEBUG, fd);
  for (int i = 0; i < 100; i++) pl_log(PL_LOG_INFO, "line %d", i);
  pl_log_stop();
  pl_log_stop();
  close(fd);
  read_to_end(&out);
  assert_int_equal(count_lines(&out), 100);
  assert_non_null(strstr(out.text, "line 99\n"));
  close_output(&out);
}

static void text_longer_than_a_line_is_cut(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  start(PL_LOG_DEBUG, fd);
  pl_log(PL_LOG_INFO, "%0*d", 100000, 1);
  pl_log_stop();
  close(fd);
  read_to_end(&out);
  assert_in_range(out.len, PL_LOG_LINE_BYTES - 50, PL_LOG_LINE_BYTES);
  assert_int_equal(count_lines(&out), 1);
  close_output(&out);
}

static void *log_numbers(void *arg) {
  for (int i = 0; i < LINES; i++) pl_log(PL_LOG_INFO, "thread %d line %d", *(int *)arg, i);
  return NULL;
}

static void *drain(void *arg) {
  read_to_end(arg);
  return NULL;
}

// Each "thread T line N" continues its thread's numbers; gaps are the dropped ones.
static uint64_t check_order(char *text) {
  int last[THREADS];
  uint64_t seen = 0;
  for (int i = 0; i < THREADS; i++) last[i] = -1;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    int thread, number;
    char *found = memmem(line, (size_t)(end - line), "thread ", 7);
    if (!found) continue;
    assert_int_equal(sscanf(found, "thread %d line %d", &thread, &number), 2);
    assert_true(number > last[thread]);
    last[thread] = number;
    seen++;
  }
  return seen;
}

static void each_threads_lines_keep_their_order_and_none_is_uncounted(void **state) {
  (void)state;
  struct output out;
  int fd, numbers[THREADS];
  open_pipe(&out, &fd);
  uint64_t dropped = pl_log_dropped();
  int64_t bytes = pl_mem_stats().bytes;
  start(PL_LOG_INFO, fd);
  pthread_t reader, threads[THREADS];
  pthread_create(&reader, NULL, drain, &out);
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    pthread_create(&threads[i], NULL, log_numbers, &numbers[i]);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  pl_log_stop();
  close(fd);
  pthread_join(reader, NULL);
  dropped = pl_log_dropped() - dropped;
  assert_int_equal(check_order(out.text) + dropped, THREADS * LINES);
  assert_int_equal(dropped > 0, strstr(out.text, "log lines dropped") != NULL);
  assert_int_equal(pl_mem_stats().bytes, bytes);  // the rings of the threads that ended
  close_output(&out);
}

// Logs until a line is dropped: with nobody reading, the ring has to fill.
static uint64_t log_until_dropped(void) {
  uint64_t lines = 0, before = pl_log_dropped();
  for (; pl_log_dropped() == before; lines++) pl_log(PL_LOG_INFO, "line");
  return lines;
}

static void a_full_ring_drops_counts_and_says_so(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  start(PL_LOG_INFO, fd);
  uint64_t before = pl_log_dropped();
  uint64_t logged = log_until_dropped();
  for (int i = 0; i < 41; i++) pl_log(PL_LOG_WARN, "line"), logged++;
  pthread_t reader;
  pthread_create(&reader, NULL, drain, &out);
  pl_log_stop();
  close(fd);
  pthread_join(reader, NULL);
  uint64_t dropped = pl_log_dropped() - before, told = 0, reports = 0;
  for (char *p = out.text; (p = strstr(p, "warn  ")); p++) {
    unsigned long long n;
    if (sscanf(p, "warn  %llu log lines dropped", &n) != 1) continue;
    told += n;
    reports++;
  }
  assert_true(dropped > 0 && reports > 0);
  assert_int_equal(told, dropped);
  assert_int_equal(count_lines(&out) - reports + dropped, logged);
  close_output(&out);
}

static void stop_gives_up_on_a_pipe_that_nobody_reads(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  start(PL_LOG_INFO, fd);
  log_until_dropped();
  pl_log_stop();
  assert_int_equal(pl_log_start(PL_LOG_INFO, PL_LOG_TEXT, fd), -EBUSY);
  close_output(&out);  // now the write fails and the writer ends
  start(PL_LOG_INFO, fd);
  pl_log_stop();
  close(fd);
}

static void a_nonblocking_pipe_loses_nothing(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  assert_true(fcntl(fd, F_SETPIPE_SZ, 4096) >= 4096);
  start(PL_LOG_INFO, fd);
  uint64_t before = pl_log_dropped();
  for (int i = 0; i < 1000; i++) pl_log(PL_LOG_INFO, "line %d", i);
  read_until(&out, "line 999\n");
  assert_int_equal(count_lines(&out), 1000);
  assert_int_equal(pl_log_dropped(), before);
  pl_log_stop();
  close(fd);
  close_output(&out);
}

static void stop_gives_up_on_a_nonblocking_pipe_too(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  start(PL_LOG_INFO, fd);
  log_until_dropped();
  pl_log_stop();
  start(PL_LOG_INFO, fd);  // nobody has read: the abandoned writer ended by itself
  pl_log_stop();
  close(fd);
  close_output(&out);
}

static void a_full_disk_drops_and_recovers(void **state) {
  (void)state;
  struct output out;
  int pipe_end, fd = open("/dev/full", O_WRONLY);
  assert_true(fd >= 0);
  open_pipe(&out, &pipe_end);
  start(PL_LOG_INFO, fd);
  uint64_t before = pl_log_dropped();
  for (int i = 0; i < 10; i++) pl_log(PL_LOG_WARN, "to the\nfull disk");
  while (pl_log_dropped() < before + 10) sched_yield();
  assert_int_equal(pl_log_dropped(), before + 10);
  assert_true(dup2(pipe_end, fd) >= 0);  // somebody has made room
  close(pipe_end);
  pl_log(PL_LOG_WARN, "after");
  read_until(&out, "after\n");
  assert_non_null(strstr(out.text, "10 log lines dropped\n"));
  pl_log_stop();
  close(fd);
  close_output(&out);
}

// The file may not grow beyond the second line's middle for a while.
static void a_line_that_was_cut_off_by_a_failure_is_ended(void **state) {
  (void)state;
  char path[] = "/tmp/perilune-log-test-XXXXXX", text[1024] = {0};
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  unlink(path);
  struct rlimit before_limit, limit;
  getrlimit(RLIMIT_FSIZE, &before_limit);
  limit = before_limit;
  limit.rlim_cur = 50;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  start(PL_LOG_INFO, fd);
  uint64_t before = pl_log_dropped();
  pl_log(PL_LOG_INFO, "1st");  // 35 bytes
  pl_log(PL_LOG_WARN, "2nd");
  while (pl_log_dropped() == before) sched_yield();
  setrlimit(RLIMIT_FSIZE, &before_limit);
  pl_log(PL_LOG_WARN, "3rd");
  pl_log_stop();
  assert_true(pread(fd, text, sizeof text - 1, 0) > 50);
  close(fd);
  assert_int_equal(text[50], '\n');
  assert_non_null(strstr(text + 51, "warn  1 log lines dropped\n"));
  assert_non_null(strstr(text + 51, "warn  3rd\n"));
}

static void a_closed_pipe_drops_without_a_signal(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  close_output(&out);
  start(PL_LOG_INFO, fd);
  uint64_t before = pl_log_dropped();
  pl_log(PL_LOG_WARN, "nobody");
  pl_log_stop();
  assert_int_equal(pl_log_dropped(), before + 1);
  close(fd);
}

static void without_a_writer_lines_go_to_stderr_or_nowhere(void **state) {
  (void)state;
  struct output out;
  int fd, kept = dup(STDERR_FILENO);
  open_pipe(&out, &fd);
  assert_true(dup2(fd, STDERR_FILENO) >= 0);
  uint64_t before = pl_log_dropped();
  pl_log(PL_LOG_INFO, "directly");
  uint64_t lines = log_until_dropped();  // the pipe is full: this returns, and waits for nobody
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(fd);
  read_to_end(&out);
  assert_non_null(strstr(out.text, "info  directly\n"));
  assert_int_equal(count_lines(&out), 1 + lines - (pl_log_dropped() - before));
  close_output(&out);
}

static void out_of_memory_for_a_ring_drops_the_line(void **state) {
  (void)state;
  struct output out;
  int fd;
  open_pipe(&out, &fd);
  start(PL_LOG_INFO, fd);
  uint64_t before = pl_log_dropped();
  pl_mem_fail_nth(1);
  pl_log(PL_LOG_INFO, "lost");
  pl_mem_fail_nth(0);
  pl_log(PL_LOG_INFO, "kept");
  pl_log_stop();
  close(fd);
  read_to_end(&out);
  assert_int_equal(pl_log_dropped(), before + 1);
  assert_null(strstr(out.text, "lost"));
  assert_non_null(strstr(out.text, "kept\n"));
  close_output(&out);
}

// A test that failed has not stopped the log.
static int stop_log(void **state) {
  (void)state;
  pl_log_stop();
  return 0;
}

int main(void) {
  signal(SIGPIPE, SIG_DFL);  // the writer must not raise it, whatever the program does with it
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(lines_of_the_level_and_above_arrive, stop_log),
      cmocka_unit_test_teardown(stop_writes_what_is_there, stop_log),
      cmocka_unit_test_teardown(text_longer_than_a_line_is_cut, stop_log),
      cmocka_unit_test_teardown(each_threads_lines_keep_their_order_and_none_is_uncounted,
                                stop_log),
      cmocka_unit_test_teardown(a_full_ring_drops_counts_and_says_so, stop_log),
      cmocka_unit_test_teardown(stop_gives_up_on_a_pipe_that_nobody_reads, stop_log),
      cmocka_unit_test_teardown(a_nonblocking_pipe_loses_nothing, stop_log),
      cmocka_unit_test_teardown(stop_gives_up_on_a_nonblocking_pipe_too, stop_log),
      cmocka_unit_test_teardown(a_full_disk_drops_and_recovers, stop_log),
      cmocka_unit_test_teardown(a_line_that_was_cut_off_by_a_failure_is_ended, stop_log),
      cmocka_unit_test_teardown(a_closed_pipe_drops_without_a_signal, stop_log),
      cmocka_unit_test_teardown(without_a_writer_lines_go_to_stderr_or_nowhere, stop_log),
      cmocka_unit_test_teardown(out_of_memory_for_a_ring_drops_the_line, stop_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
