// Sending a file: which answer its validators and the request's conditions call for, then a pump
// that reads a piece, writes it, and goes on when the client has taken it. The pump runs on the
// loop, not in Lua: the task waits once, however large the file is.
//
//   pump --read--> piece --write--> pump            both at once, as long as caches and client
//   allow
//     |               `-----------> on_drain -> pump
//     `-----------> on_read -> piece
#include "api/api_file.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <time.h>

#include "api/api.h"
#include "api/call.h"
#include "api/file_handle.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/conditional.h"
#include "io/file_job.h"
#include "runtime/value.h"

enum { ETAG_MAX = 64 };

/// One file on its way; in the call's arena.
struct sender {
  struct pl_wait wait;
  struct pl_drain_waiter drain;
  struct pl_file_read read;
  struct pl_call *call;
  struct pl_file *file;
  struct pl_loop *loop;
  char *buffer;     ///< PL_FILE_PIECE_BYTES, or less when the file is smaller
  size_t size;      ///< of the buffer
  uint64_t offset;  ///< of the next piece
  uint64_t left;    ///< bytes to send
  int status;       ///< why it ended
};

// ---- the pump ----

static int pump(struct sender *s);

static int send_piece(struct sender *s, size_t count) {
  if (count == 0) return PL_EOF;
  int rc = s->call->x->ops->write(s->call->x, pl_strv(s->buffer, count));
  if (rc && rc != PL_EAGAIN) return rc;
  s->offset += count;
  s->left -= count;
  if (rc == 0 || s->left == 0) return 0;
  pl_call_await_drain(s->call, &s->drain);
  return PL_EAGAIN;
}

// Returns: 0: all of it is written; PL_EAGAIN: a callback goes on; PL_EOF: the file has become
// shorter; or an error.
static int pump(struct sender *s) {
  int rc = 0;
  while (rc == 0 && s->left) {
    size_t size = s->left < s->size ? (size_t)s->left : s->size, count = 0;
    rc = pl_file_read_start(&s->read, s->loop, s->file, s->offset, s->buffer, size, &count);
    if (rc == 0) rc = send_piece(s, count);
  }
  return rc;
}

static void go_on(struct sender *s, int rc) {
  if (rc == 0) rc = pump(s);
  if (rc == PL_EAGAIN) return;
  s->status = rc;
  pl_wait_complete(&s->wait);
}

static void on_read(struct pl_file_read *read, int status, size_t count) {
  struct sender *s = PL_CONTAINER_OF(read, struct sender, read);
  go_on(s, status ? status : send_piece(s, count));
}

static void on_drain(struct pl_drain_waiter *waiter) {
  go_on(PL_CONTAINER_OF(waiter, struct sender, drain), 0);
}

static void cancel_sending(struct pl_wait *wait) {
  struct sender *s = PL_CONTAINER_OF(wait, struct sender, wait);
  pl_file_read_cancel(&s->read);
  pl_list_remove(&s->drain.link);
}

static int end_sending(lua_State *L, int status, lua_KContext ctx) {
  struct sender *s = (struct sender *)ctx;
  (void)status;
  if (s->status == 0) s->status = s->call->x->ops->finish(s->call->x);
  if (s->status == 0) return 0;
  if (s->status == PL_ECONNRESET) return pl_call_raise_gone(L);
  if (s->status == PL_EOF) return luaL_error(L, "a file has become shorter while it was sent");
  return luaL_error(L, "sending a file: %s", pl_error_text(s->status));
}

static int run_pump(lua_State *L, struct sender *s) {
  s->status = pump(s);
  if (s->status != PL_EAGAIN) return end_sending(L, LUA_OK, (lua_KContext)s);
  pl_wait_begin(L, &s->wait, "sending a file", cancel_sending);
  return pl_wait_yield(L, (lua_KContext)s, end_sending);
}

// ---- the answer ----

// The value of the line "Name: value" that the handler has set itself; .data NULL: it has not.
static struct pl_strv find_line(struct pl_strv lines, struct pl_strv name) {
  while (lines.len) {
    const char *end = memchr(lines.data, '\r', lines.len);
    size_t len = (size_t)(end - lines.data);
    if (len > name.len + 1 && lines.data[name.len] == ':' &&
        pl_strv_eq_nocase(pl_strv(lines.data, name.len), name))
      return pl_strv_trim(pl_strv(lines.data + name.len + 1, len - name.len - 1));
    lines = pl_strv(end + 2, lines.len - len - 2);
  }
  return (struct pl_strv){0};
}

// Strong: a file that is written again has another time, one that is replaced another inode.
static struct pl_strv make_etag(const struct pl_file *file, char out[ETAG_MAX]) {
  int n = snprintf(out, ETAG_MAX, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%08" PRIx32 "\"",
                   file->inode, file->size, (uint64_t)file->mtime_s, file->mtime_ns);
  return pl_strv(out, (size_t)n);
}

