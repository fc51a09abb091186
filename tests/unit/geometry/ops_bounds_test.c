// bounds against tolua's Bounds, written down anew.
#include "near.h"

enum { RUNS = 10000 };

static void random_bounds(uint64_t *seed, double *to) {
  random_f32(seed, to, 3, 5);
  for (int i = 3; i < 6; i++) to[i] = as_f32(op_random(seed, 0.1, 3));
}

static void set_min_max(const double *min, const double *max, double *r) {
  for (int i = 0; i < 3; i++) {
    r[3 + i] = (max[i] - min[i]) / 2;
    r[i] = min[i] + r[3 + i];
  }
}

static void corners(const double *b, double *min, double *max) {
  for (int i = 0; i < 3; i++) {
    min[i] = b[i] - b[3 + i];
    max[i] = b[i] + b[3 + i];
  }
}

static void bounds_agree_with_tolua(void **state) {
  (void)state;
  uint64_t seed = 91;
  for (int run = 0; run < RUNS; run++) {
    double in[12], got[6], wanted[6], min[3], max[3], low[3], high[3];
    random_bounds(&seed, in);
    random_f32(&seed, in + 6, 3, 8);
    corners(in, min, max);
    op_call("min", "bounds > vec3", in, got);
    assert_near_f32(got, min, 3, 1, "min");
    op_call("max", "bounds > vec3", in, got);
    assert_near_f32(got, max, 3, 1, "max");
    bool is_inside = true;
    for (int i = 0; i < 3; i++) {
      low[i] = fmin(min[i], in[6 + i]);
      high[i] = fmax(max[i], in[6 + i]);
      is_inside = is_inside && in[6 + i] >= min[i] && in[6 + i] <= max[i];
      wanted[i] = fmax(min[i], fmin(max[i], in[6 + i]));
    }
    op_call("closest_point", "bounds vec3 > vec3", in, got);
    assert_near_f32(got, wanted, 3, 1, "closest_point");
    assert_int_equal(op_number("contains", "bounds vec3 > bool", in), is_inside);
    op_call("encapsulate", "bounds vec3 > bounds", in, got);
    set_min_max(low, high, wanted);
    assert_near_f32(got, wanted, 6, 1, "encapsulate");
    op_call("with_min", "bounds vec3 > bounds", in, got);
    set_min_max(in + 6, max, wanted);
    assert_near_f32(got, wanted, 6, 1, "with_min");
    op_call("with_max", "bounds vec3 > bounds", in, got);
    set_min_max(min, in + 6, wanted);
    assert_near_f32(got, wanted, 6, 1, "with_max");
    op_call("expand", "bounds vec3 > bounds", in, got);
    for (int i = 0; i < 3; i++) wanted[i] = in[i];
    for (int i = 3; i < 6; i++) wanted[i] = in[i] + in[3 + i] * 0.5;
    assert_near_f32(got, wanted, 6, 10, "expand");
    op_call("expand", "bounds n > bounds", in, got);
    for (int i = 3; i < 6; i++) wanted[i] = in[i] + in[6] * 0.5;
    assert_near_f32(got, wanted, 6, 10, "expand");
    random_bounds(&seed, in + 6);
    corners(in + 6, low, high);
    bool do_meet = true;
    for (int i = 0; i < 3; i++) do_meet = do_meet && min[i] <= high[i] && max[i] >= low[i];
    assert_int_equal(op_number("intersects", "bounds bounds > bool", in), do_meet);
  }
}

// tolua's IntersectRay: slabs about the center.
static void rays_meet_bounds_as_toluas_do(void **state) {
  (void)state;
  uint64_t seed = 92;
  int hits = 0;
  for (int run = 0; run < RUNS; run++) {
    double in[12], got[2], enter = -INFINITY, leave = INFINITY;
    random_bounds(&seed, in);
    random_f32(&seed, in + 6, 3, 8);
    for (int i = 0; i < 3; i++) in[9 + i] = as_f32(in[i] - in[6 + i] + op_random(&seed, -3, 3));
    for (int i = 0; i < 3; i++) {
      const double f = 1 / in[9 + i], t0 = (in[i] - in[6 + i] + in[3 + i]) * f;
      const double t1 = (in[i] - in[6 + i] - in[3 + i]) * f;
      enter = fmax(enter, fmin(t0, t1));
      leave = fmin(leave, fmax(t0, t1));
    }
    const bool does_hit = enter <= leave && leave >= 0;
    op_call("intersect_ray", "bounds ray > bool n", in, got);
    assert_int_equal(got[0], does_hit);
    if (does_hit) assert_true(fabs(got[1] - enter) < 1e-9 * fmax(1, fabs(enter)));
    if (!does_hit) assert_true(isinf(got[1]));
    hits += does_hit;
  }
  assert_true(hits > RUNS / 4 && hits < RUNS);
}

static void bounds_are_made_from_other_things(void **state) {
  (void)state;
  double r[6];
  op_call("from_min_max", "bounds: vec3 vec3 > bounds", (double[]){0, 1, 2, 2, 5, 8}, r);
  assert_close(r, (double[]){1, 3, 5, 1, 2, 3}, 6, 0, "from_min_max");
  op_call("from", "bounds: aabb > bounds", (double[]){0, 1, 2, 2, 5, 8}, r);
  assert_close(r, (double[]){1, 3, 5, 1, 2, 3}, 6, 0, "from");
  op_call("from_center_size", "bounds: vec3 vec3 > bounds", (double[]){1, 3, 5, 2, 4, 6}, r);
  assert_close(r, (double[]){1, 3, 5, 1, 2, 3}, 6, 0, "from_center_size");
  op_call("with_size", "bounds vec3 > bounds", (double[]){1, 3, 5, 9, 9, 9, 2, 4, 6}, r);
  assert_close(r, (double[]){1, 3, 5, 1, 2, 3}, 6, 0, "with_size");
  op_call("size", "bounds > vec3", (double[]){1, 3, 5, 1, 2, 3}, r);
  assert_close(r, (double[]){2, 4, 6}, 3, 0, "size");
  op_call("merge", "bounds bounds > bounds", (double[]){0, 0, 0, 1, 1, 1, 4, 0, 0, 1, 2, 1}, r);
  assert_close(r, (double[]){2, 0, 0, 3, 2, 1}, 6, 0, "merge");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bounds_agree_with_tolua),
      cmocka_unit_test(rays_meet_bounds_as_toluas_do),
      cmocka_unit_test(bounds_are_made_from_other_things),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
