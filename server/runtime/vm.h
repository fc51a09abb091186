/// One Lua state per worker and generation, and all that belongs to it: allocator, libraries,
/// scheduler, task pool, results table.
///
/// The main lua_State never runs script code: everything, loading the app included, runs in tasks,
/// so that everything may wait. lua_getextraspace of each coroutine holds its task (bit 0: parked
/// in a chain); a thread that a C module makes inherits the main thread's value, the root task.
///
/// Thread: one, the worker's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "runtime/pool.h"
#include "runtime/sched.h"

/// What the runtime needs from above; worker/ fills it in.
struct pl_host {
  void *ctx;
  void (*wake)(void *ctx);  ///< tasks have become ready: call pl_sched_run soon
  /// A line for the operator: an error nobody takes (a failed child of an answered request, a
  /// finaliser's). text is not terminated at len only; it is a C string.
  void (*warn)(void *ctx, const char *text);
  /// What a script prints: one call of print, without a newline at its end. May be NULL.
  void (*print)(void *ctx, const char *text, size_t len);
};

struct pl_vm {
  lua_State *L;  ///< the main state
  struct pl_host host;
  void *user;  ///< the owner's (api/ finds its context here)
  struct pl_sched sched;
  struct pl_pool pool;
  struct pl_task *root;  ///< stands for "no task" in the extra space of the main state
  uint64_t next_task;    ///< low 54 bits of the next task id; continues in the next generation
  unsigned worker;       ///< 0..511, the high bits
  size_t live_tasks;     ///< tasks that have not ended, children included
  void (*on_idle)(
      struct pl_vm *vm);  ///< live_tasks fell to 0; may be NULL; must not free the vm at once
  /// What api/ does at the end of a task that a script has a handle of: after its ops' on_end, and
  /// after its on_gone, while the result is still in the results table.
  void (*on_handle_end)(struct pl_task *task);
  void (*on_handle_gone)(struct pl_task *task);
  size_t heap_bytes;  ///< what Lua holds now
  size_t heap_limit;  ///< hard ceiling: beyond it the allocator says NULL; 0 = none
};

/// Opens Lua's libraries with our changes (contract 5.6 "Differences from stock Lua"): text-only
/// load and loadfile, os.exit and os.setlocale that raise, our coroutine library, a require that
/// may wait. The state's string hash seed is random.
/// @param first_task the counter of the worker's ids at which this generation goes on
/// Returns: 0 or PL_ENOMEM.
PL_MUST_CHECK int pl_vm_init(struct pl_vm *vm, const struct pl_host *host, unsigned worker,
                             uint64_t first_task);

/// Closes the state. No task may be alive.
void pl_vm_deinit(struct pl_vm *vm);

/// The vm that L belongs to; L may be any coroutine of it.
struct pl_vm *pl_vm_of(lua_State *L);