static struct pl_verdict judge(const struct pl_call *call, const struct pl_file *file, int status,
                               struct pl_strv etag) {
  const struct pl_request *request = &call->x->request;
  bool is_get = request->method == PL_METHOD_GET || request->method == PL_METHOD_HEAD;
  if (status != 200 || !is_get) return (struct pl_verdict){.status = status, .length = file->size};
  struct pl_representation what = {
      .etag = etag, .mtime = file->mtime_s, .has_mtime = true, .size = file->size};
  return pl_conditional_evaluate(request->method, &request->headers, &what, time(NULL));
}

// What the handler has set itself stays as it is.
static int add_validators(struct pl_buf *lines, const struct pl_file *file, struct pl_strv etag) {
  char date[PL_HTTP_DATE_LEN + 1];
  bool has_etag = find_line(pl_buf_view(lines), PL_STRV("etag")).data;
  bool has_date = find_line(pl_buf_view(lines), PL_STRV("last-modified")).data;
  bool has_ranges = find_line(pl_buf_view(lines), PL_STRV("accept-ranges")).data;
  pl_clock_http_date((time_t)file->mtime_s, date);
  int rc = 0;
  if (!has_etag) rc = pl_buf_printf(lines, "ETag: %.*s\r\n", (int)etag.len, etag.data);
  if (!rc && !has_date) rc = pl_buf_printf(lines, "Last-Modified: %s\r\n", date);
  if (!rc && !has_ranges) rc = pl_buf_printf(lines, "Accept-Ranges: bytes\r\n");
  return rc;
}

static int add_content_range(struct pl_buf *lines, const struct pl_verdict *verdict,
                             uint64_t size) {
  return pl_buf_printf(lines, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
                       verdict->first, verdict->first + verdict->length - 1, size);
}

static int refuse_range(struct pl_call *call, uint64_t size) {
  char line[64];
  snprintf(line, sizeof line, "Content-Range: bytes */%" PRIu64 "\r\n", size);
  pl_api_send_problem(call, 416, NULL, line);
  return 0;
}

static int raise_failure(lua_State *L, int code) {
  return code == PL_ECONNRESET ? pl_call_raise_gone(L) : luaL_error(L, "not enough memory");
}

static struct sender *make_sender(lua_State *L, struct pl_call *call, struct pl_file *file,
                                  const struct pl_verdict *verdict) {
  struct pl_arena *arena = &call->x->arena;
  struct sender *s = pl_arena_alloc(arena, sizeof *s);
  if (!s) return NULL;
  *s = (struct sender){.drain.on_drain = on_drain,
                       .read.on_done = on_read,
                       .call = call,
                       .file = file,
                       .loop = pl_api_context(L)->loop,
                       .offset = verdict->first,
                       .left = verdict->length};
  pl_list_init(&s->drain.link);
  if (call->x->request.method == PL_METHOD_HEAD) s->left = 0;
  s->size = s->left < PL_FILE_PIECE_BYTES ? (size_t)s->left : PL_FILE_PIECE_BYTES;
  s->buffer = s->size ? pl_arena_alloc(arena, s->size) : NULL;
  return s->size && !s->buffer ? NULL : s;
}

static void unref_file(void *file) {
  pl_file_unref(file);
}

// The file goes with the exchange, whatever happens on the way.
static struct pl_file *take_file(lua_State *L, struct pl_call *call, int index) {
  struct pl_file *file = pl_file_handle_take(L, index);
  if (pl_arena_defer(&call->x->arena, unref_file, file)) {
    pl_file_unref(file);
    luaL_error(L, "not enough memory");
  }
  return file;
}

// 304 says what a cache needs to know of the file, and no more.
static int send_not_modified(lua_State *L, struct pl_call *call, struct pl_response *r) {
  r->content_type = (struct pl_strv){0};
  int rc = call->x->ops->respond(call->x, r);
  return rc ? raise_failure(L, rc) : 0;
}

static int send_content(lua_State *L, struct pl_call *call, const struct pl_response *r,
                        struct pl_file *file, const struct pl_verdict *verdict) {
  pl_wait_check(L, "sending a file");
  struct sender *s = make_sender(L, call, file, verdict);
  int rc = s ? call->x->ops->start(call->x, r) : PL_ENOMEM;
  return rc ? raise_failure(L, rc) : run_pump(L, s);
}

int pl_api_send_file(lua_State *L, struct pl_call *call, int index,
                     const struct pl_response *head) {
  struct pl_file *file = take_file(L, call, index);
  struct pl_buf *lines = &pl_api_context(L)->header_lines;
  char made[ETAG_MAX];
  struct pl_strv etag = make_etag(file, made);
  struct pl_strv own = find_line(head->headers, PL_STRV("etag"));
  struct pl_verdict verdict = judge(call, file, head->status, own.data ? own : etag);
  if (verdict.status == 416) return refuse_range(call, file->size);
  if (verdict.status == 412) {
    pl_api_send_problem(call, 412, NULL, NULL);
    return 0;
  }
  int rc = add_validators(lines, file, etag);
  if (!rc && verdict.status == 206) rc = add_content_range(lines, &verdict, file->size);
  if (rc) return raise_failure(L, rc);
  struct pl_response r = *head;
  r.status = verdict.status;
  r.headers = pl_buf_view(lines);
  r.length = (int64_t)verdict.length;
  if (r.status == 304) return send_not_modified(L, call, &r);
  return send_content(L, call, &r, file, &verdict);
}
