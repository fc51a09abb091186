// Who is told that the client has left: requests that are answered and still run, above all.
#include "carrier.h"

#define GET_AND_CLOSE "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// Answers, and goes on: as a task does whose children still run.
static void answer(struct bench *b, struct pl_exchange *x) {
  (void)b;
  assert_int_equal(respond(x, "hi"), 0);
}

static void answer_half_close(struct bench *b, struct pl_exchange *x) {
  x->half_close = x->request.target.len == 5 && memcmp(x->request.target.data, "/half", 5) == 0;
  answer(b, x);
}

static void release_all(struct bench *b) {
  for (size_t i = 0; i < b->requests; i++) b->x[i]->ops->release(b->x[i]);
  assert_int_equal(b->service.exchange_count, 0);
}

// ---- the client leaves ----

static void every_answered_request_is_told_once(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  send_now(&b, GET("/1") GET("/2"));
  send_now(&b, GET("/3"));
  assert_notes(&b, "sent:200 sent:200 sent:200 ");
  assert_string_equal(answers(&b), "200:hi 200:hi 200:hi ");
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "gone:ECONNRESET gone:ECONNRESET gone:ECONNRESET ");
  assert_int_equal(b.service.connection_count, 0);
  pl_http_service_abort(&b.service);
  assert_notes(&b, "");
  release_all(&b);
  end(&b);
}

static void answered_requests_are_told_with_the_one_that_runs(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  b.handler = NULL;
  send_now(&b, GET("/2"));
  assert_notes(&b, "sent:200 ");
  leave(&b);
  settle(&b);
  assert_notes(&b, "gone:ECONNRESET cut:0 gone:ECONNRESET ");
  end(&b);
}

static void answered_request_is_told_within_the_head_of_the_next(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  send_now(&b, "GET /2 HT");
  assert_notes(&b, "sent:200 ");
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "gone:ECONNRESET refused-sent:400 ");
  end(&b);
}

static void released_requests_are_told_nothing(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  send_now(&b, GET("/1") GET("/2"));
  b.x[0]->ops->release(b.x[0]);
  leave(&b);
  settle(&b);
  assert_notes(&b, "sent:200 sent:200 gone:ECONNRESET ");
  b.x[1]->ops->release(b.x[1]);
  end(&b);
}

// An answer on its way is sent to a client that has only ended its own side.
static void answered_request_is_told_while_its_answer_is_sent(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char *text = calloc(1, LARGE);
  send_now(&b, GET("/1"));
  struct pl_response r = {.status = 200, .body = {text, LARGE}, .body_is_held = true};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  for (int i = 0; i < 12; i++) turn(&b);  // nobody takes it yet
  shutdown(b.client, SHUT_WR);
  for (int i = 0; i < 12; i++) turn(&b);
  assert_notes(&b, "gone:ECONNRESET ");
  while (b.finished == 0) settle(&b);
  assert_notes(&b, "sent:200 ");
  assert_true(pl_buf_len(&b.got) > LARGE);
  release_all(&b);
  free(text);
  end(&b);
}

static void half_close_request_survives_a_fin_and_its_neighbours_do_not(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer_half_close);
  send_now(&b, GET("/1") GET("/half"));
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "sent:200 sent:200 gone:ECONNRESET ");
  assert_int_equal(b.service.connection_count, 0);
  pl_http_service_abort(&b.service);
  assert_notes(&b, "gone:ECANCELED ");
  release_all(&b);
  end(&b);
}

// Its socket is closed, which is more than a FIN.
static void half_close_request_is_told_when_nobody_is_there(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer_half_close);
  b.on_gone = release;
  send_now(&b, GET("/half"));
  b.handler = NULL;
  send_now(&b, GET("/half"));
  b.x[1]->half_close = true;
  leave(&b);
  settle(&b);
  assert_notes(&b, "sent:200 gone:ECONNRESET cut:0 gone:ECONNRESET ");
  end(&b);
}

// ---- the server ends the connection ----

static void answered_requests_survive_a_connection_that_the_server_closes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  send_now(&b, GET("/1") GET_AND_CLOSE);
  assert_true(b.client_saw_end);
  leave(&b);
  settle(&b);
  assert_notes(&b, "sent:200 sent:200 ");
  assert_int_equal(b.service.connection_count, 0);
  char text[64] = "x";
  int port;
  b.x[0]->ops->peer(b.x[0], text, sizeof text, &port);
  assert_string_equal(text, "");
  release_all(&b);
  end(&b);
}

static void answered_requests_survive_an_idle_time_out(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  b.service.limits.idle_timeout_ms = 20;
  send_now(&b, GET("/1"));
  wait_for_end(&b);
  assert_true(b.client_saw_end);
  assert_notes(&b, "sent:200 ");
  release_all(&b);
  end(&b);
}

static void answered_requests_survive_the_cut_of_another(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  send_now(&b, GET("/1"));
  b.handler = NULL;
  send_now(&b, GET("/2"));
  b.x[1]->ops->cut(b.x[1]);
  settle(&b);
  assert_true(b.client_saw_end);
  assert_notes(&b, "sent:200 cut:0 gone:ECONNRESET ");  // the second, which never answered
  release_all(&b);
  end(&b);
}

static void what_the_connection_left_behind_hears_of_the_end_of_the_server(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  b.on_gone = release;
  send_now(&b, GET("/1") GET_AND_CLOSE);
  pl_http_service_drain(&b.service);
  settle(&b);
  assert_notes(&b, "sent:200 sent:200 ");
  assert_int_equal(b.service.exchange_count, 2);
  pl_http_service_abort(&b.service);
  assert_notes(&b, "gone:ECANCELED gone:ECANCELED ");
  end(&b);
}

// ---- many ----

// The bench takes 256 requests; each is finished once, though all stay in the connection's list.
static void many_answered_requests_of_one_connection_are_finished_in_turn(void **state) {
  (void)state;
  struct bench b;
  begin(&b, answer);
  for (size_t i = 1; i <= EXCHANGES_MAX; i++) {
    send_now(&b, GET("/1"));
    assert_int_equal(b.finished, i);
  }
  b.notes_len = 0;
  b.on_gone = release;
  leave(&b);
  settle(&b);
  assert_int_equal(b.service.exchange_count, 0);
  end(&b);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(120);  // what never comes must not be waited for for ever
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_answered_request_is_told_once),
      cmocka_unit_test(answered_requests_are_told_with_the_one_that_runs),
      cmocka_unit_test(answered_request_is_told_within_the_head_of_the_next),
      cmocka_unit_test(released_requests_are_told_nothing),
      cmocka_unit_test(answered_request_is_told_while_its_answer_is_sent),
      cmocka_unit_test(half_close_request_survives_a_fin_and_its_neighbours_do_not),
      cmocka_unit_test(half_close_request_is_told_when_nobody_is_there),
      cmocka_unit_test(answered_requests_survive_a_connection_that_the_server_closes),
      cmocka_unit_test(answered_requests_survive_an_idle_time_out),
      cmocka_unit_test(answered_requests_survive_the_cut_of_another),
      cmocka_unit_test(what_the_connection_left_behind_hears_of_the_end_of_the_server),
      cmocka_unit_test(many_answered_requests_of_one_connection_are_finished_in_turn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
