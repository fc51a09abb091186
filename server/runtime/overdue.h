/// What becomes of tasks whose grace time is over (grace.h):
///
///   cancelled --grace--> ended from outside, what is below it first
///   shield below a cancelled task --grace--> cancelled --grace--> ended from outside
///
/// A task that only waits for its child to end (a group, a shield) gets the time of that child,
/// too. Who has not had the CPU since it was cancelled, because many were at once, has not had its
/// time: it is asked again.
///
/// Thread: the vm's.
#pragma once

#include <stdint.h>

#include "runtime/state.h"

/// Deals with all whose time is over. Not from inside a task.
void pl_overdue_end(struct pl_vm *vm, uint64_t now_ms);
