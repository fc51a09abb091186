/// From a request to its task: routing, admission, and what the carrier's events mean to the task.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>

struct pl_exchange;
struct pl_worker;

/// A request's head has come: answers it, or starts its task in the worker's current generation.
void pl_dispatch_request(struct pl_worker *worker, struct pl_exchange *x);

/// Its last byte has left, or the connection was cut: access log, finish handlers.
void pl_dispatch_finished(struct pl_worker *worker, struct pl_exchange *x, bool was_cut);
