// mat3 and mat4: products against sums written out in double precision, inverses, projections with
// depth 0 to 1, views that look along -z.
#include "near.h"

enum { RUNS = 10000 };

static void ref_mul(const double *a, const double *b, int n, double *r) {
  for (int column = 0; column < n; column++) {
    for (int row = 0; row < n; row++) {
      r[column * n + row] = 0;
      for (int k = 0; k < n; k++) r[column * n + row] += a[k * n + row] * b[column * n + k];
    }
  }
}

static void identity_of(int n, double *m) {
  for (int i = 0; i < n * n; i++) m[i] = i % (n + 1) == 0;
}

static void products_are_sums_over_columns(void **state) {
  (void)state;
  uint64_t seed = 51;
  for (int run = 0; run < RUNS; run++) {
    double in[32], got[16], wanted[16];
    random_f32(&seed, in, 32, 2);
    op_call("mul", "mat4 mat4 > mat4", in, got);
    ref_mul(in, in + 16, 4, wanted);
    assert_close(got, wanted, 16, 4e-6, "mat4 mat4");
    op_call("mul", "mat3 mat3 > mat3", in, got);
    ref_mul(in, in + 9, 3, wanted);
    assert_close(got, wanted, 9, 4e-6, "mat3 mat3");
    op_call("mul", "mat4 vec4 > vec4", in, got);
    for (int row = 0; row < 4; row++) {
      wanted[row] =
          in[row] * in[16] + in[4 + row] * in[17] + in[8 + row] * in[18] + in[12 + row] * in[19];
    }
    assert_close(got, wanted, 4, 4e-6, "mat4 vec4");
    for (int row = 0; row < 3; row++) wanted[row] += in[12 + row] * (1 - in[19]);
    op_call("mul", "mat4 vec3 > vec3", in, got);
    assert_close(got, wanted, 3, 4e-6, "mat4 vec3");
    op_call("transform_point", "mat4 vec3 > vec3", in, got);
    assert_close(got, wanted, 3, 4e-6, "transform_point");
    for (int row = 0; row < 3; row++) wanted[row] -= in[12 + row];
    op_call("transform_direction", "mat4 vec3 > vec3", in, got);
    assert_close(got, wanted, 3, 4e-6, "transform_direction");
    op_call("mul", "mat3 vec3 > vec3", in, got);
    for (int row = 0; row < 3; row++) {
      wanted[row] = in[row] * in[9] + in[3 + row] * in[10] + in[6 + row] * in[11];
    }
    assert_close(got, wanted, 3, 4e-6, "mat3 vec3");
  }
}

static void inverses_multiply_to_identity(void **state) {
  (void)state;
  uint64_t seed = 52;
  for (int run = 0; run < RUNS; run++) {
    double m[16], inverse[16], product[16], identity[16];
    random_f32(&seed, m, 16, 2);
    const double volume = op_number("determinant", "mat4 > n", m);
    op_call("inverse", "mat4 > mat4", m, inverse);
    ref_mul(m, inverse, 4, product);
    identity_of(4, identity);
    if (fabs(volume) > 0.05) assert_close(product, identity, 16, 1e-3, "mat4");
    op_call("inverse", "mat3 > mat3", m, inverse);
    ref_mul(m, inverse, 3, product);
    identity_of(3, identity);
    if (fabs(op_number("determinant", "mat3 > n", m)) > 0.05) {
      assert_close(product, identity, 9, 1e-4, "mat3");
    }
  }
  double r[16];
  op_call("inverse", "mat4 > mat4", (double[16]){1, 2, 3, 4}, r);
  for (int i = 0; i < 16; i++) assert_true(r[i] == 0);
  op_call("inverse", "mat3 > mat3", (double[9]){1, 2, 3, 1, 2, 3, 0, 1, 0}, r);
  for (int i = 0; i < 9; i++) assert_true(r[i] == 0);
  assert_true(op_number("determinant", "mat3 > n", (double[9]){2, 0, 0, 0, 3, 0, 0, 0, -4}) == -24);
}

