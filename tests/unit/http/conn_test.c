// Unit tests of server/http/conn.c, input.c, answer.c and service.c: an HTTP service on one end of
// a socket pair, a handler made by hand, and the test as the client on the other end. The loop goes
// turn by turn; where time itself is tested, the loop's own short time-outs wake it.
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

static void note(struct bench *b, const char *format, ...) PL_PRINTF(2, 3);
static void note(struct bench *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  b->notes_len +=
      (size_t)vsnprintf(b->notes + b->notes_len, NOTES_BYTES - b->notes_len, format, args);
  va_end(args);
  assert_true(b->notes_len < NOTES_BYTES);
}

static void assert_notes(struct bench *b, const char *expected) {
  assert_string_equal(b->notes, expected);
  b->notes_len = 0;
  b->notes[0] = '\0';
}

// ---- the handler's side ----

static void on_readable(struct pl_exchange *x) {
  struct bench *b = x->user;
  note(b, "readable ");
  if (b->on_readable) b->on_readable(b, x);
}

static void on_drain(struct pl_exchange *x) {
  struct bench *b = x->user;
  note(b, "drain ");
  if (b->on_drain) b->on_drain(b, x);
}

static void on_gone(struct pl_exchange *x, int reason) {
  struct bench *b = x->user;
  note(b, "gone:%s ", pl_error_name(reason));
  if (b->on_gone) b->on_gone(b, x);
}

static const struct pl_exchange_events events = {on_readable, on_drain, on_gone};

static void on_request(struct pl_http_service *service, struct pl_exchange *x) {
  struct bench *b = service->ctx;
  assert_true(b->requests < EXCHANGES_MAX);
  b->x[b->requests++] = x;
  x->events = &events;
  x->user = b;
  if (b->handler) b->handler(b, x);
}

static void on_finished(struct pl_http_service *service, struct pl_exchange *x, bool was_cut) {
  struct bench *b = service->ctx;
  b->finished++;
  note(b, "%s%s:%d ", x->user ? "" : "refused-", was_cut ? "cut" : "sent", x->status);
}

static void on_connections(struct pl_http_service *service) {
  (void)service;
}

static int respond(struct pl_exchange *x, const char *body) {
  struct pl_response r = {.status = 200, .body = pl_strv_of(body)};
  return x->ops->respond(x, &r);
}

// Answers with the request's target, and is done.
static void echo_target(struct bench *b, struct pl_exchange *x) {
  (void)b;
  struct pl_response r = {.status = 200, .body = x->request.target};
  assert_int_equal(x->ops->respond(x, &r), 0);
  x->ops->release(x);
}

static void release(struct bench *b, struct pl_exchange *x) {
  (void)b;
  x->ops->release(x);
}

static int read_body(struct pl_exchange *x, char *text, size_t size) {
  struct pl_strv piece;
  int result;
  while ((result = x->ops->read_body(x, &piece)) == 0) {
    assert_true(strlen(text) + piece.len < size);
    strncat(text, piece.data, piece.len);
  }
  return result;
}

// ---- the client's side ----

static void receive(struct bench *b) {
  char piece[65536];
  ssize_t n;
  while ((n = recv(b->client, piece, sizeof piece, MSG_DONTWAIT)) > 0)
    assert_int_equal(pl_buf_append(&b->got, piece, (size_t)n), 0);
  if (n == 0 || errno == ECONNRESET) b->client_saw_end = true;
}

static void turn(struct bench *b) {
  uv_run(&b->loop.uv, UV_RUN_NOWAIT);
}

// As many turns as anything that needs no time can take.
static void settle(struct bench *b) {
  for (int i = 0; i < 12; i++) {
    turn(b);
    if (b->client >= 0) receive(b);
  }
}

// Runs the loop until *count has reached n; a time-out of the loop's is to bring that about.
static void wait_until(struct bench *b, const size_t *count, size_t n) {
  while (*count < n) uv_run(&b->loop.uv, UV_RUN_ONCE);
  settle(b);
}

static void wait_for_end(struct bench *b) {
  while (b->service.connection_count) uv_run(&b->loop.uv, UV_RUN_ONCE);
  receive(b);
}

static void send_now(struct bench *b, const char *text) {
  send_text(b->client, text);
  settle(b);
}

