// The life of a connection: opening, states, time-outs, the end. Freed in on_closed, nowhere else.
#include "http/conn.h"

#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum { LINGER_MS = 2000, DRAIN_CHANCE_MS = 250 };

// ---- time ----

static uint64_t after(uint64_t start_ms, uint64_t limit_ms) {
  return limit_ms ? start_ms + limit_ms : UINT64_MAX;
}

static uint64_t handling_deadline(const struct pl_conn *conn) {
  const struct pl_exchange_block *block = conn->current;
  const struct pl_http_limits *limits = &conn->service->limits;
  if (conn->is_paused) return UINT64_MAX;
  if (block->wants_body) return after(block->body_since_ms, limits->body_timeout_ms);
  if (block->is_streaming || block->is_late) return UINT64_MAX;
  return after(conn->since_ms + block->waited_ms, block->x.request_timeout_ms);
}

// When this state ends by itself. The states' own clocks start at since_ms.
static uint64_t state_deadline(const struct pl_conn *conn) {
  const struct pl_http_service *service = conn->service;
  const struct pl_http_limits *limits = &service->limits;
  switch (conn->state) {
  case PL_CONN_IDLE: {
    uint64_t deadline = after(conn->since_ms, limits->idle_timeout_ms);
    uint64_t chance = pl_loop_now_ms(service->loop) + DRAIN_CHANCE_MS;
    return service->is_draining && chance < deadline ? chance : deadline;
  }
  case PL_CONN_HEAD:
    return after(conn->since_ms, limits->header_timeout_ms);
  case PL_CONN_HANDLING:
    return handling_deadline(conn);
  case PL_CONN_ANSWERED:
    if (conn->current->parser.is_complete) return UINT64_MAX;
    return after(conn->since_ms, limits->body_timeout_ms);
  case PL_CONN_LINGER:
    return conn->since_ms + LINGER_MS;
  default:
    return UINT64_MAX;
  }
}

// A timer that is already running is left alone unless it would fire too late: a connection that
// is busy answering never touches the wheel.
static void set_deadline(struct pl_conn *conn, uint64_t deadline_ms) {
  conn->deadline_ms = deadline_ms;
  if (deadline_ms == UINT64_MAX) return;
  if (pl_timer_is_running(&conn->timer) && conn->timer.due_ms <= deadline_ms) return;
  pl_timer_start(&conn->service->loop->wheel, &conn->timer, deadline_ms);
}

static void update_deadline(struct pl_conn *conn) {
  if (conn->state == PL_CONN_CLOSED) return;
  uint64_t now = pl_loop_now_ms(conn->service->loop);
  if (conn->stream.write && !conn->service->limits.write_timeout_ms) {
    set_deadline(conn, UINT64_MAX);
    return;
  }
  if (conn->stream.write) {
    size_t unsent = pl_stream_unsent(&conn->stream);
    if (conn->unsent_seen && unsent >= conn->unsent_seen && conn->deadline_ms != UINT64_MAX) return;
    conn->unsent_seen = unsent;
    set_deadline(conn, now + conn->service->limits.write_timeout_ms);
    return;
  }
  conn->unsent_seen = 0;
  uint64_t deadline = state_deadline(conn);
  if (conn->state == PL_CONN_IDLE && conn->service->is_draining && conn->deadline_ms < deadline)
    return;  // the last chance is running
  set_deadline(conn, deadline);
}

static void write_timed_out(struct pl_conn *conn) {
  size_t unsent = pl_stream_unsent(&conn->stream);
  if (unsent < conn->unsent_seen) {
    update_deadline(conn);
    return;
  }
  pl_conn_cut(conn, PL_ECONNRESET, true);
}

static void handling_timed_out(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  if (block->wants_body) {
    block->parser.error = PL_ETIMEDOUT;
    block->parser.problem = "the body came too slowly (timeouts.body)";
    conn->has_news = true;
    pl_conn_continue(conn);
    return;
  }
  block->is_late = true;
  set_deadline(conn, UINT64_MAX);
  if (block->x.events && !block->is_released) block->x.events->on_gone(&block->x, PL_ETIMEDOUT);
}

