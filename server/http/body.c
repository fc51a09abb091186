// Bodies of requests: in pieces for who takes them as they come, and into bytes of their own for
// who keeps them.
//
// What comes with the head lies in the loop's shared buffer, from where it must go before the next
// connection reads: it is copied to where the body will be (x->body), once. What comes later is
// read there by the kernel, straight behind it; never more than the body still lacks, so that the
// next request does not land in it. A chunked body is copied once, without its framing.
//
//   input_is_in_body   conn->input is the end of x->body that has not been parsed yet;
//                      what has come behind it is in conn->in
//   keeps_body         the handler reads all of it into x->body; it is told when that is full
#include "base/bytes.h"
#include "base/error.h"
#include "http/conn.h"
#include "http/request_body.h"
#include "io/loop.h"

static struct pl_exchange_block *block_of(struct pl_exchange *x) {
  return PL_CONTAINER_OF(x, struct pl_exchange_block, x);
}

static size_t room_of(const struct pl_exchange *x) {
  return x->body ? x->body->cap - x->body->size : 0;
}

// ---- waiting ----

static int fail_body(struct pl_exchange_block *block, int error, const char *problem) {
  block->parser.error = error;
  if (!block->parser.problem) block->parser.problem = problem;
  return error;
}

static int send_continue(struct pl_conn *conn, struct pl_exchange_block *block) {
  bool is_wanted = block->x.request.expects_continue && !block->sent_continue && !block->x.status &&
                   block->x.bytes_in == 0 && conn->input.len == 0;
  if (!is_wanted) return 0;
  block->sent_continue = true;
  int error = pl_buf_append(pl_conn_out(conn), "HTTP/1.1 100 Continue\r\n\r\n", 25);
  return error ? error : pl_conn_flush(conn);
}

// After 10 s only a body that comes at 1 KiB a second or more counts as making progress.
static void note_progress(struct pl_conn *conn, struct pl_exchange_block *block) {
  uint64_t now = pl_loop_now_ms(conn->service->loop);
  conn->has_news = false;
  if (!block->first_wait_ms) block->first_wait_ms = now;
  uint64_t seconds = (now - block->first_wait_ms) / 1000;
  if (!block->body_since_ms || seconds < 10 || block->x.bytes_in >= seconds * 1024)
    block->body_since_ms = now;
}

static int wait_for_body(struct pl_conn *conn, struct pl_exchange_block *block) {
  if (conn->saw_eof)
    return fail_body(block, PL_EPROTO, "the connection ended within the request's body");
  int error = send_continue(conn, block);
  if (error) return fail_body(block, error, NULL);
  note_progress(conn, block);
  block->wait_since_ms = pl_loop_now_ms(conn->service->loop);
  block->wants_body = true;
  pl_conn_schedule(conn);
  return PL_EAGAIN;
}

static int count_piece(struct pl_exchange_block *block, size_t bytes) {
  block->x.bytes_in += bytes;
  if (block->x.bytes_in <= block->x.body_limit) return 0;
  return fail_body(block, PL_ELIMIT, "the body is longer than limits.body");
}

// A body may be complete and wrong: its trailers are. Returns: 0: there is more to read.
static int check_over(const struct pl_exchange_block *block) {
  const struct pl_parser *parser = &block->parser;
  if (parser->is_complete && !parser->error) return PL_EOF;
  return block->conn ? parser->error : PL_ECONNRESET;
}

// ---- pieces ----

int pl_conn_read_body(struct pl_exchange *x, struct pl_strv *piece) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  int over = check_over(block);
  if (over) return over;
  block->streams_body = true;
  if (!conn->input_is_in_body) pl_request_body_drop(x);  // the last piece was its end
  size_t used;
  int result = pl_parser_body(&block->parser, conn->input, &used, piece);
  pl_conn_consume(conn, used);
  if (result == PL_EAGAIN) return wait_for_body(conn, block);
  if (result == 0) result = count_piece(block, piece->len);
  if (result == 0) pl_conn_schedule(conn);
  return result;
}

// ---- all of it ----

// What may be parsed now: no more data than there is room for, unless it is there already.
static struct pl_strv parseable(const struct pl_conn *conn, const struct pl_exchange_block *block) {
  struct pl_strv input = conn->input;
  size_t room = room_of(&block->x);
  bool is_bounded = !conn->input_is_in_body && !block->parser.in_trailers;
  if (is_bounded && input.len > room) input.len = room;
  return input;
}

