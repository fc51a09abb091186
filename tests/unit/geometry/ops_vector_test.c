// Vectors of f32 and f64 against tolua's algorithms, written down anew in double precision; and
// what they do with inputs that leave tolua's without an answer.
#include "near.h"

#include <stdio.h>

enum { RUNS = 10000 };

static double dot(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static double length(const double *a, int n) {
  return sqrt(dot(a, a, n));
}

static void unit_of(const double *a, int n, double *r) {
  const double l = length(a, n);
  for (int i = 0; i < n; i++) r[i] = l > 1e-5 ? a[i] / l : 0;
}

typedef void reference_fn(const double *in, int n, double *r);

// in: a, b, then numbers
static void ref_add(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = in[i] + in[n + i];
}
static void ref_sub(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = in[i] - in[n + i];
}
static void ref_scale(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = in[i] * in[n + i];
}
static void ref_div(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = in[i] / in[n];
}
static void ref_mul(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = in[i] * in[n];
}
static void ref_lerp(const double *in, int n, double *r) {
  const double t = fmin(1, fmax(0, in[2 * n]));
  for (int i = 0; i < n; i++) r[i] = in[i] + (in[n + i] - in[i]) * t;
}
static void ref_lerp_unclamped(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = in[i] + (in[n + i] - in[i]) * in[2 * n];
}
static void ref_max(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = fmax(in[i], in[n + i]);
}
static void ref_min(const double *in, int n, double *r) {
  for (int i = 0; i < n; i++) r[i] = fmin(in[i], in[n + i]);
}
static void ref_normalize(const double *in, int n, double *r) {
  unit_of(in, n, r);
}
static void ref_clamp_length(const double *in, int n, double *r) {
  double u[4];
  unit_of(in, n, u);
  const bool is_long = dot(in, in, n) > in[n] * in[n];
  for (int i = 0; i < n; i++) r[i] = is_long ? u[i] * in[n] : in[i];
}
static void ref_move_towards(const double *in, int n, double *r) {
  double delta[4] = {0};
  for (int i = 0; i < n; i++) delta[i] = in[n + i] - in[i];
  const double distance = length(delta, n), max = in[2 * n];
  for (int i = 0; i < n; i++) {
    r[i] = distance > max ? in[i] + delta[i] * (max / distance) : in[n + i];
  }
}
static void ref_reflect(const double *in, int n, double *r) {
  const double k = -2 * dot(in + n, in, n);
  for (int i = 0; i < n; i++) r[i] = in[n + i] * k + in[i];
}
static void ref_project(const double *in, int n, double *r) {
  const double k = dot(in, in + n, n) / dot(in + n, in + n, n);
  for (int i = 0; i < n; i++) r[i] = in[n + i] * k;
}
static void ref_project_on_plane(const double *in, int n, double *r) {
  ref_project(in, n, r);
  for (int i = 0; i < n; i++) r[i] = in[i] - r[i];
}
static void ref_dot(const double *in, int n, double *r) {
  r[0] = dot(in, in + n, n);
}
static void ref_length(const double *in, int n, double *r) {
  r[0] = length(in, n);
}
static void ref_length2(const double *in, int n, double *r) {
  r[0] = dot(in, in, n);
}
static void ref_distance(const double *in, int n, double *r) {
  double d[4] = {0};
  ref_sub(in, n, d);
  r[0] = length(d, n);
}
static void ref_cross(const double *in, int n, double *r) {
  const double *a = in, *b = in + n;
  r[0] = a[1] * b[2] - a[2] * b[1];
  r[1] = a[2] * b[0] - a[0] * b[2];
  r[2] = a[0] * b[1] - a[1] * b[0];
}
static void ref_ortho_normalize(const double *in, int n, double *r) {
  double b[3], part[6];
  unit_of(in, n, r);
  memcpy(part, in + n, sizeof(double) * 3);
  memcpy(part + 3, r, sizeof(double) * 3);
  ref_project(part, n, b);
  for (int i = 0; i < n; i++) b[i] = in[n + i] - b[i];
  unit_of(b, n, r + n);
}
// value, target, velocity, smooth_time, delta_time, max_speed
static void ref_smooth_damp(const double *in, int n, double *r) {
  const double *value = in, *target = in + n, *velocity = in + 2 * n;
  const double smooth = fmax(0.0001, in[3 * n]), dt = in[3 * n + 1], most = in[3 * n + 2] * smooth;
  const double omega = 2 / smooth, x = omega * dt;
  const double decay = 1 / (1 + x + 0.48 * x * x + 0.235 * x * x * x);
  double change[4] = {0}, passed = 0;
  for (int i = 0; i < n; i++) change[i] = value[i] - target[i];
  const double l = length(change, n);
  for (int i = 0; i < n; i++) {
    const double c = l > most ? change[i] / l * most : change[i];
    const double step = (velocity[i] + c * omega) * dt;
    r[i] = value[i] - c + (c + step) * decay;
    r[n + i] = (velocity[i] - step * omega) * decay;
    passed += (target[i] - value[i]) * (r[i] - target[i]);
  }
  for (int i = 0; i < n && passed > 0; i++) {
    r[i] = target[i];
    r[n + i] = 0;
  }
}

static void turn(const double *v, const double *axis, double angle, double *r) {
  // Rodrigues, which is not how the ops do it
  const double c = cos(angle), s = sin(angle), along = dot(axis, v, 3) * (1 - c);
  r[0] = v[0] * c + (axis[1] * v[2] - axis[2] * v[1]) * s + axis[0] * along;
  r[1] = v[1] * c + (axis[2] * v[0] - axis[0] * v[2]) * s + axis[1] * along;
  r[2] = v[2] * c + (axis[0] * v[1] - axis[1] * v[0]) * s + axis[2] * along;
}

static void axis_between(const double *u, const double *w, double *axis) {
  double pair[6], cross[3];
  memcpy(pair, u, sizeof(double) * 3);
  memcpy(pair + 3, w, sizeof(double) * 3);
  ref_cross(pair, 3, cross);
  unit_of(cross, 3, axis);
}

static void ref_slerp(const double *in, int n, double *r) {
  double u[3], w[3], axis[3];
  const double t = in[2 * n], l = length(in, n) + (length(in + n, n) - length(in, n)) * t;
  unit_of(in, n, u);
  unit_of(in + n, n, w);
  axis_between(u, w, axis);
  turn(u, axis, acos(dot(u, w, n)) * t, r);
  for (int i = 0; i < n; i++) r[i] *= l;
}
static void ref_rotate_towards(const double *in, int n, double *r) {
  double u[3], w[3], axis[3];
  const double grow = length(in + n, n) - length(in, n), most = in[2 * n + 1];
  const double l = length(in, n) + fmax(-most, fmin(most, grow));
  unit_of(in, n, u);
  unit_of(in + n, n, w);
  axis_between(u, w, axis);
  turn(u, axis, fmin(acos(dot(u, w, n)), in[2 * n]), r);
  for (int i = 0; i < n; i++) r[i] *= l;
}

// operands: v a vector, n a number 0 .. 1.2, p 0.01 .. 1
struct parity {
  const char *name, *operands, *results;
  reference_fn *reference;
  int only;  // components; 0: any
};

static const struct parity parities[] = {
    {"add", "vv", "v", ref_add, 0},
    {"sub", "vv", "v", ref_sub, 0},
    {"mul", "vv", "v", ref_scale, 0},
    {"mul", "vp", "v", ref_mul, 0},
    {"div", "vp", "v", ref_div, 0},
    {"lerp", "vvn", "v", ref_lerp, 0},
    {"lerp_unclamped", "vvn", "v", ref_lerp_unclamped, 0},
    {"max", "vv", "v", ref_max, 0},
    {"min", "vv", "v", ref_min, 0},
    {"normalize", "v", "v", ref_normalize, 0},
    {"clamp_length", "vp", "v", ref_clamp_length, 0},
    {"move_towards", "vvp", "v", ref_move_towards, 0},
    {"reflect", "vv", "v", ref_reflect, 0},
    {"project", "vv", "v", ref_project, 0},
    {"project_on_plane", "vv", "v", ref_project_on_plane, 0},
    {"dot", "vv", "n", ref_dot, 0},
    {"length", "v", "n", ref_length, 0},
    {"length2", "v", "n", ref_length2, 0},
    {"distance", "vv", "n", ref_distance, 0},
    {"smooth_damp", "vvvpp[p]", "vv", ref_smooth_damp, 0},
    {"cross", "vv", "v", ref_cross, 3},
    {"ortho_normalize", "vv", "vv", ref_ortho_normalize, 3},
    {"slerp", "vvp", "v", ref_slerp, 3},
    {"rotate_towards", "vvpp", "v", ref_rotate_towards, 3},
};

static void spell(char *to, const char *kinds, const char *type) {
  for (const char *k = kinds; *k; k++) {
    if (*k == ']') continue;
    to += sprintf(to, "%s", *k == 'v' ? type : *k == '[' ? "[n]" : "n");
    if (*k == '[') k++;
    *to++ = ' ';
  }
  *to = 0;
}

static void check_parity(const struct parity *parity, const char *type, int n, bool is_f64) {
  char operands[128], results[64], signature[256];
  spell(operands, parity->operands, type);
  spell(results, parity->results, type);
  results[strlen(results) - 1] = 0;
  snprintf(signature, sizeof signature, "%s> %s", operands, results);
  uint64_t seed = 0x9e3779b97f4a7c15;
  for (int run = 0; run < RUNS; run++) {
    double in[32], got[16], wanted[16];
    int used = 0;
    for (const char *k = parity->operands; *k; k++) {
      if (*k == 'v') random_f32(&seed, in + used, n, 10);
      if (*k == 'v') used += n;
      if (*k == 'n') in[used++] = as_f32(op_random(&seed, -0.1, 1.2));
      if (*k == 'p') in[used++] = as_f32(op_random(&seed, 0.01, 1));
    }
    op_call(parity->name, signature, in, got);
    parity->reference(in, n, wanted);
    const int count = *parity->results == 'n' ? 1 : n * (int)strlen(parity->results);
    if (is_f64) {
      assert_close(got, wanted, count, 1e-9, signature);
    } else {
      assert_near_f32(got, wanted, count, 1000, parity->name);
    }
  }
}

static void vectors_agree_with_tolua(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof parities / sizeof *parities; i++) {
    const struct parity *p = &parities[i];
    if (!p->only) check_parity(p, "vec2", 2, false);
    check_parity(p, "vec3", 3, false);
    if (!p->only) check_parity(p, "vec4", 4, false);
    if (!p->only) check_parity(p, "dvec2", 2, true);
    check_parity(p, "dvec3", 3, true);
    if (!p->only) check_parity(p, "dvec4", 4, true);
  }
}

