// Connections that do not read: their client's end is found by asking the kernel.
#include "carrier.h"

static void serve_half_close(struct bench *b, struct pl_exchange *x) {
  (void)b;
  x->half_close = true;
}

// More than limits.read_ahead, so that reading stops; it stays unread for good.
static void send_unread(struct bench *b) {
  static const char junk[65536];
  assert_true(send(b->client, junk, sizeof junk, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
  for (int i = 0; i < 12; i++) turn(b);
  assert_false(conn_of(b)->stream.is_reading);
}

static bool is_watched(struct bench *b) {
  return !pl_list_is_empty(&conn_of(b)->watch);
}

// Lets the watch's timer fire a few times.
static void let_it_watch(struct bench *b) {
  for (int i = 0; i < 3; i++) {
    uint64_t due_ms = b->service.watch_timer.due_ms;
    while (pl_timer_is_running(&b->service.watch_timer) && b->service.watch_timer.due_ms == due_ms)
      uv_run(&b->loop.uv, UV_RUN_ONCE);
  }
}

static void client_behind_unread_bytes_is_missed(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  send_unread(&b);
  assert_true(is_watched(&b));
  let_it_watch(&b);
  assert_notes(&b, "");
  shutdown(b.client, SHUT_WR);
  wait_until(&b, &b.finished, 1);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  end(&b);
}

static void half_close_route_survives_a_fin_behind_unread_bytes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, serve_half_close);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  send_unread(&b);
  shutdown(b.client, SHUT_WR);
  let_it_watch(&b);
  assert_notes(&b, "");
  leave(&b);
  wait_until(&b, &b.finished, 1);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  end(&b);
}

static void half_close_route_is_told_of_the_end_behind_the_fin(void **state) {
  (void)state;
  struct bench b;
  begin(&b, serve_half_close);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  assert_false(is_watched(&b));
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_true(is_watched(&b));
  let_it_watch(&b);
  assert_notes(&b, "");
  leave(&b);
  wait_until(&b, &b.finished, 1);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  end(&b);
}

// Its answer waits for the client to take it, and so does what the client has sent meanwhile.
static void answered_request_is_told_of_a_fin_behind_unread_bytes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  char *text = calloc(1, LARGE);
  send_now(&b, GET("/1"));
  struct pl_response r = {.status = 200, .body = {text, LARGE}, .body_is_held = true};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  for (int i = 0; i < 12; i++) turn(&b);
  send_unread(&b);
  shutdown(b.client, SHUT_WR);
  wait_until(&b, &b.notes_len, 1);
  assert_memory_equal(b.notes, "gone:ECONNRESET ", 16);
  b.x[0]->ops->release(b.x[0]);
  leave(&b);
  settle(&b);
  free(text);
  end(&b);
}

static void connection_that_reads_again_is_watched_no_more(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, POST("/1", "65536"));
  send_unread(&b);
  assert_true(is_watched(&b));
  struct pl_strv piece;
  size_t len = 0;
  while (len < 65536) {
    int result = b.x[0]->ops->read_body(b.x[0], &piece);
    assert_true(result == 0 || result == PL_EAGAIN);
    if (result == 0) len += piece.len;
    turn(&b);
  }
  settle(&b);
  assert_false(is_watched(&b));
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 ");
  end(&b);
}

// What the kernel may hold for them is bounded: 64 at a time.
static void few_connections_have_a_larger_buffer_at_a_time(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  for (int is_full = 0; is_full < 2; is_full++) {
    b.service.enlarged_count = is_full ? 64 : 63;
    send_now(&b, GET("/1"));
    send_unread(&b);
    assert_int_equal(conn_of(&b)->is_enlarged, !is_full);
    assert_int_equal(b.service.enlarged_count, 64);
    leave(&b);
    wait_for_end(&b);
    assert_int_equal(b.service.enlarged_count, is_full ? 64 : 63);
    open_client(&b);
  }
  b.service.enlarged_count = 0;
  end(&b);
}

static void half_close_route_needs_no_larger_buffer(void **state) {
  (void)state;
  struct bench b;
  begin(&b, serve_half_close);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  send_unread(&b);
  assert_int_equal(b.service.enlarged_count, 0);
  end(&b);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(120);  // what never comes must not be waited for for ever
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(client_behind_unread_bytes_is_missed),
      cmocka_unit_test(half_close_route_survives_a_fin_behind_unread_bytes),
      cmocka_unit_test(half_close_route_is_told_of_the_end_behind_the_fin),
      cmocka_unit_test(answered_request_is_told_of_a_fin_behind_unread_bytes),
      cmocka_unit_test(connection_that_reads_again_is_watched_no_more),
      cmocka_unit_test(few_connections_have_a_larger_buffer_at_a_time),
      cmocka_unit_test(half_close_route_needs_no_larger_buffer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
