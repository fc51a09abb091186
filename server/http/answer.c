// The way out: the exchange's operations for HTTP/1, and the handing over of bytes to the kernel.
//
// Small answers are laid into `out`; all that one read produced leaves in one write. What its
// handler keeps, or what lies in bytes that can be held, is sent from where it is (`held`), as the
// last part of that write.
#include "base/bytes.h"
#include "base/error.h"
#include "http/conn.h"
#include "http/response.h"
#include "http/status.h"

enum { COPY_BODY_BYTES = 16 * 1024, UNSENT_BYTES_MAX = 64 * 1024 };

static struct pl_exchange_block *block_of(struct pl_exchange *x) {
  return PL_CONTAINER_OF(x, struct pl_exchange_block, x);
}

struct pl_buf *pl_conn_out(struct pl_conn *conn) {
  if (!conn->out.block) pl_http_service_lend_buffer(conn->service, &conn->out);
  return &conn->out;
}

// ---- what is sent from where it is ----

void pl_conn_let_go(struct pl_conn *conn) {
  if (!conn->hold) return;
  struct pl_hold hold = *conn->hold;
  conn->hold = NULL;
  if (hold.on_sent) hold.on_sent(hold.ctx);
  pl_bytes_unref(hold.bytes);
}

static void hold_on(struct pl_conn *conn, struct pl_strv held, const struct pl_hold *hold) {
  conn->held = held;
  conn->current->hold = *hold;
  conn->hold = &conn->current->hold;
  pl_bytes_ref(hold->bytes);
}

static void decline_hold(const struct pl_hold *hold) {
  if (hold->on_sent) hold->on_sent(hold->ctx);
}

static int append_payload(struct pl_buf *out, struct pl_strv payload) {
  char *to = pl_buf_reserve(out, payload.len);
  if (!to) return PL_ENOMEM;
  pl_bytes_copy(to, payload.data, payload.len);
  pl_buf_grew(out, payload.len);
  return 0;
}

static struct pl_strv end_of_held(const struct pl_conn *conn) {
  static const struct pl_strv ends[] = {PL_STRV(""), PL_STRV("\r\n"), PL_STRV("\r\n0\r\n\r\n")};
  return ends[conn->held_end];
}

static void forget_held(struct pl_conn *conn) {
  conn->held = (struct pl_strv){0};
  conn->held_end = PL_HELD_END_NONE;
}

// Something comes behind `held` that has not been handed to the kernel: it joins `out`.
static int copy_held(struct pl_conn *conn) {
  if (conn->held.len == 0) return 0;
  struct pl_buf *out = pl_conn_out(conn);
  struct pl_strv end = end_of_held(conn);
  if (!pl_buf_reserve(out, conn->held.len + end.len)) return PL_ENOMEM;
  if (append_payload(out, conn->held)) return PL_ENOMEM;
  if (pl_buf_append(out, end.data, end.len)) return PL_ENOMEM;
  forget_held(conn);
  pl_conn_let_go(conn);
  return 0;
}

// ---- heads ----

// Whether the body that the client still has to send is worth waiting for.
static bool body_is_beyond_discard(const struct pl_conn *conn) {
  const struct pl_exchange_block *block = conn->current;
  const struct pl_request *request = &block->x.request;
  if (block->parser.error) return true;
  if (block->parser.is_complete || !request->has_body) return false;
  if (request->expects_continue && !block->sent_continue && block->x.bytes_in == 0 &&
      conn->input.len == 0)
    return true;
  uint64_t left = (uint64_t)request->content_length - block->x.bytes_in;
  return request->content_length > 0 && left > conn->service->limits.discard;
}

static const char *connection_field(const struct pl_conn *conn) {
  if (conn->must_close) return "close";
  return conn->current->x.request.http_minor == 0 ? "keep-alive" : NULL;
}

// HEAD has GET's Content-Length. 304 has none: nobody here knows what the 200 would have said.
static int write_head(struct pl_conn *conn, const struct pl_response *r, enum pl_framing framing,
                      uint64_t length) {
  struct pl_exchange_block *block = conn->current;
  struct pl_http_service *service = conn->service;
  bool is_head = block->x.request.method == PL_METHOD_HEAD;
  block->has_no_body = is_head || !pl_status_has_body(r->status);
  if (!pl_status_has_length(r->status) || r->status == 304) framing = PL_FRAMING_NONE;
  if (r->status == 205) {
    framing = PL_FRAMING_LENGTH;
    length = 0;
  }
  if (framing == PL_FRAMING_CLOSE || service->is_draining || body_is_beyond_discard(conn))
    conn->must_close = true;
  struct pl_response_head head = {
      .status = r->status,
      .common = pl_http_service_common_lines(service),
      .content_type = r->content_type,
      .id = block->x.id,
      .headers = r->headers,
      .framing = framing,
      .length = length,
      .connection = connection_field(conn),
  };
  int error = pl_response_write_head(pl_conn_out(conn), &head);
  if (!error) block->x.status = r->status;
  return error;
}