static void angles_agree_with_tolua_and_are_exact_near_zero(void **state) {
  (void)state;
  uint64_t seed = 42;
  for (int run = 0; run < RUNS; run++) {
    double in[6], u[3], w[3];
    random_f32(&seed, in, 6, 10);
    unit_of(in, 3, u);
    unit_of(in + 3, 3, w);
    const double wanted = acos(fmin(1, fmax(-1, dot(u, w, 3))));
    assert_true(fabs(op_number("angle", "vec3 vec3 > n", in) - wanted) < 1e-7);
  }
  assert_true(op_number("angle", "vec3 vec3 > n", (double[]){1, 2, 3, 1, 2, 3}) == 0);
  const double tiny[] = {1, 0, 0, 1, 1e-9, 0};
  assert_true(fabs(op_number("angle", "dvec3 dvec3 > n", tiny) - 1e-9) < 1e-20);
  const double none[] = {0, 0, 0, 1, 0, 0};
  assert_true(fabs(op_number("angle", "vec3 vec3 > n", none) - acos(0)) < 1e-15);
}

static void f32_arithmetic_is_what_the_cpu_does(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int run = 0; run < RUNS; run++) {
    double in[6], r[3];
    random_f32(&seed, in, 6, 1e6);
    for (int i = 0; i < 3; i++) {
      const float x = (float)in[i], y = (float)in[3 + i];
      op_call("add", "vec3 vec3 > vec3", in, r);
      assert_true((float)r[i] == x + y);
      op_call("mul", "vec3 vec3 > vec3", in, r);
      assert_true((float)r[i] == x * y);
      op_call("div", "vec3 vec3 > vec3", in, r);
      assert_true((float)r[i] == x / y);
      op_call("mul", "vec3 n > vec3", (double[]){in[0], in[1], in[2], 0.1}, r);
      assert_true((float)r[i] == x * 0.1f);
    }
  }
}

