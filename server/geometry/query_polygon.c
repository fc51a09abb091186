// A point is inside a ring when a ray from it to the right crosses the ring an odd number of
// times. Only edges at the point's height matter: they are found by strips. The polygon's height is
// cut into equal strips, each of which lists the edges that reach into it, ring by ring. Which
// strip a height is in is computed by one monotone formula for edges and points alike, so that no
// edge can be missed, whatever is rounded.
#include "geometry/query_polygon.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "geometry/query_orient.h"

enum { POINTS_MAX = 1 << 28, ENTRIES_PER_EDGE = 4 };

struct edge {
  double a[2], b[2];
  uint32_t ring;  // 0: the outer one
};

struct pl_polygon {
  struct edge *edges;
  size_t edge_count;
  double bounds[4];  // of ring 0
  double scale;      // strips per unit of height
  size_t strip_count;
  uint32_t *begins;   // strip_count + 1: where each strip's edges begin in `entries`
  uint32_t *entries;  // numbers of edges
};

static size_t strip_of(const struct pl_polygon *polygon, double y) {
  double strip = (y - polygon->bounds[1]) * polygon->scale;
  if (!(strip > 0)) return 0;
  return strip < (double)polygon->strip_count ? (size_t)strip : polygon->strip_count - 1;
}

// The strips that an edge reaches into.
static void reach_of(const struct pl_polygon *polygon, const struct edge *edge, size_t *from,
                     size_t *to) {
  *from = strip_of(polygon, edge->a[1] < edge->b[1] ? edge->a[1] : edge->b[1]);
  *to = strip_of(polygon, edge->a[1] < edge->b[1] ? edge->b[1] : edge->a[1]);
}

static void set_strips(struct pl_polygon *polygon, size_t count) {
  double height = polygon->bounds[3] - polygon->bounds[1];
  double scale = (double)count / height;
  bool is_usable = height > 0 && isfinite(scale) && scale > 0;  // else it is flat, or endless
  polygon->strip_count = is_usable ? count : 1;
  polygon->scale = is_usable ? scale : 0;
}

static size_t count_entries(const struct pl_polygon *polygon) {
  size_t entries = 0, from, to;
  for (size_t i = 0; i < polygon->edge_count; i++) {
    reach_of(polygon, &polygon->edges[i], &from, &to);
    entries += to - from + 1;
  }
  return entries;
}

// As many strips as give each only a few edges, but not so many that long edges fill the memory.
static int cut_strips(struct pl_polygon *polygon) {
  size_t count = polygon->edge_count / 2 + 1, entries, from, to;
  for (;; count /= 2) {
    set_strips(polygon, count);
    entries = count_entries(polygon);
    if (polygon->strip_count == 1 || entries <= ENTRIES_PER_EDGE * polygon->edge_count) break;
  }
  polygon->begins = pl_mem_calloc(polygon->strip_count + 1, sizeof *polygon->begins);
  polygon->entries = pl_mem_calloc(entries, sizeof *polygon->entries);
  if (!polygon->begins || !polygon->entries) return PL_ENOMEM;
  for (size_t i = 0; i < polygon->edge_count; i++) {
    reach_of(polygon, &polygon->edges[i], &from, &to);
    for (size_t strip = from; strip <= to; strip++) polygon->begins[strip]++;
  }
  // begins[s] becomes the end of strip s; filling from the last edge moves it to its begin.
  for (size_t s = 1; s <= polygon->strip_count; s++) polygon->begins[s] += polygon->begins[s - 1];
  for (size_t i = polygon->edge_count; i-- > 0;) {
    reach_of(polygon, &polygon->edges[i], &from, &to);
    for (size_t s = from; s <= to; s++) polygon->entries[--polygon->begins[s]] = (uint32_t)i;
  }
  return 0;
}

// A ring while it is read; its name is "ring" or "holes[2]".
struct ring {
  char name[32];
  const struct pl_span *span;
  uint32_t number;
  char *problem;
};

static bool is_same(const double a[2], const double b[2]) {
  return a[0] == b[0] && a[1] == b[1];
}