static void on_timer(struct pl_timer *timer) {
  struct pl_conn *conn = PL_CONTAINER_OF(timer, struct pl_conn, timer);
  if (conn->deadline_ms == UINT64_MAX) return;
  if (conn->deadline_ms > pl_clock_ms()) {
    set_deadline(conn, conn->deadline_ms);
    return;
  }
  if (conn->stream.write) {
    write_timed_out(conn);
  } else if (conn->state == PL_CONN_HEAD) {
    pl_conn_reject(conn, 408, "the request's header came too slowly (timeouts.header)");
    pl_conn_continue(conn);
  } else if (conn->state == PL_CONN_HANDLING) {
    handling_timed_out(conn);
  } else {
    pl_conn_cut(conn, 0, false);
  }
}

// ---- states ----

void pl_conn_enter(struct pl_conn *conn, enum pl_conn_state state) {
  conn->state = (uint8_t)state;
  conn->since_ms = pl_loop_now_ms(conn->service->loop);
}

static struct pl_exchange_block *block_at(struct pl_list *node) {
  return PL_CONTAINER_OF(node, struct pl_exchange_block, link);
}

// The answers up to here are with the kernel. Finished ones may be many: they are not visited.
static void finish_answered(struct pl_conn *conn) {
  struct pl_list *node = conn->exchanges.prev;
  while (node != &conn->exchanges && !block_at(node)->is_finished) node = node->prev;
  for (node = node->next; node != &conn->exchanges;) {
    struct pl_exchange_block *block = block_at(node);
    node = node->next;
    if (block->x.is_answered && block != conn->current) pl_exchange_block_finish(block, false);
  }
}

// The connection is over for its exchanges.
// @param reason      as pl_conn_cut
// @param is_flushed  what has been answered has been sent, too
static void leave_exchanges(struct pl_conn *conn, int reason, bool is_flushed) {
  while (!pl_list_is_empty(&conn->exchanges)) {
    struct pl_exchange_block *block = block_at(conn->exchanges.next);
    // A message whose head is not complete has no handler that would release it.
    if (!block->x.events) block->is_released = true;
    bool is_released = block->is_released, is_answered = block->x.is_answered;
    pl_list_remove(&block->link);
    block->conn = NULL;
    if (!is_released) pl_list_push_back(&conn->service->adrift, &block->link);
    pl_exchange_block_finish(block, !(is_flushed && is_answered));
    if (!is_released)
      pl_exchange_block_tell(block, is_answered || reason == PL_ECANCELED ? reason : PL_ECONNRESET);
  }
}

// Everything is sent and the connection shall end: a FIN, then read and drop for a while, so that
// the answer is not destroyed by a reset (RFC 9112 9.6).
static void begin_linger(struct pl_conn *conn) {
  if (conn->saw_eof) {
    pl_conn_cut(conn, PL_EOF, false);
    return;
  }
  leave_exchanges(conn, 0, true);
  pl_conn_enter(conn, PL_CONN_LINGER);
  pl_conn_consume(conn, conn->input.len);
  pl_stream_shutdown_write(&conn->stream);
  pl_stream_read_start(&conn->stream);
}

static void after_flush(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  if (block && block->wants_drain) {
    block->wants_drain = false;
    if (!block->is_released) block->x.events->on_drain(&block->x);
    if (!pl_conn_is_flushed(conn)) return;  // it has written more
  }
  bool is_last = conn->state == PL_CONN_ANSWERED && conn->must_close;
  if (is_last) conn->current = NULL;
  finish_answered(conn);
  if (is_last) begin_linger(conn);
  // A held body kept the next message waiting; it has left now.
  if (conn->state == PL_CONN_ANSWERED && conn->current->parser.is_complete) pl_conn_schedule(conn);
  // A CR on its own may have stayed behind: the first half of an empty line.
  if (conn->state == PL_CONN_IDLE && conn->saw_eof && conn->input.len <= 1)
    pl_conn_cut(conn, PL_EOF, false);
}

