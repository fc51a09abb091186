// Mathf's functions against tolua's formulas, in radians.
#include "near.h"

enum { RUNS = 10000 };

static const double pi = 3.14159265358979323846;

static double repeat(double t, double length) {
  return t - floor(t / length) * length;
}

static double delta(double a, double b) {
  const double d = repeat(b - a, 2 * pi);
  return d > pi ? d - 2 * pi : d;
}

static double clamp01(double t) {
  return t < 0 ? 0 : t > 1 ? 1 : t;
}

static double move(double a, double b, double max) {
  if (fabs(b - a) <= max) return b;
  return a + (b > a ? max : -max);
}

static double inverse_lerp(double a, double b, double x) {
  if (a < b) return x < a ? 0 : x > b ? 1 : (x - a) / (b - a);
  if (a <= b) return 0;
  return x < b ? 1 : x > a ? 0 : 1 - (x - b) / (a - b);
}

static double gamma_of(double x, double max, double gamma) {
  const double size = fabs(x);
  if (size > max) return x;
  const double y = pow(size / max, gamma) * max;
  return x < 0 ? -y : y;
}

static double step(double a, double b, double t) {
  t = clamp01(t);
  t = -2 * t * t * t + 3 * t * t;
  return b * t + a * (1 - t);
}

static void expect(const char *name, const char *signature, const double *in, double wanted) {
  const double got = op_number(name, signature, in);
  if (!(fabs(got - wanted) <= 1e-12)) {
    fail_msg("%s(%g, %g, %g) is %.17g, not %.17g", name, in[0], in[1], in[2], got, wanted);
  }
}

static void numbers_agree_with_tolua(void **state) {
  (void)state;
  uint64_t seed = 11;
  for (int run = 0; run < RUNS; run++) {
    double in[6];
    for (int i = 0; i < 6; i++) in[i] = op_random(&seed, -3, 3);
    const double a = in[0], b = in[1], t = in[2];
    expect("lerp", "n n n > n", in, a + (b - a) * clamp01(t));
    expect("lerp_unclamped", "n n n > n", in, a + (b - a) * t);
    expect("lerp_angle", "n n n > n", in, a + delta(a, b) * clamp01(t));
    expect("delta_angle", "n n > n", in, delta(a, b));
    expect("inverse_lerp", "n n n > n", in, inverse_lerp(a, b, t));
    expect("smooth_step", "n n n > n", in, step(a, b, t));
    expect("round", "n > n", in, floor(a + 0.5));
    expect("sign", "n > n", in, a > 0 ? 1 : -1);
    expect("clamp01", "n > n", in, clamp01(a));
    expect("horizontal_angle", "n n > n", in, atan2(a, b));
    in[2] = fabs(t);
    expect("move_towards", "n n n > n", in, move(a, b, in[2]));
    expect("move_towards_angle", "n n n > n", in, move(a, a + delta(a, b), in[2]));
    in[1] = fabs(b) + 0.01;
    expect("repeat", "n n > n", in, repeat(a, in[1]));
    expect("wrap", "n n > n", in, repeat(a, in[1]));
    expect("ping_pong", "n n > n", in, in[1] - fabs(repeat(a, 2 * in[1]) - in[1]));
    expect("gamma", "n n n > n", in, gamma_of(a, in[1], in[2]));
    expect("clamp", "n n n > n", (double[]){a, -1, 1}, a < -1 ? -1 : a > 1 ? 1 : a);
  }
}

static void ref_damp(const double *in, double target, double *r) {
  const double smooth = fmax(0.0001, in[3]), dt = in[4], omega = 2 / smooth, x = omega * dt;
  const double decay = 1 / (1 + x + 0.48 * x * x + 0.235 * x * x * x);
  const double most = in[5] * smooth, change = fmax(-most, fmin(most, in[0] - target));
  const double move_by = (in[2] + omega * change) * dt;
  r[1] = (in[2] - omega * move_by) * decay;
  r[0] = in[0] - change + (change + move_by) * decay;
  if ((target > in[0]) == (r[0] > target)) {
    r[0] = target;
    r[1] = 0;
  }
}

static void smooth_damp_agrees_with_tolua(void **state) {
  (void)state;
  uint64_t seed = 12;
  for (int run = 0; run < RUNS; run++) {
    double in[6], got[2], wanted[2];
    for (int i = 0; i < 3; i++) in[i] = op_random(&seed, -3, 3);
    for (int i = 3; i < 6; i++) in[i] = op_random(&seed, 0.01, 1);
    op_call("smooth_damp", "n n n n n [n] > n n", in, got);
    ref_damp(in, in[1], wanted);
    assert_close(got, wanted, 2, 1e-12, "smooth_damp");
    op_call("smooth_damp_angle", "n n n n n [n] > n n", in, got);
    ref_damp(in, in[0] + delta(in[0], in[1]), wanted);
    assert_close(got, wanted, 2, 1e-12, "smooth_damp_angle");
  }
  double got[2];
  op_call("smooth_damp", "n n n n n [n] > n n", (double[]){1, 1, 0, 0.3, 0, NAN}, got);
  assert_true(got[0] == 1 && got[1] == 0);
}

static void approximately_is_relative(void **state) {
  (void)state;
  assert_true(op_number("approximately", "n n > bool", (double[]){1, 1 + 1e-7}) == 1);
  assert_true(op_number("approximately", "n n > bool", (double[]){1, 1 + 1e-5}) == 0);
  assert_true(op_number("approximately", "n n > bool", (double[]){0, 0}) == 1);
  assert_true(op_number("approximately", "n n > bool", (double[]){NAN, NAN}) == 0);
  assert_true(op_number("is_nan", "n > bool", (double[]){NAN}) == 1);
  assert_true(op_number("is_nan", "n > bool", (double[]){0}) == 0);
}

static void wrapping_stays_within(void **state) {
  (void)state;
  assert_true(op_number("wrap", "n n > n", (double[]){-1e-20, 3}) == 0);
  assert_true(op_number("wrap", "n n > n", (double[]){5, 0}) == 0);
  assert_true(op_number("wrap", "n n > n", (double[]){-1, 3}) == 2);
  assert_true(op_number("delta_angle", "n n > n", (double[]){0.1, 2 * pi}) < 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_agree_with_tolua),
      cmocka_unit_test(smooth_damp_agrees_with_tolua),
      cmocka_unit_test(approximately_is_relative),
      cmocka_unit_test(wrapping_stays_within),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
