/// Content negotiation (RFC 9110 12.5.1), as far as the server itself negotiates.
#pragma once

#include <stdbool.h>

#include "http/request.h"

/// How much the client wants a media type: 0 (not at all) .. 1000, by the most specific range of
/// its Accept fields that covers it; 1000 without such a field. Parameters of ranges other than q
/// are not looked at; a malformed range is passed over.
/// @param type  "text/html"
int pl_accept_quality(const struct pl_headers *headers, struct pl_strv type);

/// Whether an error page should be HTML: text/html is wanted more than application/problem+json
/// and application/json. Browsers say so; curl ("*/*") and programs do not.
bool pl_accept_prefers_html(const struct pl_headers *headers);

enum pl_accept_form { PL_ACCEPT_NEITHER, PL_ACCEPT_PACKED, PL_ACCEPT_JSON };

/// How a struct is to be sent: packed (application/octet-stream), unless application/json is wanted
/// more; so packed to who says nothing, or wants both as much ("*/*"). NEITHER: 406.
enum pl_accept_form pl_accept_form(const struct pl_headers *headers);
