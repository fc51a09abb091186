// aabb, rect, drect.
#include "near.h"

static void expect(const char *name, const char *signature, const double *in, const double *wanted,
                   int n) {
  double r[12];
  op_call(name, signature, in, r);
  assert_close(r, wanted, n, 1e-6, name);
}

static bool holds(const char *name, const char *signature, const double *in) {
  return op_number(name, signature, in) == 1;
}

static void borders_are_inside(void **state) {
  (void)state;
  assert_true(holds("contains", "aabb vec3 > bool", (double[]){0, 0, 0, 1, 1, 1, 1, 0, 0.5}));
  assert_false(holds("contains", "aabb vec3 > bool", (double[]){0, 0, 0, 1, 1, 1, 1.01, 0, 0}));
  assert_false(holds("contains", "aabb vec3 > bool", (double[]){0, 0, 0, 1, 1, 1, NAN, 0, 0}));
  assert_true(holds("contains", "rect rect > bool", (double[]){0, 0, 4, 4, 1, 1, 4, 4}));
  assert_false(holds("contains", "rect rect > bool", (double[]){0, 0, 4, 4, 1, 1, 4, 5}));
  assert_true(holds("intersects", "drect drect > bool", (double[]){0, 0, 1, 1, 1, 1, 2, 2}));
  assert_false(holds("intersects", "drect drect > bool", (double[]){0, 0, 1, 1, 1.1, 0, 2, 2}));
}

static void boxes_grow_shrink_and_move(void **state) {
  (void)state;
  expect("encapsulate", "rect vec2 > rect", (double[]){0, 0, 1, 1, 3, -1}, (double[]){0, -1, 3, 1},
         4);
  expect("merge", "rect rect > rect", (double[]){0, 0, 1, 1, 2, -2, 3, -1}, (double[]){0, -2, 3, 1},
         4);
  expect("intersection", "rect rect > rect", (double[]){0, 0, 3, 3, 1, -1, 4, 2},
         (double[]){1, 0, 3, 2}, 4);
  expect("expand", "drect n > drect", (double[]){0, 0, 1, 1, 2}, (double[]){-1, -1, 2, 2}, 4);
  expect("expand", "rect vec2 > rect", (double[]){0, 0, 1, 1, 2, 4}, (double[]){-1, -2, 2, 3}, 4);
  expect("translate", "rect vec2 > rect", (double[]){0, 0, 1, 1, 2, 4}, (double[]){2, 4, 3, 5}, 4);
  expect("center", "rect > vec2", (double[]){0, 2, 4, 6}, (double[]){2, 4}, 2);
  expect("size", "rect > vec2", (double[]){0, 2, 4, 8}, (double[]){4, 6}, 2);
  expect("extents", "rect > vec2", (double[]){0, 2, 4, 8}, (double[]){2, 3}, 2);
  expect("from_points", "aabb: vec3 vec3 > aabb", (double[]){1, 5, 3, 2, 4, 0},
         (double[]){1, 4, 0, 2, 5, 3}, 6);
  expect("from_center_size", "aabb: vec3 vec3 > aabb", (double[]){1, 1, 1, 2, 4, 6},
         (double[]){0, -1, -2, 2, 3, 4}, 6);
  assert_true(op_number("volume", "aabb > n", (double[]){0, 0, 0, 2, 3, 4}) == 24);
  assert_true(op_number("surface_area", "aabb > n", (double[]){0, 0, 0, 2, 3, 4}) == 52);
  assert_true(op_number("area", "drect > n", (double[]){0, 0, 2, 3}) == 6);
}

static void the_empty_box_is_neutral(void **state) {
  (void)state;
  const double empty[] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
  double in[8];
  memcpy(in, empty, sizeof empty);
  assert_true(holds("is_empty", "rect > bool", in));
  assert_true(op_number("area", "rect > n", in) == 0);
  assert_false(holds("is_empty", "rect > bool", (double[]){1, 1, 1, 1}));
  in[4] = 3;
  in[5] = -1;
  expect("encapsulate", "rect vec2 > rect", in, (double[]){3, -1, 3, -1}, 4);
  expect("encapsulate", "drect dvec2 > drect", (double[]){0, 0, 1, 1, NAN, 2},
         (double[]){0, 0, 1, 2}, 4);
}

static void distances_are_negative_inside(void **state) {
  (void)state;
  assert_true(op_number("distance", "rect vec2 > n", (double[]){0, 0, 4, 4, 7, 8}) == 5);
  assert_true(op_number("distance", "rect vec2 > n", (double[]){0, 0, 4, 4, 1, 2}) == -1);
  expect("closest_point", "rect vec2 > vec2", (double[]){0, 0, 4, 4, 7, 2}, (double[]){4, 2}, 2);
  assert_true(op_number("raycast", "rect ray2 > n", (double[]){0, 0, 4, 4, -2, 1, 2, 0}) == 1);
}

