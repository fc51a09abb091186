/// From a request to its task: routing, admission, and what the carrier's events mean to the task.
///
/// Thread: the worker's.
#pragma once

struct pl_exchange;
struct pl_worker;

/// Makes the worker's admission ready, as its configuration says. Its loop is initialised.
void pl_dispatch_init(struct pl_worker *worker);

/// A request's head has come: answers it, or starts its task in the worker's current generation,
/// now or when there is a place for it.
void pl_dispatch_request(struct pl_worker *worker, struct pl_exchange *x);
