// Form decoding: the input is a query string. Whatever is accepted keeps to the limit, and names
// and values are never longer than what they were decoded from.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_KEYS = 20 };

static void require(bool holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct pl_strv text = {(const char *)data, size};
  char first[128];
  struct pl_arena arena;
  struct pl_pairs pairs = {NULL, 0};
  pl_arena_init(&arena, first, sizeof first);
  int err = pl_query_parse(text, MAX_KEYS, &arena, &pairs);
  require(err == 0 || err == PL_EINVAL || err == PL_ELIMIT);
  size_t bytes = 0;
  for (size_t i = 0; i < pairs.count; i++)
    bytes += pairs.items[i].name.len + pairs.items[i].value.len;
  require(pairs.count <= MAX_KEYS && bytes <= size);
  pl_arena_reset(&arena);
  return 0;
}