static void numbers_may_come_first(void **state) {
  (void)state;
  double r[3];
  op_call("div", "vec3: n vec3 > vec3", (double[]){1, 2, 4, 8}, r);
  assert_near_f32(r, (double[]){0.5, 0.25, 0.125}, 3, 0, "div");
  op_call("sub", "vec3: n vec3 > vec3", (double[]){1, 2, 4, 8}, r);
  assert_near_f32(r, (double[]){-1, -3, -7}, 3, 0, "sub");
}

static void components_are_rounded_as_they_should(void **state) {
  (void)state;
  double r[4];
  const double v[] = {-1.5, 0.49999997, 2.5, -0.25};
  op_call("round", "vec4 > vec4", v, r);
  assert_near_f32(r, (double[]){-1, 0, 3, 0}, 4, 0, "round");
  op_call("round", "dvec2 > dvec2", (double[]){0.49999999999999994, 4503599627370497.0}, r);
  assert_near_f32(r, (double[]){0, 4503599627370497.0}, 2, 0, "round");
  op_call("floor", "vec4 > vec4", v, r);
  assert_near_f32(r, (double[]){-2, 0, 2, -1}, 4, 0, "floor");
  op_call("ceil", "vec4 > vec4", v, r);
  assert_near_f32(r, (double[]){-1, 1, 3, 0}, 4, 0, "ceil");
  op_call("sign", "vec4 > vec4", v, r);
  assert_near_f32(r, (double[]){-1, 1, 1, -1}, 4, 0, "sign");
  op_call("abs", "vec4 > vec4", v, r);
  assert_near_f32(r, (double[]){1.5, as_f32(0.49999997), 2.5, 0.25}, 4, 0, "abs");
  op_call("fract", "vec4 > vec4", v, r);
  assert_near_f32(r, (double[]){0.5, as_f32(0.49999997), 0.5, 0.75}, 4, 0, "fract");
  op_call("clamp", "vec4 n n > vec4", (double[]){-1.5, 0.5, 2.5, 0, -1, 1}, r);
  assert_near_f32(r, (double[]){-1, 0.5, 1, 0}, 4, 0, "clamp");
  op_call("mul_add", "vec2 vec2 n > vec2", (double[]){1, 2, 3, 4, 10}, r);
  assert_near_f32(r, (double[]){31, 42}, 2, 0, "mul_add");
  assert_true(op_number("max_component", "vec4 > n", v) == 2.5);
  assert_true(op_number("min_component", "vec4 > n", v) == -1.5);
}

