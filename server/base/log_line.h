/// What one log line is, and how it is written down: as text for people or as a JSON object.
///
/// Whatever a line carries, it is one line of valid UTF-8 without control bytes: a client that puts
/// line feeds or terminal sequences into its path can forge nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/base.h"
#include "base/strv.h"

/// The longest line, its line feed included: PIPE_BUF, so that the kernel never mixes two of them.
enum { PL_LOG_LINE_BYTES = 4096 };

enum pl_log_level { PL_LOG_DEBUG, PL_LOG_INFO, PL_LOG_WARN, PL_LOG_ERROR };

enum pl_log_format {
  PL_LOG_TEXT,  ///< 2026-01-31T12:00:00.000Z info  message key=value; a line feed in the message
                ///< becomes a line feed and four spaces
  PL_LOG_JSON  ///< {"time":"2026-01-31T12:00:00.000Z","level":"info","msg":"message","key":"value"}
};

enum pl_log_kind { PL_LOG_STRING, PL_LOG_INTEGER, PL_LOG_FLOAT, PL_LOG_BOOLEAN };

/// One named value of a line. The views need to live until the call returns only.
struct pl_log_field {
  struct pl_strv name;  ///< "time", "level" and "msg" get an underscore behind them in JSON
  enum pl_log_kind kind;
  union {
    struct pl_strv string;  ///< any bytes: what is not UTF-8 is replaced
    int64_t integer;
    double number;  ///< NaN and infinity become null in JSON
    bool boolean;
  } value;
};

/// One answered request. Empty views are left out of the line.
struct pl_log_access {
  struct pl_strv method;
  struct pl_strv path;
  int status;
  uint64_t bytes;        ///< of the answer, head and body
  uint64_t duration_us;  ///< from the request's first byte to the answer's last
  struct pl_strv id;     ///< the line calls it request_id, as lines of perilune.log do
  struct pl_strv remote;
  struct pl_strv route;  ///< the pattern
};

/// Writes one line with its line feed. What does not fit is cut: a string ends in an ellipsis,
/// later fields are left out, and JSON says "cut":true.
/// @param wall the time to show, CLOCK_REALTIME
/// Returns: its length.
size_t pl_log_line_write(char out[PL_LOG_LINE_BYTES], enum pl_log_format format,
                         enum pl_log_level level, struct timespec wall, struct pl_strv message,
                         const struct pl_log_field *fields, size_t count);

/// The same for an answered request.
size_t pl_log_line_write_access(char out[PL_LOG_LINE_BYTES], enum pl_log_format format,
                                struct timespec wall, const struct pl_log_access *access);
