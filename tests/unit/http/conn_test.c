// The life of a connection: its end, its time-outs, draining, memory.
#include "carrier.h"

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
