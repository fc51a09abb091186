// Loading and storing shapes, distances and nearest points.
#include "geometry/shapes.h"

enum { VEC = 3 * sizeof(float) };

static double load_f32(const char *at) {
  double x;
  pl_load_f32(&x, at, 1);
  return x;
}

static const char *behind(const void *at, size_t vectors) {
  return (const char *)at + vectors * VEC;
}

struct pl_ray3 pl_ray3_load(const void *at) {
  return (struct pl_ray3){pl_v3_load(at), pl_v3_load(behind(at, 1))};
}

struct pl_ray3 pl_ray3_load_segment(const void *at) {
  const struct pl_v3 a = pl_v3_load(at), b = pl_v3_load(behind(at, 1));
  return (struct pl_ray3){a, pl_v3_sub(b, a)};
}

struct pl_box3 pl_box3_load(const void *at) {
  return (struct pl_box3){pl_v3_load(at), pl_v3_load(behind(at, 1))};
}

struct pl_box3 pl_bounds3_load(const void *at) {
  const struct pl_v3 center = pl_v3_load(at), half = pl_v3_load(behind(at, 1));
  return (struct pl_box3){pl_v3_sub(center, half), pl_v3_add(center, half)};
}

struct pl_ball3 pl_ball3_load(const void *at) {
  return (struct pl_ball3){pl_v3_load(at), load_f32(behind(at, 1))};
}

struct pl_plane3 pl_plane3_load(const void *at) {
  return (struct pl_plane3){pl_v3_load(at), load_f32(behind(at, 1))};
}

struct pl_triangle3 pl_triangle3_load(const void *at) {
  return (struct pl_triangle3){pl_v3_load(at), pl_v3_load(behind(at, 1)),
                               pl_v3_load(behind(at, 2))};
}

struct pl_capsule3 pl_capsule3_load(const void *at) {
  return (struct pl_capsule3){pl_v3_load(at), pl_v3_load(behind(at, 1)), load_f32(behind(at, 2))};
}

struct pl_obb3 pl_obb3_load(const void *at) {
  return (struct pl_obb3){pl_v3_load(at), pl_v3_load(behind(at, 1)), pl_q4_load(behind(at, 2))};
}

void pl_ray3_store(void *at, struct pl_ray3 ray) {
  pl_v3_store(at, ray.origin);
  pl_v3_store((char *)at + VEC, ray.direction);
}

void pl_box3_store(void *at, struct pl_box3 box) {
  pl_v3_store(at, box.min);
  pl_v3_store((char *)at + VEC, box.max);
}

void pl_ball3_store(void *at, struct pl_ball3 ball) {
  pl_v3_store(at, ball.center);
  pl_store_f32((char *)at + VEC, &ball.radius, 1);
}

void pl_plane3_store(void *at, struct pl_plane3 plane) {
  pl_v3_store(at, plane.normal);
  pl_store_f32((char *)at + VEC, &plane.d, 1);
}

void pl_obb3_store(void *at, struct pl_obb3 obb) {
  pl_v3_store(at, obb.center);
  pl_v3_store((char *)at + VEC, obb.half);
  pl_q4_store((char *)at + 2 * VEC, obb.rotation);
}

// Outside: the distance to the nearest point. Inside: to the nearest side.
double pl_box_distance(const double *p, const double *min, const double *max, int n) {
  double outside2 = 0, inside = -INFINITY;
  for (int i = 0; i < n; i++) {
    const double beyond = fmax(min[i] - p[i], p[i] - max[i]);
    if (beyond > 0) outside2 += beyond * beyond;
    inside = fmax(inside, beyond);
  }
  return outside2 > 0 ? sqrt(outside2) : inside;
}

double pl_plane3_distance(struct pl_plane3 plane, struct pl_v3 p) {
  return pl_v3_dot(plane.normal, p) + plane.d;
}

static struct pl_v3 into_obb(struct pl_obb3 obb, struct pl_v3 p) {
  return pl_q4_rotate(pl_q4_conjugate(obb.rotation), pl_v3_sub(p, obb.center));
}

double pl_obb3_distance(struct pl_obb3 obb, struct pl_v3 p) {
  double local[3], max[3], min[3];
  pl_v3_to(local, into_obb(obb, p));
  pl_v3_to(max, obb.half);
  pl_v3_to(min, pl_v3_scale(obb.half, -1));
  return pl_box_distance(local, min, max, 3);
}

struct pl_plane3 pl_plane3_through(struct pl_triangle3 t) {
  const struct pl_v3 cross = pl_v3_cross(pl_v3_sub(t.b, t.a), pl_v3_sub(t.c, t.a));
  const struct pl_v3 normal = pl_v3_normalize(cross, 0);
  return (struct pl_plane3){normal, -pl_v3_dot(normal, t.a)};
}

double pl_segment_nearest(struct pl_ray3 segment, struct pl_v3 p) {
  const double length2 = pl_v3_dot(segment.direction, segment.direction);
  if (!(length2 > 0)) return 0;
  const double along = pl_v3_dot(pl_v3_sub(p, segment.origin), segment.direction);
  return pl_clamp(along / length2, 0, 1);
}

static struct pl_v3 point_at(struct pl_ray3 line, double t) {
  return pl_v3_mul_add(line.origin, line.direction, t);
}

