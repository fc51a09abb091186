/// The end of an exchange, as its worker sees it.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>

struct pl_exchange;
struct pl_worker;

/// Its last byte has left, or the connection was cut: access log, finish handlers.
void pl_finish_exchange(struct pl_worker *worker, struct pl_exchange *x, bool was_cut);
