// ray, ray2, segment, triangle, hit.
#include "near.h"

enum { RUNS = 10000 };

static void expect(const char *name, const char *signature, const double *in, const double *wanted,
                   int n) {
  double r[12];
  op_call(name, signature, in, r);
  assert_close(r, wanted, n, 1e-6, name);
}

static void rays_have_points(void **state) {
  (void)state;
  const double ray[] = {1, 2, 3, 0, 0, 2, 1.5};
  expect("get_point", "ray n > vec3", ray, (double[]){1, 2, 6}, 3);
  expect("normalize", "ray > ray", ray, (double[]){1, 2, 3, 0, 0, 1}, 6);
  expect("closest_point", "ray vec3 > vec3", (double[]){1, 2, 3, 0, 0, 2, 9, 9, 5},
         (double[]){1, 2, 5}, 3);
  expect("closest_point", "ray vec3 > vec3", (double[]){1, 2, 3, 0, 0, 2, 9, 9, -5},
         (double[]){1, 2, 3}, 3);
  assert_true(op_number("distance", "ray vec3 > n", (double[]){0, 0, 0, 0, 0, 2, 3, 4, 5}) == 5);
  expect("from_points", "ray: vec3 vec3 > ray", (double[]){1, 2, 3, 4, 5, 6},
         (double[]){1, 2, 3, 3, 3, 3}, 6);
  expect("from", "ray: segment > ray", (double[]){1, 2, 3, 4, 5, 6}, (double[]){1, 2, 3, 3, 3, 3},
         6);
  expect("get_point", "ray2 n > vec2", (double[]){1, 2, 0, 2, 0.5}, (double[]){1, 3}, 2);
  expect("normalize", "ray2 > ray2", (double[]){1, 2, 0, 2}, (double[]){1, 2, 0, 1}, 4);
  expect("transform", "ray transform > ray",
         (double[]){1, 0, 0, 0, 1, 0, 5, 5, 5, 0, 0, sqrt(0.5), sqrt(0.5), 2, 2, 2},
         (double[]){5, 7, 5, -2, 0, 0}, 6);
  expect("transform", "ray mat4 > ray",
         (double[]){1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 1, 1, 1, 1},
         (double[]){3, 1, 1, 0, 2, 0}, 6);
  expect("transform", "ray affine > ray",
         (double[]){1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 1, 1},
         (double[]){3, 1, 1, 0, 2, 0}, 6);
}

static void segments_end(void **state) {
  (void)state;
  const double s[] = {0, 0, 0, 4, 0, 0, 7, 4, 0};
  expect("closest_point", "segment vec3 > vec3", s, (double[]){4, 0, 0}, 3);
  assert_true(op_number("distance", "segment vec3 > n", s) == 5);
  assert_true(op_number("length", "segment > n", s) == 4);
  expect("center", "segment > vec3", s, (double[]){2, 0, 0}, 3);
  expect("direction", "segment > vec3", s, (double[]){4, 0, 0}, 3);
  expect("get_point", "segment n > vec3", (double[]){0, 0, 0, 4, 0, 0, 0.25}, (double[]){1, 0, 0},
         3);
  const double crossing[] = {-1, 0, 0, 1, 0, 0, 0, -1, 2, 0, 1, 2};
  assert_true(op_number("distance", "segment segment > n", crossing) == 2);
  const double parallel[] = {0, 0, 0, 4, 0, 0, 7, 4, 0, 9, 4, 0};
  assert_true(op_number("distance", "segment segment > n", parallel) == 5);
  const double points[] = {0, 0, 0, 0, 0, 0, 3, 4, 0, 3, 4, 0};
  assert_true(op_number("distance", "segment segment > n", points) == 5);
}

