// Unit tests of server/http/parse.c: heads and bodies, whole, cut at every offset and byte by byte.
//
// What has come of a message lies in a block of exactly its size, so that a sanitizer sees a read
// behind it, and moves with every arrival, so that a view into old input shows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "http/headers.h"
#include "http/parse.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHOLE = 0, BYTEWISE = -1, DATA_MAX = 4096 };

static const struct pl_parse_limits usual = {
    .request_line = 100, .header_bytes = 400, .header_count = 10, .chunk_ext = 40};

// One message being read.
struct message {
  struct pl_parser parser;
  struct pl_request request;
  struct pl_arena arena;
  char first[64];
  char *input;  // what has come and has not been taken
  size_t input_len;
  int head;      // the last result of pl_parser_head
  int body;      // the last result of pl_parser_body
  size_t taken;  // bytes of the text that the message took
  char data[DATA_MAX];
  size_t data_len;
};

static void begin(struct message *m, const struct pl_parse_limits *limits) {
  *m = (struct message){.head = PL_EAGAIN, .body = PL_EAGAIN};
  pl_arena_init(&m->arena, m->first, sizeof m->first);
  pl_parser_init(&m->parser, limits, &m->arena, &m->request);
}

static void end(struct message *m) {
  pl_arena_reset(&m->arena);
  free(m->input);
}

// The unread input becomes drop bytes shorter in front and text longer behind.
static void move_input(struct message *m, size_t drop, struct pl_strv text) {
  size_t kept = m->input_len - drop;
  char *block = malloc(kept + text.len ? kept + text.len : 1);
  assert_non_null(block);
  if (kept) memcpy(block, m->input + drop, kept);
  if (text.len) memcpy(block + kept, text.data, text.len);
  free(m->input);
  m->input = block;
  m->input_len = kept + text.len;
  m->taken += drop;
}

static void read_body(struct message *m) {
  struct pl_strv piece = {0};
  size_t used;
  do {
    m->body = pl_parser_body(&m->parser, pl_strv(m->input, m->input_len), &used, &piece);
    assert_true(used <= m->input_len);
    if (m->body == 0) {
      assert_true(piece.len > 0 && m->data_len + piece.len <= sizeof m->data);
      memcpy(m->data + m->data_len, piece.data, piece.len);
      m->data_len += piece.len;
    }
    move_input(m, used, PL_STRV(""));
  } while (m->body == 0);
}

static bool is_over(const struct message *m) {
  return (m->head != 0 && m->head != PL_EAGAIN) || m->body != PL_EAGAIN;
}

static void arrive(struct message *m, struct pl_strv text) {
  move_input(m, 0, text);
  if (m->head == PL_EAGAIN) {
    size_t used = 0;
    m->head = pl_parser_head(&m->parser, pl_strv(m->input, m->input_len), &used);
    if (m->head == 0) move_input(m, used, PL_STRV(""));
  }
  if (m->head == 0 && m->body == PL_EAGAIN) read_body(m);
}

// Reads `text`: WHOLE, BYTEWISE, or in two pieces, the first of `cut` bytes.
static void read_text(struct message *m, struct pl_strv text, int cut) {
  size_t first = cut == BYTEWISE ? 1 : cut == WHOLE ? text.len : (size_t)cut;
  for (size_t at = 0; at < text.len && !is_over(m);) {
    size_t len = cut == BYTEWISE || at == 0 ? first : text.len - at;
    arrive(m, pl_strv(text.data + at, len));
    at += len;
  }
}

static void assert_same(const struct message *a, const struct message *b, struct pl_strv text,
                        int cut) {
  bool same = a->head == b->head && a->body == b->body && a->data_len == b->data_len &&
              memcmp(a->data, b->data, a->data_len) == 0;
  if (same && a->head == 0 && a->body == PL_EOF) same = a->taken == b->taken;
  if (same) return;
  print_error("cut at %d: head %d, body %d, %zu bytes; whole: head %d, body %d, %zu bytes\n%.*s\n",
              cut, b->head, b->body, b->data_len, a->head, a->body, a->data_len, (int)text.len,
              text.data);
  fail();
}

// Reads the text whole into m, and in every other way with the same outcome. end(m) afterwards.
static void read_every_way_within(struct message *m, struct pl_strv text,
                                  const struct pl_parse_limits *limits) {
  begin(m, limits);
  read_text(m, text, WHOLE);
  for (int cut = BYTEWISE; cut < (int)text.len; cut++) {
    if (cut == WHOLE) continue;
    struct message other;
    begin(&other, limits);
    read_text(&other, text, cut);
    assert_same(m, &other, text, cut);
    end(&other);
  }
}

