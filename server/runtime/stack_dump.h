/// The Lua stack of what runs, written by a signal handler just before the process ends.
#pragma once

#include "runtime/state.h"

/// Writes to stderr which worker is stuck, and what runs there: file:line of each Lua function,
/// innermost first, then those of the coroutines that wait for it. Outside of tasks (the collector)
/// it is the main state's. Takes no lock and no memory; reads Lua's data as it happens to be, which
/// is good enough for a process that ends.
void pl_stack_dump_write(const struct pl_sched *sched, unsigned worker);