static void triangles_are_hit_where_the_weights_say(void **state) {
  (void)state;
  uint64_t seed = 101;
  int hits = 0;
  for (int run = 0; run < RUNS; run++) {
    double in[15], at[12], weights[3];
    random_f32(&seed, in, 12, 5);
    const double u = op_random(&seed, -0.3, 1), v = op_random(&seed, -0.3, 1);
    for (int i = 0; i < 3; i++) {  // a ray to the point of those weights, which is at t = 1
      const double to = in[i] + (in[3 + i] - in[i]) * u + (in[6 + i] - in[i]) * v;
      in[12 + i] = as_f32(to - in[9 + i]);
    }
    const double t = op_number("raycast", "triangle ray > n", in);
    const bool is_inside = u >= 0 && v >= 0 && u + v <= 1;
    const double edge = fmin(fmin(fabs(u), fabs(v)), fabs(1 - u - v));
    if (edge > 1e-3 && op_number("area", "triangle > n", in) > 0.5) {
      if (is_inside != isfinite(t)) fail_msg("u %g v %g t %g", u, v, t);
    }
    if (!isfinite(t)) continue;
    hits++;
    memcpy(at, in, sizeof(double) * 9);
    for (int i = 0; i < 3; i++) at[9 + i] = in[9 + i] + in[12 + i] * t;
    assert_true(op_number("distance", "triangle vec3 > n", at) < 1e-4);
    if (op_number("area", "triangle > n", in) < 0.5) continue;
    op_call("barycentric", "triangle vec3 > n n n", at, weights);
    assert_true(fabs(weights[0] + weights[1] + weights[2] - 1) < 1e-12);
    assert_true(fmin(fmin(weights[0], weights[1]), weights[2]) > -1e-3);
  }
  assert_true(hits > RUNS / 5);
}

static void triangles_have_two_sides_and_a_front(void **state) {
  (void)state;
  double in[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0.25, 0.25, 5, 0, 0, -2};
  assert_true(op_number("raycast", "triangle ray > n", in) == 2.5);
  in[11] = -5;
  assert_true(isinf(op_number("raycast", "triangle ray > n", in)));
  in[14] = 5;
  assert_true(op_number("raycast", "triangle ray > n", in) == 1);
  in[14] = 0;
  in[12] = 1;  // along its plane
  assert_true(isinf(op_number("raycast", "triangle ray > n", in)));
  expect("normal", "triangle > vec3", in, (double[]){0, 0, 1}, 3);
  assert_true(op_number("area", "triangle > n", in) == 0.5);
  expect("center", "triangle > vec3", in, (double[]){1.0 / 3, 1.0 / 3, 0}, 3);
  expect("closest_point", "triangle vec3 > vec3", (double[]){0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 7},
         (double[]){0.5, 0.5, 0}, 3);
  expect("closest_point", "triangle vec3 > vec3",
         (double[]){0, 0, 0, 1, 0, 0, 0, 1, 0, 0.2, 0.3, 7}, (double[]){0.2, 0.3, 0}, 3);
  expect("closest_point", "triangle vec3 > vec3",  // a line only
         (double[]){0, 0, 0, 1, 0, 0, 2, 0, 0, 1.5, 3, 0}, (double[]){1.5, 0, 0}, 3);
  expect("normal", "triangle > vec3", (double[]){0, 0, 0, 1, 0, 0, 2, 0, 0}, (double[]){0, 0, 0},
         3);
}

static void hits_are_finite(void **state) {
  (void)state;
  float hit[8];
  const struct pl_constant *miss = pl_constants_of(PL_BUILTIN_hit);
  assert_string_equal(miss->name, "miss");
  miss->run(&(union pl_slot){.at = hit}, NULL);
  assert_true(isinf(hit[0]) && hit[1] == 0 && hit[7] == 0);
  assert_true(op_number("is_hit", "hit > bool", (double[]){INFINITY, 0, 0, 0, 0, 0, 0, 0}) == 0);
  assert_true(op_number("is_hit", "hit > bool", (double[]){2, 0, 0, 0, 0, 0, 0, 0}) == 1);
  expect("get_point", "hit ray > vec3", (double[]){2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3},
         (double[]){3, 5, 7}, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rays_have_points),
      cmocka_unit_test(segments_end),
      cmocka_unit_test(triangles_are_hit_where_the_weights_say),
      cmocka_unit_test(triangles_have_two_sides_and_a_front),
      cmocka_unit_test(hits_are_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
