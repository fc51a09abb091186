/// Problem documents (RFC 9457) as answers, HTML where the client prefers it.
#pragma once

struct pl_call;

/// Sends a problem document without Lua: 404, 405, 503. Cuts the connection when memory is short.
/// @param detail or NULL. @param header one line with CR LF, or NULL
void pl_api_send_problem(struct pl_call *call, int status, const char *detail, const char *header);
