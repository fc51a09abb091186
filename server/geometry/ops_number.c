// Functions of numbers: Unity's Mathf as tolua has it, with angles in radians. What Lua's math has
// is not here.
#include <math.h>
#include <stdbool.h>

#include "geometry/conventions.h"
#include "geometry/ops_each.h"
#include "geometry/ops_tables.h"

#define NUMBER_OP(verb, value)            \
  static void number_##verb(PL_OP_ARGS) { \
    out[0].number = (value);              \
  }
#define A in[0].number
#define B in[1].number
#define C in[2].number

// tolua's bound is relative, and absolute for what is nearly 0.
static bool is_approximate(double a, double b) {
  return a == b || fabs(b - a) < fmax(1e-6 * fmax(fabs(a), fabs(b)), 1.121039e-44);
}

static double clamp_number(double x, double lo, double hi) {
  return x < lo ? lo : x > hi ? hi : x;
}

// 0 <= result < length; tolua's subtraction may round up to the length itself.
static double wrap_number(double t, double length) {
  if (!(length > 0) || !isfinite(length)) return 0;
  const double rest = fmod(t, length);
  const double wrapped = rest < 0 ? rest + length : rest;
  return wrapped < length ? wrapped : 0;
}

static double delta_angle(double from, double to) {
  const double turn = wrap_number(to - from, 2 * PL_PI);
  return turn > PL_PI ? turn - 2 * PL_PI : turn;
}

static double move_number(double from, double to, double max) {
  return fabs(to - from) <= max ? to : from + pl_lane_sign(to - from) * max;
}

static double inverse_lerp(double from, double to, double value) {
  if (from == to) return 0;
  return pl_lane_clamp01((value - from) / (to - from));
}

static double raise_gamma(double value, double max, double gamma) {
  const double size = fabs(value);
  if (!(size <= max) || max <= 0) return value;
  return copysign(pow(size / max, gamma) * max, value);
}

static double ping_pong(double t, double length) {
  return length - fabs(wrap_number(t, length * 2) - length);
}

static double smooth_step(double from, double to, double t) {
  t = pl_lane_clamp01(t);
  t = t * t * (3 - 2 * t);
  return to * t + from * (1 - t);
}

NUMBER_OP(approximately, is_approximate(A, B))
NUMBER_OP(clamp, clamp_number(A, B, C))
NUMBER_OP(clamp01, pl_lane_clamp01(A))
NUMBER_OP(delta_angle, delta_angle(A, B))
NUMBER_OP(gamma, raise_gamma(A, B, C))
NUMBER_OP(horizontal_angle, atan2(A, B))
NUMBER_OP(inverse_lerp, inverse_lerp(A, B, C))
NUMBER_OP(is_nan, isnan(A) != 0)
NUMBER_OP(lerp, A + (B - A) * pl_lane_clamp01(C))
NUMBER_OP(lerp_unclamped, A + (B - A) * C)
NUMBER_OP(lerp_angle, A + delta_angle(A, B) * pl_lane_clamp01(C))
NUMBER_OP(move_towards, move_number(A, B, C))
NUMBER_OP(move_towards_angle, move_number(A, A + delta_angle(A, B), C))
NUMBER_OP(ping_pong, ping_pong(A, B))
NUMBER_OP(wrap, wrap_number(A, B))
NUMBER_OP(round, pl_lane_round(A))
NUMBER_OP(sign, pl_lane_sign(A))
NUMBER_OP(smooth_step, smooth_step(A, B, C))

// in: value, target, velocity, smooth_time, delta_time, max_speed. As pl_vn_smooth_damp, but that
// the stop at the target is decided by the side that the value comes from, as Unity does here.
static void damp_number(PL_OP_ARGS, double target) {
  const double value = A, velocity = C, dt = in[4].number;
  out[0].number = value;
  out[1].number = velocity;
  if (!(dt > 0)) return;
  const double smooth_time = in[3].number > 0.0001 ? in[3].number : 0.0001;
  const double omega = 2 / smooth_time, x = omega * dt;
  const double decay = 1 / (1 + x + 0.48 * x * x + 0.235 * x * x * x);
  double change = value - target;
  if (!isnan(in[5].number)) {
    const double most = in[5].number * smooth_time;
    change = clamp_number(change, -most, most);
  }
  const double step = (velocity + omega * change) * dt;
  const double next = value - change + (change + step) * decay;
  const bool has_passed = (target > value) == (next > target);
  out[0].number = has_passed ? target : next;
  out[1].number = has_passed ? 0 : (velocity - omega * step) * decay;
}

static void number_smooth_damp(PL_OP_ARGS) {
  damp_number(out, in, B);
}

static void number_smooth_damp_angle(PL_OP_ARGS) {
  damp_number(out, in, A + delta_angle(A, B));
}

#undef A
#undef B
#undef C

const struct pl_op pl_ops_of_numbers[] = {
    {"approximately", "n n > bool", number_approximately,
     "Whether two numbers differ by less than a millionth of the greater one."},
    {"clamp", "n n n > n", number_clamp, "x, kept between lo and hi."},
    {"clamp01", "n > n", number_clamp01, "x, kept between 0 and 1."},
    {"delta_angle", "n n > n", number_delta_angle,
     "The shortest turn from one angle to another, above -pi and up to pi."},
    {"gamma", "n n n > n", number_gamma,
     "x raised to gamma within -max .. max: (x, max, gamma); beyond it x itself."},
    {"horizontal_angle", "n n > n", number_horizontal_angle,
     "The angle of the direction (x, z) about y, from +z to +x."},
    {"inverse_lerp", "n n n > n", number_inverse_lerp,
     "Where x lies between a and b, (a, b, x), kept between 0 and 1."},
    {"is_nan", "n > bool", number_is_nan, "Whether it is not a number."},
    {"lerp", "n n n > n", number_lerp, "a + (b - a) * t, with t kept between 0 and 1."},
    {"lerp_angle", "n n n > n", number_lerp_angle, "lerp on the shorter way around."},
    {"lerp_unclamped", "n n n > n", number_lerp_unclamped, "a + (b - a) * t."},
    {"move_towards", "n n n > n", number_move_towards,
     "At most so far from a towards b, and never past it."},
    {"move_towards_angle", "n n n > n", number_move_towards_angle,
     "move_towards on the shorter way around."},
    {"ping_pong", "n n > n", number_ping_pong, "t going up to length and back to 0, and again."},
    {"repeat", "n n > n", number_wrap,
     "t modulo length, 0 to below length; geometry[\"repeat\"], for it is a word of Lua's."},
    {"round", "n > n", number_round, "The nearest integer, halves up."},
    {"sign", "n > n", number_sign, "-1, 0 or 1."},
    {"smooth_damp", "n n n n n [n] > n n", number_smooth_damp,
     "One step of a damped spring: (value, target, velocity, smooth_time, delta_time "
     "[, max_speed]) to the new value and the new velocity."},
    {"smooth_damp_angle", "n n n n n [n] > n n", number_smooth_damp_angle,
     "smooth_damp on the shorter way around."},
    {"smooth_step", "n n n > n", number_smooth_step, "From a to b, slow at both ends."},
    {"wrap", "n n > n", number_wrap, "t modulo length, 0 to below length."},
    {0},
};
