/// Asks a server one question over a blocking socket: the work behind perilune healthcheck.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/base.h"

/// Sends `method target HTTP/1.1` and reads the status of the answer, all within the time.
/// An unspecified address (0.0.0.0, ::) is reached as loopback.
/// Returns: 0 and the status code; PL_ETIMEDOUT; PL_EPROTO: no HTTP answer; or a negative errno
/// value.
PL_MUST_CHECK int pl_probe(const struct pl_address *address, const char *method, const char *target,
                           uint64_t timeout_ms, int *status);
