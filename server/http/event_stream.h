/// Server-sent events (WHATWG HTML 9.2): the bytes of one event. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/strv.h"

/// What an event may say; a field whose .data is NULL is left out.
struct pl_event {
  struct pl_strv data;  ///< any text: each of its lines becomes a line of the event
  struct pl_strv event;
  struct pl_strv id;
  int64_t retry_ms;  ///< -1: left out
};

/// Whether the text can be an event's name or id: no CR, LF or NUL.
bool pl_event_field_is_valid(struct pl_strv text);

/// Appends the event with the empty line that ends it. Lines of data end with CR LF, LF or CR.
/// Returns: 0; PL_ENOMEM: a part of it may be there.
PL_MUST_CHECK int pl_event_write(struct pl_buf *out, const struct pl_event *event);
