/// A bench for the HTTP/1 carrier: a service on a socketpair, a handler played by the test, and a
/// client. Time does not pass by itself: the loop is run turn by turn.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/connections.h"
#include "io/loop.h"

#include "../io/net.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum { EXCHANGES_MAX = 256, LARGE = 4 * 1024 * 1024, NOTES_BYTES = 16 * 1024 };

struct bench {
  struct pl_loop loop;
  struct pl_http_service service;
  int client;
  bool client_saw_end;  // the server has sent its FIN (or a RST)
  struct pl_buf got;    // what the client has received
  struct pl_exchange *x[EXCHANGES_MAX];
  size_t requests;                                          // that the handler was given
  void (*handler)(struct bench *b, struct pl_exchange *x);  // or NULL: nothing for now
  void (*on_readable)(struct bench *b, struct pl_exchange *x);
  void (*on_drain)(struct bench *b, struct pl_exchange *x);
  void (*on_gone)(struct bench *b, struct pl_exchange *x);
  char notes[NOTES_BYTES];  // what has happened, in order
  size_t notes_len;
  size_t finished;
};

static inline void note(struct bench *b, const char *format, ...) PL_PRINTF(2, 3);
static inline void note(struct bench *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  b->notes_len +=
      (size_t)vsnprintf(b->notes + b->notes_len, NOTES_BYTES - b->notes_len, format, args);
  va_end(args);
  assert_true(b->notes_len < NOTES_BYTES);
}

static inline void assert_notes(struct bench *b, const char *expected) {
  assert_string_equal(b->notes, expected);
  b->notes_len = 0;
  b->notes[0] = '\0';
}

// ---- the handler's side ----

static inline void on_readable(struct pl_exchange *x) {
  struct bench *b = x->user;
  note(b, "readable ");
  if (b->on_readable) b->on_readable(b, x);
}

static inline void on_drain(struct pl_exchange *x) {
  struct bench *b = x->user;
  note(b, "drain ");
  if (b->on_drain) b->on_drain(b, x);
}

static inline void on_gone(struct pl_exchange *x, int reason) {
  struct bench *b = x->user;
  note(b, "gone:%s ", pl_error_name(reason));
  if (b->on_gone) b->on_gone(b, x);
}

static const struct pl_exchange_events events = {on_readable, on_drain, on_gone};

static inline void on_request(struct pl_http_service *service, struct pl_exchange *x) {
  struct bench *b = service->ctx;
  assert_true(b->requests < EXCHANGES_MAX);
  b->x[b->requests++] = x;
  x->events = &events;
  x->user = b;
  if (b->handler) b->handler(b, x);
}

static inline void on_finished(struct pl_http_service *service, struct pl_exchange *x,
                               bool was_cut) {
  struct bench *b = service->ctx;
  b->finished++;
  note(b, "%s%s:%d ", x->user ? "" : "refused-", was_cut ? "cut" : "sent", x->status);
}

static inline void on_connections(struct pl_http_service *service) {
  (void)service;
}

static inline int respond(struct pl_exchange *x, const char *body) {
  struct pl_response r = {.status = 200, .body = pl_strv_of(body)};
  return x->ops->respond(x, &r);
}

// Answers with the request's target, and is done.
static inline void echo_target(struct bench *b, struct pl_exchange *x) {
  (void)b;
  struct pl_response r = {.status = 200, .body = x->request.target};
  assert_int_equal(x->ops->respond(x, &r), 0);
  x->ops->release(x);
}

static inline void release(struct bench *b, struct pl_exchange *x) {
  (void)b;
  x->ops->release(x);
}

static inline int read_body(struct pl_exchange *x, char *text, size_t size) {
  struct pl_strv piece;
  int result;
  while ((result = x->ops->read_body(x, &piece)) == 0) {
    assert_true(strlen(text) + piece.len < size);
    strncat(text, piece.data, piece.len);
  }
  return result;
}

// ---- the client's side ----

