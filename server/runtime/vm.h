/// One Lua state per worker and generation, and all that belongs to it: allocator, libraries,
/// scheduler, task pool, results table.
///
/// The main lua_State never runs script code: everything, loading the app included, runs in tasks,
/// so that everything may wait.
///
/// Thread: one, the worker's.
#pragma once

#include <stdint.h>

#include "base/base.h"
#include "runtime/state.h"

/// Opens Lua's libraries with our changes (contract 5.6 "Differences from stock Lua"): text-only
/// load and loadfile, os.exit and os.setlocale that raise, our coroutine library, a require that
/// may wait. The state's string hash seed is random.
/// @param first_task the counter of the worker's ids at which this generation goes on
/// Returns: 0 or PL_ENOMEM.
PL_MUST_CHECK int pl_vm_init(struct pl_vm *vm, const struct pl_host *host, unsigned worker,
                             uint64_t first_task);

/// Closes the state. No task may be alive.
void pl_vm_deinit(struct pl_vm *vm);
