// Bodies that are kept: however they arrive, they are whole, in place, and copied as little as
// promised.
#define _GNU_SOURCE  // memmem
#include "base/bytes.h"
#include "http/request_body.h"

#include "carrier.h"

enum { MEGABYTE = 1024 * 1024 };

static char pattern(size_t i) {
  return (char)('a' + (i * 7 + i / 26 + i / 4096) % 26);
}

// The head of a POST, its body and what follows; the caller's to free.
static char *make_request(const char *target, size_t body, const char *behind, size_t *head) {
  char *text = malloc(body + strlen(behind) + 200);
  assert_non_null(text);
  *head = (size_t)sprintf(text, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                          target, body);
  for (size_t i = 0; i < body; i++) text[*head + i] = pattern(i);
  strcpy(text + *head + body, behind);
  return text;
}

static void assert_body(const struct pl_exchange *x, size_t size) {
  assert_int_equal(x->body ? x->body->size : 0, size);
  assert_int_equal(x->bytes_in, size);
  for (size_t i = 0; i < size; i++)
    if (x->body->data[i] != pattern(i)) fail_msg("byte %zu of %zu", i, size);
}

// Sends all of it, with turns of the loop in between: more than a socket takes at once.
static void send_bytes(struct bench *b, const char *text, size_t len) {
  while (len) {
    ssize_t n = send(b->client, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      text += n;
      len -= (size_t)n;
    }
    turn(b);
  }
  settle(b);
}

static int keep(struct pl_exchange *x) {
  int result;
  while ((result = x->ops->keep_body(x)) == 0) {
    result = pl_request_body_make_room(x, 1);
    if (result) return result;
  }
  return result;
}

// Keeps the body and sends it back from where it is.
static void keep_and_echo(struct bench *b, struct pl_exchange *x) {
  int result = keep(x);
  if (result == PL_EAGAIN) return;
  assert_int_equal(result, PL_EOF);
  struct pl_response r = {.status = 200};
  if (x->body) r.body = pl_strv(x->body->data, x->body->size);
  r.hold.bytes = x->body;
  assert_int_equal(x->ops->respond(x, &r), 0);
  x->ops->release(x);
  note(b, "kept:%zu ", (size_t)x->bytes_in);
}

// As tasks do it: when the loop has read everything that there is.
static void keep_later(struct bench *b) {
  if (!b->requests || b->x[b->requests - 1] == NULL) return;
  struct pl_exchange *x = b->x[b->requests - 1];
  b->x[b->requests - 1] = NULL;
  if (x->request.content_length >= 0) b->on_readable = keep_and_echo;
  keep_and_echo(b, x);
}

// ---- however it arrives ----

static void check_split(size_t first, size_t second, bool is_late) {
  struct bench b;
  size_t head, size = 300;
  char *text = make_request("/1", size, GET("/2"), &head);
  size_t len = strlen(text);
  if (second > len) second = len;
  if (first > second) first = second;
  begin(&b, is_late ? NULL : keep_and_echo);
  b.on_readable = keep_and_echo;
  const size_t ends[] = {first, second, len};
  for (size_t i = 0, at = 0; i < 3; at = ends[i++]) {
    if (ends[i] > at)
      assert_int_equal(send(b.client, text + at, ends[i] - at, MSG_NOSIGNAL), ends[i] - at);
    for (int turns = 0; turns < 3; turns++) turn(&b);
    if (is_late) keep_later(&b);
  }
  if (is_late) {
    settle(&b);
    keep_later(&b);
    settle(&b);
  }
  settle(&b);
  assert_int_equal(b.requests, 2);
  assert_int_equal(b.finished, 2);
  const char *body = memmem(pl_buf_view(&b.got).data, pl_buf_len(&b.got), "\r\n\r\n", 4);
  assert_non_null(body);
  assert_memory_equal(body + 4, text + head, size);
  assert_memory_equal(body + 4 + size, "HTTP/1.1 200 OK", 15);
  free(text);
  end(&b);
}

static void a_body_is_whole_wherever_its_request_is_split(void **state) {
  (void)state;
  for (size_t i = 1; i < 420; i++) {
    check_split(i, i, false);
    check_split(i, i, true);
  }
}