static inline void receive(struct bench *b) {
  char piece[65536];
  ssize_t n;
  while ((n = recv(b->client, piece, sizeof piece, MSG_DONTWAIT)) > 0)
    assert_int_equal(pl_buf_append(&b->got, piece, (size_t)n), 0);
  if (n == 0 || errno == ECONNRESET) b->client_saw_end = true;
}

static inline void turn(struct bench *b) {
  uv_run(&b->loop.uv, UV_RUN_NOWAIT);
}

// As many turns as anything that needs no time can take.
static inline void settle(struct bench *b) {
  for (int i = 0; i < 12; i++) {
    turn(b);
    if (b->client >= 0) receive(b);
  }
}

// Runs the loop until *count has reached n; a time-out of the loop's is to bring that about.
static inline void wait_until(struct bench *b, const size_t *count, size_t n) {
  while (*count < n) uv_run(&b->loop.uv, UV_RUN_ONCE);
  settle(b);
}

static inline void wait_for_end(struct bench *b) {
  while (b->service.connection_count) uv_run(&b->loop.uv, UV_RUN_ONCE);
  receive(b);
}

static inline void send_now(struct bench *b, const char *text) {
  send_text(b->client, text);
  settle(b);
}

static inline void leave(struct bench *b) {
  if (b->client >= 0) close(b->client);
  b->client = -1;
}

// The statuses and bodies of the answers received so far, "200:body 404:... "; forgets them.
static const char *answers(struct bench *b) {
  static char text[8192];
  text[0] = '\0';
  assert_int_equal(pl_buf_append(&b->got, "", 1), 0);
  const char *at = pl_buf_view(&b->got).data;
  while (strncmp(at, "HTTP/1.1 ", 9) == 0) {
    const char *end = strstr(at, "\r\n\r\n");
    assert_non_null(end);
    const char *length = strstr(at, "Content-Length: ");
    size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
    const char *closes = strstr(at, "Connection: close");
    char line[512];
    snprintf(line, sizeof line, "%.3s:%.*s%s ", at + 9, body < 64 ? (int)body : 0, end + 4,
             closes && closes < end ? "/close" : "");
    strcat(text, line);
    at = end + 4 + body;
  }
  assert_string_equal(at, "");
  pl_buf_clear(&b->got);
  return text;
}

// ---- beginning and end ----

static inline struct pl_http_limits usual_limits(void) {
  return (struct pl_http_limits){
      .parse = {.request_line = 200, .header_bytes = 400, .header_count = 10, .chunk_ext = 40},
      .connections = 4,
      .body = 100000,
      .read_ahead = 4096,
      .discard = 1000};
}

static inline void open_client(struct bench *b) {
  int ends[2];
  connect_unix_pair(ends);
  pl_http_service_accept(&b->service, ends[0], true);
  b->client = ends[1];
  b->client_saw_end = false;
}

static inline void begin(struct bench *b, void (*handler)(struct bench *, struct pl_exchange *)) {
  *b = (struct bench){.handler = handler};
  assert_int_equal(pl_loop_init(&b->loop, NULL, NULL), 0);
  b->service.limits = usual_limits();
  b->service.ctx = b;
  b->service.on_request = on_request;
  b->service.on_finished = on_finished;
  b->service.on_connections = on_connections;
  assert_int_equal(pl_http_service_init(&b->service, &b->loop), 0);
  open_client(b);
}

static inline struct pl_conn *conn_of(struct bench *b) {
  assert_int_equal(b->service.connection_count, 1);
  return PL_CONTAINER_OF(b->service.connections.next, struct pl_conn, link);
}

// The client leaves; nothing of the service may be left.
static inline void end(struct bench *b) {
  leave(b);
  do settle(b);
  while (b->service.connection_count);
  assert_int_equal(b->service.exchange_count, 0);
  assert_true(pl_list_is_empty(&b->service.watched));
  pl_http_service_deinit(&b->service);
  assert_int_equal(pl_loop_deinit(&b->loop), 0);
  pl_buf_deinit(&b->got);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, length) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n"
