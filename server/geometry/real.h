/// Vectors and quaternions in f64, as ops compute with them between loading and storing. Formulas
/// are tolua's where it has one, in radians; where ours differ, real.c says why.
///
/// Thread: any; nothing here has state.
#pragma once

#include <math.h>
#include <stdbool.h>

#include "geometry/lanes.h"

struct pl_v3 {
  double x, y, z;
};

struct pl_q4 {
  double x, y, z, w;
};

static inline struct pl_v3 pl_v3(double x, double y, double z) {
  return (struct pl_v3){x, y, z};
}

static inline struct pl_v3 pl_v3_from(const double *d) {
  return pl_v3(d[0], d[1], d[2]);
}

static inline void pl_v3_to(double *d, struct pl_v3 v) {
  d[0] = v.x;
  d[1] = v.y;
  d[2] = v.z;
}

/// The vec3 at `at`, of f32; at is of any alignment.
static inline struct pl_v3 pl_v3_load(const void *at) {
  double d[3];
  pl_load_f32(d, at, 3);
  return pl_v3_from(d);
}

static inline void pl_v3_store(void *at, struct pl_v3 v) {
  const double d[3] = {v.x, v.y, v.z};
  pl_store_f32(at, d, 3);
}

static inline struct pl_v3 pl_v3_add(struct pl_v3 a, struct pl_v3 b) {
  return pl_v3(a.x + b.x, a.y + b.y, a.z + b.z);
}

static inline struct pl_v3 pl_v3_sub(struct pl_v3 a, struct pl_v3 b) {
  return pl_v3(a.x - b.x, a.y - b.y, a.z - b.z);
}

static inline struct pl_v3 pl_v3_scale(struct pl_v3 a, double s) {
  return pl_v3(a.x * s, a.y * s, a.z * s);
}

/// a + b * s
static inline struct pl_v3 pl_v3_mul_add(struct pl_v3 a, struct pl_v3 b, double s) {
  return pl_v3(a.x + b.x * s, a.y + b.y * s, a.z + b.z * s);
}

static inline double pl_v3_dot(struct pl_v3 a, struct pl_v3 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct pl_v3 pl_v3_cross(struct pl_v3 a, struct pl_v3 b) {
  return pl_v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static inline double pl_v3_length(struct pl_v3 a) {
  return sqrt(pl_v3_dot(a, a));
}

static inline double pl_v3_distance(struct pl_v3 a, struct pl_v3 b) {
  return pl_v3_length(pl_v3_sub(a, b));
}

/// Returns: length 1, or 0 when `v` is not longer than min or not finite.
static inline struct pl_v3 pl_v3_normalize(struct pl_v3 v, double min) {
  const double length = pl_v3_length(v);
  return length > min && isfinite(length) ? pl_v3_scale(v, 1 / length) : pl_v3(0, 0, 0);
}

static inline double pl_clamp(double x, double lo, double hi) {
  return x < lo ? lo : x > hi ? hi : x;
}

static inline struct pl_q4 pl_q4(double x, double y, double z, double w) {
  return (struct pl_q4){x, y, z, w};
}

static inline struct pl_q4 pl_q4_from(const double *d) {
  return pl_q4(d[0], d[1], d[2], d[3]);
}

static inline void pl_q4_to(double *d, struct pl_q4 q) {
  d[0] = q.x;
  d[1] = q.y;
  d[2] = q.z;
  d[3] = q.w;
}

static inline struct pl_q4 pl_q4_load(const void *at) {
  double d[4];
  pl_load_f32(d, at, 4);
  return pl_q4_from(d);
}

static inline void pl_q4_store(void *at, struct pl_q4 q) {
  const double d[4] = {q.x, q.y, q.z, q.w};
  pl_store_f32(at, d, 4);
}

static inline double pl_q4_dot(struct pl_q4 a, struct pl_q4 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

static inline struct pl_q4 pl_q4_conjugate(struct pl_q4 q) {
  return pl_q4(-q.x, -q.y, -q.z, q.w);
}

/// Hamilton's product: b first, then a.
struct pl_q4 pl_q4_mul(struct pl_q4 a, struct pl_q4 b);

/// v turned by q, whose length is taken for 1.
struct pl_v3 pl_q4_rotate(struct pl_q4 q, struct pl_v3 v);

/// Length 1; identity when q is 0 or not finite.
struct pl_q4 pl_q4_normalize(struct pl_q4 q);

/// The axis need not be normalised; without a direction it gives identity.
struct pl_q4 pl_q4_angle_axis(double angle, struct pl_v3 axis);

/// From a rotation matrix's columns: where x, y and z go.
struct pl_q4 pl_q4_from_axes(struct pl_v3 x, struct pl_v3 y, struct pl_v3 z);
void pl_q4_to_axes(struct pl_q4 q, struct pl_v3 axes[3]);

/// The shortest rotation between two directions; w >= 0. Identity when one has no direction, and
/// half a turn about one of the axes across when they are opposite.
struct pl_q4 pl_q4_from_to(struct pl_v3 from, struct pl_v3 to);

/// Between a and b or -a and b, whichever is nearer, by the angle; t is not clamped.
struct pl_q4 pl_q4_slerp(struct pl_q4 a, struct pl_q4 b, double t);

/// The angle of the rotation from a to b: 0 .. pi.
double pl_q4_angle(struct pl_q4 a, struct pl_q4 b);

/// A unit vector across v, which is of length 1.
struct pl_v3 pl_v3_across(struct pl_v3 v);
