/// Listening sockets: bound once per process, polled by every worker through a dup of its own.
/// Not libuv's accept loop: that one can spin for ever on a persistent error.
///
/// Thread: bind and unbind: main; a pl_listener: its loop's.
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/address.h"
#include "base/base.h"
#include "io/timer.h"

struct pl_loop;

/// Binds and listens (non-blocking, CLOEXEC, TCP_NODELAY set here and inherited, SO_REUSEADDR, no
/// SO_REUSEPORT, IPV6_V6ONLY). A unix socket's file left by a dead server is taken over; one with a
/// live server behind it is PL -EADDRINUSE; a file that is no socket is -EEXIST. An address with
/// port 0 gets a free one, written back to *address. May wait a moment for another process that
/// starts on a unix socket in the same folder.
/// Returns: 0 and the descriptor in *fd, or a negative errno value.
PL_MUST_CHECK int pl_listener_bind(struct pl_address *address, int *fd);

/// Closes what pl_listener_bind returned, after removing a unix socket's file.
void pl_listener_unbind(const struct pl_address *address, int fd);

struct pl_listener {
  uv_poll_t poll;
  struct pl_timer retry;  ///< runs after EMFILE and the like: 500 ms without polling
  struct pl_loop *loop;
  int fd;  ///< this worker's dup; -1 when closed
  bool is_unix;
  bool is_paused;                                    ///< by pl_listener_pause
  void (*on_accept)(struct pl_listener *l, int fd);  ///< owns fd from then on
  /// Accepting failed (-EMFILE, ...) and goes on in 500 ms: for the log; may be NULL.
  void (*on_error)(struct pl_listener *l, int status);
  void (*on_closed)(struct pl_listener *l);  ///< after pl_listener_close; may be NULL
};

/// Polls a dup of fd. Set the callbacks before. At most 16 connections are accepted a turn.
/// On failure nothing needs to be released.
PL_MUST_CHECK int pl_listener_open(struct pl_listener *l, struct pl_loop *loop, int fd,
                                   bool is_unix);

/// A saturated worker does not poll. Both are harmless when repeated.
void pl_listener_pause(struct pl_listener *l);
void pl_listener_resume(struct pl_listener *l);

/// Stops polling and closes the dup; harmless when repeated. on_closed follows in a later turn.
/// @param drain: first accept what is queued, until EAGAIN.
void pl_listener_close(struct pl_listener *l, bool drain);