static void a_body_is_whole_in_three_pieces(void **state) {
  (void)state;
  for (size_t i = 20; i < 420; i += 13)
    for (size_t j = i; j < 420; j += 29) {
      check_split(i, j, false);
      check_split(i, j, true);
    }
}

static void pipelined_bodies_do_not_mix(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 10, 5000, 64 * 1024, 70000, 99999, 0, 3};
  struct bench b;
  begin(&b, keep_and_echo);
  b.on_readable = keep_and_echo;
  char *all = malloc(MEGABYTE), *at = all;
  for (size_t i = 0; i < PL_ARRAY_LEN(sizes); i++) {
    size_t head;
    char *text = make_request("/x", sizes[i], "", &head);
    memcpy(at, text, head + sizes[i]);
    at += head + sizes[i];
    free(text);
  }
  send_bytes(&b, all, (size_t)(at - all));
  while (b.finished < PL_ARRAY_LEN(sizes)) settle(&b);
  const char *got = pl_buf_view(&b.got).data, *got_end = got + pl_buf_len(&b.got);
  for (size_t i = 0; i < PL_ARRAY_LEN(sizes); i++) {
    const char *body = memmem(got, (size_t)(got_end - got), "\r\n\r\n", 4);
    assert_non_null(body);
    for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(body[4 + k], pattern(k));
    got = body + 4 + sizes[i];
  }
  assert_ptr_equal(got, got_end);
  free(all);
  end(&b);
}

// ---- the copy budget ----

static void only_the_first_fragment_is_copied(void **state) {
  (void)state;
  const size_t size = 10 * MEGABYTE, fragment = 1000;
  struct bench b;
  size_t head;
  char *text = make_request("/1", size, GET("/2"), &head);
  begin(&b, NULL);
  b.service.limits.body = 16 * MEGABYTE;
  struct pl_bytes_copies before = pl_bytes_copies();
  assert_int_equal(send(b.client, text, head + fragment, MSG_NOSIGNAL), head + fragment);
  settle(&b);  // no task runs within the read: the fragment has gone to its place meanwhile
  assert_int_equal(b.requests, 1);
  assert_int_equal(b.x[0]->body->size, fragment);
  assert_null(conn_of(&b)->in.block);
  b.on_readable = keep_and_echo;
  keep_and_echo(&b, b.x[0]);
  const char *data = b.x[0]->body->data;
  b.handler = echo_target;
  send_bytes(&b, text + head + fragment, size - fragment + strlen(GET("/2")));
  while (b.finished < 2) settle(&b);
  struct pl_bytes_copies after = pl_bytes_copies();
  assert_int_equal(after.bytes - before.bytes, fragment);
  assert_int_equal(after.count - before.count, 1);
  assert_int_equal((uintptr_t)data % PL_BYTES_ALIGN, 0);
  const char *body = memmem(pl_buf_view(&b.got).data, pl_buf_len(&b.got), "\r\n\r\n", 4);
  assert_memory_equal(body + 4, text + head, size);
  free(text);
  end(&b);
}

static void a_reader_that_waits_is_told_when_there_is_something_to_do(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, POST("/1", "1000"));
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  const char *data = b.x[0]->body->data;
  for (size_t i = 0; i < 999; i++) {
    char c[2] = {pattern(i), '\0'};
    send_text(b.client, c);
    if (i % 50 == 0) settle(&b);
  }
  settle(&b);
  assert_notes(&b, "");  // it has room: no need to wake it
  assert_int_equal(b.x[0]->body->size, 999);
  char last[2] = {pattern(999), '\0'};
  send_now(&b, last);
  assert_notes(&b, "readable ");
  assert_ptr_equal(b.x[0]->body->data, data);
  assert_int_equal(keep(b.x[0]), PL_EOF);
  assert_int_equal(keep(b.x[0]), PL_EOF);
  assert_body(b.x[0], 1000);
  echo_target(&b, b.x[0]);
  end(&b);
}

