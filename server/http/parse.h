/// Reading HTTP/1 messages: llhttp does the grammar, this file adds what a server needs besides
/// (reliability.md 1): guards against request smuggling, limits, and the choice of the right
/// status.
///
/// A head is first collected whole and copied once into the arena, so that every view of the
/// request is stable and in one piece; what has come of an unfinished one is checked as it comes.
/// The body is pulled piece by piece out of the connection's input.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/base.h"
#include "http/request.h"

struct pl_parse_limits {
  size_t request_line;  ///< bytes of the request line, else 414
  size_t header_bytes;  ///< bytes of all header lines, else 431; trailers likewise
  size_t header_count;  ///< header fields, else 431
  size_t chunk_ext;     ///< bytes of chunk extensions in one body, all together
};

struct pl_parser {
  llhttp_t http;
  const struct pl_parse_limits *limits;
  struct pl_arena *arena;
  struct pl_request *request;
  struct pl_headers *fields;  ///< where header callbacks put fields: the request's or its trailers
  size_t field_capacity;
  size_t checked;  ///< bytes of an unfinished head that the trial parser has seen
  size_t chunk_ext_bytes;
  struct pl_strv piece;  ///< body bytes found by the current call
  const char *problem;   ///< what was wrong, for the answer's detail
  int error;             ///< the first error of the body; remembered
  bool line_decides;     ///< the trial parser stopped in the request line: its end decides
  bool has_head;
  bool in_trailers;  ///< the last chunk's line has been read
  bool is_complete;  ///< the message has been read to its end
};

/// Begins a message. Everything is allocated in `arena`; `request` is filled in.
void pl_parser_init(struct pl_parser *p, const struct pl_parse_limits *limits,
                    struct pl_arena *arena, struct pl_request *request);

/// Looks for a whole head at the beginning of `input`, which holds everything since the message
/// began (leading empty lines skipped by pl_parse_skip_empty_lines).
/// Returns: 0 and *used, the head's length, when request is filled in; PL_EAGAIN: not there yet;
/// or the status to answer before closing (400, 414, 417, 431, 501, 503: out of memory, 505).
PL_MUST_CHECK int pl_parser_head(struct pl_parser *p, struct pl_strv input, size_t *used);

/// Takes the next piece of the body out of `input`. *used bytes of input are done with in any case.
/// Returns: 0 and *piece, a view into input; PL_EOF: the message is complete; PL_EAGAIN: more input
/// is needed; PL_EPROTO, PL_ENOMEM: the same again from then on.
PL_MUST_CHECK int pl_parser_body(struct pl_parser *p, struct pl_strv input, size_t *used,
                                 struct pl_strv *piece);

/// Bytes of empty lines (CR LF) at the beginning of input: ignored before a request (RFC 9112 2.2).
size_t pl_parse_skip_empty_lines(struct pl_strv input);