static void leave(struct bench *b) {
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

static struct pl_http_limits usual_limits(void) {
  return (struct pl_http_limits){
      .parse = {.request_line = 200, .header_bytes = 400, .header_count = 10, .chunk_ext = 40},
      .connections = 4,
      .body = 100000,
      .read_ahead = 4096,
      .discard = 1000};
}

static void open_client(struct bench *b) {
  int ends[2];
  connect_unix_pair(ends);
  pl_http_service_accept(&b->service, ends[0], true);
  b->client = ends[1];
  b->client_saw_end = false;
}

static void begin(struct bench *b, void (*handler)(struct bench *, struct pl_exchange *)) {
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

static struct pl_conn *conn_of(struct bench *b) {
  assert_int_equal(b->service.connection_count, 1);
  return PL_CONTAINER_OF(b->service.connections.next, struct pl_conn, link);
}

// The client leaves; nothing of the service may be left.
static void end(struct bench *b) {
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

// ---- order ----

static void notice_early_bytes(struct bench *b, struct pl_exchange *x) {
  int early = 0;
  assert_int_equal(ioctl(b->client, FIONREAD, &early), 0);
  if (early) note(b, "early ");
  echo_target(b, x);
}

static void pipelined_requests_are_answered_in_order_and_leave_together(void **state) {
  (void)state;
  struct bench b;
  begin(&b, notice_early_bytes);
  send_now(&b, GET("/1") "\r\n" GET("/2") GET("/3"));
  assert_string_equal(answers(&b), "200:/1 200:/2 200:/3 ");
  assert_notes(&b, "sent:200 sent:200 sent:200 ");
  send_now(&b, GET("/4"));
  assert_string_equal(answers(&b), "200:/4 ");
  assert_false(b.client_saw_end);
  end(&b);
}

static void pipelined_request_waits_for_the_answer_before_it(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1") GET("/2") "GET /3 HT");
  assert_int_equal(b.requests, 1);
  echo_target(&b, b.x[0]);
  assert_int_equal(b.requests, 1);  // nobody is called from within an operation
  settle(&b);
  assert_int_equal(b.requests, 2);
  echo_target(&b, b.x[1]);
  settle(&b);
  assert_int_equal(b.requests, 2);
  send_now(&b, "TP/1.1\r\nHost: a\r\n\r\n");
  echo_target(&b, b.x[2]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/2 200:/3 ");
  end(&b);
}

static void many_pipelined_requests_let_others_in_between(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  for (int i = 0; i < 70; i++) send_text(b.client, GET("/x"));
  while (b.requests == 0) turn(&b);
  assert_int_equal(b.requests, 64);
  settle(&b);
  assert_int_equal(b.requests, 70);
  assert_int_equal(b.finished, 70);
  end(&b);
}

static void bytes_one_by_one_make_the_same_request(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  for (const char *p = GET("/a") GET("/b"); *p; p++) {
    const char text[] = {*p, '\0'};
    send_text(b.client, text);
    turn(&b);
  }
  settle(&b);
  assert_string_equal(answers(&b), "200:/a 200:/b ");
  end(&b);
}

static void idle_connection_holds_no_memory(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, "GET /a HTT");
  send_now(&b, "P/1.1\r\nHost: a\r\n\r\n");
  assert_string_equal(answers(&b), "200:/a ");
  const struct pl_conn *conn = conn_of(&b);
  assert_null(conn->in.block);
  assert_null(conn->out.block);
  assert_null(conn->sending.block);
  assert_null(conn->current);
  assert_int_equal(b.service.exchange_count, 0);
  end(&b);
}

// ---- the end of a connection ----

static void connection_close_is_answered_then_lingers(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET("/2"));
  assert_string_equal(answers(&b), "200:/1/close ");
  assert_true(b.client_saw_end);
  assert_int_equal(b.service.connection_count, 1);  // it still reads, and drops
  send_now(&b, GET("/3"));
  assert_int_equal(b.requests, 1);
  assert_notes(&b, "sent:200 ");
  end(&b);
}

static void linger_ends_by_itself(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, "GET /1 HTTP/1.0\r\n\r\n");
  assert_string_equal(answers(&b), "200:/1/close ");
  wait_for_end(&b);
  end(&b);
}

static void connection_that_ends_between_requests_is_closed(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, GET("/1"));
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_int_equal(b.service.connection_count, 0);
  assert_notes(&b, "sent:200 ");
  end(&b);
}

static void client_that_leaves_is_told_to_the_handler_once(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  struct pl_exchange *x = b.x[0];
  struct pl_strv piece;
  struct pl_response r = {.status = 200, .length = -1};
  char text[64] = "x";
  int port = 1;
  assert_int_equal(respond(x, "late"), PL_ECONNRESET);
  assert_int_equal(x->ops->start(x, &r), PL_ECONNRESET);
  assert_int_equal(x->ops->write(x, PL_STRV("late")), PL_ECONNRESET);
  assert_int_equal(x->ops->finish(x), PL_ECONNRESET);
  assert_int_equal(x->ops->read_body(x, &piece), PL_EOF);  // there was none
  x->ops->flush(x);
  x->ops->cut(x);
  x->ops->peer(x, text, sizeof text, &port);
  assert_string_equal(text, "");
  assert_int_equal(b.service.exchange_count, 1);
  x->ops->release(x);
  assert_int_equal(b.service.exchange_count, 0);
  assert_notes(&b, "");
  end(&b);
}