static void a_chunked_body_is_copied_once(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  assert_int_equal(pl_request_body_make_room(b.x[0], 90000), 0);  // growing may copy
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  struct pl_bytes_copies before = pl_bytes_copies();
  b.on_readable = NULL;
  size_t sent = 0;
  for (size_t size = 1; size < 1000; size += 7) {
    char chunk[1100];
    int n = sprintf(chunk, "%zx;ext=1\r\n", size);
    for (size_t i = 0; i < size; i++) chunk[n++] = pattern(sent++);
    n += sprintf(chunk + n, "\r\n");
    // In two halves, wherever that is.
    assert_int_equal(send(b.client, chunk, (size_t)n / 2, MSG_NOSIGNAL), n / 2);
    turn(&b);
    assert_int_equal(send(b.client, chunk + n / 2, (size_t)(n - n / 2), MSG_NOSIGNAL), n - n / 2);
    turn(&b);
    b.service.limits.parse.chunk_ext = 100000;
  }
  assert_notes(&b, "");
  send_now(&b, "0\r\nX-T: 1\r\n\r\n" GET("/2"));
  assert_notes(&b, "readable ");
  assert_int_equal(keep(b.x[0]), PL_EOF);
  assert_body(b.x[0], sent);
  assert_int_equal(b.x[0]->request.trailers.count, 1);
  assert_int_equal(pl_bytes_copies().bytes - before.bytes, sent);
  b.handler = echo_target;
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  end(&b);
}

static void a_chunked_body_is_whole_with_any_room(void **state) {
  (void)state;
  static const char text[] =
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=y\r\n world\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n" GET("/2");
  for (size_t split = 60; split < sizeof text; split++) {
    struct bench b;
    begin(&b, NULL);
    assert_int_equal(send(b.client, text, split, MSG_NOSIGNAL), split);
    settle(&b);
    struct pl_exchange *x = b.x[0];
    int result;
    bool is_sent = false;
    // Room for one byte at a time: the rule is not what is tested here.
    while ((result = x->ops->keep_body(x)) != PL_EOF) {
      if (result == PL_EAGAIN && !is_sent) {
        send_now(&b, text + split);
        is_sent = true;
        continue;
      }
      assert_int_equal(result, 0);
      if (!x->body) x->body = pl_bytes_new_empty(1);
      assert_int_equal(pl_bytes_reserve(x->body, x->body->size + 1), 0);
    }
    assert_int_equal(x->body->size, 12);
    assert_memory_equal(x->body->data, "hello world!", 12);
    assert_int_equal(x->request.trailers.count, 1);
    b.handler = echo_target;
    echo_target(&b, x);
    if (!is_sent) send_now(&b, text + split);
    settle(&b);
    assert_string_equal(answers(&b), "200:/1 200:/2 ");
    end(&b);
  }
}

// ---- what waits for room ----

// Bytes that the kernel still has.
static int unread(struct bench *b) {
  int bytes = 0;
  uv_os_fd_t fd;
  assert_int_equal(uv_fileno(&conn_of(b)->stream.uv.handle, &fd), 0);
  assert_int_equal(ioctl(fd, FIONREAD, &bytes), 0);
  return bytes;
}

static void what_has_no_room_stays_with_the_kernel(void **state) {
  (void)state;
  struct bench b;
  size_t head, size = 400 * 1024;
  char *text = make_request("/1", size, GET("/2"), &head);
  begin(&b, NULL);
  b.service.limits.body = MEGABYTE;
  assert_int_equal(send(b.client, text, head, MSG_NOSIGNAL), head);
  settle(&b);
  struct pl_exchange *x = b.x[0];
  assert_int_equal(keep(x), PL_EAGAIN);
  assert_int_equal(x->body->cap, 64 * 1024);
  assert_int_equal(send(b.client, text + head, 100000, MSG_NOSIGNAL), 100000);
  struct pl_bytes_copies before = pl_bytes_copies();
  settle(&b);  // the reader is told, and does not come
  assert_notes(&b, "readable ");
  assert_int_equal(x->body->size, 64 * 1024);
  assert_int_equal(unread(&b), 100000 - 64 * 1024);
  assert_false(conn_of(&b)->stream.is_reading);
  assert_int_equal(keep(x), PL_EAGAIN);
  b.on_readable = keep_and_echo;
  b.handler = echo_target;
  send_bytes(&b, text + head + 100000, size - 100000 + strlen(GET("/2")));
  while (b.finished < 2) settle(&b);
  assert_int_equal(pl_bytes_copies().bytes, before.bytes);
  const char *body = memmem(pl_buf_view(&b.got).data, pl_buf_len(&b.got), "\r\n\r\n", 4);
  assert_memory_equal(body + 4, text + head, size);
  free(text);
  end(&b);
}

