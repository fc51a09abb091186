// affine and transform: they map as the matrices of the same name do, and back.
#include "near.h"

#include <stdio.h>

enum { RUNS = 10000 };

// A transform and a point behind it.
static void random_transform(uint64_t *seed, double *t, bool is_even) {
  random_f32(seed, t, 3, 5);
  random_unit(seed, t + 3, 4);
  for (int i = 7; i < 10; i++) t[i] = as_f32(op_random(seed, 0.5, 2));
  if (is_even) t[8] = t[9] = t[7];
  random_f32(seed, t + 10, 3, 5);
}

static void a_transform_maps_as_its_matrices(void **state) {
  (void)state;
  uint64_t seed = 61;
  for (int run = 0; run < RUNS; run++) {
    double t[13], affine[15], p[3], q[3], back[3];
    random_transform(&seed, t, false);
    op_call("from", "affine: transform > affine", t, affine);
    memcpy(affine + 12, t + 10, sizeof(double) * 3);
    op_call("mul", "transform vec3 > vec3", t, p);
    op_call("mul", "affine vec3 > vec3", affine, q);
    assert_close(q, p, 3, 1e-5, "point");
    op_call("transform_direction", "transform vec3 > vec3", t, q);
    for (int i = 0; i < 3; i++) assert_true(fabs(q[i] - (p[i] - t[i])) < 1e-5);
    op_call("transform_direction", "affine vec3 > vec3", affine, back);
    assert_close(back, q, 3, 1e-5, "direction");
    double with[13];
    memcpy(with, t, sizeof(double) * 10);
    memcpy(with + 10, p, sizeof p);
    op_call("inverse_transform_point", "transform vec3 > vec3", with, back);
    assert_close(back, t + 10, 3, 2e-5, "back");
  }
}

static void inverses_and_products_compose(void **state) {
  (void)state;
  uint64_t seed = 62;
  for (int run = 0; run < RUNS; run++) {
    double a[13], b[13], ab[20], pair[24], affine[24], inverse[12], p[3], q[3];
    random_transform(&seed, a, true);
    random_transform(&seed, b, true);
    memcpy(pair, a, sizeof(double) * 10);
    memcpy(pair + 10, b, sizeof(double) * 10);
    op_call("mul", "transform transform > transform", pair, ab);
    memcpy(ab + 10, b + 10, sizeof(double) * 3);
    op_call("mul", "transform vec3 > vec3", ab, p);
    op_call("mul", "transform vec3 > vec3", b, a + 10);
    op_call("mul", "transform vec3 > vec3", a, q);
    assert_close(p, q, 3, 1e-4, "product");
    op_call("from", "affine: transform > affine", a, affine);
    op_call("from", "affine: transform > affine", b, affine + 12);
    op_call("mul", "affine affine > affine", affine, ab);
    memcpy(ab + 12, b + 10, sizeof(double) * 3);
    op_call("transform_point", "affine vec3 > vec3", ab, p);
    assert_close(p, q, 3, 1e-4, "affine product");
    op_call("inverse", "affine > affine", affine, inverse);
    memcpy(affine + 12, inverse, sizeof inverse);
    op_call("mul", "affine affine > affine", affine, ab);
    assert_close(ab, (double[]){1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}, 12, 1e-5, "affine inverse");
    op_call("inverse", "transform > transform", a, pair + 10);
    op_call("mul", "transform transform > transform", pair, ab);
    assert_close(ab, (double[]){0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, 10, 1e-5, "transform inverse");
  }
}

static void matrices_give_their_parts_back(void **state) {
  (void)state;
  uint64_t seed = 63;
  for (int run = 0; run < RUNS; run++) {
    double t[13], affine[12], mat4[16], back[10];
    random_transform(&seed, t, false);
    op_call("from", "affine: transform > affine", t, affine);
    op_call("from", "transform: affine > transform", affine, back);
    const double side = back[6] * t[6] < 0 ? -1 : 1;  // -q is the same rotation
    for (int i = 3; i < 7; i++) back[i] *= fabs(t[6]) > 1e-3 ? side : 1;
    if (fabs(t[6]) > 1e-3) assert_close(back, t, 10, 1e-5, "decompose");
    op_call("from", "mat4: transform > mat4", t, mat4);
    op_call("from", "transform: mat4 > transform", mat4, back);
    assert_close(back, t, 3, 0, "position");
    assert_close(back + 7, t + 7, 3, 1e-5, "scale");
    op_call("decompose", "affine > vec3 quat vec3", affine, back);
    assert_close(back + 7, t + 7, 3, 1e-5, "scale");
    const double volume = op_number("determinant", "affine > n", affine);
    assert_true(fabs(volume - t[7] * t[8] * t[9]) < 1e-4);
  }
}

static void lerp_mixes_each_part(void **state) {
  (void)state;
  const double half = sqrt(0.5);
  const double in[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 4, 6, 0, half, 0, half, 3, 3, 3, 0.5};
  double r[10];
  op_call("lerp", "transform transform n > transform", in, r);
  const double pi8 = acos(-1) / 8;
  assert_close(r, (double[]){1, 2, 3, 0, sin(pi8), 0, cos(pi8), 2, 2, 2}, 10, 1e-6, "lerp");
}

static void a_scale_of_zero_has_a_finite_inverse(void **state) {
  (void)state;
  double r[12];
  op_call("inverse", "transform > transform", (double[]){1, 2, 3, 0, 0, 0, 1, 0, 2, 2}, r);
  assert_close(r, (double[]){0, -1, -1.5, 0, 0, 0, 1, 0, 0.5, 0.5}, 10, 0, "transform");
  op_call("inverse", "affine > affine", (double[12]){1, 0, 0, 0, 1, 0, 0, 0, 0, 5, 6, 7}, r);
  assert_close(r, (double[12]){0}, 12, 0, "affine");
}

// vec3's methods are the matrices' with the operands the other way round.
static void vectors_are_transformed_by_all_of_them(void **state) {
  (void)state;
  static const char *const kinds[] = {"mat3", "mat4", "affine", "transform"};
  static const int sizes[] = {9, 16, 12, 10};
  uint64_t seed = 64;
  for (int i = 0; i < 4; i++) {
    double matrix_first[19], vector_first[19], a[3], b[3];
    char name[64];
    random_f32(&seed, matrix_first, 19, 2);
    memcpy(vector_first, matrix_first + sizes[i], sizeof(double) * 3);
    memcpy(vector_first + 3, matrix_first, sizeof(double) * (size_t)sizes[i]);
    snprintf(name, sizeof name, "%s vec3 > vec3", kinds[i]);
    op_call("mul", name, matrix_first, a);
    snprintf(name, sizeof name, "vec3 %s > vec3", kinds[i]);
    op_call("transform", name, vector_first, b);
    assert_close(b, a, 3, 0, name);
    snprintf(name, sizeof name, "%s vec3 > vec3", kinds[i]);
    op_call("transform_direction", name, matrix_first, a);
    snprintf(name, sizeof name, "vec3 %s > vec3", kinds[i]);
    op_call("transform_direction", name, vector_first, b);
    assert_close(b, a, 3, 0, name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_transform_maps_as_its_matrices),
      cmocka_unit_test(inverses_and_products_compose),
      cmocka_unit_test(matrices_give_their_parts_back),
      cmocka_unit_test(lerp_mixes_each_part),
      cmocka_unit_test(a_scale_of_zero_has_a_finite_inverse),
      cmocka_unit_test(vectors_are_transformed_by_all_of_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
