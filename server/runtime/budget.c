// The signal's handler and the count hook. Both run in the worker's thread, between two
// instructions of Lua's; what they change is read by nobody else but sched.c and run.c.
#include "runtime/budget.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "runtime/kill_error.h"
#include "runtime/overdraft.h"
#include "runtime/stack_dump.h"
#include "runtime/wait.h"

// How the signal's handler finds its worker.
static _Thread_local struct pl_budget *own_budget;

static void on_count(lua_State *L, lua_Debug *ar);

// ---- limits ----

void pl_budget_init(struct pl_budget *budget, const struct pl_budget_limits *limits,
                    unsigned worker) {
  *budget = (struct pl_budget){.limits = *limits, .worker = worker};
}

bool pl_budget_is_limited(const struct pl_budget_limits *limits) {
  return limits->slice_ns || limits->cpu_ns || limits->stall_ns;
}

uint64_t pl_budget_period_ns(const struct pl_budget_limits *limits) {
  return limits->slice_ns ? limits->slice_ns : PL_BUDGET_PERIOD_NS;
}

uint64_t pl_budget_cpu_limit_ns(const struct pl_task *task) {
  if (task->cpu_limit_ns) return task->cpu_limit_ns;
  const struct pl_budget *budget = task->vm->budget;
  return budget && budget->limits.cpu_ns ? budget->limits.cpu_ns : UINT64_MAX;
}

// ---- the signal ----

void pl_budget_look(struct pl_budget *budget) {
  uint64_t now = atomic_load_explicit(&budget->switches, memory_order_relaxed);
  struct pl_sched *sched = budget->sched;
  if (!sched || !(now & 1)) return;
  if (atomic_load(&budget->stalled) == now) {
    pl_stack_dump_write(sched, budget->worker);
    abort();
  }
  lua_State *L = sched->running;
  if (atomic_load(&budget->watched) != now || !L) return;
  sched->hook = on_count;
  lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
}

static void on_signal(int number) {
  (void)number;
  if (own_budget) pl_budget_look(own_budget);
}

static void mask_signal(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, PL_BUDGET_SIGNAL);
  pthread_sigmask(how, &set, NULL);
}

void pl_budget_attach(struct pl_budget *budget) {
  budget->thread = pthread_self();
  own_budget = budget;
  mask_signal(SIG_UNBLOCK);
}

void pl_budget_detach(void) {
  mask_signal(SIG_BLOCK);
  own_budget = NULL;
}

void pl_budget_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(PL_BUDGET_SIGNAL, &action, NULL);
}

void pl_budget_wake_watchdog(struct pl_budget *budget) {
  if (atomic_exchange(&budget->is_unwatched, false)) budget->wake(budget->wake_ctx);
}

struct pl_sched *pl_budget_begin_vm(struct pl_vm *vm) {
  return vm->budget ? pl_budget_begin(vm->budget, &vm->sched) : NULL;
}

void pl_budget_end_vm(struct pl_vm *vm, struct pl_sched *outer) {
  if (vm->budget) pl_budget_end(vm->budget, outer);
}

// ---- what a task has used ----

void pl_budget_resume_clock(struct pl_task *task) {
  task->run_began_ns = pl_clock_cpu_ns();
}

// Of a task's first run nobody knows when it began, but the watchdog has seen it for a period.
static uint64_t used_ns(const struct pl_budget *budget, struct pl_task *task) {
  uint64_t now = pl_clock_cpu_ns();
  uint64_t period = pl_budget_period_ns(&budget->limits);
  if (!task->run_began_ns) task->run_began_ns = now > period ? now - period : 1;
  return task->cpu_ns + now - task->run_began_ns;
}

void pl_budget_renew(struct pl_vm *vm) {
  vm->sched.hook = NULL;
  if (!vm->budget) return;
  _Atomic uint64_t *switches = &vm->budget->switches;
  uint64_t before = atomic_load_explicit(switches, memory_order_relaxed);
  atomic_store_explicit(switches, before + 2, memory_order_release);
}

// ---- the hook ----

static void disarm(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
}

// Our Lua relies on running alone between waits, so it is let be until it is left.
static bool is_our_lua(lua_State *L, lua_Debug *ar) {
  static const char prefix[] = "=perilune/";
  lua_getinfo(L, "S", ar);
  return strncmp(ar->source, prefix, sizeof prefix - 1) == 0;
}

