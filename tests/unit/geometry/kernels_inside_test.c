// Points in shapes, one for all or one each, against plain C; borders, NaN, boxes that are turned.
#include "geometry/kernels_inside.h"

#include "kernel_check.h"

static void load(double *to, const char *at, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = as_double(PL_SCALAR_F32, at + i * 4);
}

static void aabb_ref(char *out, const char *const in[]) {
  double p[3], s[6];
  load(p, in[0], 3);
  load(s, in[1], 6);
  *out = 1;
  for (int k = 0; k < 3; k++) *out &= p[k] >= s[k] && p[k] <= s[3 + k];
}

static void rect_ref(char *out, const char *const in[]) {
  double p[2], s[4];
  load(p, in[0], 2);
  load(s, in[1], 4);
  *out = p[0] >= s[0] && p[1] >= s[1] && p[0] <= s[2] && p[1] <= s[3];
}

static void drect_ref(char *out, const char *const in[]) {
  double p[2], s[4];
  memcpy(p, in[0], sizeof p);
  memcpy(s, in[1], sizeof s);
  *out = p[0] >= s[0] && p[1] >= s[1] && p[0] <= s[2] && p[1] <= s[3];
}

// Computed in f32 as the kernel is: what is at the border must be on the same side.
static void bounds_ref(char *out, const char *const in[]) {
  float p[3], s[6];
  memcpy(p, in[0], sizeof p);
  memcpy(s, in[1], sizeof s);
  *out = 1;
  for (int k = 0; k < 3; k++) {
    float d = p[k] - s[k];
    *out &= d <= s[3 + k] && -d <= s[3 + k];
  }
}

static void sphere_ref(char *out, const char *const in[]) {
  float p[3], s[4], square = 0;
  memcpy(p, in[0], sizeof p);
  memcpy(s, in[1], sizeof s);
  for (int k = 0; k < 3; k++) square += (p[k] - s[k]) * (p[k] - s[k]);
  *out = s[3] >= 0 && square <= s[3] * s[3];
}

static bool is_above(const float *p, const float *plane) {
  float distance = 0;
  for (int k = 0; k < 3; k++) distance += plane[k] * p[k];
  return distance + plane[3] >= 0;
}

static void plane_ref(char *out, const char *const in[]) {
  float p[3], s[4];
  memcpy(p, in[0], sizeof p);
  memcpy(s, in[1], sizeof s);
  *out = is_above(p, s);
}

static void frustum_ref(char *out, const char *const in[]) {
  float p[3], s[24];
  memcpy(p, in[0], sizeof p);
  memcpy(s, in[1], sizeof s);
  *out = 1;
  for (int k = 0; k < 6; k++) *out &= is_above(p, s + 4 * k);
}

static void check(enum pl_builtin points, enum pl_builtin shape, check_ref *ref, double low) {
  check_kernel(&(struct check){
      "inside", pl_layout_builtin(points), 1, {pl_layout_builtin(shape)}, false, ref, low, 1, 0});
}

static void points_are_in_shapes_or_not(void **state) {
  (void)state;
  check(PL_BUILTIN_vec3, PL_BUILTIN_aabb, aabb_ref, -1);
  check(PL_BUILTIN_vec3, PL_BUILTIN_bounds, bounds_ref, -0.2);
  check(PL_BUILTIN_vec3, PL_BUILTIN_sphere, sphere_ref, -0.2);
  check(PL_BUILTIN_vec3, PL_BUILTIN_plane, plane_ref, -1);
  check(PL_BUILTIN_vec3, PL_BUILTIN_frustum, frustum_ref, -0.5);
  check(PL_BUILTIN_vec2, PL_BUILTIN_rect, rect_ref, -1);
  check(PL_BUILTIN_dvec2, PL_BUILTIN_drect, drect_ref, -1);
}

