/// The run queue of one vm, and the only lua_resume of the program (pl_sched_enter in sched.c).
///
/// One turn runs the tasks that were ready when it began; those that become ready meanwhile join
/// the next round. After 256 resumes or 1 ms the loop polls its sockets first.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct pl_vm;
struct pl_task;

enum { PL_SCHED_RESUMES_PER_TURN = 256, PL_SCHED_TURN_NS = 1000000 };

struct pl_sched {
  struct pl_list ready;
  struct pl_task *current;      ///< the running task, or NULL
  lua_State *volatile running;  ///< the innermost running coroutine: what a watchdog looks at
  size_t ready_count;
  uint64_t resumes;              ///< counters since the vm began
  uint64_t dropped_completions;  ///< completions whose task was over (wait.h)
};

void pl_sched_init(struct pl_sched *sched);

/// Makes a task ready and wakes the host. Thread: the vm's.
void pl_sched_ready(struct pl_task *task);

/// Runs one turn. Returns: true while tasks are ready. Not from inside a task.
bool pl_sched_run(struct pl_vm *vm);

/// Gives the CPU to one task now. Not from inside a task.
void pl_sched_run_task(struct pl_task *task);

/// Resumes `co` on behalf of the running task and publishes it as `running` meanwhile. sched.c and
/// coroutines.c only. Returns lua_resume's status.
int pl_sched_enter(struct pl_vm *vm, lua_State *co, lua_State *from, int args, int *results);
