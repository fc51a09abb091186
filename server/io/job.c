// Jobs: uv_queue_work with the struct that embeds it.
#include "io/job.h"

#include "io/loop.h"

static void run_job(uv_work_t *uv) {
  struct pl_job *job = PL_CONTAINER_OF(uv, struct pl_job, uv);
  job->work(job);
}

static void end_job(uv_work_t *uv, int status) {
  struct pl_job *job = PL_CONTAINER_OF(uv, struct pl_job, uv);
  job->on_done(job, status);
}

int pl_job_start(struct pl_job *job, struct pl_loop *loop) {
  return uv_queue_work(&loop->uv, &job->uv, run_job, end_job);
}

bool pl_job_cancel(struct pl_job *job) {
  return uv_cancel((uv_req_t *)&job->uv) == 0;
}
