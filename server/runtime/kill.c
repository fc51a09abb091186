// Closing a task's coroutines from outside. They never run again: Lua 5.4.4 leaves their hooks off.
#include "runtime/kill.h"

#include "runtime/results.h"
#include "runtime/task.h"
#include "runtime/value.h"
#include "runtime/wait.h"

static void close_chain(struct pl_task *task) {
  struct pl_task *outer = task->vm->sched.current;
  task->vm->sched.current = task;
  for (size_t i = task->depth; i-- > 0;) {
#if LUA_VERSION_RELEASE_NUM >= 50406
    lua_closethread(task->chain[i], NULL);
#else
    lua_resetthread(task->chain[i]);
#endif
  }
  task->vm->sched.current = outer;
}

static int keep_error(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  lua_settop(task->co, 0);
  pl_value_push_error(L, 503, "EKILLED", "the task was cancelled and did not end (timeouts.grace)");
  task->vm->host.warn(task->vm->host.ctx, pl_value_text(L, -1));
  lua_xmove(L, task->co, 1);
  pl_results_put(task->co, task->id, 1);
  return 0;
}

void pl_kill_task(struct pl_task *task, enum pl_kill_cause cause) {
  lua_State *L = task->vm->L;
  (void)cause;
  pl_wait_abandon(task);
  if (task->state == PL_TASK_READY) {
    pl_list_remove(&task->ready);
    task->vm->sched.ready_count--;
  }
  close_chain(task);
  task->has_failed = true;
  lua_pushcfunction(L, keep_error);
  lua_pushlightuserdata(L, task);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  pl_task_end(task, false);
}