static void components_and_transposes(void **state) {
  (void)state;
  double m[32], r[16];
  for (int i = 0; i < 32; i++) m[i] = i;
  op_call("transpose", "mat4 > mat4", m, r);
  for (int i = 0; i < 16; i++) assert_true(r[i] == i % 4 * 4 + i / 4);
  op_call("transpose", "mat3 > mat3", m, r);
  for (int i = 0; i < 9; i++) assert_true(r[i] == i % 3 * 3 + i / 3);
  op_call("add", "mat4 mat4 > mat4", m, r);
  for (int i = 0; i < 16; i++) assert_true(r[i] == 2 * i + 16);
  op_call("sub", "mat3 mat3 > mat3", m, r);
  for (int i = 0; i < 9; i++) assert_true(r[i] == -9);
  op_call("mul", "mat4 n > mat4", m, r);
  for (int i = 0; i < 16; i++) assert_true(r[i] == 16 * i);
  op_call("neg", "mat3 > mat3", m, r);
  for (int i = 0; i < 9; i++) assert_true(r[i] == -i);
}

static void trs_scales_then_turns_then_moves(void **state) {
  (void)state;
  const double half = sqrt(0.5);
  const double trs[] = {10, 20, 30, 0, 0, half, half, 2, 3, 4};
  double m[20], p[3], parts[10];
  op_call("trs", "mat4: vec3 quat vec3 > mat4", trs, m);
  m[16] = m[17] = m[18] = 1;
  op_call("mul", "mat4 vec3 > vec3", m, p);  // (2, 3, 4), turned from x to y
  assert_close(p, (double[]){7, 22, 34}, 3, 1e-5, "trs");
  op_call("decompose", "mat4 > vec3 quat vec3", m, parts);
  assert_close(parts, trs, 10, 1e-5, "decompose");
  op_call("from", "mat4: transform > mat4", trs, m);
  m[16] = m[17] = m[18] = 1;
  op_call("transform_point", "mat4 vec3 > vec3", m, p);
  assert_close(p, (double[]){7, 22, 34}, 3, 1e-5, "from transform");
  op_call("translation", "mat4: vec3 > mat4", trs, m);
  assert_true(m[12] == 10 && m[13] == 20 && m[14] == 30 && m[0] == 1 && m[15] == 1);
  op_call("scaling", "mat4: vec3 > mat4", trs, m);
  assert_true(m[0] == 10 && m[5] == 20 && m[10] == 30 && m[15] == 1 && m[1] == 0);
  op_call("scaling", "mat4: n > mat4", trs, m);
  assert_true(m[0] == 10 && m[5] == 10 && m[10] == 10 && m[15] == 1);
  op_call("decompose", "mat4 > vec3 quat vec3", (double[16]){-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0},
          parts);
  assert_close(parts + 7, (double[]){-1, 1, 1}, 3, 1e-6, "mirrored");
}

static void project(const double *m, double x, double y, double z, double *r) {
  double in[19];
  memcpy(in, m, sizeof(double) * 16);
  in[16] = x;
  in[17] = y;
  in[18] = z;
  op_call("project_point", "mat4 vec3 > vec3", in, r);
}

static void depth_is_0_at_near_and_1_at_far(void **state) {
  (void)state;
  double m[16], p[3];
  op_call("perspective", "mat4: n n n n > mat4", (double[]){acos(0), 2, 0.5, 100}, m);
  project(m, 0, 0, -0.5, p);
  assert_close(p, (double[]){0, 0, 0}, 3, 1e-5, "near");
  project(m, 0, 0, -100, p);
  assert_close(p, (double[]){0, 0, 1}, 3, 1e-5, "far");
  project(m, 2 * 10, 10, -10, p);  // half a right angle up, twice as far to the right
  assert_close(p, (double[]){1, 1, p[2]}, 3, 1e-5, "corner");
  op_call("perspective", "mat4: n n n n > mat4", (double[]){acos(0), 1, 0.5, INFINITY}, m);
  project(m, 0, 0, -0.5, p);
  assert_close(p, (double[]){0, 0, 0}, 3, 1e-5, "infinite, near");
  project(m, 0, 0, -1e6, p);
  assert_close(p, (double[]){0, 0, 1}, 3, 1e-5, "infinite, far");
  op_call("perspective", "mat4: n n n n > mat4", (double[]){acos(0), 1, 100, 0.5}, m);
  project(m, 0, 0, -100, p);
  assert_close(p, (double[]){0, 0, 0}, 3, 1e-5, "reversed");
  op_call("ortho", "mat4: n n n n n n > mat4", (double[]){-2, 4, -1, 1, 0.5, 10}, m);
  project(m, 4, -1, -0.5, p);
  assert_close(p, (double[]){1, -1, 0}, 3, 1e-5, "ortho near");
  project(m, -2, 1, -10, p);
  assert_close(p, (double[]){-1, 1, 1}, 3, 1e-5, "ortho far");
  op_call("frustum", "mat4: n n n n n n > mat4", (double[]){-1, 1, -0.5, 0.5, 0.5, 100}, m);
  project(m, 1, 0.5, -0.5, p);
  assert_close(p, (double[]){1, 1, 0}, 3, 1e-5, "frustum");
}

