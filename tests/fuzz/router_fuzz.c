// The router: lines of the input, up to an empty one, are patterns ("GET /a/:b", any other method
// word means all methods), the rest is a path. The answer is compared with a second matcher, which
// tries every route in order of precedence without a tree.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ROUTES = 40, MAX_SEGMENTS = 24 };

struct plain_route {
  struct pl_strv pattern;
  unsigned methods;
};

struct plain_table {
  struct plain_route routes[MAX_ROUTES];
  uint32_t count;
};

static void require(bool holds) {
  if (!holds) abort();
}

static struct pl_strv take_until(struct pl_strv *rest, char stop) {
  size_t len = 0;
  while (len < rest->len && rest->data[len] != stop) len++;
  struct pl_strv piece = {rest->data, len};
  size_t used = len < rest->len ? len + 1 : len;
  *rest = pl_strv(rest->data + used, rest->len - used);
  return piece;
}

// How a pattern fits: one character a segment, 'a' literal, 'b' name, 'c' rest; the smaller text is
// the better fit. Returns: false: not at all.
static bool measure_fit(struct pl_strv pattern, const struct pl_path *path, char *fit) {
  struct pl_strv rest = {pattern.data + 1, pattern.len - 1};
  bool has_more = true;
  size_t i = 0;
  for (; has_more; i++) {
    has_more = rest.len && memchr(rest.data, '/', rest.len);
    struct pl_strv segment = take_until(&rest, '/');
    if (i == path->count) return false;
    char kind = segment.len ? segment.data[0] : 0;
    fit[i] = kind == '*' ? 'c' : kind == ':' ? 'b' : 'a';
    if (kind == '*') {
      fit[i + 1] = '\0';
      return true;
    }
    if (kind == ':' ? !path->segments[i].len : !pl_strv_eq(segment, path->segments[i]))
      return false;
  }
  fit[i] = '\0';
  return i == path->count;
}

// Returns: the route's number, or -1; *allowed gathers the methods of all patterns that fit.
static int find_plainly(const struct plain_table *t, const struct pl_path *path,
                        unsigned method_mask, unsigned *allowed) {
  char best[MAX_SEGMENTS + 2], fit[MAX_SEGMENTS + 2];
  int found = -1;
  *allowed = 0;
  for (uint32_t i = 0; i < t->count; i++) {
    if (!measure_fit(t->routes[i].pattern, path, fit)) continue;
    *allowed |= t->routes[i].methods;
    if (!(t->routes[i].methods & method_mask)) continue;
    if (found >= 0 && strcmp(fit, best) >= 0) continue;
    found = (int)i;
    strcpy(best, fit);
  }
  return found;
}

static void compare(const struct pl_router *r, const struct plain_table *t,
                    const struct pl_path *path) {
  struct pl_match m;
  unsigned allowed;
  int expected = find_plainly(t, path, 1u << PL_METHOD_GET, &allowed);
  enum pl_route_verdict verdict = pl_router_match(r, PL_METHOD_GET, path, &m);
  if (expected >= 0) {
    require(verdict == PL_ROUTE_FOUND || verdict == PL_ROUTE_BAD_SLASH);
    require(m.route == (uint32_t)expected);
    require(verdict == PL_ROUTE_BAD_SLASH || m.count == pl_router_capture_count(r, m.route));
  } else {
    require(verdict == (allowed ? PL_ROUTE_BAD_METHOD : PL_ROUTE_NOT_FOUND));
    require((m.allowed & allowed) == allowed);
  }
}

static void read_patterns(struct pl_strv *input, struct pl_router *r, struct plain_table *t) {
  while (input->len && t->count < MAX_ROUTES) {
    struct pl_strv line = take_until(input, '\n');
    if (!line.len) return;
    struct pl_strv word = take_until(&line, ' ');
    enum pl_method method;
    unsigned methods = pl_method_parse(word, &method) ? 1u << method : PL_METHODS_ALL;
    struct pl_route_problem problem;
    uint32_t route;
    int err = pl_router_add(r, methods, line, &route, &problem);
    if (err) {
      require(err == PL_EINVAL && problem.text);
      require(!problem.is_conflict || problem.earlier < t->count);
      continue;
    }
    require(route == t->count);
    t->routes[t->count++] = (struct plain_route){line, methods};
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct pl_strv input = {(const char *)data, size};
  struct plain_table table = {.count = 0};
  struct pl_router *r = pl_router_new();
  char first[128];
  struct pl_arena arena;
  struct pl_path path;
  require(r != NULL);
  read_patterns(&input, r, &table);
  pl_arena_init(&arena, first, sizeof first);
  if (!pl_path_parse(input, &arena, &path) && path.count <= MAX_SEGMENTS) compare(r, &table, &path);
  pl_arena_reset(&arena);
  pl_router_free(r);
  return 0;
}
