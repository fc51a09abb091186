// Points in polygons: against an exact reference over integers, at borders, and rings that are
// none.
#include "geometry/query_polygon.h"

#include "base/error.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query.h"

static struct pl_span points_of(double (*points)[2], size_t count) {
  return span_over(points, count, pl_layout_builtin(PL_BUILTIN_dvec2));
}

static struct pl_polygon *build(const struct pl_polygon_rings *rings) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_polygon *polygon = NULL;
  if (pl_polygon_new(rings, &polygon, problem)) fail_msg("%s", problem);
  return polygon;
}

static bool has(const struct pl_polygon *polygon, double x, double y) {
  double p[2] = {x, y};
  return pl_polygon_has(polygon, p);
}

static double square[][2] = {{0, 0}, {8, 0}, {8, 8}, {0, 8}};
static double square_hole[][2] = {{2, 2}, {2, 6}, {6, 6}, {6, 2}, {2, 2}};

static void borders_and_corners_are_inside(void **state) {
  (void)state;
  struct pl_span hole = points_of(square_hole, 5);
  struct pl_polygon_rings rings = {points_of(square, 4), &hole, 1};
  struct pl_polygon *polygon = build(&rings);
  for (int i = 0; i <= 8; i++) {
    assert_true(has(polygon, i, 0) && has(polygon, i, 8));
    assert_true(has(polygon, 0, i) && has(polygon, 8, i));
    assert_false(has(polygon, i, -1) || has(polygon, i, nextafter(8, 9)));
    assert_false(has(polygon, nextafter(0, -1), i) || has(polygon, nextafter(8, 9), i));
  }
  for (int i = 2; i <= 6; i++) {
    assert_true(has(polygon, i, 2) && has(polygon, i, 6));
    assert_true(has(polygon, 2, i) && has(polygon, 6, i));
  }
  assert_false(has(polygon, 4, 4) || has(polygon, nextafter(2, 3), 3));
  assert_false(has(polygon, 3, nextafter(6, 5)));
  assert_true(has(polygon, 1, 4) && has(polygon, 7, 4) && has(polygon, 4, 1));
  pl_polygon_free(polygon);
}

static void points_that_are_not_finite_are_outside(void **state) {
  (void)state;
  struct pl_polygon_rings rings = {points_of(square, 4), NULL, 0};
  struct pl_polygon *polygon = build(&rings);
  const double bad[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 3; i++) {
    assert_false(has(polygon, bad[i], 4) || has(polygon, 4, bad[i]) ||
                 has(polygon, bad[i], bad[i]));
  }
  pl_polygon_free(polygon);
}

static void huge_and_subnormal_polygons_work(void **state) {
  (void)state;
  const double sizes[] = {DBL_TRUE_MIN, DBL_MIN, 1e-200, 1e200, DBL_MAX / 16, DBL_MAX};
  for (size_t i = 0; i < 6; i++) {
    double s = sizes[i];
    double triangle[][2] = {{-s, -s}, {s, -s}, {0, s}};
    struct pl_polygon_rings rings = {points_of(triangle, 3), NULL, 0};
    struct pl_polygon *polygon = build(&rings);
    assert_true(has(polygon, 0, 0) && has(polygon, 0, s) && has(polygon, 0, -s));
    assert_false(has(polygon, s, s) || has(polygon, -s, s));
    assert_false(has(polygon, s, nextafter(s, 0)));
    pl_polygon_free(polygon);
  }
}

// The reference: integers, no index; on an edge is decided by the edge's parameters.
enum spot { OUT, IN, ON };

static enum spot refer_ring(double (*ring)[2], size_t count, const double p[2]) {
  int winding = 0;
  for (size_t i = 0; i < count; i++) {
    const double *a = ring[i], *b = ring[(i + 1) % count];
    if (a[0] == b[0] && a[1] == b[1]) continue;
    int64_t ux = (int64_t)(b[0] - a[0]), uy = (int64_t)(b[1] - a[1]);
    int64_t vx = (int64_t)(p[0] - a[0]), vy = (int64_t)(p[1] - a[1]);
    int64_t cross = ux * vy - uy * vx, dot = ux * vx + uy * vy;
    if (cross == 0 && dot >= 0 && dot <= ux * ux + uy * uy) return ON;
    if (vy >= 0 && vy < uy && cross > 0) winding++;
    if (vy < 0 && vy >= uy && cross < 0) winding++;
  }
  return winding % 2 ? IN : OUT;
}

