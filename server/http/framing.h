/// What only a whole head shows: how long the message is, for whom it is, and whether two readers
/// could disagree about either (reliability.md 1.2, 1.3, 1.6).
#pragma once

#include "base/base.h"
#include "http/request.h"

/// Checks Host, Transfer-Encoding, Content-Length, Content-Type and Expect, and fills in host,
/// content_length, has_body, expects_continue.
/// Returns: 0, or the status to answer before closing (400, 417) and *problem, static storage.
PL_MUST_CHECK int pl_framing_check(struct pl_request *request, const char **problem);

/// Fields that must not come as trailers. Returns: 0 or 400, and *problem.
PL_MUST_CHECK int pl_framing_check_trailers(const struct pl_headers *trailers,
                                            const char **problem);
