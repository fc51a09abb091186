// Quaternions against tolua's formulas in radians, written down anew in double precision. Bounds:
// 4 ulp of f32 where the formula is the same; where ours differs on purpose the test says so.
#include "near.h"

enum { RUNS = 10000 };

static const double pi = 3.14159265358979323846;

static double dot4(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

static void unit4(double *q) {
  const double l = sqrt(dot4(q, q));
  for (int i = 0; i < 4; i++) q[i] /= l;
}

static void ref_mul(const double *a, const double *b, double *r) {
  r[0] = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
  r[1] = a[3] * b[1] + a[1] * b[3] + a[2] * b[0] - a[0] * b[2];
  r[2] = a[3] * b[2] + a[2] * b[3] + a[0] * b[1] - a[1] * b[0];
  r[3] = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
}

static void ref_rotate(const double *q, const double *v, double *r) {
  const double x2 = q[0] * 2, y2 = q[1] * 2, z2 = q[2] * 2;
  const double xx = q[0] * x2, yy = q[1] * y2, zz = q[2] * z2, xy = q[0] * y2, xz = q[0] * z2;
  const double yz = q[1] * z2, wx = q[3] * x2, wy = q[3] * y2, wz = q[3] * z2;
  r[0] = (1 - (yy + zz)) * v[0] + (xy - wz) * v[1] + (xz + wy) * v[2];
  r[1] = (xy + wz) * v[0] + (1 - (xx + zz)) * v[1] + (yz - wx) * v[2];
  r[2] = (xz - wy) * v[0] + (yz + wx) * v[1] + (1 - (xx + yy)) * v[2];
}

static void ref_lerp(const double *a, const double *b, double t, double *r) {
  const double side = dot4(a, b) < 0 ? -1 : 1;
  t = fmin(1, fmax(0, t));
  for (int i = 0; i < 4; i++) r[i] = a[i] + t * (side * b[i] - a[i]);
  unit4(r);
}

static void ref_slerp(const double *a, const double *b, double t, double *r) {
  const double side = dot4(a, b) < 0 ? -1 : 1, d = fabs(dot4(a, b));
  if (d >= 0.95) {
    for (int i = 0; i < 4; i++) r[i] = a[i] + t * (side * b[i] - a[i]);
    unit4(r);
    return;
  }
  const double angle = acos(d);
  const double s = sin((1 - t) * angle) / sin(angle), e = sin(t * angle) / sin(angle);
  for (int i = 0; i < 4; i++) r[i] = a[i] * s + side * b[i] * e;
}

static void ref_euler(const double *angles, double *r) {
  const double sx = sin(angles[0] / 2), cx = cos(angles[0] / 2), sy = sin(angles[1] / 2);
  const double cy = cos(angles[1] / 2), sz = sin(angles[2] / 2), cz = cos(angles[2] / 2);
  r[0] = cy * sx * cz + sy * cx * sz;
  r[1] = sy * cx * cz - cy * sx * sz;
  r[2] = cy * cx * sz - sy * sx * cz;
  r[3] = cy * cx * cz + sy * sx * sz;
}

static void cross(const double *a, const double *b, double *r) {
  r[0] = a[1] * b[2] - a[2] * b[1];
  r[1] = a[2] * b[0] - a[0] * b[2];
  r[2] = a[0] * b[1] - a[1] * b[0];
}

static double unit3(double *v) {
  const double l = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  for (int i = 0; i < 3; i++) v[i] /= l;
  return l;
}

// m[row][column], as tolua's MatrixToQuaternion.
static void ref_from_matrix(double m[3][3], double *q) {
  const double trace = m[0][0] + m[1][1] + m[2][2];
  if (trace > 0) {
    const double s = sqrt(trace + 1);
    q[3] = 0.5 * s;
    q[0] = (m[2][1] - m[1][2]) * 0.5 / s;
    q[1] = (m[0][2] - m[2][0]) * 0.5 / s;
    q[2] = (m[1][0] - m[0][1]) * 0.5 / s;
  } else {
    int i = m[1][1] > m[0][0];
    if (m[2][2] > m[i][i]) i = 2;
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    const double t = m[i][i] - m[j][j] - m[k][k] + 1, s = 0.5 / sqrt(t);
    q[i] = s * t;
    q[3] = (m[k][j] - m[j][k]) * s;
    q[j] = (m[j][i] + m[i][j]) * s;
    q[k] = (m[k][i] + m[i][k]) * s;
  }
  unit4(q);
}

static void ref_look_rotation(const double *forward, const double *up, double *q) {
  double f[3] = {forward[0], forward[1], forward[2]}, right[3], above[3];
  unit3(f);
  cross(up, f, right);
  unit3(right);
  cross(f, right, above);
  double m[3][3];
  for (int i = 0; i < 3; i++) {
    m[i][0] = right[i];
    m[i][1] = above[i];
    m[i][2] = f[i];
  }
  ref_from_matrix(m, q);
}

static void quaternions_agree_with_tolua(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int run = 0; run < RUNS; run++) {
    double in[16], got[4], wanted[4];
    random_unit(&seed, in, 4);
    random_unit(&seed, in + 4, 4);
    op_call("mul", "quat quat > quat", in, got);
    ref_mul(in, in + 4, wanted);
    assert_near_f32(got, wanted, 4, 1, "mul");
    const double t = in[8] = op_random(&seed, -0.1, 1.1);
    op_call("lerp", "quat quat n > quat", in, got);
    ref_lerp(in, in + 4, t, wanted);
    assert_near_f32(got, wanted, 4, 1, "lerp");
    op_call("slerp", "quat quat n > quat", in, got);
    ref_slerp(in, in + 4, fmin(1, fmax(0, t)), wanted);
    assert_near_f32(got, wanted, 4, 1, "slerp");
    random_f32(&seed, in + 4, 3, 10);
    op_call("mul", "quat vec3 > vec3", in, got);
    ref_rotate(in, in + 4, wanted);
    assert_near_f32(got, wanted, 3, 10, "mul vec3");
    random_f32(&seed, in, 3, 7);
    op_call("euler", "quat: n n n > quat", in, got);
    ref_euler(in, wanted);
    assert_near_f32(got, wanted, 4, 1, "euler");
    double axis[3] = {in[4], in[5], in[6]};
    unit3(axis);
    op_call("angle_axis", "quat: n vec3 > quat", (double[]){t * 6, in[4], in[5], in[6]}, got);
    for (int i = 0; i < 3; i++) wanted[i] = axis[i] * sin(t * 3);
    wanted[3] = cos(t * 3);
    assert_near_f32(got, wanted, 4, 1, "angle_axis");
    op_call("look_rotation", "quat: vec3 vec3 > quat", in, got);  // in: euler's, in + 3: axis
    ref_look_rotation(in, in + 3, wanted);
    assert_near_f32(got, wanted, 4, 10, "look_rotation");
  }
}

