// Request heads: a seed byte and the bytes of a connection. However they are cut, the same heads
// are accepted and the same are refused, and an accepted one keeps what framing relies on.
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/headers.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pl_parse_limits limits = {
    .request_line = 64, .header_bytes = 200, .header_count = 8, .chunk_ext = 16};

struct outcome {
  int result;
  size_t used;
  size_t fields;
  int64_t content_length;
};

static void check(bool holds) {
  if (!holds) abort();
}

static bool has_byte(struct pl_strv s, char c) {
  return s.len && memchr(s.data, c, s.len);
}

static void check_request(const struct pl_request *r, struct pl_strv text, size_t used) {
  check(used <= text.len && used >= 18);
  check(memcmp(text.data + used - 4, "\r\n\r\n", 4) == 0);
  check(r->http_minor <= 1 && r->target.len > 0 && r->target.len <= limits.request_line);
  check(r->headers.count <= limits.header_count);
  check(!has_byte(r->host, ' ') && !has_byte(r->host, '/') && !has_byte(r->host, '@'));
  check(r->has_body == (r->content_length != 0) && r->content_length >= -1);
  size_t hosts = 0;
  for (size_t i = 0; i < r->headers.count; i++) {
    const struct pl_header *h = &r->headers.items[i];
    check(pl_token_is_valid(h->name) && pl_header_value_is_valid(h->value));
    hosts += pl_strv_eq_nocase(h->name, PL_STRV("host"));
  }
  check(hosts <= 1 && (hosts == 1 || r->http_minor == 0));
}

// Gives the parser the first `len` bytes, in a block of exactly that size.
static int parse(struct pl_parser *p, struct pl_strv text, size_t len, size_t *used) {
  char *copy = malloc(len ? len : 1);
  if (len) memcpy(copy, text.data, len);
  int result = pl_parser_head(p, pl_strv(copy, len), used);
  free(copy);
  return result;
}

// @param seed  0: whole
static struct outcome run(struct pl_strv text, unsigned seed) {
  struct outcome o = {.result = PL_EAGAIN};
  struct pl_arena arena;
  struct pl_request request;
  struct pl_parser parser;
  pl_arena_init(&arena, NULL, 0);
  pl_parser_init(&parser, &limits, &arena, &request);
  uint32_t random = seed;
  for (size_t len = 0; len < text.len && o.result == PL_EAGAIN;) {
    random = random * 1664525 + 1013904223;
    size_t step = seed ? 1 + (random >> 16) % (seed % 13 + 1) : text.len;
    len = step < text.len - len ? len + step : text.len;
    o.result = parse(&parser, text, len, &o.used);
  }
  if (o.result == 0) {
    check_request(&request, text, o.used);
    o.fields = request.headers.count;
    o.content_length = request.content_length;
  } else if (o.result != PL_EAGAIN) {
    check(o.result >= 400 && o.result <= 505 && parser.problem);
  }
  pl_arena_reset(&arena);
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  struct pl_strv text = {(const char *)data + 1, size - 1};
  size_t skipped = pl_parse_skip_empty_lines(text);
  text = pl_strv(text.data + skipped, text.len - skipped);
  struct outcome whole = run(text, 0), pieces = run(text, data[0] + 1u);
  // What is wrong twice may be told by either mistake, so refused is compared with refused.
  check((whole.result > 0) == (pieces.result > 0));
  if (whole.result > 0) return 0;
  check(whole.result == pieces.result && whole.used == pieces.used &&
        whole.fields == pieces.fields && whole.content_length == pieces.content_length);
  return 0;
}