static void client_that_leaves_during_its_body_is_told(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  send_now(&b, POST("/1", "10") "hell");
  char text[64] = "";
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  leave(&b);
  settle(&b);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  end(&b);
}

static void client_that_leaves_is_noticed_behind_unread_bytes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  char *junk = calloc(1, 65536);
  send(b.client, junk, 65536, MSG_NOSIGNAL | MSG_DONTWAIT);
  free(junk);
  settle(&b);
  assert_false(conn_of(&b)->stream.is_reading);
  assert_true(conn_of(&b)->input.len < 4096 + PL_READ_BUFFER_BYTES);
  leave(&b);
  wait_until(&b, &b.finished, 1);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  end(&b);
}

static void half_close_route_may_answer_after_the_fin(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  b.x[0]->half_close = true;
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "");
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 ");
  assert_notes(&b, "sent:200 ");
  assert_int_equal(b.service.connection_count, 0);
  end(&b);
}

static void half_close_route_whose_answer_closes_is_not_called_cut(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, "GET /1 HTTP/1.0\r\n\r\n");
  b.x[0]->half_close = true;
  shutdown(b.client, SHUT_WR);
  settle(&b);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  assert_notes(&b, "sent:200 ");
  end(&b);
}

static void answered_request_whose_body_never_ends_is_not_called_cut(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, POST("/1", "10") "hell");
  assert_string_equal(answers(&b), "200:/1 ");
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_int_equal(b.service.connection_count, 0);
  assert_notes(&b, "sent:200 ");
  end(&b);
}

static void requests_behind_a_fin_are_not_left_waiting(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  send_text(b.client, GET("/1") GET("/2"));
  while (b.requests == 0) turn(&b);
  b.x[0]->half_close = true;
  shutdown(b.client, SHUT_WR);
  settle(&b);
  echo_target(&b, b.x[0]);
  settle(&b);  // the second one is handled now, its client has left
  assert_int_equal(b.requests, 2);
  assert_notes(&b, "sent:200 cut:0 gone:ECONNRESET ");
  assert_int_equal(b.service.connection_count, 0);
  end(&b);
}

// ---- release, finish, cut ----

static void release_without_an_answer_cuts(void **state) {
  (void)state;
  struct bench b;
  begin(&b, release);
  send_now(&b, GET("/1"));
  assert_string_equal(answers(&b), "");
  assert_true(b.client_saw_end);
  assert_notes(&b, "cut:0 ");
  end(&b);
}

static void cut_lets_the_answers_before_it_out(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.handler = NULL;
  send_now(&b, GET("/1") GET("/2"));
  b.handler = release;
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 ");
  assert_true(b.client_saw_end);
  assert_notes(&b, "sent:200 cut:0 ");
  end(&b);
}

static void exchange_may_be_released_long_after_its_answer(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  assert_int_equal(respond(b.x[0], "one"), 0);
  send_now(&b, GET("/2"));  // the connection goes on meanwhile
  assert_int_equal(respond(b.x[1], "two"), 0);
  settle(&b);
  assert_string_equal(answers(&b), "200:one 200:two ");
  assert_notes(&b, "sent:200 sent:200 ");
  assert_int_equal(b.service.exchange_count, 2);
  b.x[1]->ops->release(b.x[1]);
  assert_int_equal(b.service.exchange_count, 1);
  leave(&b);
  settle(&b);
  assert_notes(&b, "gone:ECONNRESET ");  // the first one still runs: it is told
  b.x[0]->ops->release(b.x[0]);
  end(&b);
}

// ---- large answers ----

static char *large_text(void) {
  char *text = malloc(LARGE);
  assert_non_null(text);
  for (size_t i = 0; i < LARGE; i++) text[i] = (char)('a' + i % 23);
  return text;
}

static void assert_ends_in(struct bench *b, const char *text, size_t len) {
  struct pl_strv got = pl_buf_view(&b->got);
  assert_true(got.len > len);
  assert_memory_equal(got.data + got.len - len, text, len);
  pl_buf_clear(&b->got);
}

static void held_body_is_sent_as_the_client_takes_it(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char *text = large_text();
  send_now(&b, GET("/1"));
  struct pl_response r = {.status = 200, .body = {text, LARGE}, .body_is_held = true};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  b.x[0]->ops->release(b.x[0]);
  for (int i = 0; i < 12; i++) turn(&b);  // the client does not read yet
  send_text(b.client, GET("/2"));
  for (int i = 0; i < 12; i++) turn(&b);
  assert_notes(&b, "");
  assert_int_equal(b.requests, 1);  // who does not take its answers gets no more of them
  b.handler = echo_target;
  while (b.requests < 2) settle(&b);
  settle(&b);
  assert_notes(&b, "sent:200 sent:200 ");
  assert_memory_equal(pl_buf_view(&b.got).data + pl_buf_len(&b.got) - 2, "/2", 2);
  assert_int_equal(b.x[0]->bytes_out, LARGE);
  const struct pl_conn *conn = conn_of(&b);
  assert_null(conn->sending.block);
  free(text);
  end(&b);
}

