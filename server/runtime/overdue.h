/// What becomes of tasks whose grace time is over (grace.h):
///
///   cancelled --grace--> ended from outside, what is below it first
///   shield below a cancelled task --grace--> cancelled --grace--> ended from outside
///
/// Nobody is ended for want of the CPU: who stands in the run queue with the cancellation, because
/// many were cancelled at once, or was preempted while it unwinds, is asked again later, for a few
/// slices. A task that only waits for its child to end (a group, a shield) gets the time of that
/// child, too.
///
/// Thread: the vm's.
#pragma once

#include <stdint.h>

#include "runtime/state.h"

/// Deals with all whose time is over. Not from inside a task.
void pl_overdue_end(struct pl_vm *vm, uint64_t now_ms);
