/// Whether a request that is over its memory limit really holds that much: its charge counts what
/// it has allocated, and garbage until somebody collects it.
///
///   on_over (heap.h) -> hook armed -> hook: pl_overdraft_step until it is not PL_EAGAIN
///
/// So a handler that makes much garbage, or one that streams for hours, is not ended for it: it
/// pays for the collection, in steps between which other tasks run. A request that is not over its
/// limit afterwards goes on with a corrected charge. In doubt it goes on: what is freed in its
/// steps is credited to it, so it first uses up the garbage that others have left, and one that
/// began when the heap was full of that may come to twice its limit. The heap does not grow by the
/// former.
///
/// Thread: the vm's, inside a task.
#pragma once

#include "base/base.h"
#include "runtime/state.h"

/// Does a step of about PL_OVERDRAFT_STEP_NS of collecting for the running task.
/// @param L the running coroutine
/// Returns: PL_EAGAIN: not known yet: give way and call again, before the task runs on;
/// 0: it is within its limit; PL_ELIMIT: it is over it.
PL_MUST_CHECK int pl_overdraft_step(lua_State *L);

enum { PL_OVERDRAFT_STEP_NS = 500 * 1000 };
