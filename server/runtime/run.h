/// Running tasks: from ready to waiting or ended.
///
/// One turn runs the tasks that were ready when it began; those that become ready meanwhile join
/// the next round. After 256 resumes or 1 ms, and after a task whose slice was over, the loop polls
/// its sockets first.
///
/// Thread: the vm's.
#pragma once

#include <stdbool.h>

#include "runtime/state.h"

enum { PL_RUN_RESUMES_PER_TURN = 256, PL_RUN_TURN_NS = 1000000 };

/// Starts a new task with the function and `args` arguments on top of task->co's stack. Runs at
/// once when no task is running on this vm, else in the next round.
void pl_run_start(struct pl_task *task, int args);

/// The same, but in the next round whoever calls: a finaliser, too, that runs outside tasks.
void pl_run_queue(struct pl_task *task, int args);

/// Runs one turn. Returns: true while tasks are ready. Not from inside a task.
bool pl_run_turn(struct pl_vm *vm);