static int read_point(const struct ring *ring, size_t i, double out[2]) {
  double point[3];
  pl_query_point_at(ring->span, pl_query_point_of(ring->span->layout), i, point);
  memcpy(out, point, 2 * sizeof *out);
  if (isfinite(out[0]) && isfinite(out[1])) return 0;
  snprintf(ring->problem, PL_QUERY_PROBLEM_MAX, "%s[%zu] is not finite", ring->name, i + 1);
  return PL_EINVAL;
}

static void widen_bounds(double bounds[4], const double point[2]) {
  for (int k = 0; k < 2; k++) {
    bounds[k] = point[k] < bounds[k] ? point[k] : bounds[k];
    bounds[k + 2] = point[k] > bounds[k + 2] ? point[k] : bounds[k + 2];
  }
}

// Each point and the next, the last and the first: the edge from a repeated first point to itself,
// or between any equal neighbours, is left out.
static int read_ring(struct pl_polygon *polygon, const struct ring *ring) {
  size_t count = ring->span->count, distinct = 1;
  double first[2], second[2], a[2], b[2];
  int err = count ? read_point(ring, 0, first) : 0;
  if (err) return err;
  memcpy(a, first, sizeof a);
  for (size_t i = 1; i <= count; i++) {
    err = read_point(ring, i % count, b);
    if (err) return err;
    if (!ring->number) widen_bounds(polygon->bounds, b);
    if (is_same(a, b)) continue;
    if (distinct == 1) memcpy(second, b, sizeof second);
    if (distinct == 1 || (distinct == 2 && !is_same(b, first) && !is_same(b, second))) distinct++;
    struct edge edge = {{a[0], a[1]}, {b[0], b[1]}, ring->number};
    polygon->edges[polygon->edge_count++] = edge;
    memcpy(a, b, sizeof a);
  }
  if (count && distinct > 2) return 0;
  snprintf(ring->problem, PL_QUERY_PROBLEM_MAX, "%s has fewer than 3 distinct points", ring->name);
  return PL_EINVAL;
}

static const struct pl_span *span_of(const struct pl_polygon_rings *rings, size_t number) {
  return number ? &rings->holes[number - 1] : &rings->ring;
}

static int check_rings(const struct pl_polygon_rings *rings, size_t *points, char *problem) {
  *points = 0;
  for (size_t i = 0; i <= rings->hole_count; i++) {
    const struct pl_span *span = span_of(rings, i);
    if (span->count && !pl_polygon_takes(span->layout)) {
      snprintf(problem, PL_QUERY_PROBLEM_MAX, "a ring must be vec2 or dvec2, not %.64s",
               pl_query_name(span->layout));
      return PL_EINVAL;
    }
    if (span->count > POINTS_MAX - *points) {
      snprintf(problem, PL_QUERY_PROBLEM_MAX, "more than %d points", POINTS_MAX);
      return PL_ELIMIT;
    }
    *points += span->count;
  }
  return 0;
}

static int read_rings(struct pl_polygon *polygon, const struct pl_polygon_rings *rings,
                      char *problem) {
  size_t points;
  int err = check_rings(rings, &points, problem);
  if (err) return err;
  polygon->edges = pl_mem_calloc(points + 1, sizeof *polygon->edges);
  if (!polygon->edges) return PL_ENOMEM;
  for (size_t i = 0; !err && i <= rings->hole_count; i++) {
    struct ring ring = {"ring", span_of(rings, i), (uint32_t)i, problem};
    if (i) snprintf(ring.name, sizeof ring.name, "holes[%zu]", i);
    err = read_ring(polygon, &ring);
  }
  return err;
}

int pl_polygon_new(const struct pl_polygon_rings *rings, struct pl_polygon **polygon,
                   char problem[PL_QUERY_PROBLEM_MAX]) {
  struct pl_polygon *made = pl_mem_zalloc(sizeof *made);
  if (!made) return PL_ENOMEM;
  memcpy(made->bounds, (double[4]){INFINITY, INFINITY, -INFINITY, -INFINITY}, sizeof made->bounds);
  int err = read_rings(made, rings, problem);
  if (!err) err = cut_strips(made);
  if (err) {
    pl_polygon_free(made);
    return err;
  }
  *polygon = made;
  return 0;
}

