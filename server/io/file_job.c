// File work on the pool. A job is a block of its own that holds whatever the pool thread touches
// (the path, a dup of the root, a reference of the file, the bytes read) and a pointer to the
// caller's struct, which cancelling clears. The bytes are copied to the caller when the loop has
// them: that costs a few microseconds where the disk took many more.
#define _GNU_SOURCE  // preadv2
#include "io/file_job.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/job.h"
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

// ---- opening ----

struct pl_file_open_job {
  struct pl_job job;
  struct pl_file_open *owner;  // NULL: cancelled
  int root_fd;                 // ours, or PL_FILE_NO_ROOT
  int status;
  struct pl_file *file;
  char path[];
};

static void open_on_pool(struct pl_job *base) {
  struct pl_file_open_job *job = PL_CONTAINER_OF(base, struct pl_file_open_job, job);
  job->status = pl_file_open_beneath(job->root_fd, job->path, &job->file);
}

static void free_open_job(struct pl_file_open_job *job) {
  if (job->root_fd >= 0) close(job->root_fd);
  pl_file_unref(job->file);
  pl_mem_free(job);
}

static void end_open(struct pl_job *base, int status) {
  struct pl_file_open_job *job = PL_CONTAINER_OF(base, struct pl_file_open_job, job);
  struct pl_file_open *owner = job->owner;
  struct pl_file *file = job->file;
  if (status == 0) status = job->status;
  if (owner) job->file = NULL;  // it goes to the owner
  free_open_job(job);
  if (!owner) return;
  owner->job = NULL;
  owner->on_done(owner, status, file);
}

// Returns: 0, PL_ENOMEM, or why the root could not be duplicated.
static int make_open_job(struct pl_file_open *open, int root_fd, const char *path,
                         struct pl_file_open_job **made) {
  size_t path_bytes = strlen(path) + 1;
  struct pl_file_open_job *job = pl_mem_alloc(sizeof *job + path_bytes);
  if (!job) return PL_ENOMEM;
  *job = (struct pl_file_open_job){.job = {.work = open_on_pool, .on_done = end_open}};
  job->owner = open;
  job->root_fd = root_fd < 0 ? PL_FILE_NO_ROOT : fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
  memcpy(job->path, path, path_bytes);
  if (root_fd >= 0 && job->root_fd < 0) {
    int rc = -errno;
    free_open_job(job);
    return rc;
  }
  *made = job;
  return 0;
}

int pl_file_open_start(struct pl_file_open *open, struct pl_loop *loop, int root_fd,
                       const char *path, struct pl_file **file) {
  assert(!open->job);
  int rc = pl_file_open_cached(root_fd, path, file);
  if (rc != PL_EAGAIN) return rc;
  struct pl_file_open_job *job = NULL;
  rc = make_open_job(open, root_fd, path, &job);
  if (rc) return rc;
  rc = pl_job_start(&job->job, loop);
  if (rc) {
    free_open_job(job);
    return rc;
  }
  open->job = job;
  return PL_EAGAIN;
}

void pl_file_open_cancel(struct pl_file_open *open) {
  if (!open->job) return;
  open->job->owner = NULL;
  pl_job_cancel(&open->job->job);
  open->job = NULL;
}

// ---- reading ----

struct pl_file_read_job {
  struct pl_job job;
  struct pl_file_read *owner;  // NULL: cancelled
  struct pl_file *file;        // a reference of ours
  uint64_t offset;
  size_t size;
  ssize_t count;  // bytes read, or a negative errno value
  char bytes[];
};

static void read_on_pool(struct pl_job *base) {
  struct pl_file_read_job *job = PL_CONTAINER_OF(base, struct pl_file_read_job, job);
  do {
    job->count = pread(job->file->fd, job->bytes, job->size, (off_t)job->offset);
  } while (job->count < 0 && errno == EINTR);
  if (job->count < 0) job->count = -errno;
}

static void free_read_job(struct pl_file_read_job *job) {
  pl_file_unref(job->file);
  pl_mem_free(job);
}

static void end_read(struct pl_job *base, int status) {
  struct pl_file_read_job *job = PL_CONTAINER_OF(base, struct pl_file_read_job, job);
  struct pl_file_read *owner = job->owner;
  ssize_t count = status ? status : job->count;
  if (owner && count > 0) memcpy(owner->buffer, job->bytes, (size_t)count);
  free_read_job(job);
  if (!owner) return;
  owner->job = NULL;
  owner->on_done(owner, count < 0 ? (int)count : 0, count < 0 ? 0 : (size_t)count);
}

// What the page cache holds. Returns: as pl_file_read_start; PL_EAGAIN: the disk is needed, or this
// file system or kernel cannot say.
static int read_cached(const struct pl_file *file, uint64_t offset, char *buffer, size_t size,
                       size_t *count) {
  const struct iovec part = {.iov_base = buffer, .iov_len = size};
  ssize_t n = preadv2(file->fd, &part, 1, (off_t)offset, RWF_NOWAIT);
  if (n >= 0) {
    *count = (size_t)n;
    return 0;
  }
  switch (errno) {
  case EAGAIN:
  case EINTR:
  case EINVAL:
  case ENOSYS:
  case EOPNOTSUPP:
  case EPERM:
    return PL_EAGAIN;
  default:
    return -errno;
  }
}

static int start_read_job(struct pl_file_read *read, struct pl_loop *loop, struct pl_file *file,
                          uint64_t offset, size_t size) {
  struct pl_file_read_job *job = pl_mem_alloc(sizeof *job + size);
  if (!job) return PL_ENOMEM;
  *job = (struct pl_file_read_job){
      .job = {.work = read_on_pool, .on_done = end_read},
      .owner = read,
      .file = pl_file_ref(file),
      .offset = offset,
      .size = size,
  };
  int rc = pl_job_start(&job->job, loop);
  if (rc) {
    free_read_job(job);
    return rc;
  }
  read->job = job;
  return PL_EAGAIN;
}

int pl_file_read_start(struct pl_file_read *read, struct pl_loop *loop, struct pl_file *file,
                       uint64_t offset, char *buffer, size_t size, size_t *count) {
  assert(!read->job);
  if (size > PL_FILE_PIECE_BYTES) size = PL_FILE_PIECE_BYTES;
  int rc = read_cached(file, offset, buffer, size, count);
  if (rc != PL_EAGAIN) return rc;
  read->buffer = buffer;
  return start_read_job(read, loop, file, offset, size);
}

void pl_file_read_cancel(struct pl_file_read *read) {
  if (!read->job) return;
  read->job->owner = NULL;
  pl_job_cancel(&read->job->job);
  read->job = NULL;
}