static void read_every_way(struct message *m, struct pl_strv text) {
  read_every_way_within(m, text, &usual);
}

static void assert_head(struct pl_strv text, int status) {
  struct message m;
  read_every_way(&m, text);
  if (m.head != status) print_error("%.*s\n", (int)text.len, text.data);
  assert_int_equal(m.head, status);
  if (status > 0) assert_non_null(m.parser.problem);
  end(&m);
}

#define HEAD(text, status) assert_head(PL_STRV(text), status)
#define GET(fields) "GET / HTTP/1.1\r\n" fields "\r\n"
#define POST(fields, body) "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n" body

static void assert_view(struct pl_strv view, const char *text) {
  assert_int_equal(view.len, strlen(text));
  assert_memory_equal(view.data, text, view.len);
}

// ---- heads ----

static void head_is_read_with_all_its_fields(void **state) {
  (void)state;
  struct message m;
  read_every_way(&m, PL_STRV("PATCH /a/b?c=d HTTP/1.1\r\nHost: example.org:8080\r\nX-Empty:\r\n"
                             "x-odd:\t a\tb  \r\nConnection: keep-alive\r\n\r\nGET"));
  assert_int_equal(m.head, 0);
  assert_int_equal(m.request.method, PL_METHOD_PATCH);
  assert_view(m.request.target, "/a/b?c=d");
  assert_view(m.request.host, "example.org:8080");
  assert_int_equal(m.request.http_minor, 1);
  assert_true(m.request.keep_alive);
  assert_false(m.request.has_body);
  assert_int_equal(m.request.headers.count, 4);
  assert_view(m.request.headers.items[1].name, "X-Empty");
  assert_view(m.request.headers.items[1].value, "");
  assert_view(m.request.headers.items[2].name, "x-odd");
  assert_view(m.request.headers.items[2].value, "a\tb");
  assert_int_equal(m.body, PL_EOF);
  assert_int_equal(m.input_len, 3);  // the next message is left alone
  end(&m);
}

static void head_without_its_end_needs_more(void **state) {
  (void)state;
  HEAD("", PL_EAGAIN);
  HEAD("G", PL_EAGAIN);
  HEAD("GET / HTTP/1.1", PL_EAGAIN);
  HEAD("GET / HTTP/1.1\r", PL_EAGAIN);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\n\r", PL_EAGAIN);
  HEAD("BREW /pot HTTP/1.1", PL_EAGAIN);
}

static void head_views_do_not_point_into_the_input(void **state) {
  (void)state;
  struct message m;
  begin(&m, &usual);
  char text[] = "GET /path HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  size_t used;
  assert_int_equal(pl_parser_head(&m.parser, pl_strv_of(text), &used), 0);
  assert_int_equal(used, strlen(text));
  memset(text, '#', sizeof text);
  assert_view(m.request.target, "/path");
  assert_view(m.request.headers.items[1].name, "X");
  assert_view(m.request.headers.items[1].value, "y");
  end(&m);
}