static void client_that_takes_no_answers_is_not_read_without_bound(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char *text = large_text();
  send_now(&b, GET("/1"));
  struct pl_response r = {.status = 200, .body = {text, LARGE}, .body_is_held = true};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  b.x[0]->ops->release(b.x[0]);
  for (int i = 0; i < 100; i++) {
    (void)!send(b.client, text, 65536, MSG_NOSIGNAL | MSG_DONTWAIT);
    turn(&b);
  }
  assert_true(conn_of(&b)->input.len < 4096 + PL_READ_BUFFER_BYTES);
  leave(&b);
  free(text);
  end(&b);
}

static char held_text[20 * 1024];

static void respond_held(struct bench *b, struct pl_exchange *x) {
  (void)b;
  struct pl_response r = {
      .status = 200, .body = {held_text, sizeof held_text}, .body_is_held = true};
  assert_int_equal(x->ops->respond(x, &r), 0);
  x->ops->release(x);
}

// Everything happens within one read: nothing may be left waiting for the next one.
static void held_body_that_the_kernel_takes_at_once_ends_the_exchange(void **state) {
  (void)state;
  struct bench b;
  begin(&b, respond_held);
  memset(held_text, 'h', sizeof held_text);
  b.service.limits.body_timeout_ms = b.service.limits.idle_timeout_ms = 60000;
  send_now(&b, GET("/1") GET("/2"));
  assert_notes(&b, "sent:200 sent:200 ");
  assert_int_equal(conn_of(&b)->state, PL_CONN_IDLE);
  assert_ends_in(&b, held_text, sizeof held_text);
  assert_false(b.client_saw_end);
  end(&b);
}

static void write_time_out_ends_a_client_that_takes_nothing(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.service.limits.write_timeout_ms = 30;
  char *text = large_text();
  send_now(&b, GET("/1"));
  struct pl_response r = {.status = 200, .body = {text, LARGE}, .body_is_held = true};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  b.on_gone = release;
  while (b.service.connection_count) uv_run(&b.loop.uv, UV_RUN_ONCE);
  assert_notes(&b, "cut:200 gone:ECONNRESET ");
  free(text);
  end(&b);
}

static void slow_client_is_served_where_no_write_time_out_is_set(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.service.limits.idle_timeout_ms = b.service.limits.body_timeout_ms = 20;
  char *text = large_text();
  send_now(&b, GET("/1"));
  struct pl_response r = {.status = 200, .body = {text, LARGE}, .body_is_held = true};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  b.x[0]->ops->release(b.x[0]);
  uint64_t start = pl_clock_ms();
  while (pl_clock_ms() < start + 60) turn(&b);  // past every other time-out
  assert_int_equal(b.service.connection_count, 1);
  while (b.finished == 0) settle(&b);
  assert_ends_in(&b, text, LARGE);
  free(text);
  end(&b);
}

// ---- streamed answers ----

static void streamed_answer_is_chunked(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1") GET("/2"));
  struct pl_exchange *x = b.x[0];
  struct pl_response r = {.status = 200, .length = -1};
  assert_int_equal(x->ops->start(x, &r), 0);
  assert_int_equal(x->ops->write(x, PL_STRV("hello")), 0);
  assert_int_equal(x->ops->write(x, PL_STRV("")), 0);
  x->ops->flush(x);
  receive(&b);
  assert_ends_in(&b, "\r\n\r\n5\r\nhello\r\n", 14);
  assert_int_equal(x->ops->write(x, PL_STRV("0123456789abcdef")), 0);
  assert_int_equal(x->ops->finish(x), 0);
  x->ops->release(x);
  b.handler = echo_target;
  settle(&b);
  struct pl_strv got = pl_buf_view(&b.got);
  assert_memory_equal(got.data, "10\r\n0123456789abcdef\r\n0\r\n\r\nHTTP/1.1 200 OK", 42);
  assert_notes(&b, "sent:200 sent:200 ");
  end(&b);
}

