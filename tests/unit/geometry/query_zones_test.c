// Zones: the first that has a point wins, the grid answers as a loop over all of them.
#include "geometry/query_zones.h"

#include "base/error.h"
#include "base/mem.h"

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

static struct pl_zones *build(const struct pl_zone_spec *specs, size_t count) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_zones *zones = NULL;
  if (pl_zones_new(specs, count, &zones, problem)) fail_msg("%s", problem);
  return zones;
}

static uint32_t locate(const struct pl_zones *zones, double x, double y) {
  double p[1][2] = {{x, y}};
  uint32_t id = 99;
  struct pl_layout u32 = {.size = 4};
  struct pl_span dst = span_over(&id, 1, &u32), src = points_of(p, 1);
  pl_zones_locate(zones, &dst, &src, 0, 1);
  return id;
}

static double left[][2] = {{0, 0}, {4, 0}, {4, 4}, {0, 4}};
static double right[][2] = {{4, 0}, {8, 0}, {8, 4}, {4, 4}};
static double hole[][2] = {{1, 1}, {3, 1}, {3, 3}, {1, 3}};

static void first_zone_wins_and_borders_count(void **state) {
  (void)state;
  struct pl_span holes[] = {points_of(hole, 4)};
  struct pl_zone_spec specs[] = {{7, {points_of(right, 4), NULL, 0}},
                                 {0xffffffffu, {points_of(left, 4), holes, 1}},
                                 {5, {points_of(left, 4), NULL, 0}}};
  struct pl_zones *zones = build(specs, 3);
  assert_int_equal(locate(zones, 5, 2), 7);
  assert_int_equal(locate(zones, 4, 2), 7);
  assert_int_equal(locate(zones, nextafter(4, 3), 2), 0xffffffffu);
  assert_int_equal(locate(zones, 1, 2), 0xffffffffu);
  assert_int_equal(locate(zones, 2, 2), 5);
  assert_int_equal(locate(zones, 8, 4), 7);
  assert_int_equal(locate(zones, 9, 2), 0);
  assert_int_equal(locate(zones, NAN, 2), 0);
  assert_int_equal(locate(zones, 2, INFINITY), 0);
  pl_zones_unref(pl_zones_ref(zones));
  assert_int_equal(locate(zones, 5, 2), 7);
  pl_zones_unref(zones);
}

static void no_zones_have_nothing(void **state) {
  (void)state;
  struct pl_zones *zones = build(NULL, 0);
  assert_int_equal(locate(zones, 0, 0), 0);
  assert_true(pl_zones_rate(zones) >= 1 && pl_zones_bytes(zones) > 0);
  pl_zones_unref(zones);
}

enum { ZONES = 400, CORNERS = 7, POINTS = 3000 };

