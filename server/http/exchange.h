/// One request and its answer, as everyone above http/ sees them, whatever carries them: conn.c is
/// the HTTP/1 carrier, HTTP/2 will be another.
///
///   carrier                               handler (worker/dispatch, api/)
///     on_request(x) ------------------->   fills in x->events, x->user
///     <----------- ops: read_body, respond | start, write, finish | cut
///     events: on_readable, on_drain, on_gone ->
///     <----------- ops: release            x must not be touched any more
///
/// The carrier keeps x alive until release, also when it is answered and when the client has gone;
/// after on_gone(PL_ECONNRESET or PL_ECANCELED) every operation but release fails with
/// PL_ECONNRESET and does nothing.
///
/// Who has answered but not released x (children of its task run on) is still told when the client
/// leaves, as long as the connection lives; it may carry any number of further requests meanwhile.
/// When the server ends the connection (Connection: close, a time-out of an idle client, draining,
/// another request's cut) nobody has left: such an x goes on alone, and hears only that the server
/// is stopping.
///
/// Thread: the connection's worker. Operations never call an event of the same exchange before
/// they return, except release, after which there are no more events.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "http/request.h"

struct pl_bytes;
struct pl_exchange;

/// The bytes that a body, or a piece of one, lies in: it is sent from there. The carrier takes a
/// reference of its own. When the operation that is given this returns 0 or PL_EAGAIN, on_sent is
/// called exactly once, on the worker's thread, as soon as the bytes may be changed again: written,
/// not needed (HEAD), or the connection is over; perhaps before the operation returns, and always
/// before the exchange's on_finished. It must not use the exchange. When the operation fails it is
/// not called.
struct pl_hold {
  struct pl_bytes *bytes;      ///< NULL: none
  void (*on_sent)(void *ctx);  ///< or NULL
  void *ctx;
};

/// What a handler answers. The carrier adds Date, Server, Content-Length or Transfer-Encoding and
/// Connection; it drops the body for HEAD, 204, 304.
struct pl_response {
  int status;              ///< 200..599
  struct pl_strv headers;  ///< checked lines "Name: value\r\n", none of the carrier's own; copied
  struct pl_strv content_type;  ///< empty: no such field
  struct pl_strv body;          ///< respond only
  bool body_is_held;    ///< the body's bytes stay as they are until on_finished: no copy needed
  struct pl_hold hold;  ///< respond only: the body lies in these; it is never copied
  int64_t length;       ///< start only: the body's bytes when they are known, else -1
};

struct pl_exchange_ops {
  /// The next piece of the body. Returns: 0 and *piece, valid until the next call or a return to
  /// the loop; PL_EOF at its end (trailers are then readable); PL_EAGAIN: on_readable will follow;
  /// PL_ELIMIT: longer than body_limit; PL_EPROTO: bad framing; PL_ETIMEDOUT: too slow;
  /// PL_ECONNRESET. After an error the same error again. The first call sends 100 Continue where
  /// the client waits for it.
  int (*read_body)(struct pl_exchange *x, struct pl_strv *piece);
  /// Instead of read_body: gathers the whole body in x->body, where it is received without a copy;
  /// what came with the head is copied. Returns: 0: there is no room in x->body for more, or no
  /// x->body yet: pl_request_body_make_room, then call again; PL_EOF: x->body is the body (NULL: it
  /// has no bytes); PL_EAGAIN: on_readable follows when the room is full or the body is over.
  /// Until then bytes appear in x->body, which others leave alone, but for pl_request_body_drop.
  /// Errors as read_body's.
  int (*keep_body)(struct pl_exchange *x);
  /// The whole answer. Once, instead of start. Returns: 0, PL_ENOMEM, PL_ECONNRESET.
  int (*respond)(struct pl_exchange *x, const struct pl_response *response);
  /// The head of a streamed answer. Once. Returns as respond.
  int (*start)(struct pl_exchange *x, const struct pl_response *head);
  /// A piece of a streamed answer, copied. Returns: 0; PL_EAGAIN: taken, but more than 64 KiB are
  /// unsent: write again after on_drain; PL_EINVAL: more than the announced length, nothing taken;
  /// PL_ENOMEM, PL_ECONNRESET.
  int (*write)(struct pl_exchange *x, struct pl_strv piece);
  /// A piece that lies in hold->bytes. A large one (16 KiB) is not copied, and PL_EAGAIN says then
  /// that some of it is unsent: the next before on_drain would have it copied after all. Returns as
  /// write.
  int (*write_held)(struct pl_exchange *x, struct pl_strv piece, const struct pl_hold *hold);
  /// Makes what was written leave now, instead of with the rest of this turn.
  void (*flush)(struct pl_exchange *x);
  /// The end of a streamed answer. Returns: 0; PL_EINVAL: fewer bytes than announced (the
  /// connection is cut); PL_ECONNRESET.
  int (*finish)(struct pl_exchange *x);
  /// Ends the connection without an end of the answer, so that the client can tell.
  void (*cut)(struct pl_exchange *x);
  /// The handler is done with x. When nothing was answered yet, the connection is cut.
  void (*release)(struct pl_exchange *x);
  /// When the request's time is over, in pl_clock_ms() time: on_gone(PL_ETIMEDOUT) follows then. It
  /// moves on while the client's body is waited for. 0: there is no such time, or no more.
  uint64_t (*deadline_ms)(const struct pl_exchange *x);
  /// The other side's address as text; *port is 0 for a unix socket.
  void (*peer)(struct pl_exchange *x, char *text, size_t size, int *port);
};

struct pl_exchange_events {
  void (*on_readable)(struct pl_exchange *x);  ///< read_body has something new to say
  void (*on_drain)(struct pl_exchange *x);     ///< what was written has left
  /// The client has left, or the connection has ended before the answer (PL_ECONNRESET), or the
  /// server is stopping (PL_ECANCELED): one of these, once. Or the request's time is over
  /// (PL_ETIMEDOUT: nothing has been sent yet and respond still works). An end of stream (FIN) says
  /// that the client has left unless x has half_close; a reset, an end of its unix socket, and
  /// answers that it does not take always do.
  void (*on_gone)(struct pl_exchange *x, int reason);
};

struct pl_exchange {
  const struct pl_exchange_ops *ops;
  const struct pl_exchange_events *events;  ///< the handler's
  void *user;                               ///< the handler's
  struct pl_request request;
  struct pl_strv id;      ///< X-Request-Id when the client sent a valid one (1-128 of
                          ///< [A-Za-z0-9._-]), else one of ours; the carrier sends it back
  struct pl_arena arena;  ///< lives until release
  uint64_t body_limit;  ///< bytes of body at most; the carrier sets limits.body, a route may change
                        ///< it before the first read
  struct pl_bytes *body;  ///< what has come of a body that is kept, or may be; else NULL. Freed
                          ///< with the arena: http/request_body.h
  size_t body_counted;    ///< bytes of it in arena.account
  uint64_t started_ns;    ///< pl_clock_ns() when the head was complete; 0: nobody wants to know
  uint64_t bytes_in;      ///< of the body so far
  uint64_t bytes_out;     ///< of the answer's body so far
  uint64_t request_timeout_ms;  ///< from the end of the head to the head of the answer; 0 = none; a
                                ///< route may change it
  int status;                   ///< of the answer; 0 before it
  bool half_close;              ///< the route serves clients that send FIN before the answer
  bool is_answered;             ///< respond or finish has been called
  bool is_secure;               ///< the carrier is TLS
};
