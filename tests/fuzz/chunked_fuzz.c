// Chunked bodies with their trailers: a seed byte and what follows the head. Fed whole and in
// pieces whose sizes follow from the seed, it must give the same data, the same trailers and the
// same end.
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/headers.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pl_parse_limits limits = {
    .request_line = 64, .header_bytes = 200, .header_count = 8, .chunk_ext = 16};

static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

struct outcome {
  int result;
  size_t taken;  // bytes of the text
  size_t data_bytes;
  uint64_t hash;  // of the data and the trailers
};

static void check(bool holds) {
  if (!holds) abort();
}

static void add(struct outcome *o, struct pl_strv s) {
  for (size_t i = 0; i < s.len; i++) o->hash = (o->hash ^ (unsigned char)s.data[i]) * 0x100000001b3;
}

static void add_trailers(struct outcome *o, const struct pl_headers *trailers) {
  check(trailers->count <= limits.header_count);
  for (size_t i = 0; i < trailers->count; i++) {
    const struct pl_header *h = &trailers->items[i];
    check(pl_token_is_valid(h->name) && pl_header_value_is_valid(h->value));
    add(o, h->name);
    add(o, PL_STRV(":"));
    add(o, h->value);
  }
}

// Reads what the block text[taken..len) gives; it lies in memory of exactly its size.
static void read(struct pl_parser *p, struct pl_strv text, size_t len, struct outcome *o) {
  size_t size = len - o->taken, at = 0;
  char *copy = malloc(size ? size : 1);
  if (size) memcpy(copy, text.data + o->taken, size);
  do {
    struct pl_strv piece = {0};
    size_t used;
    o->result = pl_parser_body(p, pl_strv(copy + at, size - at), &used, &piece);
    check(used <= size - at);
    at += used;
    if (o->result == 0) {
      check(piece.len > 0 && piece.data >= copy && piece.data + piece.len <= copy + at);
      o->data_bytes += piece.len;
      add(o, piece);
    }
  } while (o->result == 0);
  o->taken += at;
  free(copy);
}

// @param seed  0: whole
static struct outcome run(struct pl_strv text, unsigned seed) {
  struct outcome o = {.result = PL_EAGAIN, .hash = 0xcbf29ce484222325};
  struct pl_arena arena;
  struct pl_request request;
  struct pl_parser parser;
  size_t used;
  pl_arena_init(&arena, NULL, 0);
  pl_parser_init(&parser, &limits, &arena, &request);
  check(pl_parser_head(&parser, pl_strv(head, sizeof head - 1), &used) == 0);
  uint32_t random = seed;
  for (size_t len = 0; len < text.len && o.result == PL_EAGAIN;) {
    random = random * 1664525 + 1013904223;
    size_t step = seed ? 1 + (random >> 16) % (seed % 13 + 1) : text.len;
    len = step < text.len - len ? len + step : text.len;
    read(&parser, text, len, &o);
  }
  check(o.data_bytes <= text.len && request.headers.count == 2);
  if (o.result == PL_EOF) add_trailers(&o, &request.trailers);
  pl_arena_reset(&arena);
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  struct pl_strv text = {(const char *)data + 1, size - 1};
  struct outcome whole = run(text, 0), pieces = run(text, data[0] + 1u);
  check(whole.result == pieces.result);
  check(whole.data_bytes == pieces.data_bytes && whole.hash == pieces.hash);
  if (whole.result == PL_EOF) check(whole.taken == pieces.taken);
  return 0;
}