static void streamed_answer_stops_at_64_kib_unsent_and_goes_on(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  struct pl_exchange *x = b.x[0];
  char *text = large_text();
  struct pl_response r = {.status = 200, .length = LARGE};
  assert_int_equal(x->ops->start(x, &r), 0);
  size_t written = 0, waits = 0;
  while (written < LARGE) {
    size_t len = LARGE - written < 30000 ? LARGE - written : 30000;
    int result = x->ops->write(x, pl_strv(text + written, len));
    written += len;
    struct pl_conn *conn = conn_of(&b);
    assert_true(pl_buf_len(&conn->out) + pl_buf_len(&conn->sending) <= 64 * 1024 + 31000);
    if (result == 0) continue;
    assert_int_equal(result, PL_EAGAIN);
    for (waits++; !b.notes_len;) settle(&b);
    assert_notes(&b, "drain ");
  }
  assert_true(waits > 10);
  assert_int_equal(x->ops->finish(x), 0);
  x->ops->release(x);
  settle(&b);
  assert_notes(&b, "sent:200 ");
  assert_ends_in(&b, text, LARGE);
  assert_int_equal(conn_of(&b)->state, PL_CONN_IDLE);
  free(text);
  end(&b);
}

static void finish_and_release(struct bench *b, struct pl_exchange *x) {
  (void)b;
  assert_int_equal(x->ops->write(x, PL_STRV("the end")), 0);
  assert_int_equal(x->ops->finish(x), 0);
  x->ops->release(x);
}

// An event may call operations; here the last one, on a connection that must close.
static void answer_finished_in_on_drain_is_sent_whole(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_drain = finish_and_release;
  send_now(&b, "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  struct pl_exchange *x = b.x[0];
  struct pl_response r = {.status = 200, .length = -1};
  assert_int_equal(x->ops->start(x, &r), 0);
  static const char text[70000];
  assert_int_equal(x->ops->write(x, pl_strv(text, sizeof text)), PL_EAGAIN);
  settle(&b);
  assert_ends_in(&b, "7\r\nthe end\r\n0\r\n\r\n", 17);
  assert_true(b.client_saw_end);
  assert_notes(&b, "drain sent:200 ");
  end(&b);
}

static void streamed_answer_keeps_its_announced_length(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  struct pl_exchange *x = b.x[0];
  struct pl_response r = {.status = 200, .length = 5};
  assert_int_equal(x->ops->start(x, &r), 0);
  assert_int_equal(x->ops->write(x, PL_STRV("toolong")), PL_EINVAL);
  assert_int_equal(x->ops->write(x, PL_STRV("four")), 0);
  settle(&b);
  assert_int_equal(x->ops->finish(x), PL_EINVAL);
  x->ops->release(x);
  settle(&b);
  assert_true(b.client_saw_end);
  assert_notes(&b, "cut:200 ");
  end(&b);
}

static void streamed_answer_to_http_1_0_ends_by_closing(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  struct pl_exchange *x = b.x[0];
  struct pl_response r = {.status = 200, .length = -1};
  assert_int_equal(x->ops->start(x, &r), 0);
  assert_int_equal(x->ops->write(x, PL_STRV("hello")), 0);
  assert_int_equal(x->ops->finish(x), 0);
  x->ops->release(x);
  settle(&b);
  assert_ends_in(&b, "\r\n\r\nhello", 9);
  assert_true(b.client_saw_end);
  assert_notes(&b, "sent:200 ");
  end(&b);
}

static void answers_without_a_body_have_none_however_they_are_made(void **state) {
  (void)state;
  static const int statuses[] = {204, 205, 304};
  for (size_t i = 0; i < 2 * PL_ARRAY_LEN(statuses); i++) {
    struct bench b;
    begin(&b, NULL);
    send_now(&b, GET("/1"));
    struct pl_exchange *x = b.x[0];
    struct pl_response r = {.status = statuses[i / 2], .length = -1, .body = PL_STRV("dropped")};
    if (i % 2) {
      assert_int_equal(x->ops->respond(x, &r), 0);
    } else {
      assert_int_equal(x->ops->start(x, &r), 0);
      assert_int_equal(x->ops->write(x, PL_STRV("dropped")), 0);
      assert_int_equal(x->ops->finish(x), 0);
    }
    x->ops->release(x);
    settle(&b);
    assert_int_equal(pl_buf_append(&b.got, "", 1), 0);
    const char *got = pl_buf_view(&b.got).data;
    assert_null(strstr(got, "Transfer-Encoding"));
    if (statuses[i / 2] == 205)
      assert_non_null(strstr(got, "Content-Length: 0\r\n"));
    else
      assert_null(strstr(got, "Content-Length"));
    assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
    end(&b);
  }
}

static void cut_stream_ends_without_its_last_chunk(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  struct pl_exchange *x = b.x[0];
  struct pl_response r = {.status = 200, .length = -1};
  assert_int_equal(x->ops->start(x, &r), 0);
  assert_int_equal(x->ops->write(x, PL_STRV("hello")), 0);
  settle(&b);
  x->ops->cut(x);
  x->ops->release(x);
  settle(&b);
  assert_ends_in(&b, "5\r\nhello\r\n", 10);
  assert_true(b.client_saw_end);
  assert_notes(&b, "cut:200 ");
  end(&b);
}

// ---- request bodies ----

static void body_is_read_as_it_comes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char text[64] = "";
  send_now(&b, POST("/1", "10") "hell");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  assert_string_equal(text, "hell");
  send_now(&b, "o worl" GET("/2"));
  assert_notes(&b, "readable ");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EOF);
  assert_string_equal(text, "hello worl");
  assert_int_equal(b.x[0]->bytes_in, 10);
  echo_target(&b, b.x[0]);
  b.handler = echo_target;
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  end(&b);
}

