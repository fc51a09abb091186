// The way in: order, pipelining, bodies that are read and bodies that are dropped.
#include "carrier.h"

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

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(120);  // what never comes must not be waited for for ever
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pipelined_requests_are_answered_in_order_and_leave_together),
      cmocka_unit_test(pipelined_request_waits_for_the_answer_before_it),
      cmocka_unit_test(many_pipelined_requests_let_others_in_between),
      cmocka_unit_test(bytes_one_by_one_make_the_same_request),
      cmocka_unit_test(idle_connection_holds_no_memory),
      cmocka_unit_test(body_is_read_as_it_comes),
      cmocka_unit_test(answer_made_in_on_readable_lets_the_next_request_in),
      cmocka_unit_test(trailers_are_there_at_the_bodys_end),
      cmocka_unit_test(continue_is_sent_when_the_handler_asks_and_nothing_is_there),
      cmocka_unit_test(body_longer_than_its_limit_is_an_error_that_stays),
      cmocka_unit_test(body_with_broken_framing_is_an_error_that_closes),
      cmocka_unit_test(unread_body_is_dropped_up_to_discard),
      cmocka_unit_test(unread_chunked_body_beyond_discard_closes),
      cmocka_unit_test(trailers_longer_than_read_ahead_still_end_the_body),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