static void a_client_that_leaves_while_its_body_has_no_room_is_noticed(void **state) {
  (void)state;
  struct bench b;
  size_t head;
  char *text = make_request("/1", 90000, "", &head);
  begin(&b, NULL);
  b.service.account = NULL;
  assert_int_equal(send(b.client, text, head, MSG_NOSIGNAL), head);
  settle(&b);
  struct pl_exchange *x = b.x[0];
  x->body = pl_bytes_new_empty(1000);
  assert_int_equal(keep(x), PL_EAGAIN);
  assert_int_equal(send(b.client, text + head, 50000, MSG_NOSIGNAL), 50000);
  settle(&b);
  assert_notes(&b, "readable ");
  leave(&b);
  b.on_gone = release;
  while (!b.finished) uv_run(&b.loop.uv, UV_RUN_ONCE);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  free(text);
  end(&b);
}

static void an_answer_before_the_room_is_made_lets_the_next_request_in(void **state) {
  (void)state;
  struct bench b;
  size_t head;
  char *text = make_request("/1", 5000, GET("/2"), &head);
  begin(&b, NULL);
  b.service.limits.discard = 5000;
  assert_int_equal(send(b.client, text, head, MSG_NOSIGNAL), head);
  settle(&b);
  b.x[0]->body = pl_bytes_new_empty(1000);
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  send_bytes(&b, text + head, strlen(text + head));
  assert_false(conn_of(&b)->stream.is_reading);
  b.handler = echo_target;
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  free(text);
  end(&b);
}

// ---- who does not keep it ----

static void a_fragment_in_its_place_can_be_read_in_pieces(void **state) {
  (void)state;
  for (size_t split = 1; split <= 300; split += 7) {
    struct bench b;
    size_t head;
    char *text = make_request("/1", 300, GET("/2"), &head), got[400] = "";
    begin(&b, NULL);
    assert_int_equal(send(b.client, text, head + split, MSG_NOSIGNAL), head + split);
    settle(&b);
    assert_int_equal(b.x[0]->body->size, split);
    send_now(&b, text + head + split);  // read ahead: in its place, too
    assert_int_equal(read_body(b.x[0], got, sizeof got), PL_EOF);
    assert_int_equal(strlen(got), 300);
    assert_memory_equal(got, text + head, 300);
    b.handler = echo_target;
    echo_target(&b, b.x[0]);
    settle(&b);
    assert_string_equal(answers(&b), "200:/1 200:/2 ");
    free(text);
    end(&b);
  }
}

static void a_piecewise_reader_gives_the_fragments_memory_back(void **state) {
  (void)state;
  struct bench b;
  struct pl_account account;
  char got[400] = "";
  pl_account_init(&account, MEGABYTE);
  begin(&b, NULL);
  b.service.account = &account;
  send_now(&b, POST("/1", "8") "hell");
  assert_int_equal(b.x[0]->body_counted, 8);
  assert_int_equal(read_body(b.x[0], got, sizeof got), PL_EAGAIN);
  assert_null(b.x[0]->body);
  assert_int_equal(b.x[0]->body_counted, 0);
  send_now(&b, "o yo");
  assert_null(b.x[0]->body);
  assert_int_equal(read_body(b.x[0], got, sizeof got), PL_EOF);
  assert_string_equal(got, "hello yo");
  echo_target(&b, b.x[0]);
  end(&b);
  assert_int_equal(account.bytes, 0);
}

static void a_body_that_nobody_reads_is_dropped_from_its_place(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, POST("/1", "10") "hello");
  echo_target(&b, b.x[0]);
  b.handler = echo_target;
  send_now(&b, "world" GET("/2"));
  assert_string_equal(answers(&b), "200:/1 200:/2 ");
  end(&b);
}