void pl_conn_continue(struct pl_conn *conn) {
  if (conn->state == PL_CONN_CLOSED || conn->is_busy) return;
  conn->is_busy = true;
  pl_conn_process(conn);
  // An answer that is cut without a RST lets those before it out.
  int error = conn->failure && conn->failure != PL_EPIPE ? 0 : pl_conn_flush(conn);
  if (!conn->failure) conn->failure = error;
  conn->is_busy = false;
  if (conn->failure) {
    if (!error && pl_conn_is_flushed(conn)) finish_answered(conn);
    pl_conn_cut(conn, conn->left, conn->failure != PL_EPIPE);
    return;
  }
  if (pl_conn_is_flushed(conn)) after_flush(conn);
  if (conn->state == PL_CONN_CLOSED) return;
  pl_conn_adjust_reading(conn);
  update_deadline(conn);
}

static void continue_later(struct pl_deferred *later) {
  pl_conn_continue(PL_CONTAINER_OF(later, struct pl_conn, later));
}

void pl_conn_schedule(struct pl_conn *conn) {
  if (!conn->is_busy && conn->state != PL_CONN_CLOSED)
    pl_loop_defer(conn->service->loop, &conn->later);
}

// ---- the end ----

// A client that has sent its FIN has left, unless its route serves such clients; a complete answer
// on its way is still sent.
bool pl_conn_take_fin(struct pl_conn *conn) {
  if (conn->state == PL_CONN_HANDLING && !conn->current->x.half_close) {
    pl_conn_cut(conn, PL_EOF, false);
    return true;
  }
  pl_exchange_list_tell(&conn->exchanges, PL_EOF);
  return false;
}

void pl_conn_cut(struct pl_conn *conn, int reason, bool reset) {
  if (conn->state == PL_CONN_CLOSED) return;
  bool is_flushed = pl_conn_is_flushed(conn) && !conn->failure;
  if (conn->input_is_in_body) conn->input = (struct pl_strv){0};  // it goes with its exchange
  conn->input_is_in_body = false;
  pl_conn_enter(conn, PL_CONN_CLOSED);
  conn->current = NULL;
  pl_conn_let_go(conn);
  pl_timer_stop(&conn->service->loop->wheel, &conn->timer);
  pl_loop_undefer(&conn->later);
  pl_list_remove(&conn->watch);
  pl_stream_close(&conn->stream, reset);
  leave_exchanges(conn, reason, is_flushed);
}

static void on_closed(struct pl_stream *stream) {
  struct pl_conn *conn = PL_CONTAINER_OF(stream, struct pl_conn, stream);
  struct pl_http_service *service = conn->service;
  pl_list_remove(&conn->link);
  service->connection_count--;
  service->enlarged_count -= conn->is_enlarged;
  pl_buf_deinit(&conn->in);
  pl_http_service_take_back_buffer(service, &conn->out);
  pl_http_service_take_back_buffer(service, &conn->sending);
  pl_mem_free(conn);
  service->on_connections(service);
}

// ---- reading ----

// Leftover input moves from the loop's shared buffer to where its body will be, and what is none of
// a body into a buffer of the connection's own. An idle connection holds none.
static void keep_input(struct pl_conn *conn) {
  if (!conn->input_is_borrowed) {
    if (conn->state == PL_CONN_IDLE && conn->input.len == 0) pl_buf_deinit(&conn->in);
    return;
  }
  conn->input_is_borrowed = false;
  struct pl_strv placed = pl_conn_place_fragment(conn);
  size_t rest = conn->input.len - placed.len;
  if (rest && pl_buf_append(&conn->in, conn->input.data + placed.len, rest)) {
    conn->input.len = 0;
    pl_conn_cut(conn, 0, true);
    return;
  }
  conn->input_is_in_body = placed.len > 0;
  conn->input = placed.len ? placed : pl_buf_view(&conn->in);
}