// tolua: the arc cosine of a dot of rounded quaternions, good to 0.001 near 0.
static void angles_agree_with_tolua(void **state) {
  (void)state;
  uint64_t seed = 2;
  for (int run = 0; run < RUNS; run++) {
    double in[9], got[4], wanted[4];
    random_unit(&seed, in, 4);
    random_unit(&seed, in + 4, 4);
    const double tolua = acos(fmin(fabs(dot4(in, in + 4)), 1)) * 2;
    const double angle = op_number("angle", "quat quat > n", in);
    assert_true(fabs(angle - tolua) < 1e-3);
    const double max = in[8] = op_random(&seed, 0, 1);
    op_call("rotate_towards", "quat quat n > quat", in, got);
    ref_slerp(in, in + 4, fmin(1, max / angle), wanted);
    assert_near_f32(got, wanted, 4, 1, "rotate_towards");
    assert_true(op_number("angle", "quat quat > n",
                          (double[]){in[0], in[1], in[2], in[3], in[0], in[1], in[2], in[3]}) == 0);
  }
}

// tolua: through a matrix, so up to sign; identity when closer than 0.0014 rad.
static void from_to_rotation_takes_one_direction_to_the_other(void **state) {
  (void)state;
  uint64_t seed = 3;
  for (int run = 0; run < RUNS; run++) {
    double in[8], q[4], turned[3];
    random_f32(&seed, in, 6, 10);
    op_call("from_to_rotation", "quat: vec3 vec3 > quat", in, q);
    double from[3] = {in[0], in[1], in[2]}, to[3] = {in[3], in[4], in[5]};
    unit3(from);
    unit3(to);
    ref_rotate(q, from, turned);
    assert_close(turned, to, 3, 1e-6, "from_to");
    // the shortest way: about an axis square to both
    assert_true(fabs(q[0] * from[0] + q[1] * from[1] + q[2] * from[2]) < 1e-6);
    assert_true(q[3] >= 0);
    for (int i = 0; i < 3; i++) to[i] = -from[i];
    op_call("from_to_rotation", "dquat: dvec3 dvec3 > dquat",
            (double[]){from[0], from[1], from[2], to[0], to[1], to[2]}, q);
    ref_rotate(q, from, turned);
    assert_close(turned, to, 3, 1e-7, "opposite");
    assert_true(fabs(dot4(q, q) - 1) < 1e-12);
  }
  double q[4], turned[3];
  op_call("from_to_rotation", "quat: vec3 vec3 > quat", (double[]){2, 0, 0, -1, 0, 0}, q);
  ref_rotate(q, (double[]){1, 0, 0}, turned);
  assert_close(turned, (double[]){-1, 0, 0}, 3, 1e-6, "x to -x");
}

