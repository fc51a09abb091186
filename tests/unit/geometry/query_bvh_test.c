// The tree of boxes: bounds are rounded outwards, and a walk leaves out nothing that may be hit.
#include "geometry/query_bvh.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query.h"

static void bounds_are_rounded_outwards(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int round = 0; round < 10000; round++) {
    double bounds[6];
    for (int k = 0; k < 6; k++) bounds[k] = next_number(&seed, -1e3, 1e3);
    struct pl_bvh_item item = pl_bvh_item_make(bounds, 7);
    for (int k = 0; k < 3; k++) {
      assert_true(item.bounds[k] <= bounds[k] && item.bounds[k + 3] >= bounds[k + 3]);
      assert_true(nextafterf(item.bounds[k], INFINITY) > bounds[k]);
    }
  }
}

enum { ITEMS = 500 };

struct seen {
  bool is_seen[ITEMS];
  size_t count;
};

static bool note_item(void *ctx, uint32_t name) {
  struct seen *seen = ctx;
  assert_false(seen->is_seen[name]);
  seen->is_seen[name] = true;
  seen->count++;
  return false;
}

static void walk_visits_all_that_the_ray_meets_before_the_limit(void **state) {
  (void)state;
  static struct pl_bvh_item items[ITEMS], kept[ITEMS];
  uint64_t seed = 2;
  size_t visited = 0;
  for (int round = 0; round < 200; round++) {
    float limit = round % 2 ? FLT_MAX : 0.5F;
    for (uint32_t i = 0; i < ITEMS; i++) {
      double bounds[6];
      for (int k = 0; k < 3; k++) {
        bounds[k] = next_number(&seed, -1, 1);
        bounds[k + 3] = bounds[k] + next_number(&seed, 0, 0.1);
      }
      items[i] = kept[i] = pl_bvh_item_make(bounds, i);
    }
    struct pl_bvh *bvh = pl_bvh_new(items, ITEMS);
    struct seen seen = {.count = 0};
    struct pl_query_ray ray;
    double o[3], d[3], lo, hi;
    assert_non_null(bvh);
    for (int k = 0; k < 3; k++) {
      o[k] = next_number(&seed, -1, 1);
      d[k] = next_number(&seed, -1, 1);
    }
    assert_true(pl_query_ray_make(&ray, o, d, FLT_MAX));
    pl_bvh_walk(bvh, &ray, &limit, note_item, &seen);
    visited += seen.count;
    for (size_t i = 0; i < ITEMS; i++) {
      double bounds[6];
      for (int k = 0; k < 6; k++) bounds[k] = kept[i].bounds[k];
      if (pl_query_ray_box(&ray, bounds, &lo, &hi) && (float)lo <= limit) {
        assert_true(seen.is_seen[i]);
      }
    }
    pl_bvh_free(bvh);
  }
  assert_true(visited < 200 * ITEMS / 5);  // and leaves out most
}

static bool stop_at_once(void *ctx, uint32_t name) {
  (void)name;
  ++*(size_t *)ctx;
  return true;
}

static void walk_ends_when_it_is_told(void **state) {
  (void)state;
  const double bounds[6] = {0, 0, 0, 1, 1, 1}, o[3] = {-1, 0.5, 0.5}, d[3] = {1, 0, 0};
  struct pl_bvh_item items[40];
  struct pl_query_ray ray;
  size_t visits = 0;
  float limit = FLT_MAX;
  for (uint32_t i = 0; i < 40; i++) items[i] = pl_bvh_item_make(bounds, i);
  struct pl_bvh *bvh = pl_bvh_new(items, 40);
  assert_true(bvh && pl_query_ray_make(&ray, o, d, FLT_MAX));
  pl_bvh_walk(bvh, &ray, &limit, stop_at_once, &visits);
  assert_int_equal(visits, 1);
  pl_bvh_free(bvh);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bounds_are_rounded_outwards),
      cmocka_unit_test(walk_visits_all_that_the_ray_meets_before_the_limit),
      cmocka_unit_test(walk_ends_when_it_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
