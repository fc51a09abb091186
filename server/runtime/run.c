// From ready to waiting or ended: the one place where a task is given the CPU.
#include "runtime/run.h"

#include "base/clock.h"
#include "runtime/budget.h"
#include "runtime/kill.h"
#include "runtime/sched.h"
#include "runtime/task.h"
#include "runtime/results.h"
#include "runtime/wait.h"

enum { START_VALUES = 2 };  // on every new task's stack: run_body's message handler and function

// The chain has unwound because of a wait, or because its slice is over: park the task, unless it
// can go on already. From here on the results table says that it runs; a task that never waits
// needs no entry for that.
static void park(struct pl_task *task) {
  task->is_suspended = false;
  if (task->is_preempted) {
    task->is_preempted = false;
    task->late_slices += task->cancelled && task->late_slices < UINT8_MAX;
  } else {
    task->cpu_ns = 0;
  }
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

// Returns: whether it had to be stopped, so that others may run.
static bool run_task(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  struct pl_sched *sched = &vm->sched;
  int status;
  sched->current = task;
  sched->hook = NULL;
  task->state = PL_TASK_RUNNING;
  task->has_heard = task->cancelled != PL_CANCEL_NONE;
  task->run_began_ns = 0;
  if (PL_UNLIKELY(task->cpu_ns)) pl_budget_resume_clock(task);
  struct pl_sched *outer = vm->budget ? pl_budget_begin(vm->budget, sched) : NULL;
  pl_heap_enter(&vm->heap, task->charge);
  bool is_over = run_chain(task, &status);
  pl_heap_leave(&vm->heap);
  if (vm->budget) pl_budget_end(vm->budget, outer);
  sched->current = NULL;
  if (is_over) {
    bool is_reusable = status == LUA_OK;
    if (PL_UNLIKELY(task->kill_cause) && pl_kill_settle(task)) is_reusable = false;
    pl_task_end(task, is_reusable);
    return false;
  }
  if (PL_UNLIKELY(task->kill_cause)) {
    pl_kill_task(task, task->kill_cause);
    return true;
  }
  bool was_preempted = task->is_preempted;
  park(task);
  return was_preempted;
}

static void prepare(struct pl_task *task, int args) {
  task->start_args = args + START_VALUES;
  task->cpu_ns = 0;
  if (task->parent) task->cpu_limit_ns = task->parent->cpu_limit_ns;
  task->kill_cause = PL_KILL_NONE;
  task->is_overdrawn = false;
}

void pl_run_queue(struct pl_task *task, int args) {
  prepare(task, args);
  pl_sched_ready(task);
}

void pl_run_start(struct pl_task *task, int args) {
  prepare(task, args);
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
    if (run_task(pl_sched_take(sched))) break;
    if (left % 8 == 0 && pl_clock_ns() > end_ns) break;
  }
  return sched->ready_count > 0;
}
