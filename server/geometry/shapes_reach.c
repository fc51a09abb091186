// Where a line is inside something convex: an interval of t, so that a union of parts that overlap
// (capsule) is one interval, too, and an intersection (box, frustum) is clipping.
#include "geometry/shapes.h"

static const struct pl_reach everywhere = {-INFINITY, INFINITY};
static const struct pl_reach nowhere = {INFINITY, -INFINITY};

double pl_reach_first(struct pl_reach reach) {
  return reach.enter <= reach.leave && reach.leave >= 0 && isfinite(reach.enter) ? reach.enter
                                                                                 : INFINITY;
}

// Keeps where base + t * slope >= 0.
static struct pl_reach clip(struct pl_reach reach, double base, double slope) {
  if (slope == 0) return base >= 0 ? reach : nowhere;
  const double t = -base / slope;
  if (isnan(t)) return nowhere;
  if (slope > 0) {
    reach.enter = fmax(reach.enter, t);
  } else {
    reach.leave = fmin(reach.leave, t);
  }
  return reach;
}

struct pl_reach pl_reach_box(const double *origin, const double *direction, const double *min,
                             const double *max, int n) {
  struct pl_reach reach = everywhere;
  for (int i = 0; i < n; i++) {
    reach = clip(reach, origin[i] - min[i], direction[i]);
    reach = clip(reach, max[i] - origin[i], -direction[i]);
  }
  return reach;
}

struct pl_reach pl_reach_box3(struct pl_ray3 ray, struct pl_box3 box) {
  double origin[3], direction[3], min[3], max[3];
  pl_v3_to(origin, ray.origin);
  pl_v3_to(direction, ray.direction);
  pl_v3_to(min, box.min);
  pl_v3_to(max, box.max);
  return pl_reach_box(origin, direction, min, max, 3);
}

struct pl_reach pl_reach_obb(struct pl_ray3 ray, struct pl_obb3 obb) {
  const struct pl_q4 back = pl_q4_conjugate(obb.rotation);
  const struct pl_ray3 local = {pl_q4_rotate(back, pl_v3_sub(ray.origin, obb.center)),
                                pl_q4_rotate(back, ray.direction)};
  return pl_reach_box3(local, (struct pl_box3){pl_v3_scale(obb.half, -1), obb.half});
}

struct pl_reach pl_reach_planes(struct pl_ray3 ray, const struct pl_plane3 *planes, int count) {
  struct pl_reach reach = everywhere;
  for (int i = 0; i < count; i++) {
    reach = clip(reach, pl_v3_dot(planes[i].normal, ray.origin) + planes[i].d,
                 pl_v3_dot(planes[i].normal, ray.direction));
  }
  return reach;
}

// Where |from + direction * t| <= radius.
static struct pl_reach within_radius(struct pl_v3 from, struct pl_v3 direction, double radius) {
  const double a = pl_v3_dot(direction, direction), b = pl_v3_dot(from, direction);
  if (!(a > 0)) return pl_v3_dot(from, from) <= radius * radius ? everywhere : nowhere;
  // The distance of the line to the origin, not b * b - a * c: that cancels for far rays.
  const struct pl_v3 foot = pl_v3_mul_add(from, direction, -b / a);
  const double half2 = (radius * radius - pl_v3_dot(foot, foot)) / a;
  if (!(half2 >= 0)) return nowhere;
  return (struct pl_reach){-b / a - sqrt(half2), -b / a + sqrt(half2)};
}

struct pl_reach pl_reach_ball(struct pl_ray3 ray, struct pl_ball3 ball) {
  return within_radius(pl_v3_sub(ray.origin, ball.center), ray.direction, ball.radius);
}

static struct pl_reach join(struct pl_reach a, struct pl_reach b) {
  if (!(a.enter <= a.leave)) return b;
  if (!(b.enter <= b.leave)) return a;
  return (struct pl_reach){fmin(a.enter, b.enter), fmax(a.leave, b.leave)};
}

// Two balls and the cylinder between them.
struct pl_reach pl_reach_capsule(struct pl_ray3 ray, struct pl_capsule3 capsule) {
  const struct pl_v3 axis = pl_v3_sub(capsule.b, capsule.a);
  const struct pl_v3 from = pl_v3_sub(ray.origin, capsule.a);
  const struct pl_reach ends =
      join(pl_reach_ball(ray, (struct pl_ball3){capsule.a, capsule.radius}),
           pl_reach_ball(ray, (struct pl_ball3){capsule.b, capsule.radius}));
  const double length2 = pl_v3_dot(axis, axis);
  if (!(length2 > 0)) return ends;
  const double base = pl_v3_dot(from, axis), slope = pl_v3_dot(ray.direction, axis);
  const struct pl_v3 from_axis = pl_v3_mul_add(from, axis, -base / length2);
  const struct pl_v3 off_axis = pl_v3_mul_add(ray.direction, axis, -slope / length2);
  const struct pl_reach side =
      clip(clip(within_radius(from_axis, off_axis, capsule.radius), base, slope), length2 - base,
           -slope);
  return join(ends, side);
}

double pl_plane3_raycast(struct pl_ray3 ray, struct pl_plane3 plane) {
  const double slope = pl_v3_dot(plane.normal, ray.direction);
  const double t = -(pl_v3_dot(plane.normal, ray.origin) + plane.d) / slope;
  return slope != 0 && isfinite(t) ? t : INFINITY;
}

// Moller and Trumbore.
double pl_triangle3_raycast(struct pl_ray3 ray, struct pl_triangle3 triangle, double *u,
                            double *v) {
  const struct pl_v3 ab = pl_v3_sub(triangle.b, triangle.a);
  const struct pl_v3 ac = pl_v3_sub(triangle.c, triangle.a);
  const struct pl_v3 across = pl_v3_cross(ray.direction, ac);
  const double determinant = pl_v3_dot(ab, across);
  const struct pl_v3 from = pl_v3_sub(ray.origin, triangle.a), side = pl_v3_cross(from, ab);
  const double b = pl_v3_dot(from, across) / determinant;
  const double c = pl_v3_dot(ray.direction, side) / determinant;
  const double t = pl_v3_dot(ac, side) / determinant;
  if (determinant == 0 || !(b >= 0 && c >= 0 && b + c <= 1 && t >= 0)) return INFINITY;
  *u = b;
  *v = c;
  return t;
}
