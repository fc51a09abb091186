// From ready to waiting or ended: the one place where a task is given the CPU.
#include "runtime/run.h"

#include "base/clock.h"
#include "runtime/sched.h"
#include "runtime/task.h"
#include "runtime/results.h"
#include "runtime/wait.h"

// The chain has unwound because of a wait: park the task, unless the wait is over already. From
// here on the results table says that it runs; a task that never waits needs no entry for that.
static void park(struct pl_task *task) {
  task->is_suspended = false;
  if (!task->has_entry) pl_results_begin(task->co, task->id);
  task->state = PL_TASK_WAITING;
  if (task->is_woken || !task->wait)
    pl_sched_ready(task);
  else if (task->cancelled)
    pl_wait_cancel(task);
  task->is_woken = false;
}

// Resumes the innermost coroutine; when that one yields or ends, its parked resumer goes on
// (coroutines.c). Returns: whether the task's own coroutine is over; *status says how.
static bool run_chain(struct pl_task *task, int *status) {
  int args = task->start_args;
  task->start_args = 0;
  for (;;) {
    lua_State *innermost = task->chain[task->depth - 1];
    *status = pl_sched_enter(task->vm, innermost, NULL, args, &task->child_results);
    if (*status == LUA_YIELD && task->is_suspended) return false;
    if (task->depth == 1) return true;
    task->child_status = *status;
    task->depth--;
    args = 0;
  }
}

static void run_task(struct pl_task *task) {
  struct pl_sched *sched = &task->vm->sched;
  int status;
  sched->current = task;
  task->state = PL_TASK_RUNNING;
  bool is_over = run_chain(task, &status);
  sched->current = NULL;
  if (is_over)
    pl_task_end(task, status == LUA_OK);
  else
    park(task);
}

void pl_run_start(struct pl_task *task, int args) {
  task->start_args = args + 2;  // the message handler and the function
  if (task->vm->sched.current)
    pl_sched_ready(task);
  else
    run_task(task);
}

bool pl_run_turn(struct pl_vm *vm) {
  struct pl_sched *sched = &vm->sched;
  if (sched->ready_count == 0) return false;
  size_t left = sched->ready_count;
  if (left > PL_RUN_RESUMES_PER_TURN) left = PL_RUN_RESUMES_PER_TURN;
  uint64_t end_ns = pl_clock_ns() + PL_RUN_TURN_NS;
  while (left-- > 0) {
    run_task(pl_sched_take(sched));
    if (left % 8 == 0 && pl_clock_ns() > end_ns) break;
  }
  return sched->ready_count > 0;
}