static void views_undo_the_cameras_rotation(void **state) {
  (void)state;
  uint64_t seed = 53;
  for (int run = 0; run < 1000; run++) {
    double eye[10], target[3], q[4], world[16], view[16], product[16], identity[16];
    random_f32(&seed, eye, 3, 5);
    random_unit(&seed, target, 3);
    if (fabs(target[1]) > 0.99) continue;
    // conventions.h: look_at(eye, eye + f, up) is the inverse of a trs with look_rotation(-f, up)
    op_call("look_rotation", "quat: vec3 vec3 > quat",
            (double[]){-target[0], -target[1], -target[2], 0, 1, 0}, q);
    memcpy(eye + 3, q, sizeof q);
    eye[7] = eye[8] = eye[9] = 1;
    op_call("trs", "mat4: vec3 quat vec3 > mat4", eye, world);
    op_call("look_at", "mat4: vec3 vec3 vec3 > mat4",
            (double[]){eye[0], eye[1], eye[2], eye[0] + target[0], eye[1] + target[1],
                       eye[2] + target[2], 0, 1, 0},
            view);
    ref_mul(view, world, 4, product);
    identity_of(4, identity);
    assert_close(product, identity, 16, 1e-4, "look_at");
  }
  double view[16], p[3];
  op_call("look_at", "mat4: vec3 vec3 vec3 > mat4", (double[]){0, 0, 5, 0, 0, 0, 0, 1, 0}, view);
  project(view, 1, 2, 0, p);
  assert_close(p, (double[]){1, 2, -5}, 3, 1e-6, "x right, y up, -z ahead");
  op_call("look_at", "mat4: vec3 vec3 vec3 > mat4", (double[]){0, 5, 0, 0, 0, 0, 0, 1, 0}, view);
  project(view, 0, 0, 0, p);
  assert_close(p, (double[]){0, 0, -5}, 3, 1e-6, "up along the view");
  assert_true(fabs(op_number("determinant", "mat4 > n", view) - 1) < 1e-6);
}

static void matrices_convert(void **state) {
  (void)state;
  double m[16], r[16], affine[12];
  for (int i = 0; i < 16; i++) m[i] = i + 1;
  op_call("from", "mat3: mat4 > mat3", m, r);
  assert_close(r, (double[]){1, 2, 3, 5, 6, 7, 9, 10, 11}, 9, 0, "mat3 of mat4");
  op_call("from", "affine: mat4 > affine", m, affine);
  op_call("from", "mat4: affine > mat4", affine, r);
  assert_close(r, (double[]){1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 1}, 16, 0, "affine");
  op_call("from", "mat3: affine > mat3", affine, r);
  assert_close(r, (double[]){1, 2, 3, 5, 6, 7, 9, 10, 11}, 9, 0, "mat3 of affine");
  op_call("from", "mat4: mat3 > mat4", r, m);
  assert_close(m, (double[]){1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 0, 0, 0, 1}, 16, 0, "of mat3");
  op_call("scaling", "mat3: vec3 > mat3", (double[]){2, 3, 4}, r);
  assert_close(r, (double[]){2, 0, 0, 0, 3, 0, 0, 0, 4}, 9, 0, "scaling");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_are_sums_over_columns),
      cmocka_unit_test(inverses_multiply_to_identity),
      cmocka_unit_test(components_and_transposes),
      cmocka_unit_test(trs_scales_then_turns_then_moves),
      cmocka_unit_test(depth_is_0_at_near_and_1_at_far),
      cmocka_unit_test(views_undo_the_cameras_rotation),
      cmocka_unit_test(matrices_convert),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
