/// Idle tasks with their coroutines, used again last in first out. A pooled coroutine keeps its key
/// in the results table (value false), so reuse inserts nothing and allocates nothing.
#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "runtime/state.h"

/// Idle coroutines kept: PL_POOL_IDLE_MIN, and one more for every PL_POOL_ALIVE_PER_IDLE tasks that
/// are alive. As many as end together are about to be wanted again by those who come next.
enum { PL_POOL_IDLE_MIN = 64, PL_POOL_ALIVE_PER_IDLE = 4 };

/// Returns: a task in state IDLE with a usable coroutine and a fresh id, or NULL: out of memory.
PL_MUST_CHECK struct pl_task *pl_pool_take(struct pl_vm *vm);

/// Gives it back. A coroutine that did not end normally is dropped, and so is what the pool has
/// too many of. (One whose stack grew keeps it: Lua has no call that tells, and each full
/// collection halves it.) @param is_reusable it ended normally
void pl_pool_give(struct pl_vm *vm, struct pl_task *task, bool is_reusable);

void pl_pool_deinit(struct pl_vm *vm);
