// The way in: from the bytes of a connection to requests, bodies and dropped bodies.
#include "base/error.h"
#include "http/conn.h"
#include "http/headers.h"
#include "http/watch.h"
#include "io/loop.h"

// Pipelined requests handled in one go; then the loop looks at its other sockets.
enum { REQUESTS_PER_TURN = 64, REQUEST_ID_MAX = 128 };

void pl_conn_consume(struct pl_conn *conn, size_t n) {
  conn->input.data += n;
  conn->input.len -= n;
  if (conn->input_is_in_body) {
    if (conn->input.len) return;
    conn->input_is_in_body = false;
    conn->input = pl_buf_view(&conn->in);
  } else if (!conn->input_is_borrowed) {
    pl_buf_consume(&conn->in, n);
  }
}

static bool id_is_valid(struct pl_strv id) {
  if (id.len == 0 || id.len > REQUEST_ID_MAX) return false;
  for (size_t i = 0; i < id.len; i++) {
    char c = id.data[i];
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_plain && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

// The next of our ids: the text counts by itself, one digit in sixteen carries.
static struct pl_strv next_id(struct pl_http_service *service) {
  char *digit = service->last_id + PL_REQUEST_ID_LEN - 1;
  for (; digit >= service->last_id + PL_REQUEST_ID_PREFIX; digit--) {
    *digit = *digit == '9' ? 'a' : *digit == 'f' ? '0' : (char)(*digit + 1);
    if (*digit != '0') break;
  }
  return pl_strv(service->last_id, PL_REQUEST_ID_LEN);
}

// The client's id when it is one, else ours.
static int choose_id(struct pl_exchange_block *block) {
  struct pl_exchange *x = &block->x;
  struct pl_strv sent = pl_headers_first(&x->request.headers, PL_STRV("x-request-id"));
  if (id_is_valid(sent)) {
    x->id = sent;
    return 0;
  }
  struct pl_strv next = next_id(block->service);
  char *id = pl_arena_copy(&x->arena, next);
  if (!id) return PL_ENOMEM;
  x->id = pl_strv(id, next.len);
  return 0;
}

static bool begin_message(struct pl_conn *conn) {
  pl_conn_consume(conn, pl_parse_skip_empty_lines(conn->input));
  if (conn->input.len == 0 || (conn->input.len == 1 && conn->input.data[0] == '\r')) return false;
  struct pl_exchange_block *block = pl_exchange_block_take(conn->service);
  if (!block) {
    conn->failure = PL_ENOMEM;
    return false;
  }
  struct pl_http_service *service = conn->service;
  pl_arena_init(&block->x.arena, block->first, sizeof block->first);
  block->x.arena.account = service->account;
  pl_parser_init(&block->parser, &service->limits.parse, &block->x.arena, &block->x.request);
  block->conn = conn;
  block->x.ops = &pl_conn_exchange_ops;
  block->x.body_limit = service->limits.body;
  block->x.request_timeout_ms = service->limits.request_timeout_ms;
  pl_list_push_back(&conn->exchanges, &block->link);
  conn->current = block;
  conn->discarded = 0;
  conn->may_go_on = false;
  pl_conn_enter(conn, PL_CONN_HEAD);
  return true;
}

static void handle(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  struct pl_http_service *service = conn->service;
  if (service->is_timed) block->x.started_ns = pl_clock_ns();
  service->stats.requests++;
  if (service->is_draining || !block->x.request.keep_alive) conn->must_close = true;
  pl_conn_enter(conn, PL_CONN_HANDLING);
  if (choose_id(block)) {
    pl_conn_reject(conn, 503, "out of memory");
  } else if (conn->is_surplus) {
    pl_conn_reject(conn, 503, "too many connections (limits.connections)");
  } else {
    service->on_request(service, &block->x);
  }
}

// Returns: whether there is more to do.
static bool read_head(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  size_t used = 0;
  int result = pl_parser_head(&block->parser, conn->input, &used);
  if (result == PL_EAGAIN) return false;
  pl_conn_consume(conn, used);
  if (result != 0) {
    pl_conn_reject(conn, result, block->parser.problem);
  } else {
    handle(conn);
  }
  return true;
}

static void tell_reader(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  uint64_t now = pl_loop_now_ms(conn->service->loop);
  if (!block->wants_body || !conn->has_news) return;
  if (block->keeps_body && pl_conn_goes_on_gathering(conn)) return;
  block->wants_body = false;
  block->waited_ms += now - block->wait_since_ms;
  if (!block->is_released) block->x.events->on_readable(&block->x);
}

// The answer is complete; what is left of the body is read and dropped, so that the next request
// is found. Returns: true when the message has been read to its end.
static bool drop_body(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  for (;;) {
    size_t used;
    struct pl_strv piece;
    int result = pl_parser_body(&block->parser, conn->input, &used, &piece);
    pl_conn_consume(conn, used);
    if (result == PL_EOF) return true;
    if (result == PL_EAGAIN) {
      conn->must_close |= conn->saw_eof;  // the rest will not come
      return false;
    }
    conn->discarded += result == 0 ? piece.len : 0;
    if (result != 0 || conn->discarded > conn->service->limits.discard) {
      conn->must_close = true;
      return false;
    }
  }
}

// Returns: whether the next message may begin.
static bool end_message(struct pl_conn *conn) {
  if (conn->must_close) return false;
  if (!conn->current->parser.is_complete && !drop_body(conn)) return false;
  if (conn->stream.write || conn->held.len) return false;  // the client does not take its answers
  conn->current = NULL;
  pl_conn_enter(conn, PL_CONN_IDLE);
  return true;
}

void pl_conn_process(struct pl_conn *conn) {
  for (int handled = 0; !conn->failure;) {
    switch (conn->state) {
    case PL_CONN_IDLE:
      if (handled++ == REQUESTS_PER_TURN && conn->input.len) {
        pl_loop_defer(conn->service->loop, &conn->later);
        return;
      }
      if (!begin_message(conn)) return;
      break;
    case PL_CONN_HEAD:
      if (!read_head(conn)) return;
      break;
    case PL_CONN_HANDLING:
      tell_reader(conn);
      if (conn->state != PL_CONN_HANDLING) break;
      // A request from in front of a FIN that has come meanwhile: its client has left.
      if (conn->saw_eof && !conn->current->x.half_close) {
        conn->failure = PL_EPIPE;
        conn->left = PL_EOF;
      }
      return;
    case PL_CONN_ANSWERED:
      if (!end_message(conn)) return;
      break;
    default:
      pl_conn_consume(conn, conn->input.len);
      return;
    }
  }
}

// What comes for a handler is kept, in the body that it reads or in `in`. Heads are always read, so
// that they can be refused, and what is dropped costs nothing.
static bool is_held_back(const struct pl_conn *conn) {
  return conn->state == PL_CONN_HANDLING && !conn->may_go_on &&
         pl_account_is_tight(conn->service->account);
}

// The time during which the server does not read is not the client's.
static void set_paused(struct pl_conn *conn, bool is_paused) {
  struct pl_exchange_block *block = conn->current;
  if (conn->is_paused == is_paused) return;
  uint64_t now = pl_loop_now_ms(conn->service->loop);
  conn->is_paused = is_paused;
  if (is_paused) {
    block->pause_since_ms = now;
  } else if (block) {
    block->body_since_ms += now - block->pause_since_ms;
    block->first_wait_ms += now - block->pause_since_ms;
  }
}

static size_t unread_bytes(const struct pl_conn *conn) {
  return conn->input.len + (conn->input_is_in_body ? pl_buf_len(&conn->in) : 0);
}

// While a handler runs the connection reads on, up to read_ahead: that is how a FIN is noticed.
// Beyond it, or when memory is tight, reading stops, and behind a FIN it is over: the kernel is
// asked for the client from time to time instead.
void pl_conn_adjust_reading(struct pl_conn *conn) {
  struct pl_http_service *service = conn->service;
  struct pl_exchange_block *block = conn->current;
  bool is_full = unread_bytes(conn) >= service->limits.read_ahead && conn->state != PL_CONN_LINGER;
  is_full |= conn->state == PL_CONN_HANDLING && block->is_declined;
  bool drops_body = conn->state == PL_CONN_ANSWERED && !block->parser.is_complete;
  bool needs_input = conn->state == PL_CONN_HEAD || (block && block->wants_body) ||
                     (drops_body && !conn->must_close);
  bool is_held = is_held_back(conn);
  set_paused(conn, is_held && block->wants_body);
  if ((!is_full || needs_input) && !is_held && !conn->saw_eof) {
    pl_list_remove(&conn->watch);
    pl_stream_read_start(&conn->stream);
    return;
  }
  pl_stream_read_stop(&conn->stream);
  pl_watch_add(conn);
}
