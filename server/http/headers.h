/// Looking into a list of header fields, into lists and parameters within a value, and what may
/// stand in a field.
#pragma once

#include "base/base.h"
#include "http/request.h"

/// The value of the first field of that name, any spelling; .data is NULL when there is none.
struct pl_strv pl_headers_first(const struct pl_headers *headers, struct pl_strv name);

/// The next field of that name at or behind index `from`. Returns: its index, or headers->count.
size_t pl_headers_find(const struct pl_headers *headers, struct pl_strv name, size_t from);

/// RFC 9110 5.6.2: one or more token characters.
bool pl_token_is_valid(struct pl_strv text);

/// Whether a field value can be sent: no CR, LF, NUL, nor any other control character but TAB.
bool pl_header_value_is_valid(struct pl_strv value);

/// Whether the comma-separated list `value` holds `token` (any case): Connection, Expect.
bool pl_header_has_token(struct pl_strv value, struct pl_strv token);

/// Takes the next element off the comma-separated list `*rest`: trimmed, empty ones skipped, commas
/// within quoted strings kept. Returns: false at the end.
bool pl_header_next_item(struct pl_strv *rest, struct pl_strv *item);

/// Takes the text in front of the first ";" off `*rest` (the media type, the disposition), trimmed;
/// pl_header_next_param then reads the parameters.
struct pl_strv pl_header_take_type(struct pl_strv *rest);

/// A parameter of a value: `; name=token` or `; name="quoted string"`.
struct pl_header_param {
  struct pl_strv name;   ///< a token
  struct pl_strv value;  ///< what stands between the quotes, backslashes still in it, or the token
  bool is_quoted;
};

/// Takes the next parameter off `*rest`. Returns: 0; PL_EOF: there is none; PL_EINVAL: malformed.
PL_MUST_CHECK int pl_header_next_param(struct pl_strv *rest, struct pl_header_param *param);
