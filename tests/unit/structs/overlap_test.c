// Which spans share bytes: compared with what a set of byte numbers says.
#include "structs/overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 2048 };

static char room[ROOM];

static uint32_t next(uint32_t *seed) {
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8;
}

static struct pl_span random_span(uint32_t *seed) {
  static const enum pl_builtin types[] = {PL_BUILTIN_vec2, PL_BUILTIN_vec3, PL_BUILTIN_ray};
  struct pl_span span = {.layout = pl_layout_builtin(types[next(seed) % 3])};
  span.count = next(seed) % 6;
  span.data = room + next(seed) % 300;
  if (next(seed) % 3 == 0) {
    span.stride = 4;
    span.column = 4 * span.count + 4 * (next(seed) % 3);
  } else {
    span.stride = span.layout->size + (next(seed) % 2 ? 24 : next(seed) % 30);
  }
  return span;
}

static void mark(const struct pl_span *span, char *bytes) {
  memset(bytes, 0, ROOM);
  for (size_t i = 0; i < span->count; i++) {
    char *at = bytes + (span->data - room) + i * span->stride;
    if (!span->column) memset(at, 1, span->layout->size);
    for (size_t k = 0; span->column && k < span->layout->part_count; k++)
      memset(at + k * span->column, 1, 4);
  }
}

static bool shares(const struct pl_span *a, const struct pl_span *b) {
  char in_a[ROOM], in_b[ROOM];
  mark(a, in_a);
  mark(b, in_b);
  for (size_t i = 0; i < ROOM; i++)
    if (in_a[i] && in_b[i]) return true;
  return false;
}

static void what_is_shared_is_always_noticed(void **state) {
  (void)state;
  uint32_t seed = 7;
  unsigned shared = 0, apart = 0;
  for (unsigned i = 0; i < 200000; i++) {
    struct pl_span a = random_span(&seed), b = random_span(&seed);
    bool is_shared = shares(&a, &b), is_told = pl_span_overlaps(&a, &b);
    if (is_shared && !is_told) fail_msg("round %u", i);
    assert_int_equal(pl_span_overlaps(&b, &a), is_told);
    shared += is_shared;
    apart += !is_told;
  }
  assert_true(shared > 20000 && apart > 20000);
}

static void fields_of_the_same_structs_are_apart(void **state) {
  (void)state;
  struct pl_span origins = {
      .data = room + 3, .count = 5, .stride = 24, .layout = pl_layout_builtin(PL_BUILTIN_vec3)};
  struct pl_span directions = origins;
  directions.data += 12;
  assert_false(pl_span_overlaps(&origins, &directions));
  assert_false(pl_span_overlaps(&directions, &origins));
  directions.data -= 1;
  assert_true(pl_span_overlaps(&origins, &directions));
  assert_true(pl_span_is_same(&origins, &origins));
  assert_false(pl_span_is_same(&origins, &directions));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_shared_is_always_noticed),
      cmocka_unit_test(fields_of_the_same_structs_are_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