// Zones of all sizes, points on their corners among others; the reference asks each in turn.
static void grid_answers_as_a_loop_over_all(void **state) {
  (void)state;
  static double rings[ZONES][CORNERS][2], points[POINTS][2];
  static uint32_t ids[POINTS];
  struct pl_polygon *polygons[ZONES];
  struct pl_layout u32 = {.size = 4};
  uint64_t seed = 3;
  for (int round = 0; round < 6; round++) {
    struct pl_zone_spec specs[ZONES];
    size_t found = 0;
    char problem[PL_QUERY_PROBLEM_MAX];
    for (size_t z = 0; z < ZONES; z++) {
      double size = round == 5 ? 60 : pow(2, next_number(&seed, -3, 3 + round));
      double x = next_number(&seed, -100, 100), y = round == 4 ? 0 : next_number(&seed, -100, 100);
      for (size_t i = 0; i < CORNERS; i++) {
        rings[z][i][0] = x + next_number(&seed, 0, size);
        rings[z][i][1] = y + next_number(&seed, 0, size);
      }
      specs[z] = (struct pl_zone_spec){(uint32_t)z + 1, {points_of(rings[z], CORNERS), NULL, 0}};
      assert_int_equal(pl_polygon_new(&specs[z].rings, &polygons[z], problem), 0);
    }
    for (size_t i = 0; i < POINTS; i++) {
      for (int k = 0; k < 2; k++) points[i][k] = next_number(&seed, -110, 110);
      if (i % 5 == 0) memcpy(points[i], rings[next_below(&seed, ZONES)][0], sizeof points[i]);
    }
    struct pl_zones *zones = build(specs, ZONES);
    struct pl_span dst = span_over(ids, POINTS, &u32), src = points_of(points, POINTS);
    pl_zones_locate(zones, &dst, &src, 1000, POINTS - 1000);
    pl_zones_locate(zones, &dst, &src, 0, 1000);
    for (size_t i = 0; i < POINTS; i++) {
      uint32_t expected = 0;
      for (size_t z = ZONES; z-- > 0;) {
        if (pl_polygon_has(polygons[z], points[i])) expected = (uint32_t)z + 1;
      }
      assert_int_equal(ids[i], expected);
      found += expected != 0;
    }
    assert_true(found > POINTS / 5 && found <= POINTS);
    assert_true(pl_zones_bytes(zones) < ZONES * 2000);
    pl_zones_unref(zones);
    for (size_t z = 0; z < ZONES; z++) pl_polygon_free(polygons[z]);
  }
}

static void zones_that_cover_everything_do_not_fill_the_memory(void **state) {
  (void)state;
  enum { COUNT = 2000 };
  static struct pl_zone_spec specs[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    specs[i] = (struct pl_zone_spec){(uint32_t)i + 1, {points_of(left, 4), NULL, 0}};
  }
  struct pl_zones *zones = build(specs, COUNT);
  assert_true(pl_zones_bytes(zones) < COUNT * 600);
  assert_int_equal(locate(zones, 1, 1), 1);
  pl_zones_unref(zones);
}

static void check_refused(const struct pl_zone_spec *specs, size_t count, const char *expected) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_zones *zones = NULL;
  int64_t before = pl_mem_stats().bytes;
  assert_int_equal(pl_zones_new(specs, count, &zones, problem), PL_EINVAL);
  assert_string_equal(problem, expected);
  assert_true(pl_mem_stats().bytes == before);
}

static void zones_that_are_none_are_refused_by_name_and_place(void **state) {
  (void)state;
  struct pl_span holes[] = {points_of(hole, 2)};
  struct pl_zone_spec specs[] = {{7, {points_of(right, 4), NULL, 0}},
                                 {8, {points_of(left, 4), holes, 1}}};
  check_refused(specs, 2, "zones[2].holes[1] has fewer than 3 distinct points");
  specs[1].id = 0;
  check_refused(specs, 2, "zones[2].id is 0, which means none");
}

static void each_failed_allocation_is_reported_and_leaks_nothing(void **state) {
  (void)state;
  int64_t before = pl_mem_stats().bytes;
  for (uint64_t nth = 1;; nth++) {
    char problem[PL_QUERY_PROBLEM_MAX];
    struct pl_zones *zones = NULL;
    struct pl_zone_spec specs[] = {{7, {points_of(right, 4), NULL, 0}}};
    pl_mem_fail_nth(nth);
    int err = pl_zones_new(specs, 1, &zones, problem);
    pl_mem_fail_nth(0);
    pl_zones_unref(zones);
    assert_true(pl_mem_stats().bytes == before);
    if (!err) {
      assert_true(nth == 9);
      break;
    }
    assert_int_equal(err, PL_ENOMEM);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_zone_wins_and_borders_count),
      cmocka_unit_test(no_zones_have_nothing),
      cmocka_unit_test(grid_answers_as_a_loop_over_all),
      cmocka_unit_test(zones_that_cover_everything_do_not_fill_the_memory),
      cmocka_unit_test(zones_that_are_none_are_refused_by_name_and_place),
      cmocka_unit_test(each_failed_allocation_is_reported_and_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
