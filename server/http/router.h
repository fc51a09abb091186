/// (method, path) -> route number, captured values, allowed methods. It knows no handler.
///
/// A pattern begins with "/" and has segments like a path: literal text (as decoded, "/a b" and not
/// "/a%20b"), `:name` for one segment that is not empty, and `*name`, only as the last one, for one
/// or more segments, of which the first may be the empty one: "/files/*rest" is matched by
/// "/files/" and "/files/a/b", not by "/files". At each segment literal beats `:name` beats
/// `*name`; when the better choice leads nowhere for that method, the next one is tried.
///
/// Thread: one adds; once that is over, any number may match.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "http/path.h"
#include "http/request.h"

struct pl_router;

enum {
  PL_ROUTER_MAX_CAPTURES = 32,   ///< in one pattern
  PL_ROUTER_MAX_SEGMENTS = 128,  ///< in one pattern; bounds the depth of recursion too
  PL_METHODS_ALL = (1 << PL_METHOD_COUNT) - 1
};

/// Why a pattern was refused.
struct pl_route_problem {
  const char *text;        ///< one line for the author, static; NULL for out of memory
  struct pl_strv segment;  ///< the segment of the pattern that it is about; empty: none
  bool is_conflict;        ///< another route has this pattern and one of these methods
  uint32_t earlier;        ///< that route's number
};

/// Returns: an empty router, or NULL: out of memory.
PL_MUST_CHECK struct pl_router *pl_router_new(void);
void pl_router_free(struct pl_router *router);

/// Adds a route; routes are numbered 0, 1, 2, ... in the order added. GET serves HEAD as well,
/// unless the pattern has a route for HEAD.
/// @param methods  1 << PL_METHOD_GET | ..., at least one; PL_METHODS_ALL for "any"
/// Returns: 0; PL_EINVAL (*problem says why); PL_ENOMEM. After an error nothing has been added.
PL_MUST_CHECK int pl_router_add(struct pl_router *router, unsigned methods, struct pl_strv pattern,
                                uint32_t *route, struct pl_route_problem *problem);

/// The name of capture `index` of a route, without ":" or "*"; valid until the next add.
struct pl_strv pl_router_capture_name(const struct pl_router *router, uint32_t route, size_t index);

/// How many captures the route's pattern has.
size_t pl_router_capture_count(const struct pl_router *router, uint32_t route);

enum pl_route_verdict {
  PL_ROUTE_FOUND,
  PL_ROUTE_NOT_FOUND,   ///< no pattern matches: 404
  PL_ROUTE_BAD_METHOD,  ///< patterns match, none with this method: 405, or 204 for OPTIONS
  PL_ROUTE_BAD_SLASH    ///< an encoded slash in what `*name` would capture: 400
};

struct pl_match {
  uint32_t route;    ///< FOUND, BAD_SLASH
  uint32_t allowed;  ///< BAD_METHOD: mask for Allow; HEAD where GET is, and always OPTIONS
  size_t count;      ///< FOUND: of captures
  struct pl_strv
      captures[PL_ROUTER_MAX_CAPTURES];  ///< in the pattern's order; views of path's segments
};

/// Finds the route. Allocates nothing.
///
/// Cost: the patterns form a tree and each of its nodes has one parent, so one match visits a node
/// at most once: never more steps than there are nodes, whatever the path.
enum pl_route_verdict pl_router_match(const struct pl_router *router, enum pl_method method,
                                      const struct pl_path *path, struct pl_match *out);

/// Writes a mask as Allow has it, "GET, HEAD, OPTIONS", and a terminator. Returns: its length.
enum { PL_ALLOW_MAX = 64 };
size_t pl_router_write_allow(unsigned methods, char out[PL_ALLOW_MAX]);
