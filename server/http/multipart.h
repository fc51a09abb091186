/// multipart/form-data (RFC 7578, 2046), read as it comes: the caller feeds pieces of any size and
/// pulls events out of them, so that a coroutine can stop between any two.
///
///   PL_MULTIPART_PART   the head of a part is complete: see parser->part
///   PL_MULTIPART_DATA   a piece of its content: see parser->data
///   PL_MULTIPART_PART_END
///   PL_MULTIPART_END    the closing delimiter; what follows it is ignored
///   PL_MULTIPART_MORE   the input is used up: feed the next piece
///
/// How the input is cut changes only how the content is cut into DATA events.
///
///   for each piece of the body:
///     do err = pl_multipart_next(&parser, &piece, &event) ... while (event != MORE)
///   then: pl_multipart_is_done(&parser) or the body was cut short (400)
#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "http/request.h"

enum {
  PL_MULTIPART_BOUNDARY_MAX = 70,  ///< RFC 2046 5.1.1
  PL_MULTIPART_HEADERS_MAX = 16    ///< header fields of one part; usual are two
};

enum pl_multipart_event {
  PL_MULTIPART_MORE,
  PL_MULTIPART_PART,
  PL_MULTIPART_DATA,
  PL_MULTIPART_PART_END,
  PL_MULTIPART_END
};

/// Views of the parser's memory, valid until the next part begins.
struct pl_multipart_part {
  struct pl_strv name;          ///< of the form's field; may be empty
  struct pl_strv filename;      ///< as sent, path and all: not to be trusted; .data NULL: no file
  struct pl_strv content_type;  ///< .data NULL: text/plain
  struct pl_headers headers;    ///< all of the part's fields
};

struct pl_multipart_limits {
  size_t parts;         ///< limits.parts
  size_t header_bytes;  ///< of one part's head
};

/// Only `part` and `data` are for the caller.
struct pl_multipart {
  struct pl_multipart_part part;  ///< since PL_MULTIPART_PART
  struct pl_strv data;            ///< PL_MULTIPART_DATA: never empty; valid until the next call
  int state;
  int error;         ///< what has been returned once is returned ever after
  size_t held;       ///< how many bytes of `delimiter` the input has shown last
  size_t held_from;  ///< of those, how many are no content, whatever follows
  size_t part_count;
  struct pl_multipart_limits limits;
  size_t delimiter_len;
  char delimiter[PL_MULTIPART_BOUNDARY_MAX + 4];  ///< CR LF "--" boundary
  struct pl_buf head;                             ///< of the current part
  struct pl_header fields[PL_MULTIPART_HEADERS_MAX];
};

/// Finds the boundary in a Content-Type.
/// Returns: 0; PL_EINVAL: not multipart/form-data (415); PL_EPROTO: a boundary that is missing or
/// not allowed (400).
PL_MUST_CHECK int pl_multipart_boundary(struct pl_strv content_type, struct pl_strv *boundary);

/// @param boundary  as pl_multipart_boundary gave it; copied
void pl_multipart_init(struct pl_multipart *parser, struct pl_strv boundary,
                       struct pl_multipart_limits limits);
void pl_multipart_deinit(struct pl_multipart *parser);

/// The next event; what it used is taken off *input. Not to be moved between calls.
/// Returns: 0; PL_EPROTO: malformed (400); PL_ELIMIT: more parts, header fields or header bytes
/// than allowed; PL_ENOMEM. After an error the same error again.
PL_MUST_CHECK int pl_multipart_next(struct pl_multipart *parser, struct pl_strv *input,
                                    enum pl_multipart_event *event);

/// Whether PL_MULTIPART_END has been seen.
bool pl_multipart_is_done(const struct pl_multipart *parser);
