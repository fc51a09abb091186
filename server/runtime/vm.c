// A Lua state and what belongs to it. The only caller of lua_newstate.
#include "runtime/vm.h"

#include <lauxlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "runtime/budget.h"
#include "runtime/coroutines.h"
#include "runtime/libraries.h"
#include "runtime/pool.h"
#include "runtime/require.h"
#include "runtime/results.h"
#include "runtime/sched.h"
#include "runtime/value.h"
#include "runtime/warnings.h"

// Lua calls this for an error outside any protected call: a bug of ours.
static int on_panic(lua_State *L) {
  struct pl_vm *vm = pl_vm_of(L);
  const char *text = lua_tostring(L, -1);
  vm->host.warn(vm->host.ctx, text ? text : "a Lua error outside any task");
  return 0;
}

static int open_state(lua_State *L) {
  pl_libraries_open(L);
  pl_coroutines_open(L);
  pl_value_open(L);
  pl_results_open(L);
  pl_require_open(L);
  return 0;
}

int pl_vm_init(struct pl_vm *vm, const struct pl_host *host, unsigned worker, uint64_t first_task) {
  *vm = (struct pl_vm){.host = *host, .worker = worker, .last_task = first_task};
  vm->task_counter = &vm->last_task;
  pl_list_init(&vm->roots);
  pl_list_init(&vm->grace);
  pl_sched_init(&vm->sched);
  vm->root = pl_mem_zalloc(sizeof *vm->root);
  if (!vm->root) return PL_ENOMEM;
  vm->root->vm = vm;
  vm->L = lua_newstate(pl_heap_allocate, &vm->heap);
  if (!vm->L) {
    pl_heap_deinit(&vm->heap);
    pl_mem_free(vm->root);
    return PL_ENOMEM;
  }
  *(struct pl_task **)lua_getextraspace(vm->L) = vm->root;
  lua_atpanic(vm->L, on_panic);
  pl_warnings_open(vm->L);
  lua_pushcfunction(vm->L, open_state);
  if (lua_pcall(vm->L, 0, 0, 0) != LUA_OK) {
    pl_vm_deinit(vm);
    return PL_ENOMEM;
  }
  return 0;
}

void pl_vm_deinit(struct pl_vm *vm) {
  struct pl_sched *outer = pl_budget_begin_vm(vm);
  vm->is_closing = true;
  lua_close(vm->L);
  pl_budget_end_vm(vm, outer);
  pl_heap_deinit(&vm->heap);
  pl_pool_deinit(vm);
  pl_mem_free(vm->root);
  vm->L = NULL;
}
