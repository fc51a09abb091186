/// The run queue of one vm, and the only lua_resume of the program (pl_sched_enter in sched.c).
#pragma once

#include <lua.h>

#include "runtime/state.h"

void pl_sched_init(struct pl_sched *sched);

/// Makes a task ready and wakes the host. Thread: the vm's.
void pl_sched_ready(struct pl_task *task);

/// Takes out the task that has been ready for the longest time. There must be one.
struct pl_task *pl_sched_take(struct pl_sched *sched);

/// Resumes `co` on behalf of the running task and publishes it as `running` meanwhile. run.c and
/// coroutines.c only. Returns lua_resume's status.
int pl_sched_enter(struct pl_vm *vm, lua_State *co, lua_State *from, int args, int *results);