static void euler_angles_come_back(void **state) {
  (void)state;
  uint64_t seed = 4;
  for (int run = 0; run < RUNS; run++) {
    const double angles[3] = {op_random(&seed, -1.5, 1.5), op_random(&seed, 0, 2 * pi),
                              op_random(&seed, 0, 2 * pi)};
    double q[4], got[3], again[4];
    op_call("euler", "dquat: dvec3 > dquat", angles, q);
    op_call("to_euler_angles", "dquat > dvec3", q, got);
    ref_euler(got, again);
    assert_true(fabs(fabs(dot4(q, again)) - 1) < 2e-4);  // the poles are cut at 0.999, as tolua's
    for (int i = 0; i < 3; i++) assert_true(got[i] >= -0.0001 && got[i] < 2 * pi);
    if (fabs(sin(angles[0])) > 0.998) continue;
    for (int i = 1; i < 3; i++) {  // just below 0 is not put just below a turn
      assert_true(fabs(remainder(got[i] - angles[i], 2 * pi)) < 1e-9);
    }
  }
  double q[4], got[3];
  op_call("euler", "quat: n n n > quat", (double[]){pi / 2, 1, 0}, q);
  op_call("to_euler_angles", "quat > vec3", q, got);
  assert_close(got, (double[]){pi / 2, 1, 0}, 3, 1e-6, "straight down");
}

static void euler_turns_z_then_x_then_y(void **state) {
  (void)state;
  double q[4], x[4], y[4], z[4], zx[4], all[4];
  op_call("euler", "dquat: n n n > dquat", (double[]){0.3, 0.5, 0.7}, q);
  op_call("angle_axis", "dquat: n dvec3 > dquat", (double[]){0.3, 1, 0, 0}, x);
  op_call("angle_axis", "dquat: n dvec3 > dquat", (double[]){0.5, 0, 1, 0}, y);
  op_call("angle_axis", "dquat: n dvec3 > dquat", (double[]){0.7, 0, 0, 1}, z);
  ref_mul(x, z, zx);
  ref_mul(y, zx, all);
  assert_close(q, all, 4, 1e-15, "order");
}

static void angle_and_axis_come_back(void **state) {
  (void)state;
  uint64_t seed = 5;
  for (int run = 0; run < RUNS; run++) {
    double in[4] = {op_random(&seed, 0.01, 2 * pi - 0.01)}, q[4], got[4];
    random_unit(&seed, in + 1, 3);
    unit3(in + 1);
    op_call("angle_axis", "dquat: n dvec3 > dquat", in, q);
    op_call("to_angle_axis", "dquat > n dvec3", q, got);
    assert_close(got, in, 4, 1e-9, "to_angle_axis");
  }
  double got[4];
  op_call("to_angle_axis", "quat > n vec3", (double[]){0, 0, 0, 1}, got);
  assert_near_f32(got, (double[]){0, 1, 0, 0}, 4, 0, "no turn");
}

