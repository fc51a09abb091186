/// The HTTP/1 carrier: one connection, its states and its memory. Private to http/: input.c feeds
/// it, body.c reads the bodies, answer.c writes it, conn.c owns its life and its time-outs.
///
///            first byte          head complete         answer complete
///   IDLE ------------> HEAD ----------------> HANDLING --------------> ANSWERED
///    ^                   | refused                                       |  | must close
///    |                   +-----------------------------------> ANSWERED -+  v
///    +---- body read to its end, answer handed to the kernel ------------+ LINGER -> closed
///
/// One message is parsed at a time; what follows stays in `in`. No event of an exchange and no
/// handler is called from within an exchange's operations: those only note what has to be done and
/// leave it to pl_conn_continue, which runs as soon as the loop has control.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "http/exchange_block.h"
#include "http/service.h"
#include "io/loop.h"
#include "io/stream.h"
#include "io/timer.h"

enum pl_conn_state {
  PL_CONN_IDLE,
  PL_CONN_HEAD,
  PL_CONN_HANDLING,
  PL_CONN_ANSWERED,
  PL_CONN_LINGER,
  PL_CONN_CLOSED
};

/// The framing behind what is sent from where it is.
enum pl_held_end { PL_HELD_END_NONE, PL_HELD_END_CHUNK, PL_HELD_END_LAST_CHUNK };

struct pl_conn {
  struct pl_stream stream;
  struct pl_http_service *service;
  struct pl_list link;                ///< service->connections
  struct pl_list watch;               ///< service->watched
  struct pl_list exchanges;           ///< not yet freed, oldest first: the finished ones in front
  struct pl_timer timer;              ///< lazy: re-armed when it fires before deadline_ms
  uint64_t deadline_ms;               ///< UINT64_MAX: none
  uint64_t since_ms;                  ///< when the current state began
  struct pl_deferred later;           ///< pl_conn_continue
  struct pl_exchange_block *current;  ///< in HEAD, HANDLING, ANSWERED
  struct pl_strv input;               ///< unread bytes: in the loop's read buffer, in `in`, or at
                                      ///< the end of the current body (body.c)
  struct pl_buf in;                   ///< bytes kept over the end of a read
  struct pl_buf out;                  ///< to be sent
  struct pl_buf sending;              ///< being sent; must not move
  struct pl_strv held;                ///< a body or a piece to be sent behind `out`
  struct pl_hold *hold;               ///< current's, whose `held` is or was, until it has been
                                      ///< sent; or NULL
  uint64_t discarded;                 ///< bytes of the current body read after its answer
  size_t unsent_seen;                 ///< queue length when the write time-out was last armed
  int failure;                        ///< why the connection must be cut; 0 = it need not
  int left;                           ///< the client has: as the reason of pl_conn_cut; 0 = no
  uint8_t state;                      ///< enum pl_conn_state
  uint8_t held_end;                   ///< enum pl_held_end
  bool input_is_borrowed;             ///< input is in the loop's read buffer
  bool input_is_in_body;              ///< input is in current->x.body; more of it may be in `in`
  bool is_lent;                       ///< what is being read goes to current->x.body
  bool is_busy;                       ///< inside pl_conn_continue: no need to defer it
  bool must_close;                    ///< after the current answer
  bool saw_eof;                       ///< the client has sent its FIN
  bool has_news;     ///< bytes, the end or an error that the body's reader has not seen
  bool is_surplus;   ///< beyond limits.connections
  bool is_enlarged;  ///< its kernel buffer is, for what is unread: counted in the service
  bool is_paused;    ///< a reader waits for the body, and memory is too tight to read on
  bool may_go_on;    ///< its turn has come: the body is read in spite of that
};

/// Does whatever can be done: parses, calls handlers, drops unread bodies, flushes, sets the
/// deadline. The only place that calls out. Thread: the loop's; not from inside a task.
void pl_conn_continue(struct pl_conn *conn);

/// Has pl_conn_continue run soon; for the exchange operations.
void pl_conn_schedule(struct pl_conn *conn);

/// Ends the connection now: tells the handlers, closes the socket.
/// @param reason PL_ECONNRESET: the client has left; PL_EOF: by a FIN, which answered exchanges
///        with half_close survive; PL_ECANCELED: the server is stopping; 0: the server ends this
///        connection, which all answered exchanges survive
void pl_conn_cut(struct pl_conn *conn, int reason, bool reset);

/// The client has sent a FIN, which may be known before what comes in front of it is read: ends the
/// connection when the running handler's answer is in vain, else tells those that have answered.
/// Returns: whether the connection has been cut.
bool pl_conn_take_fin(struct pl_conn *conn);

void pl_conn_enter(struct pl_conn *conn, enum pl_conn_state state);

/// Drops n bytes from the front of the unread input.
void pl_conn_consume(struct pl_conn *conn, size_t n);

/// Parses and handles what is in conn->input, as far as the state allows. input.c
void pl_conn_process(struct pl_conn *conn);

/// The exchange's operations read_body and keep_body. body.c
int pl_conn_read_body(struct pl_exchange *x, struct pl_strv *piece);
int pl_conn_keep_body(struct pl_exchange *x);

/// A reader waits that keeps its body: takes what has come. Returns: whether it may wait on; else
/// it has to be told. body.c
bool pl_conn_goes_on_gathering(struct pl_conn *conn);

/// The stream's lend: bytes of a body go to their place. body.c
size_t pl_conn_lend(struct pl_stream *stream, char **at);

/// They have been read there. body.c
void pl_conn_take_lent(struct pl_conn *conn, struct pl_strv data);

/// Copies what has come of the current body, from the front of the borrowed input to its place.
/// Returns: where it is now; nothing when it has none, or no place. body.c
struct pl_strv pl_conn_place_fragment(struct pl_conn *conn);

/// The output buffer, lent when there is none. answer.c
struct pl_buf *pl_conn_out(struct pl_conn *conn);

/// Reading on or off, as limits.read_ahead, limits.memory and the state say. input.c
void pl_conn_adjust_reading(struct pl_conn *conn);

/// Refuses the current message with a problem document; the connection closes. answer.c
void pl_conn_reject(struct pl_conn *conn, int status, const char *detail);

/// Hands what is in `out` and `held` to the kernel. Returns: 0 (all of it, or it is under way), or
/// an error; conn->left says whether it is the client's doing. answer.c
PL_MUST_CHECK int pl_conn_flush(struct pl_conn *conn);

/// Nothing of what conn->hold holds is needed any more. answer.c
void pl_conn_let_go(struct pl_conn *conn);

/// Whether all bytes so far are with the kernel.
static inline bool pl_conn_is_flushed(const struct pl_conn *conn) {
  return pl_buf_len(&conn->out) == 0 && conn->held.len == 0 && !conn->stream.write;
}

extern const struct pl_exchange_ops pl_conn_exchange_ops;  ///< answer.c

/// Takes over a connected descriptor. Returns: NULL: it is closed, memory was short.
PL_MUST_CHECK struct pl_conn *pl_conn_open(struct pl_http_service *service, int fd, bool is_unix);