// Returns: 0, PL_ENOMEM.
static int take_input(struct pl_conn *conn, struct pl_strv data) {
  if (conn->is_lent) {
    pl_conn_take_lent(conn, data);
    return 0;
  }
  if (pl_buf_len(&conn->in) == 0 && !conn->input_is_in_body) {
    conn->input = data;
    conn->input_is_borrowed = true;
    return 0;
  }
  if (pl_buf_append(&conn->in, data.data, data.len)) return PL_ENOMEM;
  if (!conn->input_is_in_body) conn->input = pl_buf_view(&conn->in);
  return 0;
}

static void on_read(struct pl_stream *stream, struct pl_strv data) {
  struct pl_conn *conn = PL_CONTAINER_OF(stream, struct pl_conn, stream);
  if (conn->state == PL_CONN_LINGER || conn->state == PL_CONN_CLOSED) return;
  if (data.len == 0)
    conn->current->is_declined = true;
  else
    conn->has_news = true;
  if (data.len && take_input(conn, data)) {
    pl_conn_cut(conn, 0, true);
    return;
  }
  pl_conn_continue(conn);
  if (conn->state != PL_CONN_CLOSED) keep_input(conn);
}

static void on_end(struct pl_stream *stream, int status) {
  struct pl_conn *conn = PL_CONTAINER_OF(stream, struct pl_conn, stream);
  conn->saw_eof = conn->has_news = true;
  // libuv calls it an end, too, when a reset has come with the last bytes, or a unix peer is gone.
  if (status == PL_EOF && !pl_list_is_empty(&conn->exchanges) &&
      pl_stream_ask_peer(stream) == PL_ECONNRESET)
    status = PL_ECONNRESET;
  if (status != PL_EOF || conn->state == PL_CONN_LINGER) {
    pl_conn_cut(conn, PL_ECONNRESET, false);
    return;
  }
  if (pl_conn_take_fin(conn)) return;
  if (conn->state == PL_CONN_HEAD)
    pl_conn_reject(conn, 400, "the connection ended within the request's header");
  pl_conn_continue(conn);
}

static void on_written(struct pl_stream *stream, int status) {
  struct pl_conn *conn = PL_CONTAINER_OF(stream, struct pl_conn, stream);
  if (status) {
    conn->failure = status;
    pl_conn_cut(conn, PL_ECONNRESET, true);
    return;
  }
  if (conn->held.len == 0) pl_conn_let_go(conn);
  pl_buf_clear(&conn->sending);
  pl_http_service_take_back_buffer(conn->service, &conn->sending);
  conn->unsent_seen = 0;
  pl_conn_continue(conn);
}

static const struct pl_stream_ops stream_ops = {
    .on_read = on_read,
    .on_end = on_end,
    .on_written = on_written,
    .on_closed = on_closed,
    .lend = pl_conn_lend,
};

struct pl_conn *pl_conn_open(struct pl_http_service *service, int fd, bool is_unix) {
  struct pl_conn *conn = pl_mem_zalloc(sizeof *conn);
  if (!conn) {
    close(fd);
    return NULL;
  }
  conn->service = service;
  conn->in.account = service->account;
  conn->timer.fn = on_timer;
  conn->later.fn = continue_later;
  conn->deadline_ms = UINT64_MAX;
  pl_list_init(&conn->later.link);
  pl_list_init(&conn->watch);
  pl_list_init(&conn->exchanges);
  pl_list_init(&conn->link);
  if (pl_stream_open(&conn->stream, service->loop, fd, is_unix, &stream_ops)) {
    pl_mem_free(conn);
    return NULL;
  }
  pl_conn_enter(conn, PL_CONN_IDLE);
  pl_stream_read_start(&conn->stream);
  update_deadline(conn);
  return conn;
}
