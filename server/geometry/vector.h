/// Vectors of any number of components in f64, and tolua's longer algorithms on them.
///
/// Thread: any.
#pragma once

#include "geometry/real.h"

double pl_vn_dot(const double *a, const double *b, int n);
double pl_vn_distance(const double *a, const double *b, int n);

/// 0 .. pi; pi / 2 when one of them is not longer than min, or not finite.
double pl_vn_angle(const double *a, const double *b, int n, double min);

/// In place; 0 when v is not longer than min, or not finite.
void pl_vn_normalize(double *v, int n, double min);
void pl_vn_clamp_length(double *v, int n, double max);
void pl_vn_move_towards(double *v, const double *target, int n, double max);

/// on: becomes the part of v along it.
void pl_vn_project(const double *v, double *on, int n);

/// Seconds, and lengths a second.
struct pl_damping {
  double smooth_time;
  double delta_time;
  double max_speed;  ///< NaN: none
};

/// value and velocity become those delta_time later. With delta_time <= 0 nothing moves.
void pl_vn_smooth_damp(double *value, double *velocity, const double *target, int n,
                       const struct pl_damping *damping);

double pl_v3_signed_angle(struct pl_v3 from, struct pl_v3 to, struct pl_v3 axis, double min);
struct pl_v3 pl_v3_slerp(struct pl_v3 from, struct pl_v3 to, double t);
struct pl_v3 pl_v3_rotate_towards(struct pl_v3 from, struct pl_v3 to, double max_angle,
                                  double max_length);
void pl_v3_ortho_normalize(struct pl_v3 *v, int count, double min);
