// Idle tasks. Task structs come in slabs that live as long as the vm; coroutines come and go.
#include "runtime/pool.h"

#include <assert.h>
#include <lauxlib.h>

#include "base/mem.h"
#include "runtime/budget.h"
#include "runtime/results.h"

enum { TASKS_PER_SLAB = 32, WORKER_SHIFT = 54 };

struct pl_task_slab {
  struct pl_task_slab *older;
  struct pl_task tasks[TASKS_PER_SLAB];
};

static void push_task(struct pl_task **list, struct pl_task *task) {
  task->next_pooled = *list;
  *list = task;
}

static struct pl_task *pop_task(struct pl_task **list) {
  struct pl_task *task = *list;
  *list = task->next_pooled;
  return task;
}

// What holds for every task in the pool, besides zeros: all its lists are empty.
static void init_task(struct pl_task *task, struct pl_vm *vm) {
  task->vm = vm;
  task->chain = &task->co;
  task->kill_trace_ref = LUA_NOREF;
  pl_list_init(&task->children);
  pl_list_init(&task->sibling);
  pl_list_init(&task->grace);
  pl_list_init(&task->ready);
  pl_list_init(&task->awaiters);
}

static int add_slab(struct pl_vm *vm) {
  struct pl_pool *pool = &vm->pool;
  struct pl_task_slab *slab = pl_mem_zalloc(sizeof *slab);
  if (!slab) return -1;
  slab->older = pool->slabs;
  pool->slabs = slab;
  for (size_t i = 0; i < TASKS_PER_SLAB; i++) {
    init_task(&slab->tasks[i], vm);
    push_task(&pool->spares, &slab->tasks[i]);
  }
  return 0;
}

// Protected: makes the coroutine of the task at index 1, anchored by its key in the results table.
static int make_coroutine(lua_State *L) {
  struct pl_task *task = lua_touserdata(L, 1);
  task->co = lua_newthread(L);
  *(struct pl_task **)lua_getextraspace(task->co) = task;
  pl_results_adopt(L);
  return 0;
}

// The struct is taken before its coroutine is made: that may run a finaliser that makes a task.
static struct pl_task *make_task(struct pl_vm *vm) {
  struct pl_pool *pool = &vm->pool;
  if (!pool->spares && add_slab(vm)) return NULL;
  struct pl_task *task = pop_task(&pool->spares);
  struct pl_sched *outer = pl_budget_begin_vm(vm);  // for the collector's step
  lua_pushcfunction(vm->L, make_coroutine);
  lua_pushlightuserdata(vm->L, task);
  int status = lua_pcall(vm->L, 1, 0, 0);
  pl_budget_end_vm(vm, outer);
  if (status != LUA_OK) {
    lua_pop(vm->L, 1);
    task->co = NULL;
    push_task(&pool->spares, task);
    return NULL;
  }
  return task;
}

struct pl_task *pl_pool_take(struct pl_vm *vm) {
  struct pl_pool *pool = &vm->pool;
  struct pl_task *task;
  if (pool->count) {
    task = pop_task(&pool->idle);
    pool->count--;
  } else {
    task = make_task(vm);
  }
  if (task) task->id = (uint64_t)vm->worker << WORKER_SHIFT | ++*vm->task_counter;
  return task;
}

static void free_chain(struct pl_task *task) {
  if (task->chain != &task->co) pl_mem_free(task->chain);
  task->chain = &task->co;
}

static size_t idle_max(const struct pl_vm *vm) {
  return PL_POOL_IDLE_MIN + vm->live_tasks / PL_POOL_ALIVE_PER_IDLE;
}

static void drop_coroutine(struct pl_vm *vm, struct pl_task *task) {
  pl_results_forget(vm->L, task->co);
  task->co = NULL;
  push_task(&vm->pool.spares, task);
}

void pl_pool_give(struct pl_vm *vm, struct pl_task *task, bool is_reusable) {
  struct pl_pool *pool = &vm->pool;
  assert(pl_list_is_empty(&task->ready) && pl_list_is_empty(&task->awaiters) &&
         pl_list_is_empty(&task->grace) && pl_list_is_empty(&task->sibling));
  task->id = 0;
  task->cpu_limit_ns = 0;
  task->state = PL_TASK_IDLE;
  free_chain(task);
  if (!is_reusable) {
    drop_coroutine(vm, task);
    return;
  }
  if (lua_gettop(task->co)) lua_settop(task->co, 0);
  push_task(&pool->idle, task);
  pool->count++;
  for (; pool->count > idle_max(vm); pool->count--) drop_coroutine(vm, pop_task(&pool->idle));
}

void pl_pool_deinit(struct pl_vm *vm) {
  while (vm->pool.slabs) {
    struct pl_task_slab *older = vm->pool.slabs->older;
    pl_mem_free(vm->pool.slabs);
    vm->pool.slabs = older;
  }
}
