// Nearest points: against a sort of all distances, tree against loop, ties and radii.
#include "geometry/query_nearest.h"

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

static const struct pl_layout u32 = {.size = 4, .scalar = PL_SCALAR_U32};
static const struct pl_layout f32 = {.size = 4, .scalar = PL_SCALAR_F32};
static const struct pl_layout f64 = {.size = 8, .scalar = PL_SCALAR_F64};

static struct pl_nearest *build(const struct pl_span *points, enum pl_nearest_search search) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_nearest *nearest = NULL;
  if (pl_nearest_new(points, SIZE_MAX, search, &nearest, problem)) fail_msg("%s", problem);
  return nearest;
}

static void find(const struct pl_nearest *nearest, struct pl_span points, unsigned k, double radius,
                 uint32_t *indices, double *distances) {
  struct pl_nearest_query query = {points, k, radius};
  struct pl_span to = span_over(indices, points.count * k, &u32);
  struct pl_span far = span_over(distances, points.count * k, &f64);
  pl_nearest_find(nearest, &query, &to, &far, 0, points.count);
}

enum { POINTS = 700, QUERIES = 60, K_MAX = 40 };

struct candidate {
  long double distance2;
  uint32_t index;
};

static int by_distance(const void *a, const void *b) {
  const struct candidate *x = a, *y = b;
  if (x->distance2 != y->distance2) return x->distance2 < y->distance2 ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

// Whole numbers, so that all squares are exact and many distances are equal.
static void answers_are_those_of_a_sort(void **state) {
  (void)state;
  static const enum pl_builtin types[] = {PL_BUILTIN_dvec2, PL_BUILTIN_dvec3};
  static double points[POINTS][3], queries[QUERIES][3], distances[2][QUERIES * K_MAX];
  static uint32_t indices[2][QUERIES * K_MAX];
  uint64_t seed = 1;
  for (int round = 0; round < 60; round++) {
    size_t dims = 2 + (size_t)round % 2, count = round % 5 ? POINTS : next_below(&seed, 30);
    unsigned k = 1 + (unsigned)next_below(&seed, K_MAX);
    double radius = round % 3 ? INFINITY : (double)next_below(&seed, 30);
    size_t range = round % 4 == 0 ? 5 : 200;
    double *p = &points[0][0], *q = &queries[0][0];
    for (size_t i = 0; i < POINTS * dims; i++) p[i] = (double)next_below(&seed, range);
    for (size_t i = 0; i < QUERIES * dims; i++) q[i] = (double)next_below(&seed, range);
    const struct pl_layout *layout = pl_layout_builtin(types[dims - 2]);
    struct pl_span span = span_over(points, count, layout);
    for (int tree = 0; tree < 2; tree++) {
      struct pl_nearest *nearest = build(&span, tree ? PL_NEAREST_TREE : PL_NEAREST_LOOP);
      find(nearest, span_over(queries, QUERIES, layout), k, radius, indices[tree], distances[tree]);
      assert_true(pl_nearest_rate(nearest, k) >= 1 && pl_nearest_bytes(nearest) > count * 32);
      pl_nearest_unref(nearest);
    }
    for (size_t i = 0; i < QUERIES; i++) {
      struct candidate all[POINTS];
      for (size_t j = 0; j < count; j++) {
        all[j] = (struct candidate){0, (uint32_t)j + 1};
        for (size_t d = 0; d < dims; d++) {
          long double apart = (long double)p[j * dims + d] - q[i * dims + d];
          all[j].distance2 += apart * apart;
        }
      }
      qsort(all, count, sizeof *all, by_distance);
      for (unsigned n = 0; n < k; n++) {
        bool is_found = n < count && all[n].distance2 <= (long double)radius * radius;
        for (int tree = 0; tree < 2; tree++) {
          assert_int_equal(indices[tree][i * k + n], is_found ? all[n].index : 0);
          double expected = is_found ? sqrt((double)all[n].distance2) : INFINITY;
          assert_true(distances[tree][i * k + n] == expected);
        }
      }
    }
  }
}

// Clusters, lines, far and tiny numbers: what rounding could make differ.
static void loop_and_tree_give_the_same_bits(void **state) {
  (void)state;
  static double points[POINTS][3], queries[QUERIES][3], distances[2][QUERIES * K_MAX];
  static uint32_t indices[2][QUERIES * K_MAX];
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_dvec3);
  const double scales[] = {1, 1e-170, 1e-310, 1e100, 1e160, DBL_MAX};
  uint64_t seed = 2;
  for (int round = 0; round < 60; round++) {
    double scale = scales[round % 6], offset = round % 4 ? 0 : scale;
    for (size_t i = 0; i < POINTS; i++) {
      for (int d = 0; d < 3; d++) {
        bool is_flat = round % 3 == d && i % 2;
        points[i][d] = is_flat ? offset : next_number(&seed, -scale / 2, scale / 2) + offset / 2;
      }
      if (i % 7 == 0 && i) memcpy(points[i], points[i - 1], sizeof points[i]);
      if (i % 50 == 0) points[i][i % 3] = i % 100 ? NAN : INFINITY;
    }
    for (size_t i = 0; i < QUERIES; i++) {
      for (int d = 0; d < 3; d++) queries[i][d] = next_number(&seed, -scale / 2, scale / 2);
      if (i % 4 == 0) memcpy(queries[i], points[next_below(&seed, POINTS)], sizeof queries[i]);
    }
    struct pl_span span = span_over(points, POINTS, layout);
    unsigned k = 1 + (unsigned)next_below(&seed, K_MAX);
    double radius = round % 2 ? INFINITY : scale / 4;
    for (int tree = 0; tree < 2; tree++) {
      struct pl_nearest *nearest = build(&span, tree ? PL_NEAREST_TREE : PL_NEAREST_LOOP);
      find(nearest, span_over(queries, QUERIES, layout), k, radius, indices[tree], distances[tree]);
      pl_nearest_unref(nearest);
    }
    assert_memory_equal(indices[0], indices[1], QUERIES * k * 4);
    assert_memory_equal(distances[0], distances[1], QUERIES * k * 8);
    for (size_t i = 0; i < QUERIES * k; i++) {
      assert_true(indices[0][i] == 0 || (indices[0][i] - 1) % 50 != 0);
    }
  }
}

