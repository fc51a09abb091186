/// What a worker does when it is short of memory (limits.memory).
///
/// Thread: the worker's.
#pragma once

struct pl_worker;

/// Sets up worker->account: its limit, and collecting garbage when that is exceeded. Before the
/// parts that count there are made.
void pl_worker_memory_init(struct pl_worker *worker);
