// Request targets and the paths in them: the input is a target. The segments hold neither NUL nor
// dot segments, and the text for people, decoded once, gives the segments.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "http/path.h"
#include "http/percent.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

// path->text decoded once, segment by segment, is path->segments.
static void check_text(const struct pl_path *path) {
  size_t at = 0, count = 0;
  char *decoded = malloc(path->text.len + 1);
  while (at < path->text.len) {
    require(path->text.data[at] == '/');
    size_t start = ++at, len = 0;
    while (at < path->text.len && path->text.data[at] != '/') at++;
    require(count < path->count);
    struct pl_strv expected = path->segments[count++];
    struct pl_strv shown = {path->text.data + start, at - start};
    bool is_encoded = expected.len && (memchr(expected.data, '%', expected.len) ||
                                       memchr(expected.data, '/', expected.len));
    if (is_encoded) {
      require(pl_percent_decode(shown, false, decoded, &len) == 0);
      shown = pl_strv(decoded, len);
    }
    require(pl_strv_eq(shown, expected));
  }
  require(count == path->count);
  free(decoded);
}

static void check_path(const struct pl_path *path) {
  require(path->count > 0);
  for (size_t i = 0; i < path->count; i++) {
    struct pl_strv s = path->segments[i], rest;
    require(!pl_strv_eq(s, PL_STRV(".")) && !pl_strv_eq(s, PL_STRV("..")));
    require(!s.len || !memchr(s.data, '\0', s.len));
    if (!pl_path_rest(path, i, &rest)) require(rest.data == s.data && rest.len >= s.len);
  }
  check_text(path);
}

static void check_target(struct pl_strv method, struct pl_strv text) {
  struct pl_target t;
  if (pl_target_parse(method, text, &t)) return;
  require(t.raw_path.len + t.raw_query.len + t.host.len <= text.len + 1);
  if (t.form == PL_TARGET_ORIGIN || t.form == PL_TARGET_ABSOLUTE) require(*t.raw_path.data == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct pl_strv text = {(const char *)data, size};
  char first[128];
  struct pl_arena arena;
  struct pl_target target;
  struct pl_path path;
  check_target(PL_STRV("GET"), text);
  check_target(PL_STRV("OPTIONS"), text);
  check_target(PL_STRV("CONNECT"), text);
  pl_arena_init(&arena, first, sizeof first);
  if (!pl_target_parse(PL_STRV("GET"), text, &target) &&
      !pl_path_parse(target.raw_path, &arena, &path))
    check_path(&path);
  pl_arena_reset(&arena);
  return 0;
}