/// Whether the point is in the shape: one of each.
static bool is_inside(enum pl_builtin shape, const float *s, float x, float y, float z) {
  float p[3] = {x, y, z};
  char mask = 7;
  const struct pl_layout *vec3 = pl_layout_builtin(PL_BUILTIN_vec3);
  struct pl_span self = {(char *)p, 1, 12, vec3, 0};
  struct pl_span dst = {&mask, 1, 1, pl_layout_scalar(PL_SCALAR_U8), 0};
  struct pl_kernel_operand in = {.span = {(char *)s, 1, 0, pl_layout_builtin(shape), 0}};
  pl_kernel_run(pl_kernel_find("inside", vec3, &in, 1), &dst, &self, &in, 0, 1);
  assert_true(mask == 0 || mask == 1);
  return mask;
}

static void borders_are_inside_and_nan_is_not(void **state) {
  (void)state;
  const float box[] = {0, 0, 0, 1, 2, 3}, sphere[] = {0, 0, 0, 5}, plane[] = {0, 1, 0, -2};
  assert_true(is_inside(PL_BUILTIN_aabb, box, 0, 2, 3));
  assert_false(is_inside(PL_BUILTIN_aabb, box, 0, 2, 3.0001f));
  assert_false(is_inside(PL_BUILTIN_aabb, box, 0.5f, NAN, 1));
  assert_true(is_inside(PL_BUILTIN_sphere, sphere, 3, 4, 0));
  assert_false(is_inside(PL_BUILTIN_sphere, sphere, NAN, 0, 0));
  assert_true(is_inside(PL_BUILTIN_plane, plane, 7, 2, 7));
  assert_true(is_inside(PL_BUILTIN_plane, plane, 7, 3, 7));
  assert_false(is_inside(PL_BUILTIN_plane, plane, 7, 1.9f, 7));
}

static void a_sphere_of_negative_radius_holds_nothing(void **state) {
  (void)state;
  const float sphere[] = {0, 0, 0, -5};
  assert_false(is_inside(PL_BUILTIN_sphere, sphere, 0, 0, 0));
}

static void turned_boxes_turn_the_point_back(void **state) {
  (void)state;
  // Half 3 x 1 x 0.5 about (10, 0, 0), turned by 90 degrees about z: 1 along x, 3 along y.
  const float half = 0.70710678f, obb[] = {10, 0, 0, 3, 1, 0.5f, 0, 0, half, half};
  assert_true(is_inside(PL_BUILTIN_obb, obb, 10, 2.9f, 0));
  assert_true(is_inside(PL_BUILTIN_obb, obb, 10.9f, -2.9f, 0.4f));
  assert_false(is_inside(PL_BUILTIN_obb, obb, 12.9f, 0, 0));
  assert_false(is_inside(PL_BUILTIN_obb, obb, 10, 3.1f, 0));
  assert_false(is_inside(PL_BUILTIN_obb, obb, 10, 0, 0.6f));
  // By 30 degrees about z: x' of the box is (cos, sin).
  const float tilted[] = {0, 0, 0, 3, 1, 1, 0, 0, 0.25881905f, 0.96592583f};
  assert_true(is_inside(PL_BUILTIN_obb, tilted, 2.9f * 0.8660254f, 2.9f * 0.5f, 0));
  assert_false(is_inside(PL_BUILTIN_obb, tilted, 2.9f * 0.8660254f, -2.9f * 0.5f, 0));
}

static void other_pairs_find_no_loop(void **state) {
  (void)state;
  struct pl_kernel_operand in = {.span = {NULL, 1, 0, pl_layout_builtin(PL_BUILTIN_rect), 0}};
  assert_null(pl_kernel_find("inside", pl_layout_builtin(PL_BUILTIN_vec3), &in, 1));
  in.span.layout = NULL;
  assert_null(pl_kernel_find("inside", pl_layout_builtin(PL_BUILTIN_vec3), &in, 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(points_are_in_shapes_or_not),
      cmocka_unit_test(borders_are_inside_and_nan_is_not),
      cmocka_unit_test(a_sphere_of_negative_radius_holds_nothing),
      cmocka_unit_test(turned_boxes_turn_the_point_back),
      cmocka_unit_test(other_pairs_find_no_loop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
