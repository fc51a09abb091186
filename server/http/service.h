/// HTTP over accepted sockets, as one worker sees it: limits and time-outs, the connections alive,
/// the memory they reuse, and what is called when a request has come.
///
/// Thread: the worker's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "http/exchange.h"
#include "http/parse.h"
#include "io/timer.h"

struct pl_loop;

/// Limits and times, copied from the configuration. Times in ms, 0 = none.
struct pl_http_limits {
  struct pl_parse_limits parse;
  size_t connections;  ///< of this worker; a request on one more is answered 503
  uint64_t body;       ///< bytes of a request body, unless its route says otherwise
  size_t read_ahead;   ///< bytes kept unread while a handler runs
  uint64_t discard;    ///< unread bytes of a body that are read and dropped
  uint64_t header_timeout_ms;
  uint64_t body_timeout_ms;
  uint64_t idle_timeout_ms;
  uint64_t request_timeout_ms;
  uint64_t write_timeout_ms;
};

/// Counters of one worker; read by its own thread.
struct pl_http_stats {
  uint64_t accepted;
  uint64_t requests;
  uint64_t rejected;  ///< messages answered without a handler: 4xx, 5xx, 503
};

enum { PL_REQUEST_ID_LEN = 20, PL_REQUEST_ID_PREFIX = 8 };

struct pl_http_service {
  struct pl_loop *loop;
  const char *server_header;  ///< value of Server, or NULL
  bool is_timed;              ///< somebody wants to know how long requests take: fill in started_ns
  struct pl_http_limits limits;
  struct pl_http_stats stats;
  struct pl_account *account;  ///< the worker's memory, for what connections hold; or NULL
  void *ctx;
  /// A request's head has come. Sets x->events, and answers now or later.
  void (*on_request)(struct pl_http_service *service, struct pl_exchange *x);
  /// The answer's last byte has left, or (was_cut) the connection ended before that. x is valid
  /// during the call. Also for messages refused without on_request (x->user is NULL then).
  void (*on_finished)(struct pl_http_service *service, struct pl_exchange *x, bool was_cut);
  void (*on_connections)(struct pl_http_service *service);  ///< their number has changed

  struct pl_list connections;  ///< all that are open
  size_t connection_count;
  size_t exchange_count;  ///< not yet released
  bool is_draining;
  struct pl_list watched;  ///< connections that do not read: asked for their client every 100 ms
  struct pl_list adrift;   ///< exchanges not yet released whose connection has ended
  struct pl_timer watch_timer;
  size_t enlarged_count;  ///< open connections whose receive buffer watch.c has enlarged
  struct pl_exchange_block *spare_exchanges;
  size_t spare_exchange_count;
  struct pl_buf spare_buffers[64];
  size_t spare_buffer_count;
  struct pl_buf common_lines;       ///< of common_lines_until_ms
  uint64_t common_until_ms;         ///< when they have to be made again
  char last_id[PL_REQUEST_ID_LEN];  ///< hexadecimal: random digits of this worker, then a counter
};

/// Set the public fields before. Returns: 0 or an error.
PL_MUST_CHECK int pl_http_service_init(struct pl_http_service *service, struct pl_loop *loop);

/// All connections are closed and all exchanges released: frees the spare memory.
void pl_http_service_deinit(struct pl_http_service *service);

/// Frees spare memory: the worker is short of it.
void pl_http_service_trim(struct pl_http_service *service);

/// Output buffers are lent, so that an idle connection holds none. An empty buffer when memory is
/// short: the first append tells.
void pl_http_service_lend_buffer(struct pl_http_service *service, struct pl_buf *buf);
void pl_http_service_take_back_buffer(struct pl_http_service *service, struct pl_buf *buf);

/// "Date: ...\r\nServer: ...\r\n", made again once a second; valid until the next call.
struct pl_strv pl_http_service_common_lines(struct pl_http_service *service);
