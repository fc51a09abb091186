/// Shapes in f64, as ops and queries compute with them: loading, distances, and where a line is
/// inside. Conventions of t and of signs: conventions.h.
///
/// Thread: any.
#pragma once

#include "geometry/real.h"

struct pl_ray3 {
  struct pl_v3 origin, direction;
};

struct pl_box3 {
  struct pl_v3 min, max;
};

struct pl_ball3 {
  struct pl_v3 center;
  double radius;
};

struct pl_plane3 {
  struct pl_v3 normal;
  double d;
};

struct pl_triangle3 {
  struct pl_v3 a, b, c;
};

/// A segment with a radius.
struct pl_capsule3 {
  struct pl_v3 a, b;
  double radius;
};

/// A turned box.
struct pl_obb3 {
  struct pl_v3 center, half;
  struct pl_q4 rotation;
};

/// From the packed bytes of ray and segment (a, b - a); aabb; bounds, which has
/// center and half the size; sphere; plane; triangle; capsule;
/// obb.
struct pl_ray3 pl_ray3_load(const void *at);
struct pl_ray3 pl_ray3_load_segment(const void *at);
struct pl_box3 pl_box3_load(const void *at);
struct pl_box3 pl_bounds3_load(const void *at);
struct pl_ball3 pl_ball3_load(const void *at);
struct pl_plane3 pl_plane3_load(const void *at);
struct pl_triangle3 pl_triangle3_load(const void *at);
struct pl_capsule3 pl_capsule3_load(const void *at);
struct pl_obb3 pl_obb3_load(const void *at);
void pl_ray3_store(void *at, struct pl_ray3 ray);
void pl_box3_store(void *at, struct pl_box3 box);
void pl_ball3_store(void *at, struct pl_ball3 ball);
void pl_plane3_store(void *at, struct pl_plane3 plane);
void pl_obb3_store(void *at, struct pl_obb3 obb);

/// Where a line is inside something convex: enter <= t <= leave; nowhere: enter > leave.
struct pl_reach {
  double enter, leave;
};

/// What a ray meets of it. Returns: enter; inf when it is nowhere, or ends before the origin.
double pl_reach_first(struct pl_reach reach);

/// A box of n dimensions.
struct pl_reach pl_reach_box(const double *origin, const double *direction, const double *min,
                             const double *max, int n);
struct pl_reach pl_reach_box3(struct pl_ray3 ray, struct pl_box3 box);
struct pl_reach pl_reach_ball(struct pl_ray3 ray, struct pl_ball3 ball);
struct pl_reach pl_reach_capsule(struct pl_ray3 ray, struct pl_capsule3 capsule);
struct pl_reach pl_reach_obb(struct pl_ray3 ray, struct pl_obb3 obb);
/// What is above all the planes.
struct pl_reach pl_reach_planes(struct pl_ray3 ray, const struct pl_plane3 *planes, int count);

/// Returns: t, also negative; inf when they are parallel.
double pl_plane3_raycast(struct pl_ray3 ray, struct pl_plane3 plane);

/// From both sides. Returns: t >= 0; inf: a miss. *u and *v: the weights of b and c there.
double pl_triangle3_raycast(struct pl_ray3 ray, struct pl_triangle3 triangle, double *u, double *v);

/// Negative inside.
double pl_box_distance(const double *p, const double *min, const double *max, int n);
double pl_plane3_distance(struct pl_plane3 plane, struct pl_v3 p);
double pl_obb3_distance(struct pl_obb3 obb, struct pl_v3 p);

/// Through three points, above where they turn to the left; a normal of 0 when they are in line.
struct pl_plane3 pl_plane3_through(struct pl_triangle3 triangle);

/// Where on the segment a + (b - a) * t, 0 <= t <= 1, p is nearest. Returns: t.
double pl_segment_nearest(struct pl_ray3 segment, struct pl_v3 p);
/// The distance of two segments.
double pl_segment_distance(struct pl_ray3 first, struct pl_ray3 second);

struct pl_v3 pl_box3_closest(struct pl_box3 box, struct pl_v3 p);
struct pl_v3 pl_obb3_closest(struct pl_obb3 obb, struct pl_v3 p);
struct pl_v3 pl_triangle3_closest(struct pl_triangle3 triangle, struct pl_v3 p);

/// Weights of a, b and c that give the point of their plane next to p; of a degenerate triangle 1,
/// 0, 0.
struct pl_v3 pl_triangle3_weights(struct pl_triangle3 triangle, struct pl_v3 p);

bool pl_obb3_intersects(struct pl_obb3 a, struct pl_obb3 b);
