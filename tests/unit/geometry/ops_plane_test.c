// plane against tolua's Plane; frustum against projected points.
#include "near.h"

enum { RUNS = 10000 };

static double dot3(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void planes_agree_with_tolua(void **state) {
  (void)state;
  uint64_t seed = 111;
  for (int run = 0; run < RUNS; run++) {
    double in[12], plane[4], normal[3], with[10];
    random_f32(&seed, in, 9, 5);
    op_call("from_points", "plane: vec3 vec3 vec3 > plane", in, plane);
    double ab[3], ac[3];
    for (int i = 0; i < 3; i++) {
      ab[i] = in[3 + i] - in[i];
      ac[i] = in[6 + i] - in[i];
    }
    normal[0] = ab[1] * ac[2] - ab[2] * ac[1];
    normal[1] = ab[2] * ac[0] - ab[0] * ac[2];
    normal[2] = ab[0] * ac[1] - ab[1] * ac[0];
    const double length = sqrt(dot3(normal, normal));
    for (int i = 0; i < 3; i++) normal[i] /= length;
    assert_near_f32(plane, normal, 3, 10, "normal");
    assert_near_f32(plane + 3, (double[]){-dot3(normal, in)}, 1, 1000, "d");
    memcpy(with, plane, sizeof plane);
    random_f32(&seed, with + 4, 6, 5);
    const double a = dot3(plane, with + 4) + plane[3], b = dot3(plane, with + 7) + plane[3];
    assert_true(op_number("get_distance_to_point", "plane vec3 > n", with) == a);
    assert_true(op_number("distance", "plane vec3 > n", with) == a);
    assert_int_equal(op_number("get_side", "plane vec3 > bool", with), a > 0);
    assert_int_equal(op_number("same_side", "plane vec3 vec3 > bool", with), (a > 0) == (b > 0));
    const double t = op_number("raycast", "plane ray > n", with);
    assert_true(fabs(t + a / dot3(plane, with + 7)) < 1e-9 * fmax(1, fabs(t)));
    double near[3];
    op_call("closest_point", "plane vec3 > vec3", with, near);
    assert_true(fabs(dot3(plane, near) + plane[3]) < 1e-5);
    memcpy(with, in, sizeof(double) * 6);
    op_call("from_normal_point", "plane: vec3 vec3 > plane", with, plane);
    assert_true(fabs(dot3(plane, in + 3) + plane[3]) < 1e-5);
    assert_true(fabs(dot3(plane, plane) - 1) < 1e-6);
  }
}

static void planes_without_an_answer(void **state) {
  (void)state;
  double r[4];
  assert_true(
      isinf(op_number("raycast", "plane ray > n", (double[]){0, 1, 0, -1, 0, 0, 0, 1, 0, 0})));
  assert_true(op_number("raycast", "plane ray > n", (double[]){0, 1, 0, -1, 0, 0, 0, 0, -2, 0}) ==
              -0.5);
  op_call("from_points", "plane: vec3 vec3 vec3 > plane", (double[9]){0, 0, 0, 1, 1, 1, 2, 2, 2},
          r);
  assert_close(r, (double[4]){0}, 4, 0, "in line");
  op_call("normalize", "plane > plane", (double[]){0, 3, 4, 10}, r);
  assert_close(r, (double[]){0, 0.6, 0.8, 2}, 4, 1e-6, "normalize");
  op_call("normalize", "plane > plane", (double[]){0, 0, 0, 10}, r);
  assert_close(r, (double[]){0, 0, 0, 10}, 4, 0, "no normal");
  op_call("neg", "plane > plane", (double[]){0, 1, 0, 10}, r);
  assert_close(r, (double[]){0, -1, 0, -10}, 4, 0, "neg");
  op_call("from", "plane: triangle > plane", (double[]){0, 0, 5, 1, 0, 5, 0, 1, 5}, r);
  assert_close(r, (double[]){0, 0, 1, -5}, 4, 0, "from triangle");
}

static void planes_meet_what_reaches_them(void **state) {
  (void)state;
  assert_true(op_number("intersects", "plane sphere > bool", (double[]){0, 1, 0, 0, 5, 2, 5, 2}));
  assert_false(
      op_number("intersects", "plane sphere > bool", (double[]){0, 1, 0, 0, 5, 2, 5, 1.9}));
  const double d = sqrt(0.5);
  assert_true(op_number("intersects", "plane aabb > bool",
                        (double[]){d, d, 0, -1.41, -1, -1, -1, 1, 1, 1}));
  assert_false(op_number("intersects", "plane aabb > bool",
                         (double[]){d, d, 0, -1.42, -1, -1, -1, 1, 1, 1}));
}

static void a_frustum_holds_what_is_projected_into_the_view(void **state) {
  (void)state;
  double pv[35], m[19], frustum[34];
  op_call("perspective", "mat4: n n n n > mat4", (double[]){1, 1.5, 0.5, 20}, pv);
  op_call("look_at", "mat4: vec3 vec3 vec3 > mat4", (double[]){1, 2, 3, -2, 0, 1, 0, 1, 0},
          pv + 16);
  op_call("mul", "mat4 mat4 > mat4", pv, m);
  op_call("from", "frustum: mat4 > frustum", m, frustum);
  uint64_t seed = 112;
  int inside = 0;
  for (int run = 0; run < RUNS; run++) {
    double clip[20];
    memcpy(clip, m, sizeof(double) * 16);
    random_f32(&seed, clip + 16, 3, 12);
    clip[19] = 1;
    memcpy(frustum + 24, clip + 16, sizeof(double) * 3);
    op_call("mul", "mat4 vec4 > vec4", clip, clip);
    const double w = clip[3];
    const double margin =
        fmin(fmin(w - fabs(clip[0]), w - fabs(clip[1])), fmin(clip[2], w - clip[2]));
    if (fabs(margin) < 1e-3) continue;
    inside += margin > 0;
    assert_int_equal(op_number("contains", "frustum vec3 > bool", frustum), margin > 0);
    frustum[27] = 1e-4;  // a ball so small is as the point
    assert_int_equal(op_number("intersects", "frustum sphere > bool", frustum), margin > 0);
    for (int i = 0; i < 3; i++) {
      frustum[27 + i] = frustum[24 + i] + 1e-4;
    }
    assert_int_equal(op_number("intersects", "frustum aabb > bool", frustum), margin > 0);
    assert_int_equal(op_number("contains", "frustum aabb > bool", frustum), margin > 0);
  }
  assert_true(inside > 100);
}

static void frustums_know_near_far_and_no_far(void **state) {
  (void)state;
  double m[16], f[30];
  op_call("perspective", "mat4: n n n n > mat4", (double[]){acos(0), 1, 1, 10}, m);
  op_call("from", "frustum: mat4 > frustum", m, f);
  assert_close(f + 16, (double[]){0, 0, -1, -1}, 4, 1e-6, "near");
  assert_close(f + 20, (double[]){0, 0, 1, 10}, 4, 1e-5, "far");
  const double d = sqrt(0.5);
  assert_close(f, (double[]){d, 0, -d, 0}, 4, 1e-6, "left");
  assert_close(f + 4, (double[]){-d, 0, -d, 0}, 4, 1e-6, "right");
  assert_close(f + 8, (double[]){0, d, -d, 0}, 4, 1e-6, "bottom");
  assert_close(f + 12, (double[]){0, -d, -d, 0}, 4, 1e-6, "top");
  const double ahead[] = {0, 0, 0, 0, 0, -2};
  memcpy(f + 24, ahead, sizeof ahead);
  assert_true(fabs(op_number("raycast", "frustum ray > n", f) - 0.5) < 1e-6);
  f[26] = -3;
  assert_true(fabs(op_number("raycast", "frustum ray > n", f) + 1) < 1e-6);
  f[26] = -11;
  assert_true(isinf(op_number("raycast", "frustum ray > n", f)));
  op_call("perspective", "mat4: n n n n > mat4", (double[]){acos(0), 1, 1, INFINITY}, m);
  op_call("from", "frustum: mat4 > frustum", m, f);
  f[26] = -1e6;
  assert_true(op_number("contains", "frustum vec3 > bool", f) == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planes_agree_with_tolua),
      cmocka_unit_test(planes_without_an_answer),
      cmocka_unit_test(planes_meet_what_reaches_them),
      cmocka_unit_test(a_frustum_holds_what_is_projected_into_the_view),
      cmocka_unit_test(frustums_know_near_far_and_no_far),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