static void what_comes_behind_a_placed_body_is_the_next_request(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, POST("/1", "5") "abc");
  send_now(&b, "deGET /2");
  send_now(&b, " HTTP/1.1\r\nHost: a\r\n");
  send_now(&b, "\r\n" GET("/3"));
  assert_int_equal(b.x[0]->body->size, 5);
  assert_int_equal(keep(b.x[0]), PL_EOF);
  assert_memory_equal(b.x[0]->body->data, "abcde", 5);
  b.handler = echo_target;
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 200:/2 200:/3 ");
  end(&b);
}

static void a_client_that_leaves_behind_a_placed_body_is_noticed_at_once(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.on_gone = release;
  send_now(&b, POST("/1", "5") "hello");
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  end(&b);
}

// ---- errors, limits, time ----

static void a_client_that_leaves_within_its_body_is_an_error(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, POST("/1", "10") "hello");
  b.x[0]->half_close = true;
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  shutdown(b.client, SHUT_WR);
  settle(&b);
  assert_notes(&b, "readable ");
  assert_int_equal(keep(b.x[0]), PL_EPROTO);
  assert_int_equal(keep(b.x[0]), PL_EPROTO);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  end(&b);
}

static void a_client_that_is_gone_is_told_to_who_keeps_its_body(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, POST("/1", "10") "hello");
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  leave(&b);
  settle(&b);
  assert_notes(&b, "cut:0 gone:ECONNRESET ");
  assert_int_equal(keep(b.x[0]), PL_ECONNRESET);
  release(&b, b.x[0]);
  end(&b);
}

static void a_body_beyond_its_limit_is_an_error(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(
      &b,
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n");
  b.x[0]->body_limit = 5;
  assert_int_equal(keep(b.x[0]), PL_ELIMIT);
  assert_int_equal(keep(b.x[0]), PL_ELIMIT);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  end(&b);
}

static void broken_framing_is_an_error(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX");
  assert_int_equal(keep(b.x[0]), PL_EPROTO);
  assert_int_equal(keep(b.x[0]), PL_EPROTO);
  echo_target(&b, b.x[0]);
  end(&b);
}

static void wrong_trailers_are_an_error_however_they_come(void **state) {
  (void)state;
  static const char head[] = "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int keeps = 0; keeps < 2; keeps++) {
    struct bench b;
    begin(&b, NULL);
    char text[20] = "";
    send_now(&b, head);
    if (keeps)
      assert_int_equal(keep(b.x[0]), PL_EAGAIN);
    else
      assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EAGAIN);
    for (const char *at = "0\r\nContent-Length: 5\r\n\r\n"; *at; at++) {
      char c[2] = {*at, '\0'};
      send_now(&b, c);
    }
    for (int i = 0; i < 2; i++) {
      if (keeps)
        assert_int_equal(keep(b.x[0]), PL_EPROTO);
      else
        assert_int_equal(read_body(b.x[0], text, sizeof text), PL_EPROTO);
    }
    echo_target(&b, b.x[0]);
    settle(&b);
    assert_string_equal(answers(&b), "200:/1/close ");
    end(&b);
  }
}

static void a_kept_body_that_comes_too_slowly_is_an_error(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  b.service.limits.body_timeout_ms = 20;
  send_now(&b, POST("/1", "10") "hello");
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  while (strcmp(b.notes, "readable ") != 0) uv_run(&b.loop.uv, UV_RUN_ONCE);
  assert_int_equal(keep(b.x[0]), PL_ETIMEDOUT);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1/close ");
  end(&b);
}

