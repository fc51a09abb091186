// The way out: whole answers, held bodies, streams, back pressure, cuts.
#include "carrier.h"

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

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(120);  // what never comes must not be waited for for ever
  const struct CMUnitTest tests[] = {
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