// Has x->body hold what has come of it. Returns: PL_EAGAIN: more must come; 0: more has come than
// there is room for; PL_EOF, or why it failed.
static int gather(struct pl_conn *conn, struct pl_exchange_block *block) {
  struct pl_bytes *body = block->x.body;
  for (;;) {
    struct pl_strv piece, input = parseable(conn, block);
    bool is_in_place = conn->input_is_in_body, is_all = input.len == conn->input.len;
    size_t used;
    int result = pl_parser_body(&block->parser, input, &used, &piece);
    if (result == 0 && !is_in_place) {
      pl_bytes_copy(body->data + body->size, piece.data, piece.len);
      pl_bytes_grew(body, piece.len);
    }
    pl_conn_consume(conn, used);
    if (result == 0) result = count_piece(block, piece.len);
    if (result == PL_EAGAIN && conn->input.len && (used || !is_all)) {
      if (!used) return 0;
      continue;
    }
    if (result) return result;
  }
}

int pl_conn_keep_body(struct pl_exchange *x) {
  struct pl_exchange_block *block = block_of(x);
  struct pl_conn *conn = block->conn;
  int over = check_over(block);
  if (over) return over;
  block->keeps_body = true;
  block->awaits_room = block->is_declined = false;
  int result = gather(conn, block);
  if (result == PL_EAGAIN && room_of(x)) return wait_for_body(conn, block);
  pl_conn_schedule(conn);
  return result == PL_EAGAIN ? 0 : result;
}

bool pl_conn_goes_on_gathering(struct pl_conn *conn) {
  struct pl_exchange_block *block = conn->current;
  if (block->parser.error) return false;
  int result = gather(conn, block);
  bool has_room = room_of(&block->x) > 0;
  block->awaits_room = result == 0 || (result == PL_EAGAIN && !has_room);
  if (result != PL_EAGAIN || !has_room || conn->saw_eof) return false;
  note_progress(conn, block);
  return true;
}

// ---- straight into place ----

size_t pl_conn_lend(struct pl_stream *stream, char **at) {
  struct pl_conn *conn = PL_CONTAINER_OF(stream, struct pl_conn, stream);
  const struct pl_exchange_block *block = conn->current;
  conn->is_lent = false;
  if (conn->state != PL_CONN_HANDLING) return 0;
  const struct pl_exchange *x = &block->x;
  if (block->awaits_room) return PL_STREAM_NOT_NOW;
  bool is_next = conn->input_is_in_body || (block->keeps_body && conn->input.len == 0);
  if (!is_next || !x->body || x->request.content_length < 0) return 0;
  if (block->parser.is_complete || block->parser.error || pl_buf_len(&conn->in)) return 0;
  size_t room = room_of(x), lacking = (size_t)x->request.content_length - x->body->size;
  if (room > lacking) room = lacking;
  conn->is_lent = room > 0;
  if (room) *at = x->body->data + x->body->size;
  return room;
}

void pl_conn_take_lent(struct pl_conn *conn, struct pl_strv data) {
  pl_bytes_grew(conn->current->x.body, data.len);
  if (conn->input_is_in_body) {
    conn->input.len += data.len;
    return;
  }
  conn->input = data;
  conn->input_is_in_body = true;
}

// A body that is handed out in pieces, or that is longer than any that is kept, has no place.
static size_t first_fragment(const struct pl_conn *conn) {
  const struct pl_exchange_block *block = conn->current;
  if (conn->state != PL_CONN_HANDLING || block->x.body || block->keeps_body || block->streams_body)
    return 0;
  int64_t length = block->x.request.content_length;
  if (length <= 0 || (uint64_t)length > conn->service->limits.body) return 0;
  return conn->input.len < (size_t)length ? conn->input.len : (size_t)length;
}

struct pl_strv pl_conn_place_fragment(struct pl_conn *conn) {
  size_t size = first_fragment(conn);
  if (size == 0 || pl_request_body_make_room(&conn->current->x, size)) return PL_STRV("");
  struct pl_bytes *body = conn->current->x.body;
  pl_bytes_copy(body->data, conn->input.data, size);
  pl_bytes_grew(body, size);
  return pl_strv(body->data, size);
}