static void continue_is_sent_when_a_body_is_to_be_kept(void **state) {
  (void)state;
  struct bench b;
  begin(&b, NULL);
  send_now(&b, "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  assert_int_equal(pl_buf_len(&b.got), 0);
  assert_int_equal(keep(b.x[0]), PL_EAGAIN);
  settle(&b);
  assert_string_equal(answers(&b), "100: ");
  send_now(&b, "abc");
  send_now(&b, "de");
  assert_int_equal(keep(b.x[0]), PL_EOF);
  assert_memory_equal(b.x[0]->body->data, "abcde", 5);
  echo_target(&b, b.x[0]);
  settle(&b);
  assert_string_equal(answers(&b), "200:/1 ");
  end(&b);
}

static void a_body_without_bytes_has_none(void **state) {
  (void)state;
  struct bench b;
  begin(&b, keep_and_echo);
  send_now(&b,
           POST("/1", "0") GET(
               "/2") "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  assert_string_equal(answers(&b), "200: 200: 200: ");
  assert_notes(&b, "kept:0 kept:0 kept:0 sent:200 sent:200 sent:200 ");
  end(&b);
}

// ---- out of memory ----

static void keep_or_give_up(struct bench *b, struct pl_exchange *x) {
  int result = keep(x);
  if (result == PL_EAGAIN) return;
  struct pl_response r = {.status = result == PL_EOF ? 200 : 503};
  if (x->body && result == PL_EOF) r.hold.bytes = x->body;
  if (x->body && result == PL_EOF) r.body = pl_strv(x->body->data, x->body->size);
  (void)!x->ops->respond(x, &r);
  x->ops->release(x);
  (void)b;
}

// Each allocation fails in turn. Whatever comes of it, nothing is left.
static void running_out_of_memory_leaves_nothing_behind(void **state) {
  (void)state;
  bool is_done = false;
  struct pl_mem_stats before = pl_mem_stats();
  for (uint64_t nth = 1; !is_done; nth++) {
    struct bench b;
    struct pl_account account;
    size_t head;
    char *text = make_request("/1", 60000, "", &head);
    pl_account_init(&account, 100000);  // so little that it is not reserved at once
    begin(&b, NULL);
    b.service.account = &account;
    b.on_gone = release;
    pl_mem_fail_nth(nth);
    (void)!send(b.client, text, head + 100, MSG_NOSIGNAL);
    for (int i = 0; i < 4; i++) turn(&b);
    b.on_readable = keep_or_give_up;
    if (b.requests) keep_or_give_up(&b, b.x[0]);
    (void)!send(b.client, text + head + 100, 59900, MSG_NOSIGNAL);
    for (int i = 0; i < 20; i++) turn(&b);
    pl_mem_fail_nth(0);
    settle(&b);
    is_done = b.finished == 1 && strstr(b.notes, "sent:200");
    assert_true(nth < 50);
    free(text);
    end(&b);
    assert_int_equal(account.bytes, 0);
    assert_int_equal(pl_mem_stats().bytes, before.bytes);
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(240);  // what never comes must not be waited for for ever
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_body_is_whole_wherever_its_request_is_split),
      cmocka_unit_test(a_body_is_whole_in_three_pieces),
      cmocka_unit_test(pipelined_bodies_do_not_mix),
      cmocka_unit_test(only_the_first_fragment_is_copied),
      cmocka_unit_test(a_reader_that_waits_is_told_when_there_is_something_to_do),
      cmocka_unit_test(a_chunked_body_is_copied_once),
      cmocka_unit_test(a_chunked_body_is_whole_with_any_room),
      cmocka_unit_test(what_has_no_room_stays_with_the_kernel),
      cmocka_unit_test(a_client_that_leaves_while_its_body_has_no_room_is_noticed),
      cmocka_unit_test(an_answer_before_the_room_is_made_lets_the_next_request_in),
      cmocka_unit_test(a_fragment_in_its_place_can_be_read_in_pieces),
      cmocka_unit_test(a_piecewise_reader_gives_the_fragments_memory_back),
      cmocka_unit_test(a_body_that_nobody_reads_is_dropped_from_its_place),
      cmocka_unit_test(what_comes_behind_a_placed_body_is_the_next_request),
      cmocka_unit_test(a_client_that_leaves_behind_a_placed_body_is_noticed_at_once),
      cmocka_unit_test(a_client_that_leaves_within_its_body_is_an_error),
      cmocka_unit_test(a_client_that_is_gone_is_told_to_who_keeps_its_body),
      cmocka_unit_test(a_body_beyond_its_limit_is_an_error),
      cmocka_unit_test(broken_framing_is_an_error),
      cmocka_unit_test(wrong_trailers_are_an_error_however_they_come),
      cmocka_unit_test(a_kept_body_that_comes_too_slowly_is_an_error),
      cmocka_unit_test(continue_is_sent_when_a_body_is_to_be_kept),
      cmocka_unit_test(a_body_without_bytes_has_none),
      cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
