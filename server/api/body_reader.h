/// The request's body as its bindings read it: who may read it, the bytes as they come, waiting for
/// more, and what a failure becomes.
///
///   UNREAD --body(), json(), form()--> READING --> KEPT
///      |                                  +------> FAILED
///      +--chunks(), parts(), save()--> STREAMED
///
/// Thread: the worker's. Everything here runs in a task of the call.
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "api/call.h"
#include "base/base.h"
#include "base/buf.h"

/// What is handed out at once, at most.
enum { PL_BODY_PIECE_BYTES = 64 * 1024 };

/// The body will be handed out as it comes. Raises when it was read already or cannot be any more.
/// @param operation "req:chunks", for the message
void pl_body_begin_stream(lua_State *L, struct pl_call *call, const char *operation);

/// Reads on until the whole body is kept. Raises when it has been handed out.
/// Returns: 0; PL_EAGAIN: pl_body_wait, then call again; or why it failed, for pl_body_fail.
PL_MUST_CHECK int pl_body_keep(lua_State *L, struct pl_call *call, const char *operation);

/// The kept body. Raises "stale view" when a script has moved it away (pl_body_push_box).
struct pl_strv pl_body_view(lua_State *L, const struct pl_call *call);

/// Pushes the box that the kept body lies in, the same one each time: for req:bytes(), array() and
/// struct(). What a script writes there is what body(), json() and form() see afterwards. The box,
/// and no longer the call, counts the bytes. Raises out of memory, and when the connection is gone.
struct pl_box *pl_body_push_box(lua_State *L, struct pl_call *call);

/// Appends what has come to `out`, until that holds PL_BODY_PIECE_BYTES; a little more is possible.
/// Returns: 0; PL_EOF: that was all of it; PL_EAGAIN: that was all for now, pl_body_wait; or why
/// reading failed, for pl_body_fail (PL_EINVAL: the request has been answered). The last three
/// return again when asked again.
PL_MUST_CHECK int pl_body_gather(struct pl_call *call, struct pl_buf *out);

/// Pushes at most PL_BODY_PIECE_BYTES from the front of buf, which is not empty, and drops them.
/// Returns 1.
int pl_body_hand_out(lua_State *L, struct pl_buf *buf);

/// Waits for more of the body, then goes on in k. Use as pl_wait_yield. Raises when another task
/// waits for it.
int pl_body_wait(lua_State *L, struct pl_call *call, lua_KContext ctx, lua_KFunction k);

/// Whether the worker is too short of memory (limits.memory) for a body that is kept to grow: it is
/// refused with PL_ENOMEM then.
bool pl_body_is_refused(const struct pl_call *call);

/// The running task's request keeps `bytes` of a body in C, instead of `old_bytes`.
void pl_body_charge(lua_State *L, size_t old_bytes, size_t bytes);

/// Raises the error that answers by itself (413, 408, 400, 503) for what reading returned.
int pl_body_raise(lua_State *L, int code);

// ---- functions that take {silent = true} ----

/// Checks the table of options at `index`, which may be missing. Raises on an unknown one.
void pl_body_check_options(lua_State *L, int index);

/// As pl_body_raise; but with `silent` in the options at `options` it returns nil, message, status.
int pl_body_fail(lua_State *L, int options, int code);

/// The same with a status and a text of the caller's.
int pl_body_fail_with(lua_State *L, int options, int status, const char *message);

/// The exchange's on_readable: wakes whoever waits for the body.
void pl_call_on_readable(struct pl_call *call);
