// Opening and reading without blocking the loop: from the kernel's caches, and on the pool, with
// kernels that refuse to answer from their caches.
#define _GNU_SOURCE  // nftw
#include "io/file_job.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/job.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "tree.h"

enum { BIG_BYTES = 200 * 1000, GUARD = '#' };

struct fixture {
  struct pl_loop loop;
  char path[64];
  int root;
  char *big;  // what the file "big" holds
  int descriptors;
  struct pl_file_open open;
  struct pl_file *file;
  int open_status, opened;
  struct pl_file_read read;
  char *buffer;  // PL_FILE_PIECE_BYTES, and a guard behind it
  int read_status, reads;
  size_t count;
  struct pl_job gate;
  uv_sem_t gate_passed, gate_opened;
};

static void on_open(struct pl_file_open *open, int status, struct pl_file *file) {
  struct fixture *f = PL_CONTAINER_OF(open, struct fixture, open);
  assert_null(open->job);
  f->opened++;
  f->open_status = status;
  f->file = file;
}

static void on_read(struct pl_file_read *read, int status, size_t count) {
  struct fixture *f = PL_CONTAINER_OF(read, struct fixture, read);
  assert_null(read->job);
  f->reads++;
  f->read_status = status;
  f->count = count;
}

static int set_up(void **state) {
  struct fixture *f = pl_mem_zalloc(sizeof *f);
  *state = f;
  f->root = make_folder(f->path);
  f->big = pl_mem_alloc(BIG_BYTES);
  f->buffer = pl_mem_alloc(PL_FILE_PIECE_BYTES + 1);
  memset(f->buffer, GUARD, PL_FILE_PIECE_BYTES + 1);
  for (size_t i = 0; i < BIG_BYTES; i++) f->big[i] = (char)(i * 2654435761u >> 24);
  write_file(f->root, "big", f->big, BIG_BYTES);
  write_file(f->root, "small", "hello", 5);
  assert_int_equal(mkdirat(f->root, "folder", 0755), 0);
  f->open.on_done = on_open;
  f->read.on_done = on_read;
  uv_sem_init(&f->gate_passed, 0);
  uv_sem_init(&f->gate_opened, 0);
  if (pl_loop_init(&f->loop, NULL, NULL)) return -1;
  uv_run(&f->loop.uv, UV_RUN_NOWAIT);
  f->descriptors = count_descriptors();
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  pl_file_unref(f->file);
  bool leaked = count_descriptors() != f->descriptors;
  leaked |= pl_loop_deinit(&f->loop) != 0;
  close(f->root);
  remove_folder(f->path);
  uv_sem_destroy(&f->gate_passed);
  uv_sem_destroy(&f->gate_opened);
  pl_mem_free(f->buffer);
  pl_mem_free(f->big);
  pl_mem_free(f);
  return leaked;
}

// ---- helpers ----

static int open_and_wait(struct fixture *f, const char *path) {
  pl_file_unref(f->file);
  f->file = NULL;
  int rc = pl_file_open_start(&f->open, &f->loop, f->root, path, &f->file);
  if (rc != PL_EAGAIN) return rc;
  assert_int_equal(f->opened, 0);
  pl_loop_run(&f->loop);
  assert_int_equal(f->opened, 1);
  f->opened = 0;
  return f->open_status;
}

static int read_and_wait(struct fixture *f, uint64_t offset, size_t size) {
  f->count = SIZE_MAX;
  int rc = pl_file_read_start(&f->read, &f->loop, f->file, offset, f->buffer, size, &f->count);
  if (rc != PL_EAGAIN) return rc;
  assert_int_equal(f->reads, 0);
  pl_loop_run(&f->loop);
  assert_int_equal(f->reads, 1);
  f->reads = 0;
  return f->read_status;
}

static void hold_pool(struct pl_job *job) {
  struct fixture *f = PL_CONTAINER_OF(job, struct fixture, gate);
  uv_sem_post(&f->gate_passed);
  uv_sem_wait(&f->gate_opened);
}

static void ignore_end(struct pl_job *job, int status) {
  (void)job;
  (void)status;
}

// A job on the pool's only thread: reached when all before it have run, and holding up all later.
static void start_gate(struct fixture *f) {
  f->gate = (struct pl_job){.work = hold_pool, .on_done = ignore_end};
  assert_int_equal(pl_job_start(&f->gate, &f->loop), 0);
}

static void wait_for_gate(struct fixture *f) {
  uv_sem_wait(&f->gate_passed);
}

static void open_gate(struct fixture *f) {
  uv_sem_post(&f->gate_opened);
}

// ---- whatever the kernel can do ----

static void open_says_what_the_plain_one_says(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_and_wait(f, "small"), 0);
  assert_int_equal(f->file->size, 5);
  assert_int_equal(open_and_wait(f, "missing"), -ENOENT);
  assert_null(f->file);
  assert_int_equal(open_and_wait(f, "folder"), -EISDIR);
  assert_int_equal(open_and_wait(f, "../etc/passwd"), -EACCES);
}

