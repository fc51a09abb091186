/// One connected socket, TCP or unix: reading on and off, one write in flight, close exactly once.
///
/// The owner embeds it, and frees itself in on_closed and nowhere else. Reading goes into the
/// loop's shared buffer, so an idle connection holds no buffer, or straight to where the owner
/// wants the bytes. The process must ignore SIGPIPE.
///
/// Thread: the loop's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/base.h"
#include "base/strv.h"

struct pl_loop;
struct pl_stream;
struct pl_stream_write;

struct pl_stream_ops {
  /// Bytes have come; `data` is the loop's shared buffer, valid during the call only, or the front
  /// of what `lend` has given. No bytes: `lend` has said PL_STREAM_NOT_NOW.
  void (*on_read)(struct pl_stream *s, struct pl_strv data);
  /// Reading is over: PL_EOF (the other side has sent its FIN) or an error. Called once at most.
  void (*on_end)(struct pl_stream *s, int status);
  /// The write that pl_stream_write left pending is over: 0, or the error. Not called when the
  /// stream was closed first. The next write may be started in it.
  void (*on_written)(struct pl_stream *s, int status);
  /// The descriptor is closed: free the owner.
  void (*on_closed)(struct pl_stream *s);
  /// Something can be read: where shall it go? Returns: the room at *at, which must stay until the
  /// loop has control again; 0: the shared buffer will do; PL_STREAM_NOT_NOW: nothing is read in
  /// this turn. May be NULL.
  size_t (*lend)(struct pl_stream *s, char **at);
};

#define PL_STREAM_NOT_NOW SIZE_MAX

struct pl_stream {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv;
  struct pl_loop *loop;
  const struct pl_stream_ops *ops;
  struct pl_stream_write *write;  ///< the pending write request, or NULL
  bool is_reading;
  bool has_filled;  ///< what lend gave last is full: what comes now waits for the next turn
  bool has_ended;   ///< on_end has been called
  bool is_closing;
};

enum { PL_STREAM_PARTS = 4 };

/// Takes over the connected descriptor fd (non-blocking, CLOEXEC); on failure fd is closed and the
/// caller may free the stream at once: on_closed will not be called.
PL_MUST_CHECK int pl_stream_open(struct pl_stream *s, struct pl_loop *loop, int fd, bool is_unix,
                                 const struct pl_stream_ops *ops);

/// Both are harmless when repeated. Starting after on_end has been called does nothing.
void pl_stream_read_start(struct pl_stream *s);
void pl_stream_read_stop(struct pl_stream *s);

/// Sends up to PL_STREAM_PARTS parts in order. Nothing may be pending (s->write == NULL).
/// Returns: 0 (the kernel has it all), PL_EAGAIN (the rest is queued: the parts' bytes must stay
/// as they are until on_written or pl_stream_close), or an error (nothing is pending; close the
/// stream).
PL_MUST_CHECK int pl_stream_write(struct pl_stream *s, const struct pl_strv *parts, size_t count);

/// Bytes of the pending write that the kernel has not taken yet; 0 when none is pending.
size_t pl_stream_unsent(const struct pl_stream *s);

/// Sends a FIN (shutdown(SHUT_WR)); nothing may be pending.
void pl_stream_shutdown_write(struct pl_stream *s);

/// Asks the kernel, without reading, whether the other side is still there: poll(POLLRDHUP |
/// POLLHUP | POLLERR). Sees a FIN behind unread bytes, which libuv never reports while reading is
/// stopped, and a reset behind a FIN that has been read, which it reports to a writer only.
/// Returns: 0: it is there; PL_EOF: it has sent its FIN, and may still read; PL_ECONNRESET: it has
/// reset the connection, or (unix) closed its socket, or s is closed.
PL_MUST_CHECK int pl_stream_ask_peer(const struct pl_stream *s);

/// Has the kernel keep about that many unread bytes from now on (TCP; it bounds them by half of
/// net.ipv4.tcp_rmem's maximum): a FIN arrives only when all in front of it does.
void pl_stream_enlarge_unread(const struct pl_stream *s, size_t bytes);

/// The address of the other side as text, without port; "unix:" for a unix socket; *port = 0 there.
/// Empty when the kernel does not know it any more: the other side has reset the connection.
void pl_stream_peer(const struct pl_stream *s, char *text, size_t size, int *port);

/// Closes once; repeated calls do nothing. @param reset: send a RST instead of a FIN (TCP only).
/// on_closed follows in a later turn, and no other callback does.
void pl_stream_close(struct pl_stream *s, bool reset);