// ---- whole answers ----

static void complete_answer(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  block->x.is_answered = true;
  block->wants_body = block->wants_drain = block->awaits_room = false;
  pl_conn_enter(conn, PL_CONN_ANSWERED);
  pl_conn_schedule(conn);
}

static int respond(struct pl_exchange *x, const struct pl_response *r) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  if (!conn) return PL_ECONNRESET;
  size_t before = pl_buf_len(&conn->out);
  int error = write_head(conn, r, PL_FRAMING_LENGTH, r->body.len);
  bool has_body = !block->has_no_body && r->body.len > 0;
  if (!error && has_body) {
    if (r->hold.bytes)
      hold_on(conn, r->body, &r->hold);
    else if (r->body_is_held && r->body.len >= COPY_BODY_BYTES)
      conn->held = r->body;
    else
      error = pl_buf_append(&conn->out, r->body.data, r->body.len);
  }
  if (error) {
    conn->out.end = conn->out.start + before;
    x->status = 0;
    return error;
  }
  if (!block->has_no_body) x->bytes_out = r->body.len;
  if (r->hold.bytes && !has_body) decline_hold(&r->hold);
  complete_answer(conn);
  return 0;
}

void pl_conn_reject(struct pl_conn *conn, int status, const char *detail) {
  struct pl_exchange_block *block = conn->current;
  struct pl_buf body = {0};
  conn->must_close = true;
  conn->service->stats.rejected++;
  block->is_released = true;
  struct pl_strv why = pl_strv_of(detail ? detail : "");
  int error = pl_problem_write(&body, status, why, block->x.id, false);
  struct pl_response r = {.status = status,
                          .content_type = PL_STRV("application/problem+json"),
                          .body = pl_buf_view(&body)};
  if (status == 503) r.headers = PL_STRV("Retry-After: 1\r\n");
  if (!error) error = respond(&block->x, &r);
  if (error) conn->failure = error;
  pl_buf_deinit(&body);
}

// ---- streamed answers ----

static int start(struct pl_exchange *x, const struct pl_response *r) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  if (!conn) return PL_ECONNRESET;
  enum pl_framing framing = PL_FRAMING_CHUNKED;
  if (r->length >= 0)
    framing = PL_FRAMING_LENGTH;
  else if (x->request.http_minor == 0)
    framing = PL_FRAMING_CLOSE;
  int error = write_head(conn, r, framing, (uint64_t)r->length);
  if (error) return error;
  block->is_streaming = true;
  block->is_chunked = framing == PL_FRAMING_CHUNKED;
  block->unwritten = r->length;
  pl_conn_schedule(conn);
  return 0;
}

static size_t unsent_bytes(const struct pl_conn *conn) {
  return pl_buf_len(&conn->out) + pl_buf_len(&conn->sending) + conn->held.len;
}

// @param is_payload counts as a copy of what lies in bytes
static int append_piece(struct pl_exchange_block *block, struct pl_strv piece, bool is_payload) {
  if (copy_held(block->conn)) return PL_ENOMEM;
  struct pl_buf *out = pl_conn_out(block->conn);
  size_t before = out->end - out->start;
  int error = block->is_chunked ? pl_response_write_chunk_size(out, piece.len) : 0;
  if (!error)
    error = is_payload ? append_payload(out, piece) : pl_buf_append(out, piece.data, piece.len);
  if (!error && block->is_chunked) error = pl_buf_append(out, "\r\n", 2);
  if (error) out->end = out->start + before;
  return error;
}

static int copy_piece(struct pl_exchange *x, struct pl_strv piece, bool is_payload) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  if (!conn) return PL_ECONNRESET;
  if (block->unwritten >= 0 && piece.len > (uint64_t)block->unwritten) return PL_EINVAL;
  bool is_sent = piece.len > 0 && !block->has_no_body;
  int error = is_sent ? append_piece(block, piece, is_payload) : 0;
  if (error) return error;
  if (block->unwritten >= 0) block->unwritten -= (int64_t)piece.len;
  if (!is_sent) return 0;
  x->bytes_out += piece.len;
  pl_conn_schedule(conn);
  if (unsent_bytes(conn) <= UNSENT_BYTES_MAX) return 0;
  block->wants_drain = true;
  return PL_EAGAIN;
}

static int write_piece(struct pl_exchange *x, struct pl_strv piece) {
  return copy_piece(x, piece, false);
}

// There is one hold at a time, and small pieces are not worth one.
static bool can_hold(const struct pl_exchange_block *block, struct pl_strv piece) {
  const struct pl_conn *conn = block->conn;
  bool is_worth_it = piece.len >= COPY_BODY_BYTES && !block->has_no_body;
  return conn && is_worth_it && !conn->hold && !conn->held.len;
}

static void flush_now(struct pl_exchange *x) {
  struct pl_conn *conn = block_of(x)->conn;
  if (!conn || conn->failure) return;
  conn->failure = pl_conn_flush(conn);
  pl_conn_schedule(conn);
}