static void what_is_not_finite_is_not_found_and_finds_nothing(void **state) {
  (void)state;
  float points[3][2] = {{NAN, 0}, {1, 1}, {0, INFINITY}}, queries[3][2] = {{0, 0}, {NAN, 0}};
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_vec2);
  struct pl_span span = span_over(points, 3, layout);
  uint32_t indices[4];
  double distances[4];
  struct pl_nearest *nearest = build(&span, PL_NEAREST_AUTO);
  find(nearest, span_over(queries, 2, layout), 2, INFINITY, indices, distances);
  assert_int_equal(indices[0], 2);
  assert_true(distances[0] == sqrt(2));
  for (int i = 1; i < 4; i++) assert_true(indices[i] == 0 && distances[i] == INFINITY);
  find(nearest, span_over(queries, 1, layout), 2, NAN, indices, distances);
  assert_int_equal(indices[0], 0);
  find(nearest, span_over(queries, 1, layout), 2, -2, indices, distances);
  assert_int_equal(indices[0], 0);
  pl_nearest_unref(pl_nearest_ref(nearest));
  assert_true(pl_nearest_takes(nearest, pl_layout_builtin(PL_BUILTIN_dvec2)));
  assert_false(pl_nearest_takes(nearest, pl_layout_builtin(PL_BUILTIN_vec3)));
  pl_nearest_unref(nearest);
}

static void radius_includes_its_border(void **state) {
  (void)state;
  double points[][2] = {{3, 4}, {0.1, 0}, {6, 8}}, queries[][2] = {{0, 0}};
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_dvec2);
  struct pl_span span = span_over(points, 3, layout);
  uint32_t indices[3];
  double distances[3];
  struct pl_nearest *nearest = build(&span, PL_NEAREST_AUTO);
  find(nearest, span_over(queries, 1, layout), 3, 5, indices, distances);
  assert_true(indices[0] == 2 && indices[1] == 1 && indices[2] == 0 && distances[1] == 5);
  find(nearest, span_over(queries, 1, layout), 1, 0.1, indices, distances);
  assert_int_equal(indices[0], 2);
  find(nearest, span_over(queries, 1, layout), 1, nextafter(0.1, 0), indices, distances);
  assert_int_equal(indices[0], 0);
  pl_nearest_unref(nearest);
}

