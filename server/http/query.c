// Form decoding. The pairs are counted before the first one is decoded, so that a text with too
// many costs neither time nor memory.
#include "http/query.h"

#include "base/error.h"
#include "http/percent.h"

#include <stdbool.h>

static struct pl_strv take_piece(struct pl_strv *rest) {
  const char *at = memchr(rest->data, '&', rest->len);
  size_t len = at ? (size_t)(at - rest->data) : rest->len;
  struct pl_strv piece = {rest->data, len};
  size_t used = at ? len + 1 : len;
  *rest = pl_strv(rest->data + used, rest->len - used);
  return piece;
}

static struct pl_strv next_piece(struct pl_strv *rest) {
  struct pl_strv piece = {"", 0};
  while (rest->len && !piece.len) piece = take_piece(rest);
  return piece;
}

static int decode(struct pl_strv text, struct pl_arena *arena, struct pl_strv *out) {
  bool is_plain =
      !text.len || (!memchr(text.data, '%', text.len) && !memchr(text.data, '+', text.len));
  if (is_plain) {
    *out = text;
    return 0;
  }
  char *copy = pl_arena_alloc(arena, text.len);
  if (!copy) return PL_ENOMEM;
  out->data = copy;
  return pl_percent_decode(text, true, copy, &out->len);
}

int pl_query_next(struct pl_strv *rest, struct pl_arena *arena, struct pl_pair *pair) {
  struct pl_strv piece = next_piece(rest);
  if (!piece.len) return PL_EOF;
  const char *equals = memchr(piece.data, '=', piece.len);
  size_t name_len = equals ? (size_t)(equals - piece.data) : piece.len;
  size_t skip = equals ? name_len + 1 : name_len;
  struct pl_pair found;
  int err = decode(pl_strv(piece.data, name_len), arena, &found.name);
  if (!err) err = decode(pl_strv(piece.data + skip, piece.len - skip), arena, &found.value);
  if (!err) *pair = found;
  return err;
}

static size_t count_pieces(struct pl_strv text) {
  size_t n = 0;
  while (next_piece(&text).len) n++;
  return n;
}

int pl_query_parse(struct pl_strv text, size_t max, struct pl_arena *arena, struct pl_pairs *out) {
  size_t count = count_pieces(text);
  if (count > max) return PL_ELIMIT;
  struct pl_pairs pairs = {NULL, 0};
  if (count) {
    pairs.items = pl_arena_alloc(arena, count * sizeof *pairs.items);
    if (!pairs.items) return PL_ENOMEM;
  }
  for (; pairs.count < count; pairs.count++) {
    int err = pl_query_next(&text, arena, &pairs.items[pairs.count]);
    if (err) return err;
  }
  *out = pairs;
  return 0;
}
