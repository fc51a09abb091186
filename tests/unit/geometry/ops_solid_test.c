// sphere, capsule, obb; and what holds for every solid: raycast against samples of the line,
// closest_point and distance against each other.
#include "near.h"

#include <stdio.h>

enum { RUNS = 3000, SAMPLES = 400 };

struct solid {
  const char *type;
  int lanes;
  void (*make)(uint64_t *seed, double *to);
};

static void make_box(uint64_t *seed, double *to) {
  random_f32(seed, to, 3, 3);
  for (int i = 0; i < 3; i++) to[3 + i] = as_f32(to[i] + op_random(seed, 0.1, 4));
}
static void make_bounds(uint64_t *seed, double *to) {
  random_f32(seed, to, 3, 3);
  for (int i = 3; i < 6; i++) to[i] = as_f32(op_random(seed, 0.1, 2));
}
static void make_sphere(uint64_t *seed, double *to) {
  random_f32(seed, to, 3, 3);
  to[3] = as_f32(op_random(seed, 0.1, 2));
}
static void make_capsule(uint64_t *seed, double *to) {
  random_f32(seed, to, 6, 3);
  to[6] = as_f32(op_random(seed, 0.1, 2));
}
static void make_obb(uint64_t *seed, double *to) {
  make_bounds(seed, to);
  random_unit(seed, to + 6, 4);
}

static const struct solid solids[] = {
    {"aabb", 6, make_box},        {"bounds", 6, make_bounds}, {"sphere", 4, make_sphere},
    {"capsule", 7, make_capsule}, {"obb", 10, make_obb},
};
enum { SOLIDS = sizeof solids / sizeof *solids };

static double ask(const struct solid *solid, const char *verb, const char *operand,
                  const char *result, const double *shape, const double *with, int n) {
  char signature[64];
  double in[24];
  snprintf(signature, sizeof signature, "%s %s > %s", solid->type, operand, result);
  memcpy(in, shape, sizeof(double) * (size_t)solid->lanes);
  memcpy(in + solid->lanes, with, sizeof(double) * (size_t)n);
  return op_number(verb, signature, in);
}

static double distance(const struct solid *solid, const double *shape, const double *p) {
  return ask(solid, "distance", "vec3", "n", shape, p, 3);
}

static void point_at(const double *ray, double t, double *p) {
  for (int i = 0; i < 3; i++) p[i] = as_f32(ray[i] + ray[3 + i] * t);
}

// Distances are by another way than raycasts: along the line they must tell the same story.
static void check_raycast(const struct solid *solid, const double *shape, const double *ray) {
  const double t = ask(solid, "raycast", "ray", "n", shape, ray, 6);
  double p[3];
  if (isfinite(t)) {
    point_at(ray, t, p);
    assert_true(fabs(distance(solid, shape, p)) < 2e-5);
    const bool begins_inside = distance(solid, shape, ray) <= 0;
    if (fabs(t) > 1e-4) assert_int_equal(t < 0, begins_inside);
  }
  for (int i = 0; i < SAMPLES; i++) {
    const double at = 12.0 * i / SAMPLES;
    point_at(ray, at, p);
    if (at < t) assert_true(distance(solid, shape, p) > -2e-5);
  }
}

static void raycasts_stop_where_the_distance_says(void **state) {
  (void)state;
  uint64_t seed = 71;
  for (int i = 0; i < SOLIDS; i++) {
    int hits = 0;
    for (int run = 0; run < RUNS / 10; run++) {
      double shape[10], ray[6];
      solids[i].make(&seed, shape);
      random_f32(&seed, ray, 3, 6);
      random_f32(&seed, ray + 3, 3, 2);
      check_raycast(&solids[i], shape, ray);
      for (int k = 0; k < 3; k++) ray[3 + k] = as_f32(shape[k] - ray[k]);  // towards it
      check_raycast(&solids[i], shape, ray);
      hits += isfinite(ask(&solids[i], "raycast", "ray", "n", shape, ray, 6));
    }
    assert_true(hits > RUNS / 20);
  }
}

