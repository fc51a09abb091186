/// Work on libuv's thread pool: for what would block the loop (files, names).
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/base.h"

struct pl_loop;

/// Embed it in what the work needs; that must live until on_done.
struct pl_job {
  uv_work_t uv;
  void (*work)(struct pl_job *job);                 ///< on a pool thread
  void (*on_done)(struct pl_job *job, int status);  ///< on the loop; 0, or PL_ECANCELED: never ran
};

PL_MUST_CHECK int pl_job_start(struct pl_job *job, struct pl_loop *loop);

/// Tries to keep it from running; on_done follows in any case. Returns: true when it will not run.
bool pl_job_cancel(struct pl_job *job);