// The end of a chunk is part of the same write.
static int hold_piece(struct pl_exchange_block *block, struct pl_strv piece,
                      const struct pl_hold *hold) {
  struct pl_conn *conn = block->conn;
  if (block->is_chunked && pl_response_write_chunk_size(pl_conn_out(conn), piece.len))
    return PL_ENOMEM;
  hold_on(conn, piece, hold);
  conn->held_end = block->is_chunked ? PL_HELD_END_CHUNK : PL_HELD_END_NONE;
  return 0;
}

// A large piece leaves at once, or as far as the client takes it: while some of it is unsent the
// writer must not go on.
static int write_held(struct pl_exchange *x, struct pl_strv piece, const struct pl_hold *hold) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  if (!can_hold(block, piece)) {
    int result = copy_piece(x, piece, true);
    if (result == 0 || result == PL_EAGAIN) decline_hold(hold);
    return result;
  }
  if (block->unwritten >= 0 && piece.len > (uint64_t)block->unwritten) return PL_EINVAL;
  int error = hold_piece(block, piece, hold);
  if (error) return error;
  if (block->unwritten >= 0) block->unwritten -= (int64_t)piece.len;
  x->bytes_out += piece.len;
  flush_now(x);
  if (pl_conn_is_flushed(conn) && !conn->failure) return 0;
  block->wants_drain = true;
  return PL_EAGAIN;
}

static void cut(struct pl_exchange *x) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  if (!conn) return;
  // Without chunks or a length only a reset tells the client that this is not the end; nor does
  // it take an end for an answer whose head it has not seen.
  bool fin_is_enough = block->is_chunked || block->unwritten > 0 || !x->status;
  conn->failure = fin_is_enough ? PL_EPIPE : PL_ECONNRESET;
  pl_conn_schedule(conn);
}

static int end_chunks(struct pl_conn *conn) {
  if (conn->held.len == 0) return pl_buf_append(pl_conn_out(conn), "0\r\n\r\n", 5);
  conn->held_end = PL_HELD_END_LAST_CHUNK;
  return 0;
}

static int finish(struct pl_exchange *x) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  if (!conn) return PL_ECONNRESET;
  if (block->unwritten > 0 && !block->has_no_body) {
    cut(x);
    return PL_EINVAL;
  }
  if (block->is_chunked && !block->has_no_body && end_chunks(conn)) {
    cut(x);
    return PL_ENOMEM;
  }
  complete_answer(conn);
  return 0;
}

// ---- the rest ----

static void release(struct pl_exchange *x) {
  struct pl_exchange_block *block = block_of(x);
  block->is_released = true;
  if (!block->conn || block->is_finished)
    pl_exchange_block_finish(block, true);
  else if (!x->is_answered)
    cut(x);
}

static uint64_t deadline_ms(const struct pl_exchange *x) {
  const struct pl_exchange_block *block = PL_CONTAINER_OF(x, struct pl_exchange_block, x);
  const struct pl_conn *conn = block->conn;
  bool is_running = conn && !x->is_answered && !block->is_streaming && !block->is_late;
  if (!is_running || !x->request_timeout_ms) return 0;
  uint64_t waiting =
      block->wants_body ? pl_loop_now_ms(conn->service->loop) - block->wait_since_ms : 0;
  return conn->since_ms + block->waited_ms + waiting + x->request_timeout_ms;
}

static void peer(struct pl_exchange *x, char *text, size_t size, int *port) {
  struct pl_conn *conn = block_of(x)->conn;
  *port = 0;
  text[0] = '\0';
  if (conn) pl_stream_peer(&conn->stream, text, size, port);
}

const struct pl_exchange_ops pl_conn_exchange_ops = {
    .read_body = pl_conn_read_body,
    .keep_body = pl_conn_keep_body,
    .respond = respond,
    .start = start,
    .write = write_piece,
    .write_held = write_held,
    .flush = flush_now,
    .finish = finish,
    .cut = cut,
    .release = release,
    .deadline_ms = deadline_ms,
    .peer = peer,
};

// ---- to the kernel ----

int pl_conn_flush(struct pl_conn *conn) {
  if (conn->stream.write) return 0;
  if (pl_buf_len(&conn->out) == 0 && conn->held.len == 0) return 0;
  struct pl_buf sent = conn->sending;
  conn->sending = conn->out;
  conn->out = sent;
  struct pl_strv parts[] = {pl_buf_view(&conn->sending), conn->held, end_of_held(conn)};
  forget_held(conn);
  int error = pl_stream_write(&conn->stream, parts, parts[1].len ? 3 : 1);
  if (error == PL_EAGAIN) return 0;
  pl_conn_let_go(conn);
  pl_buf_clear(&conn->sending);
  pl_http_service_take_back_buffer(conn->service, &conn->sending);
  if (!conn->stream.write && pl_buf_len(&conn->out) == 0)
    pl_http_service_take_back_buffer(conn->service, &conn->out);
  if (error && error != PL_ENOMEM) conn->left = PL_ECONNRESET;
  return error;
}