static void open_without_a_root_takes_any_path(void **state) {
  struct fixture *f = *state;
  char path[128];
  snprintf(path, sizeof path, "%s/big", f->path);
  int rc = pl_file_open_start(&f->open, &f->loop, PL_FILE_NO_ROOT, path, &f->file);
  pl_loop_run(&f->loop);
  assert_int_equal(rc == PL_EAGAIN ? f->open_status : rc, 0);
  assert_int_equal(f->file->size, BIG_BYTES);
}

static void a_file_read_in_pieces_is_the_file(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_and_wait(f, "big"), 0);
  size_t offset = 0;
  while (offset < BIG_BYTES) {
    assert_int_equal(read_and_wait(f, offset, SIZE_MAX), 0);
    assert_in_range(f->count, 1, PL_FILE_PIECE_BYTES);
    assert_memory_equal(f->buffer, f->big + offset, f->count);
    offset += f->count;
  }
  assert_int_equal(offset, BIG_BYTES);
  assert_int_equal(f->buffer[PL_FILE_PIECE_BYTES], GUARD);
  assert_int_equal(read_and_wait(f, offset, SIZE_MAX), 0);
  assert_int_equal(f->count, 0);
  assert_int_equal(read_and_wait(f, offset + 12345, SIZE_MAX), 0);
  assert_int_equal(f->count, 0);
}

static void a_read_takes_no_more_than_it_was_asked_for(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_and_wait(f, "big"), 0);
  assert_int_equal(read_and_wait(f, 70001, 10), 0);
  assert_int_equal(f->count, 10);
  assert_memory_equal(f->buffer, f->big + 70001, 10);
  assert_int_equal(f->buffer[10], GUARD);
}

static void a_read_reports_an_error(void **state) {
  struct fixture *f = *state;
  struct pl_file folder = {.fd = f->root, .references = 2};
  struct pl_file *kept = f->file;
  f->file = &folder;
  int rc = read_and_wait(f, 0, 10);
  f->file = kept;
  assert_int_equal(rc, -EISDIR);
  assert_int_equal(folder.references, 2);
}

static void cancelling_nothing_is_harmless(void **state) {
  struct fixture *f = *state;
  pl_file_open_cancel(&f->open);
  pl_file_read_cancel(&f->read);
}

// ---- with a kernel that answers from its caches ----

static void a_cached_file_is_opened_and_read_at_once(void **state) {
  struct fixture *f = *state;
  if (pl_file_open_cached(f->root, "small", &f->file) == PL_EAGAIN) skip();  // before Linux 5.12
  pl_file_unref(f->file);
  int rc = pl_file_open_start(&f->open, &f->loop, f->root, "small", &f->file);
  assert_int_equal(rc, 0);
  char byte;
  const struct iovec part = {&byte, 1};
  if (preadv2(f->file->fd, &part, 1, 0, RWF_NOWAIT) != 1) skip();  // this file system cannot
  assert_int_equal(pl_file_read_start(&f->read, &f->loop, f->file, 1, f->buffer, 100, &f->count),
                   0);
  assert_int_equal(f->count, 4);
  assert_memory_equal(f->buffer, "ello", 4);
}

