// What the pool does with a task whose coroutine cannot be used again is done here to all of them.
#include "tasks.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "runtime/results.h"
#include "runtime/run.h"
#include "runtime/task.h"

static void ignore(struct pl_task *task) {
  (void)task;
}

static const struct pl_task_ops ops = {.on_end = ignore, .on_gone = ignore};

static void empty_pool(struct pl_vm *vm) {
  struct pl_pool *pool = &vm->pool;
  for (; pool->count; pool->count--) {
    struct pl_task *task = pool->idle;
    pool->idle = task->next_pooled;
    pl_results_forget(vm->L, task->co);
    task->co = NULL;
    task->next_pooled = pool->spares;
    pool->spares = task;
  }
}

void bench_tasks_run(struct pl_vm *vm, bool is_pooled, long count) {
  if (luaL_loadstring(vm->L, "") != LUA_OK) abort();
  for (; count > 0; count--) {
    struct pl_task *task = pl_task_new(vm, NULL, &ops, NULL);
    if (!task) abort();
    lua_pushvalue(vm->L, -1);
    lua_xmove(vm->L, task->co, 1);
    pl_run_start(task, 0);
    while (pl_run_turn(vm)) continue;
    if (!is_pooled) empty_pool(vm);
  }
  lua_pop(vm->L, 1);
}