enum { RING_MAX = 60, HOLES = 2 };

static void result_is_that_of_the_reference(void **state) {
  (void)state;
  uint64_t seed = 2;
  size_t counts[3] = {0};
  for (int round = 0; round < 2000; round++) {
    static double rings[1 + HOLES][RING_MAX][2];
    size_t sizes[1 + HOLES];
    struct pl_span holes[HOLES];
    int range = round % 3 == 0 ? 6 : round % 3 == 1 ? 20 : 1000000;
    for (size_t r = 0; r <= HOLES; r++) {
      sizes[r] = 3 + next_below(&seed, RING_MAX - 2);
      for (size_t i = 0; i < sizes[r]; i++) {
        for (int k = 0; k < 2; k++) rings[r][i][k] = (double)next_below(&seed, (size_t)range);
      }
      for (int i = 0; i < 3; i++) {  // three distinct points at least
        rings[r][i][0] = i;
        rings[r][i][1] = i % 2;
      }
      if (r) holes[r - 1] = points_of(rings[r], sizes[r]);
    }
    size_t hole_count = next_below(&seed, HOLES + 1);
    struct pl_polygon_rings given = {points_of(rings[0], sizes[0]), holes, hole_count};
    struct pl_polygon *polygon = build(&given);
    for (int i = 0; i < 200; i++) {
      double p[2];
      for (int k = 0; k < 2; k++) p[k] = (double)next_below(&seed, (size_t)range + 2) - 1;
      if (i % 4 == 0) memcpy(p, rings[0][next_below(&seed, sizes[0])], sizeof p);
      enum spot outer = refer_ring(rings[0], sizes[0], p);
      bool expected = outer != OUT;
      for (size_t h = 1; h <= hole_count; h++) {
        expected &= refer_ring(rings[h], sizes[h], p) != IN;
      }
      counts[outer]++;
      assert_int_equal(pl_polygon_has(polygon, p), expected);
    }
    pl_polygon_free(polygon);
  }
  assert_true(counts[OUT] > 10000 && counts[IN] > 10000 && counts[ON] > 10000);
}

// Every direction, start and closing of a ring is the same polygon.
static void ring_may_be_closed_and_turn_either_way(void **state) {
  (void)state;
  double backwards[][2] = {{8, 8}, {8, 0}, {8, 0}, {0, 0}, {0, 8}, {8, 8}, {8, 8}};
  struct pl_polygon_rings rings = {points_of(square, 4), NULL, 0};
  struct pl_polygon_rings other = {points_of(backwards, 7), NULL, 0};
  struct pl_polygon *a = build(&rings), *b = build(&other);
  for (double x = -1; x <= 9; x += 0.25) {
    for (double y = -1; y <= 9; y += 0.25) assert_int_equal(has(a, x, y), has(b, x, y));
  }
  pl_polygon_free(a);
  pl_polygon_free(b);
}

// Tall teeth: each reaches into every strip, so that there must be few strips.
static void long_edges_do_not_fill_the_memory(void **state) {
  (void)state;
  enum { TEETH = 5000 };
  double(*ring)[2] = calloc(2 * TEETH + 1, sizeof *ring);
  assert_non_null(ring);
  for (int i = 0; i < 2 * TEETH; i++) {
    ring[i][0] = i;
    ring[i][1] = i % 2 ? 1000 : 0;
  }
  ring[2 * TEETH][1] = -1;
  struct pl_polygon_rings rings = {points_of(ring, 2 * TEETH + 1), NULL, 0};
  struct pl_polygon *polygon = build(&rings);
  assert_true(pl_polygon_bytes(polygon) < 2 * TEETH * 80);
  assert_true(pl_polygon_rate(polygon) >= 1);
  assert_true(has(polygon, 5, 900) && has(polygon, 5.25, 250));
  assert_false(has(polygon, 6, 900) || has(polygon, 4, 900));
  pl_polygon_free(polygon);
  free(ring);
}