static void opposite_and_missing_directions_give_finite_vectors(void **state) {
  (void)state;
  double r[6];
  op_call("slerp", "vec3 vec3 n > vec3", (double[]){2, 0, 0, -2, 0, 0, 0.5}, r);
  assert_true(fabs(length(r, 3) - 2) < 1e-6 && fabs(r[0]) < 1e-6);
  op_call("slerp", "vec3 vec3 n > vec3", (double[]){0, 0, 0, 2, 0, 0, 0.5}, r);
  assert_near_f32(r, (double[]){1, 0, 0}, 3, 0, "slerp from zero");
  op_call("rotate_towards", "vec3 vec3 n n > vec3", (double[]){0, 0, 1, 0, 0, -3, acos(0), 1}, r);
  assert_true(fabs(length(r, 3) - 2) < 1e-6 && fabs(r[2]) < 1e-6);
  op_call("rotate_towards", "vec3 vec3 n n > vec3", (double[]){0, 0, 0, 0, 0, 3, 1, 1}, r);
  assert_near_f32(r, (double[]){0, 0, 1}, 3, 0, "rotate from zero");
  op_call("ortho_normalize", "vec3 vec3 > vec3 vec3", (double[]){2, 0, 0, 5, 0, 0}, r);
  assert_near_f32(r, (double[]){1, 0, 0, 0, 0, 0}, 6, 0, "parallel");
  op_call("normalize", "vec3 > vec3", (double[]){INFINITY, 0, 0}, r);
  assert_near_f32(r, (double[]){0, 0, 0}, 3, 0, "normalize inf");
  op_call("normalize", "vec3 > vec3", (double[]){1e-6, 0, 0}, r);
  assert_near_f32(r, (double[]){0, 0, 0}, 3, 0, "normalize short");
  op_call("normalize", "vec3 > vec3", (double[]){3e30, 4e30, 0}, r);
  assert_near_f32(r, (double[]){0.6, 0.8, 0}, 3, 0, "normalize long");
  op_call("project", "vec3 vec3 > vec3", (double[]){1, 2, 3, 0, 0, 0}, r);
  assert_near_f32(r, (double[]){0, 0, 0}, 3, 0, "project on zero");
}

