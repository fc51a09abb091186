// The run queue, and the only lua_resume.
#include "runtime/sched.h"

#include "base/base.h"

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

struct pl_task *pl_sched_take(struct pl_sched *sched) {
  struct pl_list *node = pl_list_pop_front(&sched->ready);
  sched->ready_count--;
  return PL_CONTAINER_OF(node, struct pl_task, ready);
}

int pl_sched_enter(struct pl_vm *vm, lua_State *co, lua_State *from, int args, int *results) {
  lua_State *outer = vm->sched.running;
  vm->sched.running = co;
  vm->sched.resumes++;
  int status = lua_resume(co, from, args, results);
  vm->sched.running = outer;
  return status;
}
