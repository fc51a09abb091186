// The way out: whole answers, held bodies, streams, back pressure, cuts.
#define _GNU_SOURCE  // memmem
#include "base/bytes.h"

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

// ---- what is sent from where it is ----

/// Bytes that an answer is sent from, and how often they were given back.
struct held {
  struct pl_bytes *bytes;
  int sent;
  struct bench *b;
  size_t finished;  // exchanges that were when it was
};

static void on_sent(void *ctx) {
  struct held *h = ctx;
  h->sent++;
  h->finished = h->b->finished;
}

static struct held hold_bytes(struct bench *b, size_t size) {
  struct held h = {.bytes = pl_bytes_new(size), .b = b};
  for (size_t i = 0; i < size; i++) h.bytes->data[i] = (char)('a' + i % 23);
  return h;
}

static struct pl_hold hold_of(struct held *h) {
  return (struct pl_hold){.bytes = h->bytes, .on_sent = on_sent, .ctx = h};
}

static struct pl_strv all_of(const struct held *h) {
  return pl_strv(h->bytes->data, h->bytes->size);
}

// Given back once, and nobody but the test holds them any more.
static void assert_given_back(struct held *h) {
  assert_int_equal(h->sent, 1);
  assert_true(pl_bytes_is_alone(h->bytes));
  pl_bytes_unref(h->bytes);
}

static int respond_with(struct pl_exchange *x, struct held *h, int status) {
  struct pl_response r = {.status = status, .body = all_of(h), .hold = hold_of(h)};
  int result = x->ops->respond(x, &r);
  x->ops->release(x);
  return result;
}

static void bytes_are_sent_from_where_they_are_and_given_back(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 24, 16 * 1024, LARGE};
  for (size_t i = 0; i < PL_ARRAY_LEN(sizes); i++) {
    struct bench b;
    begin(&b, NULL);
    send_now(&b, GET("/1"));
    struct held h = hold_bytes(&b, sizes[i]);
    struct pl_bytes_copies before = pl_bytes_copies();
    assert_int_equal(respond_with(b.x[0], &h, 200), 0);
    assert_int_equal(h.sent, 0);
    for (int k = 0; k < 12; k++) turn(&b);
    bool is_large = sizes[i] == LARGE;  // the client has not read yet
    assert_int_equal(h.sent, !is_large);
    assert_int_equal(pl_bytes_is_alone(h.bytes), !is_large);
    while (!b.finished) settle(&b);
    settle(&b);
    assert_int_equal(h.finished, 0);  // before on_finished
    assert_ends_in(&b, h.bytes->data, sizes[i]);
    assert_int_equal(pl_bytes_copies().bytes, before.bytes);
    assert_given_back(&h);
    end(&b);
  }
}

static void bytes_that_are_not_sent_are_given_back(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held head = hold_bytes(&b, 20000), none = hold_bytes(&b, 20000), empty = hold_bytes(&b, 0);
  send_now(&b, "HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_int_equal(respond_with(b.x[0], &head, 200), 0);
  assert_given_back(&head);
  send_now(&b, GET("/2"));
  assert_int_equal(respond_with(b.x[1], &none, 204), 0);
  assert_given_back(&none);
  send_now(&b, GET("/3"));
  assert_int_equal(respond_with(b.x[2], &empty, 200), 0);
  assert_given_back(&empty);
  settle(&b);
  assert_non_null(strstr(pl_buf_view(&b.got).data, "Content-Length: 20000\r\n"));
  assert_notes(&b, "sent:200 sent:204 sent:200 ");
  end(&b);
}

static void bytes_are_given_back_when_the_client_goes(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  send_now(&b, GET("/1"));
  struct held h = hold_bytes(&b, LARGE);
  assert_int_equal(respond_with(b.x[0], &h, 200), 0);
  for (int i = 0; i < 12; i++) turn(&b);
  assert_int_equal(h.sent, 0);
  leave(&b);
  settle(&b);
  assert_notes(&b, "cut:200 ");
  assert_int_equal(h.finished, 0);
  assert_given_back(&h);
  end(&b);
}

static void bytes_are_given_back_when_the_server_aborts(void **state) {
  (void)state;
  for (int turns = 0; turns < 3; turns++) {
    struct bench b;
    begin(&b, NULL);
    send_now(&b, GET("/1"));
    struct held h = hold_bytes(&b, LARGE);
    assert_int_equal(respond_with(b.x[0], &h, 200), 0);
    for (int i = 0; i < turns; i++) turn(&b);
    pl_http_service_abort(&b.service);
    assert_notes(&b, "cut:200 ");
    assert_int_equal(h.finished, 0);
    assert_given_back(&h);
    end(&b);
  }
}

static void bytes_for_a_client_that_has_gone_are_not_taken(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, GET("/1"));
  leave(&b);
  settle(&b);
  struct held h = hold_bytes(&b, 20000);
  assert_int_equal(respond_with(b.x[0], &h, 200), PL_ECONNRESET);
  assert_int_equal(h.sent, 0);
  assert_true(pl_bytes_is_alone(h.bytes));
  pl_bytes_unref(h.bytes);
  end(&b);
}

