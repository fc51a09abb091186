// tolua's algorithms on vectors, in f64. Where an input leaves one of them undefined (no length,
// opposite directions), the answer is a finite one that vector.h or the row's text names.
#include "geometry/vector.h"

#include <float.h>

#include "geometry/conventions.h"

enum { LANES_MAX = 4 };

// Below this sine two directions are taken for equal or opposite.
static const double parallel = 1e-6;

double pl_vn_dot(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

double pl_vn_distance(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sqrt(sum);
}

static double vn_length(const double *v, int n) {
  return sqrt(pl_vn_dot(v, v, n));
}

// Kahan's formula: the arc cosine of a dot is good for half the digits near 0 and pi.
double pl_vn_angle(const double *a, const double *b, int n, double min) {
  double u[LANES_MAX], v[LANES_MAX], sum[LANES_MAX], difference[LANES_MAX];
  for (int i = 0; i < n; i++) {
    u[i] = a[i];
    v[i] = b[i];
  }
  pl_vn_normalize(u, n, min);
  pl_vn_normalize(v, n, min);
  for (int i = 0; i < n; i++) {
    sum[i] = u[i] + v[i];
    difference[i] = u[i] - v[i];
  }
  return 2 * atan2(vn_length(difference, n), vn_length(sum, n));
}

void pl_vn_normalize(double *v, int n, double min) {
  const double length = vn_length(v, n);
  const int has_direction = length > min && isfinite(length);
  for (int i = 0; i < n; i++) v[i] = has_direction ? v[i] / length : 0;
}

void pl_vn_clamp_length(double *v, int n, double max) {
  const double length = vn_length(v, n);
  if (!(length > fabs(max))) return;
  for (int i = 0; i < n; i++) v[i] = isfinite(length) ? v[i] * (max / length) : 0;
}

void pl_vn_move_towards(double *v, const double *target, int n, double max) {
  const double distance = pl_vn_distance(v, target, n);
  const double t = distance > max && distance != 0 ? max / distance : 1;
  for (int i = 0; i < n; i++) v[i] = t == 1 ? target[i] : v[i] + (target[i] - v[i]) * t;
}

void pl_vn_project(const double *v, double *on, int n) {
  const double length2 = pl_vn_dot(on, on, n);
  const double k = length2 > FLT_MIN ? pl_vn_dot(v, on, n) / length2 : 0;
  for (int i = 0; i < n; i++) on[i] = k == 0 ? 0 : on[i] * k;
}

// Game Programming Gems 4, 1.10, as Unity has it: a polynomial for the decay of a critically
// damped spring, and a stop at the target when the step would pass it.
void pl_vn_smooth_damp(double *value, double *velocity, const double *target, int n,
                       const struct pl_damping *damping) {
  const double dt = damping->delta_time;
  if (!(dt > 0)) return;
  const double smooth_time = damping->smooth_time > 0.0001 ? damping->smooth_time : 0.0001;
  const double omega = 2 / smooth_time, x = omega * dt;
  const double decay = 1 / (1 + x + 0.48 * x * x + 0.235 * x * x * x);
  double change[LANES_MAX], next[LANES_MAX], passed = 0;
  for (int i = 0; i < n; i++) change[i] = value[i] - target[i];
  if (!isnan(damping->max_speed)) {
    pl_vn_clamp_length(change, n, damping->max_speed * smooth_time);
  }
  for (int i = 0; i < n; i++) {
    const double step = (velocity[i] + omega * change[i]) * dt;
    velocity[i] = (velocity[i] - omega * step) * decay;
    next[i] = value[i] - change[i] + (change[i] + step) * decay;
    passed += (target[i] - value[i]) * (next[i] - target[i]);
  }
  for (int i = 0; i < n; i++) {
    value[i] = passed > 0 ? target[i] : next[i];
    if (passed > 0) velocity[i] = 0;
  }
}

double pl_v3_signed_angle(struct pl_v3 from, struct pl_v3 to, struct pl_v3 axis, double min) {
  double a[3], b[3], n[3], m[3];
  pl_v3_to(a, from);
  pl_v3_to(b, to);
  pl_v3_to(n, axis);
  pl_v3_to(m, axis);
  pl_vn_project(a, n, 3);
  pl_vn_project(b, m, 3);
  for (int i = 0; i < 3; i++) {
    a[i] -= n[i];
    b[i] -= m[i];
  }
  const double side = pl_v3_dot(axis, pl_v3_cross(pl_v3_from(a), pl_v3_from(b)));
  return pl_vn_angle(a, b, 3, min) * (side < 0 ? -1 : 1);
}

struct pl_v3 pl_v3_slerp(struct pl_v3 from, struct pl_v3 to, double t) {
  if (t <= 0) return from;
  if (t >= 1) return to;
  const double from_length = pl_v3_length(from), to_length = pl_v3_length(to);
  const double length = from_length + (to_length - from_length) * t;
  const struct pl_v3 a = pl_v3_normalize(from, 0), b = pl_v3_normalize(to, 0);
  if (pl_v3_dot(a, a) == 0 || pl_v3_dot(b, b) == 0) {
    return pl_v3_mul_add(from, pl_v3_sub(to, from), t);
  }
  const double cosine = pl_v3_dot(a, b);
  if (cosine > 1 - parallel) {
    return pl_v3_scale(pl_v3_mul_add(pl_v3_scale(a, 1 - t), b, t), length);
  }
  if (cosine < -1 + parallel) {
    const struct pl_q4 turn = pl_q4_angle_axis(PL_PI * t, pl_v3_across(a));
    return pl_v3_scale(pl_q4_rotate(turn, a), length);
  }
  const double angle = acos(cosine), sine = sin(angle);
  const struct pl_v3 part = pl_v3_scale(a, sin((1 - t) * angle) / sine);
  return pl_v3_scale(pl_v3_mul_add(part, b, sin(t * angle) / sine), length);
}

static struct pl_v3 step_towards(struct pl_v3 from, struct pl_v3 to, double max) {
  double v[3], target[3];
  pl_v3_to(v, from);
  pl_v3_to(target, to);
  pl_vn_move_towards(v, target, 3, max);
  return pl_v3_from(v);
}

struct pl_v3 pl_v3_rotate_towards(struct pl_v3 from, struct pl_v3 to, double max_angle,
                                  double max_length) {
  const double from_length = pl_v3_length(from), to_length = pl_v3_length(to);
  const struct pl_v3 a = pl_v3_normalize(from, 1e-6), b = pl_v3_normalize(to, 1e-6);
  const double cosine = pl_v3_dot(a, b);
  const bool has_directions = pl_v3_dot(a, a) > 0 && pl_v3_dot(b, b) > 0;
  if (!has_directions || cosine > 1 - parallel) return step_towards(from, to, max_length);
  const bool is_opposite = cosine < -1 + parallel;
  const struct pl_v3 axis = is_opposite ? pl_v3_across(a) : pl_v3_cross(a, b);
  const double angle = is_opposite ? PL_PI : acos(cosine);
  const double grow = to_length - from_length;
  const double length =
      from_length + (grow > 0 ? fmin(grow, max_length) : -fmin(-grow, max_length));
  const struct pl_q4 turn = pl_q4_angle_axis(fmin(max_angle, angle), axis);
  return pl_v3_scale(pl_q4_rotate(turn, a), length);
}

// Gram and Schmidt's, as tolua does it: what is parallel to one before it becomes 0.
void pl_v3_ortho_normalize(struct pl_v3 *v, int count, double min) {
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < i; k++) v[i] = pl_v3_mul_add(v[i], v[k], -pl_v3_dot(v[i], v[k]));
    v[i] = pl_v3_normalize(v[i], min);
  }
}
