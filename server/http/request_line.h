/// The request line, read by hand: llhttp only says "invalid" where a client deserves to know
/// whether its method, its target or its version was not understood.
#pragma once

#include "base/base.h"
#include "http/request.h"

/// @param line without its CR LF; request->method, target and http_minor are views into it
/// @param problem set to what was wrong, static storage
/// Returns: 0, or 400 (malformed), 501 (a method that nobody can route), 505 (another version).
PL_MUST_CHECK int pl_request_line_parse(struct pl_strv line, struct pl_request *request,
                                        const char **problem);