static void any_alignment_columns_and_cut_give_the_same(void **state) {
  (void)state;
  enum { COUNT = 90, STRIDE = 13, K = 3 };
  static float points[COUNT][3];
  static double expected_far[COUNT * K];
  static uint32_t expected[COUNT * K];
  uint64_t seed = 4;
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_vec3);
  for (size_t i = 0; i < COUNT; i++) {
    for (int k = 0; k < 3; k++) points[i][k] = (float)next_number(&seed, -1, 1);
  }
  struct pl_span span = span_over(points, COUNT, layout);
  struct pl_nearest *plain = build(&span, PL_NEAREST_AUTO);
  find(plain, span, K, INFINITY, expected, expected_far);
  pl_nearest_unref(plain);
  for (size_t i = 0; i < COUNT; i++) assert_int_equal(expected[i * K], i + 1);
  for (size_t offset = 0; offset < 64; offset++) {
    char in[64 + COUNT * STRIDE], out[64 + COUNT * K * 4], far[64 + COUNT * K * 4];
    struct pl_span src = {in + offset, COUNT, STRIDE, layout, 0};
    for (size_t i = 0; i < COUNT; i++) memcpy(pl_span_at(&src, i), points[i], 12);
    if (offset % 2) {
      src.stride = 4;
      src.column = COUNT * 4;
      for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < 3; k++) memcpy(src.data + i * 4 + k * src.column, &points[i][k], 4);
      }
    }
    struct pl_nearest *nearest = build(&src, PL_NEAREST_AUTO);
    struct pl_nearest_query query = {src, K, INFINITY};
    struct pl_span to = span_over(out + offset, COUNT * K, &u32);
    struct pl_span apart = span_over(far + offset, COUNT * K, &f32), none = {.data = NULL};
    pl_nearest_find(nearest, &query, &to, &apart, offset, COUNT - offset);
    pl_nearest_find(nearest, &query, &to, &none, 0, offset);
    assert_memory_equal(to.data, expected, sizeof expected);
    for (size_t i = offset * K; i < COUNT * K; i++) {
      float narrow;
      memcpy(&narrow, pl_span_at(&apart, i), sizeof narrow);
      assert_true(narrow == (float)expected_far[i]);
    }
    pl_nearest_unref(nearest);
  }
}

// Sorted, equal, and organ-pipe orders do not make the tree slow or deep.
static void large_sets_of_any_order_are_planted(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  double(*points)[2] = calloc(COUNT, sizeof *points), queries[1][2] = {{777, 0}};
  const struct pl_layout *layout = pl_layout_builtin(PL_BUILTIN_dvec2);
  assert_non_null(points);
  for (int order = 0; order < 4; order++) {
    for (int i = 0; i < COUNT; i++) {
      int at[] = {i, COUNT - i, i < COUNT / 2 ? i : COUNT - i, 777};
      points[i][0] = at[order];
    }
    struct pl_span span = span_over(points, COUNT, layout);
    struct pl_nearest *nearest = build(&span, PL_NEAREST_AUTO);
    uint32_t index;
    double distance;
    find(nearest, span_over(queries, 1, layout), 1, INFINITY, &index, &distance);
    assert_int_equal(index, ((uint32_t[]){778, COUNT - 776, 778, 1})[order]);
    pl_nearest_unref(nearest);
  }
  free(points);
}

static void what_is_no_point_is_refused(void **state) {
  (void)state;
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  float data[4] = {0};
  struct pl_nearest *nearest = NULL;
  struct pl_span span = span_over(data, 1, pl_layout_builtin(PL_BUILTIN_quat));
  assert_int_equal(pl_nearest_new(&span, 1, PL_NEAREST_AUTO, &nearest, problem), PL_EINVAL);
  assert_string_equal(problem, "points must be vec2, vec3, dvec2 or dvec3, not quat");
}

static void each_failed_allocation_is_reported_and_leaks_nothing(void **state) {
  (void)state;
  static float points[100][2];
  int64_t before = pl_mem_stats().bytes;
  for (uint64_t nth = 1;; nth++) {
    char problem[PL_QUERY_PROBLEM_MAX];
    struct pl_nearest *nearest = NULL;
    struct pl_span span = span_over(points, 100, pl_layout_builtin(PL_BUILTIN_vec2));
    pl_mem_fail_nth(nth);
    int err = pl_nearest_new(&span, SIZE_MAX, PL_NEAREST_AUTO, &nearest, problem);
    pl_mem_fail_nth(0);
    pl_nearest_unref(nearest);
    assert_true(pl_mem_stats().bytes == before);
    if (!err) {
      assert_true(nth == 4);
      break;
    }
    assert_int_equal(err, PL_ENOMEM);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_those_of_a_sort),
      cmocka_unit_test(loop_and_tree_give_the_same_bits),
      cmocka_unit_test(what_is_not_finite_is_not_found_and_finds_nothing),
      cmocka_unit_test(radius_includes_its_border),
      cmocka_unit_test(any_alignment_columns_and_cut_give_the_same),
      cmocka_unit_test(large_sets_of_any_order_are_planted),
      cmocka_unit_test(what_is_no_point_is_refused),
      cmocka_unit_test(each_failed_allocation_is_reported_and_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
