/// All HTTP connections of a worker: accepting, draining, ending.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>

#include "http/service.h"

/// Takes over an accepted descriptor; closes it when memory is short.
void pl_http_service_accept(struct pl_http_service *service, int fd, bool is_unix);

/// From now on answers say Connection: close, and idle connections are closed after a last chance
/// of 250 ms.
void pl_http_service_drain(struct pl_http_service *service);

/// Ends every connection now; what runs sees on_gone(PL_ECANCELED), answered requests whose
/// connection has ended before, too.
void pl_http_service_abort(struct pl_http_service *service);