static void read_and_echo(struct bench *b, struct pl_exchange *x) {
  char text[64] = "";
  int result = read_body(x, text, sizeof text);
  if (result == PL_EAGAIN) return;
  assert_int_equal(result, PL_EOF);
  assert_int_equal(respond(x, text), 0);
  x->ops->release(x);
  note(b, "answered ");
}

static void answer_made_in_on_readable_lets_the_next_request_in(void **state) {
  (void)state;
  struct bench b;
  begin(&b, read_and_echo);
  b.on_readable = read_and_echo;
  send_now(&b, POST("/1", "3"));
  send_now(&b, "one" POST("/2", "3") "two");
  assert_string_equal(answers(&b), "200:one 200:two ");
  assert_int_equal(b.finished, 2);
  end(&b);
}

static void trailers_are_there_at_the_bodys_end(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char text[64] = "";
  send_now(
      &b,
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  assert_int_equal(b.x[0]->request.trailers.count, 0);
  send_now(&b, ": b\r\n\r\n");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EOF);
  assert_string_equal(text, "hello");
  assert_int_equal(b.x[0]->request.trailers.count, 1);
  echo_target(&b, b.x[0]);
  end(&b);
}

static void continue_is_sent_when_the_handler_asks_and_nothing_is_there(void **state) {
  (void)state;
  static const char head[] =
      "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  struct bench b;
  begin(&b, NULL);
  char text[64] = "";
  send_now(&b, head);
  assert_int_equal(pl_buf_len(&b.got), 0);
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  settle(&b);
  assert_string_equal(answers(&b), "100: ");
  send_now(&b, "he");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  send_now(&b, "llo");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EOF);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 ");  // one 100 was enough
  send_text(b.client, head);
  send_now(&b, "hello");
  text[0] = '\0';
  assert_int_equal(read_body(b.x[1], text, sizeof text), PL_EOF);
  echo_target(&b, b.x[1]);
  send_now(&b, head);  // answered without asking: the client must not send it
  echo_target(&b, b.x[2]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/1/close ");
  assert_true(b.client_saw_end);
  end(&b);
}

static void body_longer_than_its_limit_is_an_error_that_stays(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char text[64] = "";
  send_now(
      &b,
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n");
  b.x[0]->body_limit = 5;
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_ELIMIT);
  assert_string_equal(text, "hello");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_ELIMIT);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  end(&b);
}

static void body_with_broken_framing_is_an_error_that_closes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char text[64] = "";
  send_now(
      &b,
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloGET / HTTP/1.1");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EPROTO);
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EPROTO);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  assert_int_equal(b.requests, 1);
  end(&b);
}

static void unread_body_is_dropped_up_to_discard(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  char body[1002] = "";
  send_now(&b, POST("/1", "1000"));
  memset(body, 'x', 1000);
  send_now(&b, body);
  send_now(&b, GET("/2"));
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  send_now(&b, POST("/3", "1001"));
  assert_string_equal(answers(&b), "200:/3/close ");
  assert_true(b.client_saw_end);
  end(&b);
}

static void unread_chunked_body_beyond_discard_closes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
  assert_string_equal(answers(&b), "200:/1 ");  // nobody knows yet
  char body[1001] = "";
  memset(body, 'x', 1000);
  send_now(&b, body);
  assert_false(b.client_saw_end);
  send_now(&b, "\r\n1\r\nx\r\n0\r\n\r\n");
  assert_true(b.client_saw_end);
  assert_notes(&b, "sent:200 ");
  end(&b);
}

static void trailers_longer_than_read_ahead_still_end_the_body(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  b.service.limits.read_ahead = 16;
  send_now(&b, "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
               "X-Trailer: 0123456789abcdef0123456789abcdef\r\n");
  send_now(&b, "\r\n" GET("/2"));
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  end(&b);
}

// ---- refusals ----

static void assert_refused(const char *text, const char *expected, const char *finished) {
  struct bench b;
  begin(&b, echo_target);
  send_now(&b, text);
  settle(&b);
  const char *got = answers(&b);
  if (strncmp(got, expected, 3) != 0) print_error("%s\n", text);
  assert_memory_equal(got, expected, 3);
  assert_non_null(strstr(got, "/close"));
  assert_true(b.client_saw_end);
  assert_int_equal(b.requests, 0);
  assert_int_equal(b.service.stats.rejected, 1);
  assert_notes(&b, finished);
  end(&b);
}

