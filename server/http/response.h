/// The head of an answer as bytes. No policy here: what to send is the caller's choice.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "http/exchange.h"

enum pl_framing { PL_FRAMING_NONE, PL_FRAMING_LENGTH, PL_FRAMING_CHUNKED, PL_FRAMING_CLOSE };

struct pl_response_head {
  int status;
  struct pl_strv common;        ///< lines that every answer of this second has: Date, Server
  struct pl_strv content_type;  ///< empty: none
  struct pl_strv id;            ///< X-Request-Id; empty: none
  struct pl_strv headers;       ///< checked lines with CR LF
  enum pl_framing framing;
  uint64_t length;         ///< for PL_FRAMING_LENGTH
  const char *connection;  ///< "close", "keep-alive", or NULL: nothing needs to be said
};

/// Appends the head with its empty line. Returns: 0, PL_ENOMEM (out is unchanged).
PL_MUST_CHECK int pl_response_write_head(struct pl_buf *out, const struct pl_response_head *head);

/// Appends one chunk's size line. Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_response_write_chunk_size(struct pl_buf *out, size_t size);

/// A problem document (RFC 9457): application/problem+json, or a small HTML page.
/// @param detail or an empty view; it is escaped
/// Returns: 0, PL_ENOMEM.
PL_MUST_CHECK int pl_problem_write(struct pl_buf *out, int status, struct pl_strv detail,
                                   struct pl_strv request_id, bool as_html);