static double distance_to(struct pl_ray3 segment, struct pl_v3 p) {
  return pl_v3_distance(point_at(segment, pl_segment_nearest(segment, p)), p);
}

// The nearest points are an end and a point of the other segment, or the feet of the common
// perpendicular of the two lines when both lie within.
double pl_segment_distance(struct pl_ray3 first, struct pl_ray3 second) {
  const struct pl_v3 u = first.direction, v = second.direction;
  const double ends =
      fmin(fmin(distance_to(second, first.origin), distance_to(second, point_at(first, 1))),
           fmin(distance_to(first, second.origin), distance_to(first, point_at(second, 1))));
  const struct pl_v3 across = pl_v3_cross(u, v), apart = pl_v3_sub(second.origin, first.origin);
  const double length2 = pl_v3_dot(across, across);
  const double s = pl_v3_dot(pl_v3_cross(apart, v), across) / length2;
  const double t = pl_v3_dot(pl_v3_cross(apart, u), across) / length2;
  if (!(s >= 0 && s <= 1 && t >= 0 && t <= 1)) return ends;  // parallel: neither is a number
  return fmin(ends, pl_v3_distance(point_at(first, s), point_at(second, t)));
}

struct pl_v3 pl_box3_closest(struct pl_box3 box, struct pl_v3 p) {
  return pl_v3(pl_clamp(p.x, box.min.x, box.max.x), pl_clamp(p.y, box.min.y, box.max.y),
               pl_clamp(p.z, box.min.z, box.max.z));
}

struct pl_v3 pl_obb3_closest(struct pl_obb3 obb, struct pl_v3 p) {
  if (pl_obb3_distance(obb, p) <= 0) return p;
  const struct pl_box3 box = {pl_v3_scale(obb.half, -1), obb.half};
  const struct pl_v3 local = pl_box3_closest(box, into_obb(obb, p));
  return pl_v3_add(obb.center, pl_q4_rotate(obb.rotation, local));
}

struct pl_v3 pl_triangle3_weights(struct pl_triangle3 t, struct pl_v3 p) {
  const struct pl_v3 ab = pl_v3_sub(t.b, t.a), ac = pl_v3_sub(t.c, t.a), ap = pl_v3_sub(p, t.a);
  const struct pl_v3 normal = pl_v3_cross(ab, ac);
  const double length2 = pl_v3_dot(normal, normal);
  if (!(length2 > 0)) return pl_v3(1, 0, 0);
  const double v = pl_v3_dot(pl_v3_cross(ap, ac), normal) / length2;
  const double w = pl_v3_dot(pl_v3_cross(ab, ap), normal) / length2;
  return pl_v3(1 - v - w, v, w);
}

// Above the triangle its foot is the nearest; else a point of an edge.
struct pl_v3 pl_triangle3_closest(struct pl_triangle3 t, struct pl_v3 p) {
  const struct pl_v3 weights = pl_triangle3_weights(t, p);
  const struct pl_v3 ab = pl_v3_sub(t.b, t.a), ac = pl_v3_sub(t.c, t.a);
  const struct pl_v3 normal = pl_v3_cross(ab, ac);
  if (pl_v3_dot(normal, normal) > 0 && weights.x >= 0 && weights.y >= 0 && weights.z >= 0) {
    return pl_v3_mul_add(pl_v3_mul_add(t.a, ab, weights.y), ac, weights.z);
  }
  const struct pl_ray3 edges[3] = {{t.a, ab}, {t.a, ac}, {t.b, pl_v3_sub(t.c, t.b)}};
  struct pl_v3 best = t.a;
  double least = INFINITY;
  for (int i = 0; i < 3; i++) {
    const struct pl_v3 near = point_at(edges[i], pl_segment_nearest(edges[i], p));
    const double distance = pl_v3_distance(near, p);
    if (distance < least) {
      least = distance;
      best = near;
    }
  }
  return best;
}

static double half_along(const struct pl_v3 *axes, struct pl_v3 half, struct pl_v3 direction) {
  return fabs(pl_v3_dot(axes[0], direction)) * half.x +
         fabs(pl_v3_dot(axes[1], direction)) * half.y +
         fabs(pl_v3_dot(axes[2], direction)) * half.z;
}

// Separating axes: the sides' normals and the crosses of the edges. A cross of parallel edges is
// about 0 and separates nothing.
bool pl_obb3_intersects(struct pl_obb3 a, struct pl_obb3 b) {
  struct pl_v3 of_a[3], of_b[3];
  pl_q4_to_axes(a.rotation, of_a);
  pl_q4_to_axes(b.rotation, of_b);
  const struct pl_v3 apart = pl_v3_sub(b.center, a.center);
  for (int i = 0; i < 15; i++) {
    const struct pl_v3 axis = i < 3   ? of_a[i]
                              : i < 6 ? of_b[i - 3]
                                      : pl_v3_cross(of_a[i / 3 - 2], of_b[i % 3]);
    const double gap = fabs(pl_v3_dot(apart, axis)) - half_along(of_a, a.half, axis) -
                       half_along(of_b, b.half, axis);
    if (!(gap <= 1e-9 * pl_v3_length(axis))) return false;  // touching is rounded
  }
  return true;
}