void pl_polygon_free(struct pl_polygon *polygon) {
  if (!polygon) return;
  pl_mem_free(polygon->edges);
  pl_mem_free(polygon->begins);
  pl_mem_free(polygon->entries);
  pl_mem_free(polygon);
}

size_t pl_polygon_bytes(const struct pl_polygon *polygon) {
  return sizeof *polygon + polygon->edge_count * sizeof *polygon->edges +
         (polygon->strip_count + 1 + polygon->begins[polygon->strip_count]) *
             sizeof *polygon->entries;
}

const double *pl_polygon_bounds(const struct pl_polygon *polygon) {
  return polygon->bounds;
}

bool pl_polygon_takes(const struct pl_layout *layout) {
  return pl_query_point_of(layout).dims == 2;
}

size_t pl_polygon_rate(const struct pl_polygon *polygon) {
  size_t entries = polygon->begins[polygon->strip_count];
  return 40000 / (20 + entries / polygon->strip_count) + 1;
}

enum place { OUTSIDE, INSIDE, BORDER };

// Whether the ray from p to the right crosses the edge (INSIDE), or p is on it.
static enum place meet_edge(const struct edge *edge, const double p[2]) {
  const double *a = edge->a, *b = edge->b;
  if (is_same(a, p)) return BORDER;
  if (a[1] == p[1] && b[1] == p[1]) {
    return (a[0] < p[0]) != (b[0] < p[0]) || is_same(b, p) ? BORDER : OUTSIDE;
  }
  if ((a[1] > p[1]) == (b[1] > p[1])) return OUTSIDE;
  if (p[0] < a[0] && p[0] < b[0]) return INSIDE;
  if (p[0] > a[0] && p[0] > b[0]) return OUTSIDE;
  int side = pl_query_orient(a, b, p);
  if (side == 0) return BORDER;
  return (side > 0) == (b[1] > a[1]) ? INSIDE : OUTSIDE;
}

// What is known of a point while its strip's edges are looked at, ring by ring.
struct sight {
  uint32_t ring;
  bool is_crossed;  // the present ring, an odd number of times
  bool is_border;   // of the present ring
  bool is_in;       // inside ring 0 or on its border
  bool is_in_hole;  // inside one and not on its border
};

static void end_ring(struct sight *sight) {
  if (sight->ring == 0) sight->is_in = sight->is_crossed || sight->is_border;
  if (sight->ring != 0) sight->is_in_hole |= sight->is_crossed && !sight->is_border;
  sight->is_crossed = sight->is_border = false;
}

bool pl_polygon_has(const struct pl_polygon *polygon, const double p[2]) {
  const double *bounds = polygon->bounds;
  if (!(p[0] >= bounds[0] && p[1] >= bounds[1] && p[0] <= bounds[2] && p[1] <= bounds[3])) {
    return false;
  }
  size_t strip = strip_of(polygon, p[1]);
  struct sight sight = {.ring = 0};
  for (uint32_t i = polygon->begins[strip]; i < polygon->begins[strip + 1]; i++) {
    const struct edge *edge = &polygon->edges[polygon->entries[i]];
    if (edge->ring != sight.ring) {
      end_ring(&sight);
      sight.ring = edge->ring;
    }
    enum place place = meet_edge(edge, p);
    sight.is_crossed ^= place == INSIDE;
    sight.is_border |= place == BORDER;
  }
  end_ring(&sight);
  return sight.is_in && !sight.is_in_hole;
}

void pl_polygon_inside(const struct pl_polygon *polygon, const struct pl_span *dst,
                       const struct pl_span *points, size_t first, size_t count) {
  struct pl_query_point kind = pl_query_point_of(points->layout);
  for (size_t i = first; i < first + count; i++) {
    double point[3];
    pl_query_point_at(points, kind, i, point);
    *pl_span_at(dst, i) = pl_polygon_has(polygon, point);
  }
}
