/// What is said about a task that was ended from outside: its error object, and the traceback of
/// where it was. (kill.h ends it.)
#pragma once

#include <lua.h>
#include <stdint.h>

#include "runtime/state.h"

/// The status that answers such a request: 503 where trying again later may help, else 500.
int pl_kill_error_status(enum pl_kill_cause cause);

/// Keeps the text for the log in task->kill_trace_ref, unless there is one: what the task did, what
/// to do about it, and the traceback of its whole chain, innermost coroutine first. Nothing when
/// memory is short. May be called from a hook of the task. (A chain that has yielded in a hook
/// shows the line of the instruction before.)
/// @param cpu_limit_ns what it was allowed, for PL_KILL_CPU
void pl_kill_error_keep_trace(struct pl_task *task, uint64_t cpu_limit_ns);

/// Lets go of it.
void pl_kill_error_drop_trace(struct pl_task *task);

/// Pushes the error object (runtime/value.h). May raise out of memory.
/// @param trace stack index of the text that keep_trace made, or of nil
void pl_kill_error_push(lua_State *L, const struct pl_task *task, uint64_t cpu_limit_ns, int trace);
