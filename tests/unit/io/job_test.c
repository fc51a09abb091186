// Jobs on the pool: where they run, and what becomes of one that is cancelled.
#include "io/job.h"

#include "base/error.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct task {
  struct pl_job job;
  uv_sem_t *gate;  // waited for on the pool, when set
  uv_thread_t ran_on;
  int ran, done, status;
};

static void run_task(struct pl_job *job) {
  struct task *task = PL_CONTAINER_OF(job, struct task, job);
  if (task->gate) uv_sem_wait(task->gate);
  task->ran_on = uv_thread_self();
  task->ran++;
}

static void end_task(struct pl_job *job, int status) {
  struct task *task = PL_CONTAINER_OF(job, struct task, job);
  task->done++;
  task->status = status;
}

static struct task make_task(uv_sem_t *gate) {
  return (struct task){.job = {.work = run_task, .on_done = end_task}, .gate = gate};
}

static void a_job_runs_on_the_pool_and_ends_on_the_loop(void **state) {
  (void)state;
  struct pl_loop loop;
  struct task task = make_task(NULL);
  uv_thread_t self = uv_thread_self();
  assert_int_equal(pl_loop_init(&loop, NULL, NULL), 0);
  assert_int_equal(pl_job_start(&task.job, &loop), 0);
  pl_loop_run(&loop);
  assert_int_equal(task.ran, 1);
  assert_int_equal(task.done, 1);
  assert_int_equal(task.status, 0);
  assert_false(uv_thread_equal(&task.ran_on, &self));
  assert_false(pl_job_cancel(&task.job));  // over
  assert_int_equal(pl_loop_deinit(&loop), 0);
}

// The pool has one thread here (see main), and the first job holds it.
static void a_job_that_waits_is_cancelled_and_one_that_runs_is_not(void **state) {
  (void)state;
  struct pl_loop loop;
  uv_sem_t gate;
  uv_sem_init(&gate, 0);
  struct task first = make_task(&gate), second = make_task(NULL), third = make_task(NULL);
  assert_int_equal(pl_loop_init(&loop, NULL, NULL), 0);
  assert_int_equal(pl_job_start(&first.job, &loop), 0);
  assert_int_equal(pl_job_start(&second.job, &loop), 0);
  assert_int_equal(pl_job_start(&third.job, &loop), 0);
  assert_true(pl_job_cancel(&second.job));
  assert_int_equal(second.done, 0);  // not inside the call
  uv_sem_post(&gate);
  pl_loop_run(&loop);
  assert_int_equal(first.status, 0);
  assert_int_equal(second.ran, 0);
  assert_int_equal(second.done, 1);
  assert_int_equal(second.status, PL_ECANCELED);
  assert_int_equal(third.ran, 1);
  assert_int_equal(pl_loop_deinit(&loop), 0);
  uv_sem_destroy(&gate);
}

static void deinit_waits_for_a_job_that_runs(void **state) {
  (void)state;
  struct pl_loop loop;
  struct task task = make_task(NULL);
  assert_int_equal(pl_loop_init(&loop, NULL, NULL), 0);
  assert_int_equal(pl_job_start(&task.job, &loop), 0);
  assert_int_equal(pl_loop_deinit(&loop), 0);
  assert_int_equal(task.done, 1);
}

int main(void) {
  setenv("UV_THREADPOOL_SIZE", "1", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_job_runs_on_the_pool_and_ends_on_the_loop),
      cmocka_unit_test(a_job_that_waits_is_cancelled_and_one_that_runs_is_not),
      cmocka_unit_test(deinit_waits_for_a_job_that_runs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