static void smooth_damp_arrives_and_stays(void **state) {
  (void)state;
  double in[] = {0, 0, 0, 10, 0, 0, 0, 0, 0, 0.3, 0.02, NAN}, r[6];
  for (int step = 0; step < 400; step++) {
    op_call("smooth_damp", "vec3 vec3 vec3 n n [n] > vec3 vec3", in, r);
    assert_true(r[0] >= in[0] && r[0] <= 10);
    memcpy(in, r, sizeof(double) * 3);
    memcpy(in + 6, r + 3, sizeof(double) * 3);
  }
  assert_true(fabs(in[0] - 10) < 1e-5);
  in[10] = 0;
  in[0] = 5;
  op_call("smooth_damp", "vec3 vec3 vec3 n n [n] > vec3 vec3", in, r);
  assert_true(r[0] == 5);
}

static void two_dimensions_turn_from_x_to_y(void **state) {
  (void)state;
  double r[2];
  assert_true(op_number("cross", "vec2 vec2 > n", (double[]){1, 0, 0, 1}) == 1);
  assert_true(op_number("signed_angle", "vec2 vec2 > n", (double[]){1, 0, 0, -1}) == -acos(0));
  op_call("rotate", "vec2 n > vec2", (double[]){1, 0, acos(0)}, r);
  assert_near_f32(r, (double[]){0, 1}, 2, 1, "rotate");
  op_call("perpendicular", "vec2 > vec2", (double[]){3, 4}, r);
  assert_near_f32(r, (double[]){-4, 3}, 2, 0, "perpendicular");
  const double across[] = {1, 0, 0, 0, 1, 0, 0, 0, -2};
  assert_true(fabs(op_number("signed_angle", "vec3 vec3 vec3 > n", across) + acos(0)) < 1e-12);
}

static void vectors_convert(void **state) {
  (void)state;
  double r[3];
  op_call("from", "vec3: dvec3 > vec3", (double[]){0.1, 1e300, -1e300}, r);
  assert_true(r[0] == as_f32(0.1) && isinf(r[1]) && isinf(r[2]));
  op_call("from", "dvec3: uvec3 > dvec3", (double[]){0, 1, 4294967295.0}, r);
  assert_true(r[2] == 4294967295.0);
  op_call("from", "vec2: ivec2 > vec2", (double[]){-7, 8}, r);
  assert_true(r[0] == -7 && r[1] == 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vectors_agree_with_tolua),
      cmocka_unit_test(angles_agree_with_tolua_and_are_exact_near_zero),
      cmocka_unit_test(f32_arithmetic_is_what_the_cpu_does),
      cmocka_unit_test(numbers_may_come_first),
      cmocka_unit_test(components_are_rounded_as_they_should),
      cmocka_unit_test(opposite_and_missing_directions_give_finite_vectors),
      cmocka_unit_test(smooth_damp_arrives_and_stays),
      cmocka_unit_test(two_dimensions_turn_from_x_to_y),
      cmocka_unit_test(vectors_convert),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
