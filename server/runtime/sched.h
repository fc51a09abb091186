/// The run queue of one vm, and the two ways in which a coroutine runs: resumed (the only
/// lua_resume of the program) and closed.
///
/// Both publish the coroutine as sched->running meanwhile, and see to it that it has sched->hook
/// when there is one, and that whoever ran before has it afterwards.
#pragma once

#include <lua.h>

#include "runtime/state.h"

void pl_sched_init(struct pl_sched *sched);

/// Makes a task ready and wakes the host. Thread: the vm's.
void pl_sched_ready(struct pl_task *task);

/// Takes out the task that has been ready for the longest time. There must be one.
struct pl_task *pl_sched_take(struct pl_sched *sched);

/// Takes a READY task out of the queue, wherever it stands.
void pl_sched_remove(struct pl_task *task);

/// Resumes `co` on behalf of the running task. run.c and coroutines.c only. Returns lua_resume's
/// status.
int pl_sched_enter(struct pl_vm *vm, lua_State *co, lua_State *from, int args, int *results);

/// Closes `co`, which is suspended, has failed or has ended: its to-be-closed variables run; they
/// cannot wait. Its error, if any, is on its stack. @param from whoever asks for it, or NULL
/// Returns: lua_closethread's status.
int pl_sched_close(struct pl_vm *vm, lua_State *co, lua_State *from);
