/// multipart/form-data as the bindings read it: http/multipart.h's parser with the request's body,
/// or a kept one, as its input.
///
/// Thread: the worker's.
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/multipart.h"

struct pl_call;

/// A userdata; freed by its finaliser.
struct pl_multipart_reader {
  struct pl_multipart parser;
  struct pl_strv input;   ///< not parsed yet: in call->pieces
  struct pl_buf content;  ///< of the current part, not handed out yet
  uint64_t number;        ///< of the current part, from 1; 0 before the first
  bool is_in_part;        ///< its content is not read to its end
  bool is_taken;          ///< somebody reads it: chunks(), body() or save()
};

/// Pushes a reader for the call's body, whose Content-Type has to be multipart/form-data. Raises
/// 415, and 400 when there is no valid boundary in it.
struct pl_multipart_reader *pl_multipart_reader_push(lua_State *L, const struct pl_call *call);

/// The next event of the parser; more of the body is read for it.
/// Returns: 0 and *event, never PL_MULTIPART_MORE; PL_EAGAIN: pl_body_wait, then call again; or an
/// error for pl_multipart_reader_raise.
PL_MUST_CHECK int pl_multipart_reader_next(struct pl_multipart_reader *reader, struct pl_call *call,
                                           enum pl_multipart_event *event);

/// Appends the current part's content to `out`, until that holds `max` bytes; a little more is
/// possible. Returns: as pl_body_gather; errors are for pl_multipart_reader_raise.
PL_MUST_CHECK int pl_multipart_reader_gather(struct pl_multipart_reader *reader,
                                             struct pl_call *call, struct pl_buf *out, size_t max);

/// Raises the error that answers by itself for what the two have returned.
int pl_multipart_reader_raise(lua_State *L, const struct pl_multipart_reader *reader, int code);