static void segments_are_no_longer_than_they_are(void **state) {
  (void)state;
  double in[] = {-1, -1, -1, 1, 1, 1, -5, 0, 0, -2, 0, 0};
  assert_false(holds("intersects", "aabb segment > bool", in));
  in[9] = -0.5;
  assert_true(holds("intersects", "aabb segment > bool", in));
  in[6] = 0;
  assert_true(holds("intersects", "aabb segment > bool", in));
  in[6] = in[9] = 2;
  assert_false(holds("intersects", "aabb segment > bool", in));
  in[6] = in[9] = 0.25;  // a point inside
  assert_true(holds("intersects", "aabb segment > bool", in));
  assert_true(
      holds("intersects", "aabb sphere > bool", (double[]){-1, -1, -1, 1, 1, 1, 3, 0, 0, 2}));
  assert_false(
      holds("intersects", "aabb sphere > bool", (double[]){-1, -1, -1, 1, 1, 1, 3, 3, 3, 2}));
}

static void boxes_around_shapes(void **state) {
  (void)state;
  expect("from", "aabb: bounds > aabb", (double[]){1, 2, 3, 1, 1, 2}, (double[]){0, 1, 1, 2, 3, 5},
         6);
  expect("from", "aabb: sphere > aabb", (double[]){1, 2, 3, 2}, (double[]){-1, 0, 1, 3, 4, 5}, 6);
  expect("from", "aabb: capsule > aabb", (double[]){0, 5, 0, 1, 2, 3, 1},
         (double[]){-1, 1, -1, 2, 6, 4}, 6);
  expect("from", "aabb: triangle > aabb", (double[]){0, 5, 0, 1, 2, 3, 9, -1, 0},
         (double[]){0, -1, 0, 9, 5, 3}, 6);
  expect("from", "aabb: segment > aabb", (double[]){0, 5, 0, 1, 2, 3}, (double[]){0, 2, 0, 1, 5, 3},
         6);
  const double s = sin(acos(-1) / 8), c = cos(acos(-1) / 8), wide = sqrt(2);
  expect("from", "aabb: obb > aabb", (double[]){1, 0, 0, 1, 1, 2, 0, 0, s, c},
         (double[]){1 - wide, -wide, -2, 1 + wide, wide, 2}, 6);
}

// Against the eight corners.
static void transformed_boxes_hold_their_corners(void **state) {
  (void)state;
  uint64_t seed = 81;
  for (int run = 0; run < 2000; run++) {
    double in[18], box[6], wanted[6], m[15];
    random_f32(&seed, in, 3, 3);
    for (int i = 0; i < 3; i++) in[3 + i] = as_f32(in[i] + op_random(&seed, 0, 3));
    random_f32(&seed, in + 6, 12, 2);
    op_call("transform", "aabb affine > aabb", in, box);
    memcpy(m, in + 6, sizeof(double) * 12);
    for (int corner = 0; corner < 8; corner++) {
      double p[3];
      for (int i = 0; i < 3; i++) m[12 + i] = in[(corner >> i & 1) * 3 + i];
      op_call("mul", "affine vec3 > vec3", m, p);
      for (int i = 0; i < 3; i++) {
        wanted[i] = corner ? fmin(wanted[i], p[i]) : p[i];
        wanted[3 + i] = corner ? fmax(wanted[3 + i], p[i]) : p[i];
      }
    }
    assert_close(box, wanted, 6, 1e-4, "transform");
  }
  double r[6];
  op_call("transform", "aabb transform > aabb",
          (double[]){1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, r);
  assert_true(isinf(r[0]) && r[0] > 0);
}

static void rects_convert(void **state) {
  (void)state;
  expect("from", "rect: drect > rect", (double[]){0.1, 2, 3, 4}, (double[]){0.1, 2, 3, 4}, 4);
  expect("from", "drect: rect > drect", (double[]){1, 2, 3, 4}, (double[]){1, 2, 3, 4}, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(borders_are_inside),
      cmocka_unit_test(boxes_grow_shrink_and_move),
      cmocka_unit_test(the_empty_box_is_neutral),
      cmocka_unit_test(distances_are_negative_inside),
      cmocka_unit_test(segments_are_no_longer_than_they_are),
      cmocka_unit_test(boxes_around_shapes),
      cmocka_unit_test(transformed_boxes_hold_their_corners),
      cmocka_unit_test(rects_convert),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
