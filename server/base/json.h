/// Reading JSON (RFC 8259) as a stream of checked tokens: the caller pulls, and every token that it
/// gets is grammatically in its place. Nothing is built and nothing is kept here.
///
/// Refused besides wrong grammar: a byte order mark, bytes that are not UTF-8, lone surrogates,
/// control characters in strings, NaN and Infinity, numbers too large for a double, text behind the
/// value, nesting beyond the limit. Not looked at: keys that occur twice.
///
/// Thread: one thread at a time per reader.
#pragma once

#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/strv.h"

enum {
  PL_JSON_DEPTH_DEFAULT = 128,
  PL_JSON_DEPTH_MAX = 1024,    ///< the largest limit that can be set
  PL_JSON_MESSAGE_BYTES = 160  ///< room for every message, terminator included
};

enum pl_json_type {
  PL_JSON_END,  ///< the value is complete and nothing but white space follows
  PL_JSON_NULL,
  PL_JSON_FALSE,
  PL_JSON_TRUE,
  PL_JSON_INTEGER,  ///< no fraction, no exponent, within int64
  PL_JSON_FLOAT,    ///< any other number; always finite
  PL_JSON_STRING,
  PL_JSON_KEY,  ///< the name of a member; its value's tokens follow
  PL_JSON_ARRAY_BEGIN,
  PL_JSON_ARRAY_END,
  PL_JSON_OBJECT_BEGIN,
  PL_JSON_OBJECT_END
};

/// What the last token carries: only the field of its type is set.
union pl_json_token {
  int64_t integer;
  double number;
  struct pl_strv string;  ///< STRING and KEY: unescaped UTF-8; valid until the next call
};

struct pl_json_reader {
  const char *begin;       ///< the text
  const char *next;        ///< first byte not read yet
  const char *end;         ///< behind the text
  struct pl_buf *scratch;  ///< where strings with escapes are put together
  unsigned depth;          ///< containers open now
  unsigned depth_max;
  int expected;                                ///< what the grammar allows next (json.c)
  const char *reason;                          ///< after a failure: why
  const char *error_at;                        ///< after a failure: where
  uint64_t is_object[PL_JSON_DEPTH_MAX / 64];  ///< a bit for each open container
};

/// Begins to read `text`, which stays the caller's and must stay where it is.
/// @param depth_max open containers allowed at once, 0 to PL_JSON_DEPTH_MAX; 0 = scalars only
/// @param scratch stays the caller's; used for strings with escapes only, and what it held is lost
void pl_json_reader_init(struct pl_json_reader *r, struct pl_strv text, unsigned depth_max,
                         struct pl_buf *scratch);

/// Reads one token. After an error or PL_JSON_END: do not call again.
/// Returns: its enum pl_json_type, or PL_ESYNTAX, PL_ELIMIT (depth), PL_ENOMEM.
PL_MUST_CHECK int pl_json_next(struct pl_json_reader *r, union pl_json_token *token);

/// Says what was wrong after PL_ESYNTAX or PL_ELIMIT: "line 3, column 7: expected ',' or ']', found
/// 'x'". Lines end with LF; both numbers begin at 1; a column is a character, not a byte.
void pl_json_explain(const struct pl_json_reader *r, char out[PL_JSON_MESSAGE_BYTES]);
