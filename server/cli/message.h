/// Messages to whoever started the program, on stderr; results go to stdout.
///
/// "error:" and "warning:" are coloured when stderr is a terminal and NO_COLOR is not set.
#pragma once

#include "base/base.h"
#include "base/buf.h"

/// "perilune: error: ..." and a line end.
void pl_message_error(const char *format, ...) PL_PRINTF(1, 2);

/// "perilune: warning: ..." and a line end.
void pl_message_warning(const char *format, ...) PL_PRINTF(1, 2);

/// Writes a command's result to stdout. @param rc what making it has returned
/// Returns: the exit code: 0, or 1 and a message (rc is not 0, or it could not be written).
PL_MUST_CHECK int pl_message_result(int rc, const struct pl_buf *text);