static void start_stream(struct bench *b, int64_t length) {
  send_now(b, GET("/1"));
  struct pl_response r = {.status = 200, .length = length};
  assert_int_equal(b->x[0]->ops->start(b->x[0], &r), 0);
}

static int write_from(struct pl_exchange *x, struct held *h, size_t size) {
  struct pl_hold hold = hold_of(h);
  return x->ops->write_held(x, pl_strv(h->bytes->data, size), &hold);
}

static void finish_stream(struct bench *b) {
  assert_int_equal(b->x[0]->ops->finish(b->x[0]), 0);
  b->x[0]->ops->release(b->x[0]);
  while (!b->finished) settle(b);
  settle(b);
}

// The chunks of the answer's body, joined, in place of what the client has got.
static void join_chunks(struct bench *b) {
  struct pl_strv got = pl_buf_view(&b->got);
  char *from = (char *)memmem(got.data, got.len, "\r\n\r\n", 4) + 4, *to = (char *)got.data, *at;
  for (;;) {
    size_t size = strtoul(from, &at, 16);
    assert_memory_equal(at, "\r\n", 2);
    memmove(to, at + 2, size);
    to += size;
    from = at + 2 + size;
    assert_memory_equal(from, "\r\n", 2);
    from += 2;
    if (size == 0) break;
  }
  assert_ptr_equal(from, got.data + got.len);
  b->got.end = b->got.start + (size_t)(to - got.data);
}

static void large_pieces_from_bytes_are_not_copied(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held h = hold_bytes(&b, 3 * LARGE);
  start_stream(&b, -1);
  struct pl_bytes_copies before = pl_bytes_copies();
  assert_int_equal(b.x[0]->ops->write(b.x[0], PL_STRV("first,")), 0);
  assert_int_equal(write_from(b.x[0], &h, LARGE), PL_EAGAIN);
  assert_int_equal(h.sent, 0);
  while (h.sent < 1) settle(&b);
  settle(&b);
  assert_notes(&b, "drain ");
  assert_int_equal(write_from(b.x[0], &h, 20000), 0);  // the client's buffer takes it whole
  assert_int_equal(h.sent, 2);
  assert_int_equal(write_from(b.x[0], &h, 2 * LARGE), PL_EAGAIN);
  finish_stream(&b);  // without waiting for it
  assert_int_equal(pl_bytes_copies().bytes, before.bytes);
  join_chunks(&b);
  struct pl_strv got = pl_buf_view(&b.got);
  assert_int_equal(got.len, 6 + LARGE + 20000 + 2 * LARGE);
  assert_memory_equal(got.data, "first,", 6);
  assert_memory_equal(got.data + 6, h.bytes->data, LARGE);
  assert_memory_equal(got.data + 6 + LARGE, h.bytes->data, 20000);
  assert_memory_equal(got.data + 26006 + LARGE - 6000, h.bytes->data, 2 * LARGE);
  assert_int_equal(b.x[0]->bytes_out, 6 + LARGE + 20000 + 2 * LARGE);
  h.sent -= 2;
  assert_given_back(&h);
  end(&b);
}

