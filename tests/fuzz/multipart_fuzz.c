// multipart/form-data: the input is a seed byte and a body with the boundary "B". Fed whole and in
// pieces whose sizes follow from the seed, it must give the same events.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
  uint64_t hash;  // of all events, DATA as single bytes
  int err;
  bool is_done;
};

static void add_bytes(struct digest *d, char mark, struct pl_strv s) {
  d->hash = (d->hash ^ (unsigned char)mark) * 0x100000001b3;
  for (size_t i = 0; i < s.len; i++) d->hash = (d->hash ^ (unsigned char)s.data[i]) * 0x100000001b3;
}

static void add_event(struct digest *d, const struct pl_multipart *p,
                      enum pl_multipart_event event) {
  if (event == PL_MULTIPART_MORE) return;
  if (event == PL_MULTIPART_DATA) {
    if (!p->data.len) abort();
    for (size_t i = 0; i < p->data.len; i++) add_bytes(d, 'd', pl_strv(p->data.data + i, 1));
    return;
  }
  add_bytes(d, (char)('0' + event), PL_STRV(""));
  if (event != PL_MULTIPART_PART) return;
  add_bytes(d, 'n', p->part.name);
  add_bytes(d, 'f', p->part.filename);
  add_bytes(d, 't', p->part.content_type);
  for (size_t i = 0; i < p->part.headers.count; i++) {
    add_bytes(d, 'N', p->part.headers.items[i].name);
    add_bytes(d, 'V', p->part.headers.items[i].value);
  }
}

static int feed(struct pl_multipart *p, struct pl_strv body, struct digest *d) {
  // A copy of exactly this size, so that a sanitizer sees a read behind the piece.
  char *copy = malloc(body.len + 1);
  struct pl_strv piece = {copy, body.len};
  enum pl_multipart_event event = PL_MULTIPART_DATA;
  if (body.len) memcpy(copy, body.data, body.len);
  int err = 0;
  while (!err && event != PL_MULTIPART_MORE) {
    err = pl_multipart_next(p, &piece, &event);
    if (!err) add_event(d, p, event);
  }
  free(copy);
  return err;
}

// @param seed  0: whole
static struct digest run(struct pl_strv body, unsigned seed) {
  struct digest d = {.hash = 0xcbf29ce484222325};
  struct pl_multipart p;
  pl_multipart_init(&p, PL_STRV("B"),
                    (struct pl_multipart_limits){.parts = 5, .header_bytes = 200});
  uint32_t random = seed;
  while (body.len && !d.err) {
    random = random * 1664525 + 1013904223;
    size_t len = seed ? 1 + (random >> 16) % (seed % 13 + 1) : body.len;
    if (len > body.len) len = body.len;
    d.err = feed(&p, pl_strv(body.data, len), &d);
    body = pl_strv(body.data + len, body.len - len);
  }
  d.is_done = pl_multipart_is_done(&p);
  pl_multipart_deinit(&p);
  return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  struct pl_strv body = {(const char *)data + 1, size - 1};
  struct digest whole = run(body, 0), pieces = run(body, data[0] + 1u);
  if (whole.hash != pieces.hash || whole.err != pieces.err || whole.is_done != pieces.is_done)
    abort();
  return 0;
}
