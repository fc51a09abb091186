// Connections that do not read: their client's end is found by asking the kernel; and those that
// memory is too tight for go on in turn.
#include "http/watch.h"

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

// ---- memory that is tight ----

enum { LIMIT = 1000, TIGHT = 800, BODY_MS = 50 };

static struct pl_account account;

static void begin_tight(struct bench *b, size_t limit) {
  begin(b, NULL);
  pl_account_init(&account, limit);
  account.bytes = TIGHT;
  b->service.account = &account;
}

static void empty(struct pl_account *of) {
  of->bytes = 0;
}

static bool is_paused(const struct bench *b, const struct pl_exchange *x) {
  for (struct pl_list *n = b->service.connections.next; n != &b->service.connections; n = n->next) {
    const struct pl_conn *conn = PL_CONTAINER_OF(n, struct pl_conn, link);
    if (conn->current && &conn->current->x == x) return conn->is_paused;
  }
  return false;
}

// The client begins a body whose reader has to wait for the rest.
static struct pl_exchange *pause_body(struct bench *b) {
  char text[64] = "";
  send_now(b, POST("/1", "4") "ab");
  struct pl_exchange *x = b->x[b->requests - 1];
  assert_int_equal(read_body(x, text, sizeof text), PL_EAGAIN);
  send_now(b, "cd");
  assert_true(is_paused(b, x));
  assert_notes(b, "");
  return x;
}

static void expect_rest(struct bench *b, struct pl_exchange *x) {
  char text[64] = "";
  assert_int_equal(read_body(x, text, sizeof text), PL_EOF);
  assert_string_equal(text, "cd");
  echo_target(b, x);
  settle(b);
}

static void a_body_waits_until_memory_is_not_tight(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  struct pl_exchange *x = pause_body(&b);
  account.bytes = 0;
  wait_until(&b, &b.notes_len, 1);
  assert_notes(&b, "readable ");
  assert_false(is_paused(&b, x));
  expect_rest(&b, x);
  assert_string_equal(answers(&b), "200:/1 ");
  end(&b);
}

static void who_has_waited_longest_goes_on_while_it_stays_tight(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  struct pl_exchange *first = pause_body(&b);
  int other = b.client;
  open_client(&b);
  struct pl_exchange *second = pause_body(&b);
  wait_until(&b, &b.notes_len, 1);
  assert_notes(&b, "readable ");
  assert_false(is_paused(&b, first));
  assert_true(is_paused(&b, second));
  wait_until(&b, &b.notes_len, 1);
  assert_false(is_paused(&b, second));
  expect_rest(&b, first);
  expect_rest(&b, second);
  close(other);
  end(&b);
}

static void who_waits_has_memory_given_back(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  struct pl_exchange *first = pause_body(&b);
  int other = b.client;
  open_client(&b);
  struct pl_exchange *second = pause_body(&b);
  account.relieve = empty;
  while (is_paused(&b, first)) uv_run(&b.loop.uv, UV_RUN_ONCE);
  assert_false(is_paused(&b, second));  // in the same tick
  wait_until(&b, &b.notes_len, 2 * strlen("readable "));
  expect_rest(&b, first);
  expect_rest(&b, second);
  close(other);
  end(&b);
}

static void a_body_may_go_on_only_once(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  struct pl_exchange *x = pause_body(&b);
  wait_until(&b, &b.notes_len, 1);
  expect_rest(&b, x);
  assert_notes(&b, "readable sent:200 ");
  x = pause_body(&b);  // the next on this connection waits again
  account.bytes = 0;
  wait_until(&b, &b.notes_len, 1);
  expect_rest(&b, x);
  end(&b);
}

static void heads_are_read_and_bodies_dropped_while_it_is_tight(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  b.handler = echo_target;
  send_now(&b, GET("/1"));
  send_now(&b, POST("/2", "4"));
  send_now(&b, "abcd" GET("/3"));
  assert_string_equal(answers(&b), "200:/1 200:/2 200:/3 ");
  end(&b);
}

static void nothing_is_read_ahead_while_it_is_tight(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  send_now(&b, GET("/1"));
  send_now(&b, GET("/2"));
  assert_int_equal(conn_of(&b)->input.len, 0);
  echo_target(&b, b.x[0]);
  b.handler = echo_target;
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  end(&b);
}

static void a_client_that_leaves_while_it_waits_is_noticed(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  struct pl_exchange *x = pause_body(&b);
  leave(&b);
  wait_until(&b, &b.notes_len, 1);
  assert_string_equal(b.notes, "cut:0 gone:ECONNRESET ");
  x->ops->release(x);
  end(&b);
}

static void the_time_in_which_nothing_is_read_is_not_the_clients(void **state) {
  (void)state;
  struct bench b;
  begin_tight(&b, LIMIT);
  b.service.limits.body_timeout_ms = BODY_MS;  // less than until it goes on
  char text[64] = "";
  send_now(&b, POST("/1", "4") "ab");
  assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
  settle(&b);
  assert_true(is_paused(&b, b.x[0]));
  assert_int_equal(conn_of(&b)->deadline_ms, UINT64_MAX);
  while (is_paused(&b, b.x[0])) uv_run(&b.loop.uv, UV_RUN_ONCE);
  assert_in_range(conn_of(&b)->deadline_ms, pl_loop_now_ms(&b.loop) + 1,
                  pl_loop_now_ms(&b.loop) + BODY_MS);
  send_now(&b, "cd");
  assert_notes(&b, "readable ");
  expect_rest(&b, b.x[0]);
  assert_string_equal(answers(&b), "200:/1 ");
  end(&b);
}

static void unsent_answers_count_until_they_have_left(void **state) {
  (void)state;
  static char large[LARGE];
  struct bench b;
  begin_tight(&b, 4 * LARGE);
  account.bytes = 0;
  send_text(b.client, GET("/1"));
  while (b.requests == 0) turn(&b);
  struct pl_response r = {.status = 200, .body = pl_strv(large, sizeof large)};
  assert_int_equal(b.x[0]->ops->respond(b.x[0], &r), 0);
  b.x[0]->ops->release(b.x[0]);
  turn(&b);
  assert_in_range(account.bytes, LARGE, 4 * LARGE);
  while (b.finished == 0) {
    turn(&b);
    receive(&b);
  }
  settle(&b);
  assert_in_range(account.bytes, 0, 64 * 1024);
  pl_http_service_trim(&b.service);
  assert_int_equal(account.bytes, 0);
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
      cmocka_unit_test(a_body_waits_until_memory_is_not_tight),
      cmocka_unit_test(who_has_waited_longest_goes_on_while_it_stays_tight),
      cmocka_unit_test(who_waits_has_memory_given_back),
      cmocka_unit_test(a_body_may_go_on_only_once),
      cmocka_unit_test(heads_are_read_and_bodies_dropped_while_it_is_tight),
      cmocka_unit_test(nothing_is_read_ahead_while_it_is_tight),
      cmocka_unit_test(a_client_that_leaves_while_it_waits_is_noticed),
      cmocka_unit_test(the_time_in_which_nothing_is_read_is_not_the_clients),
      cmocka_unit_test(unsent_answers_count_until_they_have_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