static void small_pieces_from_bytes_are_copied_and_counted(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held h = hold_bytes(&b, 1000);
  start_stream(&b, 1500);
  struct pl_bytes_copies before = pl_bytes_copies();
  assert_int_equal(write_from(b.x[0], &h, 1000), 0);
  assert_int_equal(h.sent, 1);
  assert_int_equal(write_from(b.x[0], &h, 501), PL_EINVAL);  // more than announced
  assert_int_equal(h.sent, 1);
  assert_int_equal(write_from(b.x[0], &h, 500), 0);
  assert_int_equal(pl_bytes_copies().bytes, before.bytes + 1500);
  finish_stream(&b);
  assert_ends_in(&b, h.bytes->data, 500);
  h.sent--;
  assert_given_back(&h);
  end(&b);
}

// A writer that does not wait: what it has written comes in its order all the same.
static void pieces_in_a_hurry_keep_their_order(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held h = hold_bytes(&b, LARGE), i = hold_bytes(&b, LARGE), j = hold_bytes(&b, 30000);
  start_stream(&b, -1);
  char *text = large_text();
  int result = 0;  // the kernel has enough: what follows waits
  size_t before = 0;
  for (; result == 0; before += 40000) result = b.x[0]->ops->write(b.x[0], pl_strv(text, 40000));
  for (int k = 0; k < 12; k++) turn(&b);
  while (!conn_of(&b)->stream.write) {
    (void)!b.x[0]->ops->write(b.x[0], pl_strv(text, 40000));
    before += 40000;
    for (int k = 0; k < 3; k++) turn(&b);
  }
  assert_int_equal(write_from(b.x[0], &h, LARGE), PL_EAGAIN);
  assert_int_equal(write_from(b.x[0], &j, 30000), PL_EAGAIN);  // copied, and the one before it too
  assert_int_equal(j.sent, 1);
  assert_int_equal(h.sent, 1);
  assert_int_equal(b.x[0]->ops->write(b.x[0], PL_STRV("between")), PL_EAGAIN);
  while (!pl_conn_is_flushed(conn_of(&b))) settle(&b);
  assert_int_equal(write_from(b.x[0], &i, LARGE), PL_EAGAIN);
  assert_int_equal(b.x[0]->ops->write(b.x[0], PL_STRV("last")), 0);
  finish_stream(&b);
  join_chunks(&b);
  struct pl_strv got = pl_buf_view(&b.got);
  assert_int_equal(got.len, before + 2 * (size_t)LARGE + 30000 + 7 + 4);
  assert_memory_equal(got.data + before, h.bytes->data, LARGE);
  assert_memory_equal(got.data + before + LARGE, j.bytes->data, 30000);
  assert_memory_equal(got.data + before + LARGE + 30000, "between", 7);
  assert_memory_equal(got.data + got.len - 4 - LARGE, i.bytes->data, LARGE);
  assert_memory_equal(got.data + got.len - 4, "last", 4);
  assert_given_back(&h);
  assert_given_back(&i);
  assert_given_back(&j);
  free(text);
  end(&b);
}

// The write before it is over first: that says nothing about the piece.
static void a_piece_behind_a_pending_write_is_held_until_it_is_sent(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held h = hold_bytes(&b, LARGE);
  char *text = large_text();
  start_stream(&b, LARGE + LARGE);
  (void)!b.x[0]->ops->write(b.x[0], pl_strv(text, LARGE));
  for (int i = 0; i < 12; i++) turn(&b);
  assert_non_null(conn_of(&b)->stream.write);
  assert_int_equal(write_from(b.x[0], &h, LARGE), PL_EAGAIN);
  while (conn_of(&b)->held.len) {
    assert_int_equal(h.sent, 0);
    receive(&b);
    turn(&b);
  }
  assert_non_null(conn_of(&b)->stream.write);  // it is under way
  assert_int_equal(h.sent, 0);
  finish_stream(&b);
  assert_ends_in(&b, h.bytes->data, LARGE);
  assert_given_back(&h);
  free(text);
  end(&b);
}