static void broken_requests_are_refused_and_nothing_behind_them_is_read(void **state) {
  (void)state;
  assert_refused("GET / HTTP/1.1\r\n\r\n" GET("/2"), "400", "refused-sent:400 ");
  assert_refused("BREW / HTTP/1.1\r\nHost: a\r\n\r\n" GET("/2"), "501", "refused-sent:501 ");
  assert_refused("GET / HTTP/3.0\r\nHost: a\r\n\r\n" GET("/2"), "505", "refused-sent:505 ");
  assert_refused("GET / HTTP/1.1\r\nHost: a\r\nExpect: b\r\n\r\n", "417", "refused-sent:417 ");
  char text[1024] = "GET /";
  memset(text + 5, 'a', 300);
  assert_refused(text, "414", "refused-sent:414 ");
  snprintf(text, sizeof text, "GET / HTTP/1.1\r\nX: %0500d", 1);
  assert_refused(text, "431", "refused-sent:431 ");
}

static void header_that_comes_too_slowly_is_answered_408(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  b.service.limits.header_timeout_ms = 20;
  send_now(&b, "GET / HTTP/1.1\r\n");
  wait_until(&b, &b.finished, 1);
  assert_memory_equal(answers(&b), "408:", 4);
  assert_true(b.client_saw_end);
  assert_notes(&b, "refused-sent:408 ");
  end(&b);
}

static void idle_connection_is_closed_without_a_word(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  leave(&b);
  settle(&b);
  b.service.limits.idle_timeout_ms = 20;
  open_client(&b);
  wait_for_end(&b);  // never used
  assert_true(b.client_saw_end);
  leave(&b);
  open_client(&b);
  send_now(&b, GET("/1"));
  wait_for_end(&b);  // between requests
  assert_string_equal(answers(&b), "200:/1 ");
  assert_true(b.client_saw_end);
  end(&b);
}

static void body_that_comes_too_slowly_is_an_error(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.service.limits.body_timeout_ms = 20;
  send_now(&b, POST("/1", "10") "hell");
  char text[64] = "";
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  wait_until(&b, &b.notes_len, 1);
  assert_notes(&b, "readable ");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_ETIMEDOUT);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  end(&b);
}

static void request_time_is_told_and_can_still_be_answered(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.service.limits.request_timeout_ms = 20;
  send_now(&b, GET("/1"));
  wait_until(&b, &b.notes_len, 1);
  assert_notes(&b, "gone:ETIMEDOUT ");
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 ");
  assert_notes(&b, "sent:200 ");
  assert_false(b.client_saw_end);
  end(&b);
}

static void request_beyond_the_connections_is_answered_503(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  int first = b.client;
  b.service.limits.connections = 1;
  open_client(&b);
  send_now(&b, GET("/1"));
  assert_memory_equal(answers(&b), "503:", 4);
  assert_true(b.client_saw_end);
  assert_int_equal(b.requests, 0);
  close(first);
  end(&b);
}

// ---- the service's end ----

static void draining_answers_say_close(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));  // begun before
  pl_http_service_drain(&b.service);
  settle(&b);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  assert_true(b.client_saw_end);
  end(&b);
}

static void draining_gives_idle_connections_a_last_chance(void **state) {
  (void)state;
  struct bench b;
  begin(&b, echo_target);
  pl_http_service_drain(&b.service);
  settle(&b);
  send_now(&b, GET("/1"));
  assert_string_equal(answers(&b), "200:/1/close ");
  leave(&b);
  settle(&b);
  open_client(&b);
  wait_for_end(&b);  // nothing is sent in 250 ms
  assert_true(b.client_saw_end);
  assert_int_equal(pl_buf_len(&b.got), 0);
  end(&b);
}

static void abort_ends_whatever_runs(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  int first = b.client;
  open_client(&b);
  send_now(&b, GET("/1"));
  pl_http_service_abort(&b.service);
  assert_notes(&b, "cut:0 gone:ECANCELED ");
  b.x[0]->ops->release(b.x[0]);
  settle(&b);
  assert_int_equal(b.service.connection_count, 0);
  close(first);
  end(&b);
}

// ---- out of memory ----

static void read_or_answer(struct bench *b, struct pl_exchange *x) {
  struct pl_strv piece;
  int result;
  (void)b;
  while ((result = x->ops->read_body(x, &piece)) == 0) continue;
  if (result == PL_EAGAIN) return;
  struct pl_response r = {.status = 200, .headers = PL_STRV("X-A: b\r\n"), .length = -1};
  if (!x->ops->start(x, &r) && x->ops->write(x, PL_STRV("hello")) == 0) (void)!x->ops->finish(x);
  x->ops->release(x);
}

