// The steps of saving a file. What the pool thread touches is a block of its own; the owner's
// struct may go at any time (abandon). A step that runs then is waited for, and one more step
// removes the temporary file.
#include "io/file_save.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/job.h"
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { NAME_TRIES = 100, SUFFIX_LEN = 7, FILE_MODE = 0666 };  // the umask takes away from it

struct pl_file_save_job {
  struct pl_job base;
  struct pl_file_save *owner;  // NULL: abandoned
  struct pl_loop *loop;
  int (*step)(struct pl_file_save_job *job);  // on the pool; 0 or a negative errno value
  bool is_running;
  int status;
  int fd;  // of the temporary file, or -1: there is none
  struct pl_buf data;
  char *temporary;  // behind path
  char path[];
};

// ---- on the pool ----

static int pick_suffix(char suffix[SUFFIX_LEN + 1]) {
  uint32_t number;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return -errno;
  snprintf(suffix, SUFFIX_LEN + 1, ".%06x", number & 0xffffff);
  return 0;
}

// As mkostemp, but with the permissions of any new file instead of 0600.
static int open_temporary(struct pl_file_save_job *job) {
  char *suffix = job->temporary + strlen(job->path);
  for (int i = 0; i < NAME_TRIES; i++) {
    int rc = pick_suffix(suffix);
    if (rc) return rc;
    job->fd = open(job->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (job->fd >= 0) return 0;
    if (errno != EEXIST && errno != EINTR) return -errno;
  }
  return -EEXIST;
}

static int write_data(struct pl_file_save_job *job) {
  while (pl_buf_len(&job->data)) {
    struct pl_strv rest = pl_buf_view(&job->data);
    ssize_t n = write(job->fd, rest.data, rest.len);
    if (n < 0 && errno != EINTR) return -errno;
    if (n > 0) pl_buf_consume(&job->data, (size_t)n);
  }
  return 0;
}

// Some file systems report only here that a write has failed.
static int close_file(struct pl_file_save_job *job) {
  int fd = job->fd;
  job->fd = -1;
  return close(fd) && errno != EINTR ? -errno : 0;
}

static int rename_file(struct pl_file_save_job *job) {
  int rc = close_file(job);
  if (rc == 0 && rename(job->temporary, job->path)) rc = -errno;
  if (rc) unlink(job->temporary);
  return rc;
}

static int remove_file(struct pl_file_save_job *job) {
  if (job->fd < 0) return 0;
  unlink(job->temporary);
  return close_file(job);
}

static void run_step(struct pl_job *base) {
  struct pl_file_save_job *job = PL_CONTAINER_OF(base, struct pl_file_save_job, base);
  job->status = job->step(job);
}

// ---- on the loop ----

static void free_job(struct pl_file_save_job *job) {
  pl_buf_deinit(&job->data);
  pl_mem_free(job);
}

static int start_step(struct pl_file_save_job *job, int (*step)(struct pl_file_save_job *job)) {
  assert(!job->is_running);
  job->step = step;
  int rc = pl_job_start(&job->base, job->loop);
  job->is_running = rc == 0;
  return rc;
}

// Nobody wants the file any more. Without the pool it is removed right here: better a pause than a
// file that stays.
static void discard(struct pl_file_save_job *job) {
  if (job->fd >= 0 && start_step(job, remove_file) == 0) return;
  remove_file(job);
  free_job(job);
}

static void end_step(struct pl_job *base, int status) {
  struct pl_file_save_job *job = PL_CONTAINER_OF(base, struct pl_file_save_job, base);
  struct pl_file_save *owner = job->owner;
  job->is_running = false;
  if (!owner) {
    discard(job);
    return;
  }
  if (status == 0) status = job->status;
  if (job->step == rename_file) {
    owner->job = NULL;
    free_job(job);
  }
  owner->on_done(owner, status);
}

int pl_file_save_open(struct pl_file_save *save, struct pl_loop *loop, const char *path) {
  assert(!save->job);
  size_t len = strlen(path);
  struct pl_file_save_job *job = pl_mem_alloc(sizeof *job + 2 * (len + 1) + SUFFIX_LEN);
  if (!job) return PL_ENOMEM;
  *job = (struct pl_file_save_job){
      .base = {.work = run_step, .on_done = end_step}, .owner = save, .loop = loop, .fd = -1};
  memcpy(job->path, path, len + 1);
  job->temporary = job->path + len + 1;
  memcpy(job->temporary, path, len + 1);
  int rc = start_step(job, open_temporary);
  if (rc)
    free_job(job);
  else
    save->job = job;
  return rc;
}

int pl_file_save_write(struct pl_file_save *save, struct pl_buf *data) {
  struct pl_file_save_job *job = save->job;
  pl_buf_deinit(&job->data);
  pl_buf_move(&job->data, data);
  return start_step(job, write_data);
}

int pl_file_save_commit(struct pl_file_save *save) {
  return start_step(save->job, rename_file);
}

void pl_file_save_abandon(struct pl_file_save *save) {
  struct pl_file_save_job *job = save->job;
  if (!job) return;
  save->job = NULL;
  job->owner = NULL;
  if (!job->is_running)
    discard(job);
  else
    pl_job_cancel(&job->base);
}
