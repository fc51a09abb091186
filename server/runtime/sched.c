// The run queue, and the only lua_resume.
#include "runtime/sched.h"

#include "base/clock.h"
#include "runtime/task.h"
#include "runtime/vm.h"
#include "runtime/wait.h"

void pl_sched_init(struct pl_sched *sched) {
  *sched = (struct pl_sched){0};
  pl_list_init(&sched->ready);
}

void pl_sched_ready(struct pl_task *task) {
  struct pl_vm *vm = task->vm;
  task->state = PL_TASK_READY;
  pl_list_push_back(&vm->sched.ready, &task->ready);
  if (vm->sched.ready_count++ == 0) vm->host.wake(vm->host.ctx);
}

int pl_sched_enter(struct pl_vm *vm, lua_State *co, lua_State *from, int args, int *results) {
  lua_State *outer = vm->sched.running;
  vm->sched.running = co;
  vm->sched.resumes++;
  int status = lua_resume(co, from, args, results);
  vm->sched.running = outer;
  return status;
}

// The chain has unwound because of a wait: park the task, unless the wait is over already.
static void park(struct pl_task *task) {
  task->is_suspended = false;
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

void pl_sched_run_task(struct pl_task *task) {
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

bool pl_sched_run(struct pl_vm *vm) {
  struct pl_sched *sched = &vm->sched;
  if (sched->ready_count == 0) return false;
  size_t left = sched->ready_count;
  if (left > PL_SCHED_RESUMES_PER_TURN) left = PL_SCHED_RESUMES_PER_TURN;
  uint64_t end_ns = pl_clock_ns() + PL_SCHED_TURN_NS;
  while (left-- > 0) {
    struct pl_list *node = pl_list_pop_front(&sched->ready);
    sched->ready_count--;
    pl_sched_run_task(PL_CONTAINER_OF(node, struct pl_task, ready));
    if (left % 8 == 0 && pl_clock_ns() > end_ns) break;
  }
  return sched->ready_count > 0;
}