// A coroutine that a C module resumes by itself is in no chain: it must not be made to yield.
static bool is_innermost(const struct pl_task *task, lua_State *L) {
  return task->chain[task->depth - 1] == L;
}

static bool can_give_way(lua_State *L, const struct pl_task *task) {
  return is_innermost(task, L) && pl_wait_chain_is_yieldable(task);
}

static void yield_slice(lua_State *L, struct pl_task *task) {
  task->is_preempted = task->is_suspended = true;
  lua_yield(L, 0);
}

static void give_way(lua_State *L, struct pl_task *task, uint64_t used) {
  struct pl_budget *budget = task->vm->budget;
  disarm(L);
  pl_budget_renew(task->vm);
  if (!budget->limits.slice_ns || !can_give_way(L, task)) return;
  task->cpu_ns = used;
  uint64_t before = atomic_load_explicit(&budget->preemptions, memory_order_relaxed);
  atomic_store_explicit(&budget->preemptions, before + 1, memory_order_relaxed);
  yield_slice(L, task);
}

// Lua calls message handlers in the hook's place, where no hook can stop them. They are not called
// for want of memory; so that is the error, and what became of it is told afterwards (kill.c).
static void raise_kill(lua_State *L, struct pl_task *task) {
  task->was_interrupted = true;
  lua_pushliteral(L, "not enough memory");
  lua_error(L);
}

// Where only some of the chain can yield, that part yields, and the resumer above it closes it
// (coroutines.c). After an error, which was raised where nothing could yield, `<close>` variables
// get a slice.
static void end_task(lua_State *L, struct pl_task *task) {
  pl_kill_error_keep_trace(task, pl_budget_cpu_limit_ns(task));
  if (!is_innermost(task, L) || !lua_isyieldable(L)) raise_kill(L, task);
  disarm(L);
  if (task->was_interrupted && !task->has_had_grace) {
    task->has_had_grace = true;
    pl_budget_renew(task->vm);
    return;
  }
  task->is_suspended = true;
  lua_yield(L, 0);
}

// Its charge is over its limit: what is garbage is collected first, in steps between which others
// run. When the task gets the CPU again its next allocation is told here again (heap.h).
static void settle_overdraft(lua_State *L, struct pl_task *task) {
  int rc;
  disarm(L);
  do rc = pl_overdraft_step(L);
  while (rc == PL_EAGAIN && !can_give_way(L, task));
  task->is_overdrawn = rc == PL_EAGAIN;
  if (rc == PL_EAGAIN) {
    yield_slice(L, task);
  } else if (rc == PL_ELIMIT) {
    pl_budget_arm_kill(task->vm, PL_KILL_MEMORY);
    end_task(L, task);
  } else {
    task->vm->sched.hook = NULL;
  }
}

// A hook may have been left on a coroutine that runs again, or have been inherited.
static void on_count(lua_State *L, lua_Debug *ar) {
  struct pl_vm *vm = pl_vm_of(L);
  struct pl_task *task = vm->sched.current;
  if (!task || !vm->sched.hook) {
    disarm(L);
    return;
  }
  if (is_our_lua(L, ar)) return;
  if (task->is_overdrawn && !task->kill_cause) {
    settle_overdraft(L, task);
    return;
  }
  uint64_t used = 0;
  if (!task->kill_cause && vm->budget) {
    used = used_ns(vm->budget, task);
    if (used >= pl_budget_cpu_limit_ns(task)) task->kill_cause = PL_KILL_CPU;
  }
  if (task->kill_cause)
    end_task(L, task);
  else
    give_way(L, task, used);
}

void pl_budget_insist(struct pl_vm *vm, lua_State *L) {
  vm->sched.hook = on_count;
  lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
}

void pl_budget_arm_kill(struct pl_vm *vm, enum pl_kill_cause cause) {
  struct pl_task *task = vm->sched.current;
  if (!task || task->kill_cause) return;
  task->kill_cause = cause;
  if (vm->sched.running) pl_budget_insist(vm, vm->sched.running);
}

void pl_budget_on_over(struct pl_heap *heap) {
  struct pl_vm *vm = PL_CONTAINER_OF(heap, struct pl_vm, heap);
  struct pl_task *task = vm->sched.current;
  if (!task || task->kill_cause || !vm->sched.running) return;
  task->is_overdrawn = true;
  pl_budget_insist(vm, vm->sched.running);
}
