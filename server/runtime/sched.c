// The run queue, the only lua_resume, and the only lua_closethread.
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

void pl_sched_remove(struct pl_task *task) {
  pl_list_remove(&task->ready);
  task->vm->sched.ready_count--;
}

// ---- running a coroutine ----

static void arm(const struct pl_sched *sched, lua_State *co) {
  if (PL_UNLIKELY(sched->hook != NULL) && co) lua_sethook(co, sched->hook, LUA_MASKCOUNT, 1);
}

static lua_State *publish(struct pl_sched *sched, lua_State *co) {
  lua_State *outer = sched->running;
  sched->running = co;
  arm(sched, co);
  return outer;
}

static void withdraw(struct pl_sched *sched, lua_State *outer) {
  sched->running = outer;
  arm(sched, outer);
}

int pl_sched_enter(struct pl_vm *vm, lua_State *co, lua_State *from, int args, int *results) {
  lua_State *outer = publish(&vm->sched, co);
  vm->sched.resumes++;
  int status = lua_resume(co, from, args, results);
  withdraw(&vm->sched, outer);
  return status;
}

int pl_sched_close(struct pl_vm *vm, lua_State *co, lua_State *from) {
  lua_State *outer = publish(&vm->sched, co);
#if LUA_VERSION_RELEASE_NUM >= 50406
  int status = lua_closethread(co, from);
#else
  (void)from;
  int status = lua_resetthread(co);
#endif
  withdraw(&vm->sched, outer);
  return status;
}