static void spans_of_f32_of_any_alignment_and_columns_work(void **state) {
  (void)state;
  enum { COUNT = 23, STRIDE = 11 };
  float points[COUNT][2];
  uint8_t expected[COUNT];
  uint64_t seed = 8;
  float ring[4][2] = {{0, 0}, {8, 0}, {8, 8}, {0, 8}};
  struct pl_polygon_rings rings = {span_over(ring, 4, pl_layout_builtin(PL_BUILTIN_vec2)), NULL, 0};
  struct pl_polygon *polygon = build(&rings);
  for (size_t i = 0; i < COUNT; i++) {
    for (int k = 0; k < 2; k++) points[i][k] = (float)next_below(&seed, 11) - 1;
    expected[i] = points[i][0] >= 0 && points[i][0] <= 8 && points[i][1] >= 0 && points[i][1] <= 8;
  }
  for (size_t offset = 0; offset < 16; offset++) {
    char in[16 + COUNT * STRIDE], out[COUNT];
    struct pl_layout u8 = {.size = 1};
    struct pl_span src = {in + offset, COUNT, STRIDE, pl_layout_builtin(PL_BUILTIN_vec2), 0};
    struct pl_span dst = span_over(out, COUNT, &u8);
    for (size_t i = 0; i < COUNT; i++) memcpy(pl_span_at(&src, i), points[i], 8);
    pl_polygon_inside(polygon, &dst, &src, offset, COUNT - offset);
    pl_polygon_inside(polygon, &dst, &src, 0, offset);
    assert_memory_equal(out, expected, COUNT);
    src.stride = 4;
    src.column = COUNT * 4;
    for (size_t i = 0; i < COUNT; i++) {
      memcpy(src.data + i * 4, &points[i][0], 4);
      memcpy(src.data + i * 4 + src.column, &points[i][1], 4);
    }
    memset(out, 7, sizeof out);
    pl_polygon_inside(polygon, &dst, &src, 0, COUNT);
    assert_memory_equal(out, expected, COUNT);
  }
  pl_polygon_free(polygon);
}

static void check_refused(const struct pl_polygon_rings *rings, const char *expected) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_polygon *polygon = NULL;
  int64_t before = pl_mem_stats().bytes;
  assert_int_equal(pl_polygon_new(rings, &polygon, problem), PL_EINVAL);
  assert_string_equal(problem, expected);
  assert_true(pl_mem_stats().bytes == before);
}

static void rings_that_are_none_are_refused_by_name_and_place(void **state) {
  (void)state;
  double two[][2] = {{1, 1}, {2, 2}, {1, 1}, {2, 2}, {1, 1}};
  double broken[][2] = {{1, 1}, {2, 2}, {1, NAN}};
  struct pl_span holes[2] = {points_of(square_hole, 5), points_of(two, 5)};
  struct pl_polygon_rings rings = {points_of(square, 4), holes, 2};
  check_refused(&rings, "holes[2] has fewer than 3 distinct points");
  holes[1] = points_of(broken, 3);
  check_refused(&rings, "holes[2][3] is not finite");
  rings = (struct pl_polygon_rings){points_of(two, 2), NULL, 0};
  check_refused(&rings, "ring has fewer than 3 distinct points");
  rings.ring.count = 0;
  check_refused(&rings, "ring has fewer than 3 distinct points");
  rings.ring = span_over(square, 2, pl_layout_builtin(PL_BUILTIN_dvec3));
  check_refused(&rings, "a ring must be vec2 or dvec2, not dvec3");
}

static void each_failed_allocation_is_reported_and_leaks_nothing(void **state) {
  (void)state;
  int64_t before = pl_mem_stats().bytes;
  for (uint64_t nth = 1;; nth++) {
    char problem[PL_QUERY_PROBLEM_MAX];
    struct pl_polygon *polygon = NULL;
    struct pl_polygon_rings rings = {points_of(square, 4), NULL, 0};
    pl_mem_fail_nth(nth);
    int err = pl_polygon_new(&rings, &polygon, problem);
    pl_mem_fail_nth(0);
    pl_polygon_free(polygon);
    assert_true(pl_mem_stats().bytes == before);
    if (!err) {
      assert_true(nth == 5);
      break;
    }
    assert_int_equal(err, PL_ENOMEM);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(borders_and_corners_are_inside),
      cmocka_unit_test(points_that_are_not_finite_are_outside),
      cmocka_unit_test(huge_and_subnormal_polygons_work),
      cmocka_unit_test(result_is_that_of_the_reference),
      cmocka_unit_test(ring_may_be_closed_and_turn_either_way),
      cmocka_unit_test(long_edges_do_not_fill_the_memory),
      cmocka_unit_test(spans_of_f32_of_any_alignment_and_columns_work),
      cmocka_unit_test(rings_that_are_none_are_refused_by_name_and_place),
      cmocka_unit_test(each_failed_allocation_is_reported_and_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
