/// The rings of all threads that log, one each, from a thread's first line to its last.
///
/// A ring belongs to its thread and to the list; it is freed by the writer when its thread has gone
/// and it is empty, by the thread when there is no writer.
///
/// Thread: any, unless it says otherwise.
#pragma once

#include "base/base.h"
#include "base/log_ring.h"

/// The calling thread's ring; made at its first call. NULL: out of memory.
struct pl_log_ring *pl_log_rings_own(void);

/// The calling thread will not log for now: its ring goes, as at the thread's end.
void pl_log_rings_leave(void);

/// The first of the list, through `next`. Thread: the writer's.
struct pl_log_ring *pl_log_rings_first(void);

/// A writer begins: from now on only it removes rings. Returns: false: there is one already.
PL_MUST_CHECK bool pl_log_rings_attach(void);

/// Frees the empty rings of threads that have gone. Thread: the writer's.
void pl_log_rings_sweep(void);

/// The end of what attach began, with a last sweep. Thread: the writer's, or who attached when
/// there will be none.
void pl_log_rings_detach(void);
