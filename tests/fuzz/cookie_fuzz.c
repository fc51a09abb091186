// Cookies: the input is a Cookie field. What is read and may be written again must come back the
// same from what was written.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_COOKIES = 20 };

static void require(bool holds) {
  if (!holds) abort();
}

static struct pl_headers as_headers(struct pl_header *field, struct pl_strv value) {
  *field = (struct pl_header){PL_STRV("Cookie"), value};
  return (struct pl_headers){field, 1};
}

static void check_round_trip(const struct pl_pair *pair, struct pl_arena *arena) {
  struct pl_cookie cookie = {.name = pair->name, .value = pair->value};
  struct pl_buf out = {0};
  const char *problem = NULL;
  if (pl_cookie_write(&cookie, &out, &problem)) {
    require(problem != NULL && pl_buf_len(&out) == 0);
    return;
  }
  struct pl_header field;
  struct pl_headers headers = as_headers(&field, pl_buf_view(&out));
  struct pl_pairs again;
  require(pl_cookies_parse(&headers, 1, arena, &again) == 0 && again.count == 1);
  require(pl_strv_eq(again.items[0].name, pair->name));
  require(pl_strv_eq(again.items[0].value, pair->value));
  pl_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char first[128];
  struct pl_arena arena;
  struct pl_header field;
  struct pl_headers headers = as_headers(&field, pl_strv((const char *)data, size));
  struct pl_pairs pairs = {NULL, 0};
  pl_arena_init(&arena, first, sizeof first);
  int err = pl_cookies_parse(&headers, MAX_COOKIES, &arena, &pairs);
  require(err == 0 || err == PL_ELIMIT);
  for (size_t i = 0; i < pairs.count; i++) check_round_trip(&pairs.items[i], &arena);
  pl_arena_reset(&arena);
  return 0;
}
