/// Conditional requests and ranges (RFC 9110 13 and 14): which answer a GET or HEAD of something
/// with a validator gets. Pure functions.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"

/// What is about to be sent.
struct pl_representation {
  struct pl_strv etag;  ///< with its quotes, perhaps W/ in front; empty: none
  int64_t mtime;        ///< seconds since 1970, if has_mtime
  bool has_mtime;
  uint64_t size;  ///< bytes
};

struct pl_verdict {
  int status;       ///< 200, 206, 304, 412 or 416
  uint64_t first;   ///< 200, 206: the first byte to send
  uint64_t length;  ///< 200, 206: how many; 0 for the others
};

/// Preconditions in RFC 9110 13.2.2's order: If-Match, else If-Unmodified-Since (412);
/// If-None-Match, else If-Modified-Since (304, or 412 for methods that change something); then,
/// for GET, Range under If-Range. Dates that cannot be read are ignored. One range of bytes is
/// served; several, a malformed one or another unit are ignored: 200.
/// @param now  seconds since 1970, for dates with two-digit years
struct pl_verdict pl_conditional_evaluate(enum pl_method method, const struct pl_headers *headers,
                                          const struct pl_representation *what, int64_t now);

/// RFC 9110 8.8.3.2. Strong: the same, and neither weak. Weak: the same but for W/.
bool pl_etag_equal_strong(struct pl_strv a, struct pl_strv b);
bool pl_etag_equal_weak(struct pl_strv a, struct pl_strv b);

/// Takes the next tag off a list as If-Match has it; "*" is no tag. Returns: false at the end, or
/// where the list is malformed.
bool pl_etag_next(struct pl_strv *rest, struct pl_strv *etag);