static void inverses_undo(void **state) {
  (void)state;
  uint64_t seed = 6;
  for (int run = 0; run < RUNS; run++) {
    double q[4], inverse[4], product[4];
    random_f32(&seed, q, 4, 3);
    op_call("inverse", "quat > quat", q, inverse);
    ref_mul(q, inverse, product);
    assert_close(product, (double[]){0, 0, 0, 1}, 4, 1e-5, "inverse");
    op_call("normalize", "quat > quat", q, product);
    assert_true(fabs(dot4(product, product) - 1) < 1e-6);
    assert_true(fabs(op_number("length", "quat > n", q) - sqrt(dot4(q, q))) < 1e-12);
    op_call("neg", "quat > quat", q, product);
    assert_true(product[0] == -q[0] && product[3] == -q[3]);
    op_call("conjugate", "quat > quat", q, product);
    assert_true(product[2] == -q[2] && product[3] == q[3]);
  }
}

static void inputs_without_a_direction_give_identity(void **state) {
  (void)state;
  double q[4];
  const double identity[] = {0, 0, 0, 1};
  op_call("normalize", "quat > quat", (double[4]){0}, q);
  assert_near_f32(q, identity, 4, 0, "normalize");
  op_call("angle_axis", "quat: n vec3 > quat", (double[]){1, 0, 0, 0}, q);
  assert_near_f32(q, identity, 4, 0, "angle_axis");
  op_call("from_to_rotation", "quat: vec3 vec3 > quat", (double[]){0, 0, 0, 1, 0, 0}, q);
  assert_near_f32(q, identity, 4, 0, "from_to");
  op_call("look_rotation", "quat: vec3 > quat", (double[]){0, 0, 0}, q);
  assert_near_f32(q, identity, 4, 0, "look_rotation");
  double turned[3];
  op_call("look_rotation", "quat: vec3 vec3 > quat", (double[]){0, -5, 0, 0, 1, 0}, q);
  ref_rotate(q, (double[]){0, 0, 1}, turned);
  assert_close(turned, (double[]){0, -1, 0}, 3, 1e-6, "looking down");
  op_call("slerp", "quat quat n > quat", (double[]){0, 0, 0, 1, 0, 0, 0, -1, 0.5}, q);
  assert_near_f32(q, identity, 4, 0, "slerp to -q");
}

static void directions_are_where_the_axes_go(void **state) {
  (void)state;
  double q[4], got[3], wanted[3];
  op_call("look_rotation", "quat: vec3 > quat", (double[]){3, 0, 4}, q);
  op_call("forward", "quat > vec3", q, got);
  assert_close(got, (double[]){0.6, 0, 0.8}, 3, 1e-6, "forward");
  op_call("right", "quat > vec3", q, got);
  ref_rotate(q, (double[]){1, 0, 0}, wanted);
  assert_near_f32(got, wanted, 3, 1, "right");
  op_call("up", "quat > vec3", q, got);
  assert_close(got, (double[]){0, 1, 0}, 3, 1e-6, "up");
}

static void matrices_give_their_rotation(void **state) {
  (void)state;
  uint64_t seed = 8;
  for (int run = 0; run < RUNS; run++) {
    double q[4], m[9], got[4];
    random_unit(&seed, q, 4);
    op_call("rotation", "mat3: quat > mat3", q, m);
    for (int i = 0; i < 9; i++) m[i] *= i < 3 ? 2 : 0.5;
    op_call("from", "quat: mat3 > quat", m, got);
    assert_true(fabs(fabs(dot4(q, got)) - 1) < 1e-6);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quaternions_agree_with_tolua),
      cmocka_unit_test(angles_agree_with_tolua),
      cmocka_unit_test(from_to_rotation_takes_one_direction_to_the_other),
      cmocka_unit_test(euler_angles_come_back),
      cmocka_unit_test(euler_turns_z_then_x_then_y),
      cmocka_unit_test(angle_and_axis_come_back),
      cmocka_unit_test(inverses_undo),
      cmocka_unit_test(inputs_without_a_direction_give_identity),
      cmocka_unit_test(directions_are_where_the_axes_go),
      cmocka_unit_test(matrices_give_their_rotation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