static void rays_along_an_axis_and_without_direction(void **state) {
  (void)state;
  const double box[] = {-1, -1, -1, 1, 1, 1};
  const double along[] = {-5, 1, 0, 2, 0, 0}, beside[] = {-5, 1.1, 0, 2, 0, 0};
  assert_true(ask(&solids[0], "raycast", "ray", "n", box, along, 6) == 2);
  assert_true(isinf(ask(&solids[0], "raycast", "ray", "n", box, beside, 6)));
  const double behind[] = {5, 0, 0, 2, 0, 0}, inside[] = {0, 0, 0, 2, 0, 0};
  assert_true(isinf(ask(&solids[0], "raycast", "ray", "n", box, behind, 6)));
  assert_true(ask(&solids[0], "raycast", "ray", "n", box, inside, 6) == -0.5);
  const double still[6] = {0};
  const double ball[] = {0, 0, 0, 1}, rod[] = {0, 0, 0, 0, 0, 1, 1};
  assert_true(isinf(ask(&solids[0], "raycast", "ray", "n", box, still, 6)));
  assert_true(isinf(ask(&solids[2], "raycast", "ray", "n", ball, still, 6)));
  assert_true(isinf(ask(&solids[3], "raycast", "ray", "n", rod, still, 6)));
  const double far_ray[] = {-1e6, 0.5, 0, 1, 0, 0};
  const double t = ask(&solids[2], "raycast", "ray", "n", ball, far_ray, 6);
  assert_true(fabs(t - (1e6 - sqrt(0.75))) < 1e-6);
  const double end_on[] = {0, 0, -5, 0, 0, 1};
  assert_true(ask(&solids[3], "raycast", "ray", "n", rod, end_on, 6) == 4);
}

static void closest_points_are_at_the_distance(void **state) {
  (void)state;
  uint64_t seed = 72;
  for (int i = 0; i < SOLIDS; i++) {
    for (int run = 0; run < RUNS; run++) {
      double in[16], near[3], other[3];
      char signature[64];
      solids[i].make(&seed, in);
      double *p = in + solids[i].lanes;
      random_f32(&seed, p, 3, 6);
      snprintf(signature, sizeof signature, "%s vec3 > vec3", solids[i].type);
      op_call("closest_point", signature, in, near);
      const double away = distance(&solids[i], in, p);
      const bool is_inside = ask(&solids[i], "contains", "vec3", "bool", in, p, 3) == 1;
      if (fabs(away) > 1e-6) assert_int_equal(is_inside, away < 0);
      const double moved =
          sqrt(pow(near[0] - p[0], 2) + pow(near[1] - p[1], 2) + pow(near[2] - p[2], 2));
      assert_true(fabs(moved - fmax(0, away)) < 1e-5);
      if (is_inside) assert_memory_equal(near, p, sizeof near);
      assert_true(distance(&solids[i], in, near) < 1e-5);
      random_f32(&seed, other, 3, 6);  // no other point of it is nearer
      if (distance(&solids[i], in, other) <= 0) {
        const double its =
            sqrt(pow(other[0] - p[0], 2) + pow(other[1] - p[1], 2) + pow(other[2] - p[2], 2));
        assert_true(its >= moved - 1e-5);
      }
    }
  }
}

static void spheres_grow_to_hold(void **state) {
  (void)state;
  uint64_t seed = 73;
  for (int run = 0; run < RUNS; run++) {
    double in[8], merged[5], pair[8];
    make_sphere(&seed, in);
    make_sphere(&seed, in + 4);
    op_call("merge", "sphere sphere > sphere", in, merged);
    memcpy(pair, merged, sizeof(double) * 4);
    pair[3] += 1e-5;
    for (int i = 0; i < 2; i++) {
      memcpy(pair + 4, in + 4 * i, sizeof(double) * 4);
      assert_true(op_number("contains", "sphere sphere > bool", pair) == 1);
    }
    const double apart =
        sqrt(pow(in[0] - in[4], 2) + pow(in[1] - in[5], 2) + pow(in[2] - in[6], 2));
    const double least = fmax(fmax(in[3], in[7]), (apart + in[3] + in[7]) / 2);
    assert_true(fabs(merged[3] - least) < 1e-5);
    op_call("encapsulate", "sphere vec3 > sphere", in, merged);
    assert_true(distance(&solids[2], merged, in + 4) < 1e-5);
    assert_int_equal(op_number("intersects", "sphere sphere > bool", in), apart <= in[3] + in[7]);
  }
  double r[4];
  op_call("expand", "sphere n > sphere", (double[]){1, 2, 3, 4, 0.5}, r);
  assert_close(r, (double[]){1, 2, 3, 4.5}, 4, 0, "expand");
  op_call("from", "sphere: aabb > sphere", (double[]){-1, -2, -2, 1, 2, 2}, r);
  assert_close(r, (double[]){0, 0, 0, 3}, 4, 0, "from aabb");
  const double volume = op_number("volume", "sphere > n", (double[]){0, 0, 0, 2});
  assert_true(fabs(volume - 32.0 / 3 * acos(-1)) < 1e-12);
  op_call("transform", "sphere transform > sphere",
          (double[]){1, 0, 0, 2, 10, 0, 0, 0, 0, 0, 1, 1, 3, 2}, r);
  assert_close(r, (double[]){11, 0, 0, 6}, 4, 0, "transform");
}