static void head_tells_whether_the_connection_stays(void **state) {
  (void)state;
  static const struct {
    struct pl_strv text;
    bool stays;
  } cases[] = {
      {PL_STRV("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), true},
      {PL_STRV("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), false},
      {PL_STRV("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"), false},
      {PL_STRV("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"), true},
      {PL_STRV("GET / HTTP/1.0\r\n\r\n"), false},
      {PL_STRV("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), true},
      {PL_STRV("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), false},
      {PL_STRV("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"), true},
      {PL_STRV("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), true},
  };
  for (size_t i = 0; i < PL_ARRAY_LEN(cases); i++) {
    struct message m;
    read_every_way(&m, cases[i].text);
    assert_int_equal(m.head, 0);
    if (m.request.keep_alive != cases[i].stays) print_error("%s\n", cases[i].text.data);
    assert_int_equal(m.request.keep_alive, cases[i].stays);
    end(&m);
  }
}

static void head_with_an_upgrade_is_an_ordinary_request(void **state) {
  (void)state;
  struct message m;
  read_every_way(&m, PL_STRV("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
                             "Content-Length: 3\r\n\r\nabcGET"));
  assert_int_equal(m.head, 0);
  assert_int_equal(m.body, PL_EOF);
  assert_memory_equal(m.data, "abc", 3);
  assert_int_equal(m.input_len, 3);
  end(&m);
  read_every_way(&m, PL_STRV("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                             "Upgrade: websocket\r\n\r\nGET"));
  assert_int_equal(m.head, 0);
  assert_int_equal(m.body, PL_EOF);
  assert_int_equal(m.input_len, 3);
  end(&m);
}

static void lines_that_readers_disagree_about_are_refused(void **state) {
  (void)state;
  HEAD("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\n\rX", 400);
  HEAD("GET / HTTP/1.1\nHost: a\n\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\n\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400);
  HEAD("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400);
  HEAD(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400);
}

static void request_lines_are_told_apart(void **state) {
  (void)state;
  HEAD("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 501);
  HEAD("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", 501);
  HEAD("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501);
  HEAD("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501);
  HEAD("GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  HEAD("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505);
  HEAD("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
  HEAD("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505);
  HEAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  HEAD("GET / HTTP/11\r\nHost: a\r\n\r\n", 400);
  HEAD("GET / http/1.1\r\nHost: a\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400);
  HEAD("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  HEAD("GET /\r\n\r\n", 400);
  HEAD("GET\r\n\r\n", 400);
  HEAD("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

static void host_is_needed_once_and_clean(void **state) {
  (void)state;
  HEAD("GET / HTTP/1.1\r\n\r\n", 400);
  HEAD("GET / HTTP/1.0\r\n\r\n", 0);
  HEAD("GET / HTTP/1.1\r\nHost:\r\n\r\n", 0);
  HEAD("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0);
  HEAD("GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 400);
  HEAD("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400);
  HEAD("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
}

static void framing_fields_must_be_beyond_doubt(void **state) {
  (void)state;
  HEAD(GET("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: gzip\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: ,chunked\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: chunked,\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: xchunked\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding:\r\n"), 400);
  HEAD(GET("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  HEAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
  HEAD(GET("Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 3, 3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: +3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: -3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 0x3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 3 3\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length:\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 9223372036854775808\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 18446744073709551617\r\n"), 400);
  HEAD(GET("Host: a\r\nContent-Length: 9223372036854775807\r\n"), 0);
  HEAD(GET("Host: a\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n"), 400);
  HEAD(GET("Host: a\r\nExpect: a-miracle\r\n"), 417);
}

static void empty_lines_are_skipped_only_when_whole(void **state) {
  (void)state;
  assert_int_equal(pl_parse_skip_empty_lines(PL_STRV("")), 0);
  assert_int_equal(pl_parse_skip_empty_lines(PL_STRV("\r")), 0);
  assert_int_equal(pl_parse_skip_empty_lines(PL_STRV("\r\n")), 2);
  assert_int_equal(pl_parse_skip_empty_lines(PL_STRV("\r\n\r\n\r")), 4);
  assert_int_equal(pl_parse_skip_empty_lines(PL_STRV("\r\nGET")), 2);
  assert_int_equal(pl_parse_skip_empty_lines(PL_STRV("\n")), 0);
}

// ---- limits ----

// A head whose request line, fields and number of fields are as long as asked for.
static size_t make_head(char *out, size_t line, size_t field_bytes, size_t fields) {
  size_t len = (size_t)sprintf(out, "GET /");
  while (len < line - 9) out[len++] = 'a';
  len += (size_t)sprintf(out + len, " HTTP/1.1\r\nHost: a\r\n");
  size_t left = field_bytes - 9;
  for (size_t i = 1; i < fields; i++) {
    size_t now = i + 1 == fields ? left : 5;
    len += (size_t)sprintf(out + len, "X:");
    for (size_t j = 4; j < now; j++) out[len++] = 'v';
    len += (size_t)sprintf(out + len, "\r\n");
    left -= now;
  }
  return len + (size_t)sprintf(out + len, "\r\n");
}

static int status_of_head(size_t line, size_t field_bytes, size_t fields) {
  static const struct pl_parse_limits limits = {
      .request_line = 40, .header_bytes = 90, .header_count = 5};
  char text[512];
  struct message m;
  read_every_way_within(&m, pl_strv(text, make_head(text, line, field_bytes, fields)), &limits);
  int status = m.head;
  end(&m);
  return status;
}

static void limits_of_a_head_are_exact(void **state) {
  (void)state;
  assert_int_equal(status_of_head(39, 60, 4), 0);
  assert_int_equal(status_of_head(40, 60, 4), 0);
  assert_int_equal(status_of_head(41, 60, 4), 414);
  assert_int_equal(status_of_head(30, 89, 4), 0);
  assert_int_equal(status_of_head(30, 90, 4), 0);
  assert_int_equal(status_of_head(30, 91, 4), 431);
  assert_int_equal(status_of_head(30, 60, 4), 0);
  assert_int_equal(status_of_head(30, 60, 5), 0);
  assert_int_equal(status_of_head(30, 60, 6), 431);
  assert_int_equal(status_of_head(40, 90, 5), 0);
}

// What never ends is refused as soon as it is too long, not when it ends.
static void endless_heads_are_refused_at_their_limit(void **state) {
  (void)state;
  static const struct pl_parse_limits limits = {
      .request_line = 40, .header_bytes = 90, .header_count = 5};
  char text[256] = "GET /";
  memset(text + 5, 'a', sizeof text - 5);
  struct message m;
  begin(&m, &limits);
  read_text(&m, pl_strv(text, sizeof text), BYTEWISE);
  assert_int_equal(m.head, 414);
  assert_int_equal(m.input_len, 41);
  end(&m);
  size_t len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nX: ");
  memset(text + len, 'a', sizeof text - len);
  begin(&m, &limits);
  read_text(&m, pl_strv(text, sizeof text), BYTEWISE);
  assert_int_equal(m.head, 431);
  assert_in_range(m.input_len, 16 + 91, 16 + 93);
  end(&m);
}

// ---- bodies ----

static void assert_body(struct pl_strv text, int result, const char *data, size_t left) {
  struct message m;
  read_every_way(&m, text);
  if (m.body != result || m.data_len != strlen(data))
    print_error("%.*s\n", (int)text.len, text.data);
  assert_int_equal(m.head, 0);
  assert_int_equal(m.body, result);
  assert_int_equal(m.data_len, strlen(data));
  assert_memory_equal(m.data, data, m.data_len);
  if (result == PL_EOF) assert_int_equal(m.input_len, left);
  end(&m);
}

#define LENGTH(n, body, result, data, left) \
  assert_body(PL_STRV(POST("Content-Length: " n "\r\n", body)), result, data, left)
#define CHUNKED(body, result, data, left) \
  assert_body(PL_STRV(POST("Transfer-Encoding: chunked\r\n", body)), result, data, left)

static void body_of_announced_length_is_read_exactly(void **state) {
  (void)state;
  LENGTH("5", "hello", PL_EOF, "hello", 0);
  LENGTH("5", "helloGET / HTTP/1.1", PL_EOF, "hello", 14);
  LENGTH("005", "hello!", PL_EOF, "hello", 1);
  LENGTH("0", "GET", PL_EOF, "", 3);
  LENGTH("5", "hell", PL_EAGAIN, "hell", 0);
  LENGTH("5", "", PL_EAGAIN, "", 0);
}

static void body_on_get_and_head_is_consumed(void **state) {
  (void)state;
  assert_body(PL_STRV("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET"), PL_EOF,
              "abc", 3);
  assert_body(PL_STRV("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET"), PL_EOF,
              "abc", 3);
  assert_body(PL_STRV("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n0\r\n\r\nGET"),
              PL_EOF, "abc", 3);
}

static void chunks_are_joined(void **state) {
  (void)state;
  CHUNKED("5\r\nhello\r\n0\r\n\r\n", PL_EOF, "hello", 0);
  CHUNKED("5\r\nhello\r\n1\r\n \r\n0005\r\nworld\r\n000\r\n\r\nGET", PL_EOF, "hello world", 3);
  CHUNKED("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", PL_EOF, "01234567890123456789", 0);
  CHUNKED("5\r\n0\r\n\r\n\r\n0\r\n\r\n", PL_EOF, "0\r\n\r\n", 0);
  CHUNKED("0\r\n\r\n", PL_EOF, "", 0);
  CHUNKED("5\r\nhello\r\n0\r\n", PL_EAGAIN, "hello", 0);
  CHUNKED("5\r\nhello\r\n", PL_EAGAIN, "hello", 0);
  CHUNKED("5\r\nhel", PL_EAGAIN, "hel", 0);
}

static void garbage_in_chunks_breaks_the_framing(void **state) {
  (void)state;
  CHUNKED("\r\n", PL_EPROTO, "", 0);
  CHUNKED("x\r\n", PL_EPROTO, "", 0);
  CHUNKED("0x5\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("-5\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("+5\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED(" 5\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5 \r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5_\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5\rhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5\r\nhello0\r\n\r\n", PL_EPROTO, "hello", 0);
  CHUNKED("5\r\nhello\n0\r\n\r\n", PL_EPROTO, "hello", 0);
  CHUNKED("5\r\nhello\r0\r\n\r\n", PL_EPROTO, "hello", 0);
  CHUNKED("5\r\nhello\r\nz", PL_EPROTO, "hello", 0);
  CHUNKED("10000000000000000\r\n", PL_EPROTO, "", 0);
  CHUNKED("5;a\n\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5;a\rb\r\nhello\r\n", PL_EPROTO, "", 0);
  CHUNKED("5;a=\"b\rc\"\r\nhello\r\n", PL_EPROTO, "", 0);
}

static void a_broken_body_stays_broken(void **state) {
  (void)state;
  struct message m;
  begin(&m, &usual);
  read_text(&m, PL_STRV(POST("Transfer-Encoding: chunked\r\n", "x\r\n")), WHOLE);
  assert_int_equal(m.body, PL_EPROTO);
  assert_non_null(m.parser.problem);
  size_t used = 1;
  struct pl_strv piece;
  assert_int_equal(pl_parser_body(&m.parser, PL_STRV("5\r\nhello\r\n"), &used, &piece), PL_EPROTO);
  assert_int_equal(used, 0);
  end(&m);
}

static void trailers_are_kept_apart_from_headers(void **state) {
  (void)state;
  struct message m;
  read_every_way(&m, PL_STRV(POST("Transfer-Encoding: chunked\r\n",
                                  "2\r\nhi\r\n0\r\nX-Sum: 12 \r\nx-b:\r\n\r\nGET")));
  assert_int_equal(m.body, PL_EOF);
  assert_int_equal(m.input_len, 3);
  assert_int_equal(m.request.headers.count, 2);
  assert_int_equal(m.request.trailers.count, 2);
  assert_view(m.request.trailers.items[0].name, "X-Sum");
  assert_view(m.request.trailers.items[0].value, "12");
  assert_view(m.request.trailers.items[1].value, "");
  end(&m);
}

static void bad_trailers_break_the_framing(void **state) {
  (void)state;
  CHUNKED("0\r\nHost: b\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\ncontent-length: 3\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nTransfer-Encoding: chunked\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nX: a\r\n b\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nX: a\rb\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nX: a\nY: b\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\n: a\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nX : a\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nX: a\0\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\nGET / HTTP/1.1\r\n\r\n", PL_EPROTO, "", 0);
  CHUNKED("0\r\n\n", PL_EPROTO, "", 0);
}

// @param bytes  of all trailer lines with their ends
static int result_of_trailers(size_t bytes, size_t count) {
  static const struct pl_parse_limits limits = {
      .request_line = 40, .header_bytes = 60, .header_count = 4};
  char text[512];
  size_t len = (size_t)sprintf(text, "%s0\r\n", POST("Transfer-Encoding: chunked\r\n", ""));
  for (size_t i = 0; i < count; i++) {
    size_t now = i + 1 == count ? bytes : 5;
    len += (size_t)sprintf(text + len, "X:");
    for (size_t j = 4; j < now; j++) text[len++] = 'v';
    len += (size_t)sprintf(text + len, "\r\n");
    bytes -= now;
  }
  len += (size_t)sprintf(text + len, "\r\n");
  struct message m;
  read_every_way_within(&m, pl_strv(text, len), &limits);
  assert_int_equal(m.head, 0);
  int result = m.body;
  end(&m);
  return result;
}

static void limits_of_trailers_are_exact(void **state) {
  (void)state;
  assert_int_equal(result_of_trailers(59, 2), PL_EOF);
  assert_int_equal(result_of_trailers(60, 2), PL_EOF);
  assert_int_equal(result_of_trailers(61, 2), PL_EPROTO);
  assert_int_equal(result_of_trailers(40, 3), PL_EOF);
  assert_int_equal(result_of_trailers(40, 4), PL_EOF);
  assert_int_equal(result_of_trailers(40, 5), PL_EPROTO);
}

// Two chunks whose extensions, counted from the semicolon to the line's end, are `sum` bytes.
static int result_of_extensions(size_t sum) {
  char text[512];
  size_t len = (size_t)sprintf(text, "%s1;", POST("Transfer-Encoding: chunked\r\n", ""));
  for (size_t i = 0; i < 19; i++) text[len++] = 'e';
  len += (size_t)sprintf(text + len, "\r\na\r\n1;n=");
  for (size_t i = 23; i < sum; i++) text[len++] = 'v';
  len += (size_t)sprintf(text + len, "\r\nb\r\n0\r\n\r\n");
  struct message m;
  read_every_way(&m, pl_strv(text, len));
  int result = m.body;
  if (result == PL_EOF) assert_int_equal(m.data_len, 2);
  end(&m);
  return result;
}

static void limit_of_chunk_extensions_counts_all_of_a_body(void **state) {
  (void)state;
  assert_int_equal(result_of_extensions(39), PL_EOF);
  assert_int_equal(result_of_extensions(40), PL_EOF);
  assert_int_equal(result_of_extensions(41), PL_EPROTO);
}

static void extensions_of_nothing_but_separators_are_bounded(void **state) {
  (void)state;
  char text[512];
  size_t len = (size_t)sprintf(text, "%s1", POST("Transfer-Encoding: chunked\r\n", ""));
  while (len < sizeof text) text[len++] = ';';
  struct message m;
  read_every_way(&m, pl_strv(text, len));
  assert_int_equal(m.body, PL_EPROTO);
  end(&m);
}

static void extensions_are_ignored(void **state) {
  (void)state;
  CHUNKED("5;a\r\nhello\r\n0;b=c\r\n\r\n", PL_EOF, "hello", 0);
  CHUNKED("5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n", PL_EOF, "hello", 0);
}

// ---- out of memory ----

// Each allocation fails in turn: 503 for a head, PL_ENOMEM for a body, and the same again later.
static void running_out_of_memory_is_an_answer(void **state) {
  (void)state;
  static const char text[] = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "2\r\nhi\r\n0\r\nX-A: a-value-that-is-quite-long\r\nX-B: "
                             "another-value-of-some-length\r\n\r\n";
  int head_failures = 0, body_failures = 0;
  for (uint64_t nth = 1;; nth++) {
    struct message m;
    begin(&m, &usual);
    m.arena.limit = m.arena.next;  // every piece is an allocation
    char *block = malloc(sizeof text);
    memcpy(block, text, sizeof text);
    pl_mem_fail_nth(nth);
    size_t used;
    m.head = pl_parser_head(&m.parser, pl_strv(block, sizeof text - 1), &used);
    if (m.head == 0) {
      m.arena.limit = m.arena.next;
      move_input(&m, 0, pl_strv(block + used, sizeof text - 1 - used));
      read_body(&m);
    }
    pl_mem_fail_nth(0);
    free(block);
    if (m.head == 503) head_failures++;
    if (m.head == 0 && m.body == PL_ENOMEM) {
      body_failures++;
      read_body(&m);
      assert_int_equal(m.body, PL_ENOMEM);
    }
    bool is_done = m.head == 0 && m.body == PL_EOF;
    assert_true(is_done || m.head == 503 || m.body == PL_ENOMEM);
    end(&m);
    if (is_done) break;
  }
  assert_true(head_failures > 0);
  assert_true(body_failures > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(head_is_read_with_all_its_fields),
      cmocka_unit_test(head_without_its_end_needs_more),
      cmocka_unit_test(head_views_do_not_point_into_the_input),
      cmocka_unit_test(head_tells_whether_the_connection_stays),
      cmocka_unit_test(head_with_an_upgrade_is_an_ordinary_request),
      cmocka_unit_test(lines_that_readers_disagree_about_are_refused),
      cmocka_unit_test(request_lines_are_told_apart),
      cmocka_unit_test(host_is_needed_once_and_clean),
      cmocka_unit_test(framing_fields_must_be_beyond_doubt),
      cmocka_unit_test(empty_lines_are_skipped_only_when_whole),
      cmocka_unit_test(limits_of_a_head_are_exact),
      cmocka_unit_test(endless_heads_are_refused_at_their_limit),
      cmocka_unit_test(body_of_announced_length_is_read_exactly),
      cmocka_unit_test(body_on_get_and_head_is_consumed),
      cmocka_unit_test(chunks_are_joined),
      cmocka_unit_test(garbage_in_chunks_breaks_the_framing),
      cmocka_unit_test(a_broken_body_stays_broken),
      cmocka_unit_test(trailers_are_kept_apart_from_headers),
      cmocka_unit_test(bad_trailers_break_the_framing),
      cmocka_unit_test(limits_of_trailers_are_exact),
      cmocka_unit_test(limit_of_chunk_extensions_counts_all_of_a_body),
      cmocka_unit_test(extensions_of_nothing_but_separators_are_bounded),
      cmocka_unit_test(extensions_are_ignored),
      cmocka_unit_test(running_out_of_memory_is_an_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