static void a_piece_is_given_back_when_its_stream_is_cut(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held h = hold_bytes(&b, LARGE);
  start_stream(&b, -1);
  assert_int_equal(write_from(b.x[0], &h, LARGE), PL_EAGAIN);
  b.x[0]->ops->release(b.x[0]);
  for (int i = 0; i < 12; i++) turn(&b);
  assert_notes(&b, "cut:200 ");
  assert_given_back(&h);
  end(&b);
}

static void pieces_for_a_head_request_are_given_back_unsent(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  struct held h = hold_bytes(&b, 20000);
  send_now(&b, "HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  struct pl_response r = {.status = 200, .length = -1};
  assert_int_equal(b.x[0]->ops->start(b.x[0], &r), 0);
  assert_int_equal(write_from(b.x[0], &h, 20000), 0);
  finish_stream(&b);
  assert_memory_equal(pl_buf_view(&b.got).data + pl_buf_len(&b.got) - 4, "\r\n\r\n", 4);
  assert_given_back(&h);
  end(&b);
}

// Each allocation fails in turn, of the answer or of its pieces: the bytes are given back once, or
// have not been taken.
static void running_out_of_memory_gives_bytes_back(void **state) {
  (void)state;
  bool is_done = false;
  for (uint64_t nth = 1; !is_done; nth++) {
    struct bench b;
    begin(&b, NULL);
    b.on_gone = release;
    struct held whole = hold_bytes(&b, LARGE), piece = hold_bytes(&b, LARGE);
    int taken[2] = {0, 0};
    send_now(&b, GET("/1"));
    pl_mem_fail_nth(nth);
    int result = respond_with(b.x[0], &whole, 200);
    taken[0] = result == 0;
    settle(&b);
    for (int i = 0; b.service.connection_count && b.finished < 1 && i < 1000; i++) settle(&b);
    if (b.service.connection_count) send_now(&b, GET("/2"));
    if (b.requests == 2) {
      struct pl_response r = {.status = 200, .length = -1};
      result = b.x[1]->ops->start(b.x[1], &r);
      if (result == 0) result = write_from(b.x[1], &piece, LARGE);
      taken[1] = result == 0 || result == PL_EAGAIN;
      for (int i = 0; piece.sent < taken[1] && i < 1000; i++) settle(&b);
      if (taken[1]) result = b.x[1]->ops->finish(b.x[1]);
      is_done = taken[1] && result == 0;
      if (b.x[1]->ops) b.x[1]->ops->release(b.x[1]);
    }
    pl_mem_fail_nth(0);
    settle(&b);
    assert_true(nth < 50);
    end(&b);
    assert_int_equal(whole.sent, taken[0]);
    assert_int_equal(piece.sent, taken[1]);
    whole.sent = piece.sent = 1;
    assert_given_back(&whole);
    assert_given_back(&piece);
  }
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
      cmocka_unit_test(bytes_are_sent_from_where_they_are_and_given_back),
      cmocka_unit_test(bytes_that_are_not_sent_are_given_back),
      cmocka_unit_test(bytes_are_given_back_when_the_client_goes),
      cmocka_unit_test(bytes_are_given_back_when_the_server_aborts),
      cmocka_unit_test(bytes_for_a_client_that_has_gone_are_not_taken),
      cmocka_unit_test(large_pieces_from_bytes_are_not_copied),
      cmocka_unit_test(small_pieces_from_bytes_are_copied_and_counted),
      cmocka_unit_test(pieces_in_a_hurry_keep_their_order),
      cmocka_unit_test(a_piece_behind_a_pending_write_is_held_until_it_is_sent),
      cmocka_unit_test(a_piece_is_given_back_when_its_stream_is_cut),
      cmocka_unit_test(pieces_for_a_head_request_are_given_back_unsent),
      cmocka_unit_test(running_out_of_memory_gives_bytes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