// Against points of the one that are tried in the other.
static void boxes_that_intersect_have_a_common_point(void **state) {
  (void)state;
  uint64_t seed = 74;
  int common = 0, apart = 0;
  for (int run = 0; run < RUNS; run++) {
    double in[20];
    make_obb(&seed, in);
    make_obb(&seed, in + 10);
    const bool do_meet = op_number("intersects", "obb obb > bool", in) == 1;
    bool found = false;
    double p[13], away = INFINITY;
    memcpy(p, in, sizeof(double) * 3);  // to one and the other in turn
    for (int step = 0; step < 300 && !found; step++) {
      double next[3], with[13];
      memcpy(with, in + (step % 2 ? 0 : 10), sizeof(double) * 10);
      memcpy(with + 10, p, sizeof next);
      op_call("closest_point", "obb vec3 > vec3", with, next);
      away = sqrt(pow(next[0] - p[0], 2) + pow(next[1] - p[1], 2) + pow(next[2] - p[2], 2));
      memcpy(p, next, sizeof next);
      found = step > 0 && away == 0;
    }
    common += do_meet;
    apart += !do_meet;
    if (found) assert_true(do_meet);
    if (away > 0.05) assert_false(do_meet);
  }
  assert_true(common > 100 && apart > 100);
}

static void capsules_meet_by_the_distance_of_their_cores(void **state) {
  (void)state;
  uint64_t seed = 75;
  for (int run = 0; run < RUNS; run++) {
    double in[14], segments[12];
    make_capsule(&seed, in);
    make_capsule(&seed, in + 7);
    memcpy(segments, in, sizeof(double) * 6);
    memcpy(segments + 6, in + 7, sizeof(double) * 6);
    const double gap = op_number("distance", "segment segment > n", segments);
    double least = INFINITY;  // by trying
    for (int i = 0; i <= 40; i++) {
      double p[9];
      memcpy(p, segments, sizeof(double) * 6);
      for (int k = 0; k < 3; k++) p[6 + k] = in[7 + k] + (in[10 + k] - in[7 + k]) * i / 40;
      least = fmin(least, op_number("distance", "segment vec3 > n", p));
    }
    assert_true(gap <= least + 1e-5 && gap >= least - 0.15);
    assert_int_equal(op_number("intersects", "capsule capsule > bool", in), gap <= in[6] + in[13]);
  }
}

static void mixed_pairs(void **state) {
  (void)state;
  const double ball_box[] = {3, 0, 0, 2, -1, -1, -1, 1, 1, 1};
  assert_true(op_number("intersects", "sphere aabb > bool", ball_box) == 1);
  const double apart[] = {3, 0, 0, 1.9, -1, -1, -1, 1, 1, 1};
  assert_true(op_number("intersects", "sphere aabb > bool", apart) == 0);
  const double rod_ball[] = {0, 0, 0, 0, 0, 4, 1, 3, 0, 2, 2};
  assert_true(op_number("intersects", "capsule sphere > bool", rod_ball) == 1);
  const double s = sin(acos(-1) / 8), c = cos(acos(-1) / 8);
  const double turned_box[] = {0, 0, 0, 1, 1, 1, 0, 0, s, c, 1.3, -1, -1, 2, 1, 1};
  assert_true(op_number("intersects", "obb aabb > bool", turned_box) == 1);
  const double turned_ball[] = {0, 0, 0, 1, 1, 1, 0, 0, s, c, 2.4, 0, 0, 1};
  assert_true(op_number("intersects", "obb sphere > bool", turned_ball) == 1);
  double r[10];
  op_call("from", "obb: aabb > obb", (double[]){0, 0, 0, 2, 4, 6}, r);
  assert_close(r, (double[]){1, 2, 3, 1, 2, 3, 0, 0, 0, 1}, 10, 0, "from aabb");
  op_call("size", "obb > vec3", turned_ball, r);
  assert_close(r, (double[]){2, 2, 2}, 3, 0, "size");
  assert_true(op_number("volume", "obb > n", turned_ball) == 8);
  op_call("transform", "obb transform > obb",
          (double[]){1, 0, 0, 1, 2, 3, 0, 0, 0, 1, 5, 0, 0, 0, 0, s, c, 2, 2, 2}, r);
  assert_close(r,
               (double[]){5 + 2 * cos(acos(-1) / 4), 2 * sin(acos(-1) / 4), 0, 2, 4, 6, 0, 0, s, c},
               10, 1e-6, "transform");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(raycasts_stop_where_the_distance_says),
      cmocka_unit_test(rays_along_an_axis_and_without_direction),
      cmocka_unit_test(closest_points_are_at_the_distance),
      cmocka_unit_test(spheres_grow_to_hold),
      cmocka_unit_test(boxes_that_intersect_have_a_common_point),
      cmocka_unit_test(capsules_meet_by_the_distance_of_their_cores),
      cmocka_unit_test(mixed_pairs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