// Each allocation fails in turn. Whatever comes of it, nothing is left and nothing is told twice.
static void running_out_of_memory_leaves_nothing_behind(void **state) {
  (void)state;
  bool is_done = false;
  for (uint64_t nth = 1; !is_done; nth++) {
    struct bench b;
    begin(&b, read_or_answer);
    b.on_readable = read_or_answer;
    b.on_gone = release;
    send_text(b.client,
              GET("/1") "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    pl_mem_fail_nth(nth);
    for (int i = 0; i < 4; i++) turn(&b);
    if (b.service.connection_count)
      (void)!send(b.client, "5\r\nhello\r\n0\r\nX: y\r\n\r\nGE", 23, MSG_NOSIGNAL);
    for (int i = 0; i < 4; i++) turn(&b);
    pl_mem_fail_nth(0);
    settle(&b);
    is_done = b.finished == 2 && strcmp(b.notes, "sent:200 readable sent:200 ") == 0;
    assert_true(b.finished <= 3);
    assert_true(nth < 100);
    end(&b);
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(120);  // what never comes must not be waited for for ever
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pipelined_requests_are_answered_in_order_and_leave_together),
      cmocka_unit_test(pipelined_request_waits_for_the_answer_before_it),
      cmocka_unit_test(many_pipelined_requests_let_others_in_between),
      cmocka_unit_test(bytes_one_by_one_make_the_same_request),
      cmocka_unit_test(idle_connection_holds_no_memory),
      cmocka_unit_test(connection_close_is_answered_then_lingers),
      cmocka_unit_test(linger_ends_by_itself),
      cmocka_unit_test(connection_that_ends_between_requests_is_closed),
      cmocka_unit_test(client_that_leaves_is_told_to_the_handler_once),
      cmocka_unit_test(client_that_leaves_during_its_body_is_told),
      cmocka_unit_test(client_that_leaves_is_noticed_behind_unread_bytes),
      cmocka_unit_test(half_close_route_may_answer_after_the_fin),
      cmocka_unit_test(half_close_route_whose_answer_closes_is_not_called_cut),
      cmocka_unit_test(answered_request_whose_body_never_ends_is_not_called_cut),
      cmocka_unit_test(requests_behind_a_fin_are_not_left_waiting),
      cmocka_unit_test(release_without_an_answer_cuts),
      cmocka_unit_test(cut_lets_the_answers_before_it_out),
      cmocka_unit_test(exchange_may_be_released_long_after_its_answer),
      cmocka_unit_test(held_body_is_sent_as_the_client_takes_it),
      cmocka_unit_test(client_that_takes_no_answers_is_not_read_without_bound),
      cmocka_unit_test(held_body_that_the_kernel_takes_at_once_ends_the_exchange),
      cmocka_unit_test(write_time_out_ends_a_client_that_takes_nothing),
      cmocka_unit_test(slow_client_is_served_where_no_write_time_out_is_set),
      cmocka_unit_test(streamed_answer_is_chunked),
      cmocka_unit_test(streamed_answer_stops_at_64_kib_unsent_and_goes_on),
      cmocka_unit_test(answer_finished_in_on_drain_is_sent_whole),
      cmocka_unit_test(streamed_answer_keeps_its_announced_length),
      cmocka_unit_test(streamed_answer_to_http_1_0_ends_by_closing),
      cmocka_unit_test(answers_without_a_body_have_none_however_they_are_made),
      cmocka_unit_test(cut_stream_ends_without_its_last_chunk),
      cmocka_unit_test(body_is_read_as_it_comes),
      cmocka_unit_test(answer_made_in_on_readable_lets_the_next_request_in),
      cmocka_unit_test(trailers_are_there_at_the_bodys_end),
      cmocka_unit_test(continue_is_sent_when_the_handler_asks_and_nothing_is_there),
      cmocka_unit_test(body_longer_than_its_limit_is_an_error_that_stays),
      cmocka_unit_test(body_with_broken_framing_is_an_error_that_closes),
      cmocka_unit_test(unread_body_is_dropped_up_to_discard),
      cmocka_unit_test(unread_chunked_body_beyond_discard_closes),
      cmocka_unit_test(trailers_longer_than_read_ahead_still_end_the_body),
      cmocka_unit_test(broken_requests_are_refused_and_nothing_behind_them_is_read),
      cmocka_unit_test(header_that_comes_too_slowly_is_answered_408),
      cmocka_unit_test(idle_connection_is_closed_without_a_word),
      cmocka_unit_test(body_that_comes_too_slowly_is_an_error),
      cmocka_unit_test(request_time_is_told_and_can_still_be_answered),
      cmocka_unit_test(request_beyond_the_connections_is_answered_503),
      cmocka_unit_test(draining_answers_say_close),
      cmocka_unit_test(draining_gives_idle_connections_a_last_chance),
      cmocka_unit_test(abort_ends_whatever_runs),
      cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