static void a_read_that_misses_the_cache_goes_to_the_pool(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_and_wait(f, "big"), 0);
  assert_int_equal(fsync(f->file->fd), 0);
  assert_int_equal(posix_fadvise(f->file->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  char byte;
  const struct iovec part = {&byte, 1};
  if (preadv2(f->file->fd, &part, 1, 0, RWF_NOWAIT) == 1)
    skip();  // kept in memory for good (tmpfs)
  assert_int_equal(pl_file_read_start(&f->read, &f->loop, f->file, 0, f->buffer, 1000, &f->count),
                   PL_EAGAIN);
  pl_loop_run(&f->loop);
  assert_int_equal(f->reads, 1);
  assert_int_equal(f->count, 1000);
  assert_memory_equal(f->buffer, f->big, 1000);
}

// ---- on the pool only ----

static void everything_goes_to_the_pool_when_the_caches_are_closed(void **state) {
  struct fixture *f = *state;
  assert_int_equal(pl_file_open_start(&f->open, &f->loop, f->root, "small", &f->file), PL_EAGAIN);
  pl_loop_run(&f->loop);
  assert_int_equal(f->open_status, 0);
  assert_int_equal(pl_file_read_start(&f->read, &f->loop, f->file, 0, f->buffer, 5, &f->count),
                   PL_EAGAIN);
  pl_loop_run(&f->loop);
  assert_int_equal(f->count, 5);
}

static void root_and_path_may_go_while_the_open_is_pending(void **state) {
  struct fixture *f = *state;
  char name[] = "small";
  int root = dup(f->root);
  start_gate(f);
  assert_int_equal(pl_file_open_start(&f->open, &f->loop, root, name, &f->file), PL_EAGAIN);
  close(root);
  memset(name, 'x', sizeof name);
  open_gate(f);
  pl_loop_run(&f->loop);
  assert_int_equal(f->open_status, 0);
  assert_int_equal(f->file->size, 5);
}

static void an_open_cancelled_before_it_ran_never_runs(void **state) {
  struct fixture *f = *state;
  start_gate(f);
  assert_int_equal(pl_file_open_start(&f->open, &f->loop, f->root, "small", &f->file), PL_EAGAIN);
  uint64_t allocations = pl_mem_stats().allocations;
  pl_file_open_cancel(&f->open);
  assert_null(f->open.job);
  open_gate(f);
  pl_loop_run(&f->loop);
  assert_int_equal(f->opened, 0);
  assert_null(f->file);
  assert_int_equal(pl_mem_stats().allocations, allocations);  // no struct pl_file was made
}

static void an_open_cancelled_after_it_ran_closes_the_file(void **state) {
  struct fixture *f = *state;
  assert_int_equal(pl_file_open_start(&f->open, &f->loop, f->root, "small", &f->file), PL_EAGAIN);
  start_gate(f);
  wait_for_gate(f);
  assert_true(count_descriptors() > f->descriptors + 1);  // the dup of the root, and the file
  pl_file_open_cancel(&f->open);
  open_gate(f);
  pl_loop_run(&f->loop);
  assert_int_equal(f->opened, 0);
  assert_int_equal(count_descriptors(), f->descriptors);
}

// The struct, the buffer and the reader's reference are gone while the pool still reads.
static void check_cancelled_read(struct fixture *f, bool after_it_ran) {
  assert_int_equal(open_and_wait(f, "big"), 0);
  struct pl_file_read *read = pl_mem_zalloc(sizeof *read);
  char *buffer = pl_mem_alloc(1000);
  size_t count;
  if (!after_it_ran) start_gate(f);
  assert_int_equal(pl_file_read_start(read, &f->loop, f->file, 0, buffer, 1000, &count), PL_EAGAIN);
  assert_int_equal(f->file->references, 2);
  if (after_it_ran) start_gate(f);
  wait_for_gate(f);
  pl_file_read_cancel(read);
  pl_mem_free(buffer);  // ASan watches
  pl_mem_free(read);
  pl_file_unref(f->file);
  f->file = NULL;
  open_gate(f);
  pl_loop_run(&f->loop);
  assert_int_equal(count_descriptors(), f->descriptors);
}

static void a_read_cancelled_before_it_ran_leaves_nothing(void **state) {
  check_cancelled_read(*state, false);
}

static void a_read_cancelled_after_it_ran_leaves_nothing(void **state) {
  check_cancelled_read(*state, true);
}

static void running_out_of_memory_or_descriptors_leaves_nothing(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_and_wait(f, "small"), 0);
  struct pl_file *other = NULL;
  pl_mem_fail_nth(1);
  assert_int_equal(pl_file_open_start(&f->open, &f->loop, f->root, "small", &other), PL_ENOMEM);
  pl_mem_fail_nth(1);
  assert_int_equal(pl_file_read_start(&f->read, &f->loop, f->file, 0, f->buffer, 5, &f->count),
                   PL_ENOMEM);
  assert_int_equal(f->file->references, 1);
  struct rlimit limit, none;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  none = limit;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  int rc = pl_file_open_start(&f->open, &f->loop, f->root, "small", &other);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(rc == -EINVAL ? -EMFILE : rc, -EMFILE);  // fcntl says EINVAL for a limit of 0
  assert_null(f->open.job);
  assert_null(f->read.job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define COMMON_TESTS                                                                             \
  TEST(open_says_what_the_plain_one_says), TEST(open_without_a_root_takes_any_path),             \
      TEST(a_file_read_in_pieces_is_the_file), TEST(a_read_takes_no_more_than_it_was_asked_for), \
      TEST(a_read_reports_an_error), TEST(cancelling_nothing_is_harmless)

int main(void) {
  setenv("UV_THREADPOOL_SIZE", "1", 1);
  const struct CMUnitTest tests[] = {COMMON_TESTS, TEST(a_cached_file_is_opened_and_read_at_once),
                                     TEST(a_read_that_misses_the_cache_goes_to_the_pool)};
  const struct CMUnitTest pool_tests[] = {
      COMMON_TESTS,
      TEST(everything_goes_to_the_pool_when_the_caches_are_closed),
      TEST(root_and_path_may_go_while_the_open_is_pending),
      TEST(an_open_cancelled_before_it_ran_never_runs),
      TEST(an_open_cancelled_after_it_ran_closes_the_file),
      TEST(a_read_cancelled_before_it_ran_leaves_nothing),
      TEST(a_read_cancelled_after_it_ran_leaves_nothing),
      TEST(running_out_of_memory_or_descriptors_leaves_nothing),
  };
  int failed = cmocka_run_group_tests_name("caches", tests, NULL, NULL);
  static const unsigned errors[][2] = {{ENOSYS, EOPNOTSUPP}, {EPERM, EAGAIN}};
  for (size_t i = 0; i < PL_ARRAY_LEN(errors); i++) {
    if (!refuse_system_call(SYS_openat2, errors[i][0]) ||
        !refuse_system_call(SYS_preadv2, errors[i][1])) {
      print_message("skipped: no seccomp filter allowed here\n");
      break;
    }
    failed += cmocka_run_group_tests_name("pool", pool_tests, NULL, NULL);
  }
  return failed;
}
