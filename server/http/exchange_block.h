/// What the carriers keep for each exchange besides what everyone sees. Private to http/.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "http/exchange.h"
#include "http/parse.h"

struct pl_conn;
struct pl_http_service;

/// Room for a head of a few lines and what its handler keeps of it: 10,000 requests that wait hold
/// 10,000 of them. An exchange is then a little more than
/// 1 KiB.
enum { PL_EXCHANGE_ARENA_BYTES = 464 };

/// A request and what the carrier needs for it; one from the service's free list per message.
struct pl_exchange_block {
  struct pl_exchange x;
  struct pl_parser parser;
  struct pl_conn *conn;            ///< NULL once the connection is closed
  struct pl_list link;             ///< in conn->exchanges, then service->adrift, until it is freed
  struct pl_exchange_block *next;  ///< in the service's free list
  struct pl_http_service *service;
  uint64_t body_since_ms;   ///< when waiting for the body began; 0 = not yet
  uint64_t first_wait_ms;   ///< when a reader first had to wait; 0 = not yet
  uint64_t waited_ms;       ///< time spent waiting for the client's body
  uint64_t wait_since_ms;   ///< a reader waits since then; 0 = none
  uint64_t pause_since_ms;  ///< conn->is_paused since then
  int64_t unwritten;  ///< bytes of the announced length not yet written; -1: chunked or until close
  struct pl_hold hold;  ///< of what is being sent from where it is
  bool is_released;     ///< the handler is done with it
  bool is_finished;     ///< on_finished has been called
  bool is_late;         ///< the handler has been told that the request's time is over
  bool is_told;         ///< the handler has been told that the client has left
  bool is_streaming;    ///< start has been called
  bool is_chunked;      ///< the answer's framing
  bool has_no_body;     ///< HEAD, 204, 304
  bool wants_body;      ///< a reader waits for on_readable
  bool streams_body;    ///< read_body has been called
  bool keeps_body;      ///< keep_body has
  bool awaits_room;     ///< x.body is full, and its reader has been told
  bool is_declined;     ///< ... and has not come yet: what comes stays with the kernel
  bool wants_drain;     ///< a writer waits for on_drain
  bool sent_continue;
  char first[PL_EXCHANGE_ARENA_BYTES];  ///< the arena's first block
};

/// A cleared block from the service's free list; NULL: out of memory. service.c
struct pl_exchange_block *pl_exchange_block_take(struct pl_http_service *service);

/// Reports the exchange as finished, once, and frees it when its handler is done too. service.c
void pl_exchange_block_finish(struct pl_exchange_block *block, bool was_cut);

/// Tells the handler of an answered exchange, once, unless it is done. service.c
/// @param reason PL_EOF: a FIN, which says nothing to an exchange with half_close; PL_ECONNRESET,
///        PL_ECANCELED: as on_gone; 0: the server has ended the connection, which says nothing
void pl_exchange_block_tell(struct pl_exchange_block *block, int reason);

/// The same for each answered exchange in a list; their order stays. service.c
void pl_exchange_list_tell(struct pl_list *exchanges, int reason);
