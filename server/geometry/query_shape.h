/// A ray against one shape: the definition of every hit. Loops and trees over many shapes only
/// leave out those that cannot be hit, so that all give the same bits.
///
/// A hit is where the ray meets a surface at t >= 0, borders included; t counts lengths of the
/// direction. An origin on the surface is a hit at 0. From within a sphere or a box it is the way
/// out. Normals are unit vectors and point
/// out of spheres and boxes, to the side from which a triangle's corners go counter-clockwise, and
/// to a plane's positive side: dot(normal, direction) > 0 says that the ray comes from within or
/// behind. A ray in the plane of a triangle or along a plane does not hit it.
///
/// Every hit lies in the shape's bounding box, as pl_query_ray_box sees it, and its t is between
/// that box's.
///
/// Accuracy: all is f64 until the caller rounds it to f32. Wherever the ray does not graze, that
/// is the only rounding that shows: t, u, v and normals are the nearest f32 or its neighbour.
/// Grazing a sphere at a distance D from the origin, t may be off by the square root of 2^-50 D
/// radius, and so may whether it is hit at all by 2^-50 D.
///
/// Thread: any.
#pragma once

#include <stdbool.h>

#include "geometry/query_ray.h"

/// What a ray touched.
struct pl_query_touch {
  double t;
  double u, v;  ///< triangles: the point is a + u (b - a) + v (c - a); else 0
  int face;     ///< boxes: axis, + 3 on its positive side; else 0
};

struct pl_query_sphere {
  double center[3], radius;
};

struct pl_query_box {
  double min[3], max[3];  ///< around `center` when is_turned
  bool is_turned;
  double center[3];
  double axis[3][3];  ///< unit vectors of its x, y, z
};

struct pl_query_triangle {
  double a[3], b[3], c[3];
};

/// Not normalised: dot(normal, p) + d = 0.
struct pl_query_plane {
  double normal[3], d;
};

/// {center, half, rotation}, f32s, as a box; any length of the quaternion but 0 will do.
void pl_query_box_from_obb(struct pl_query_box *box, const float obb[10]);

/// {min, max} around a shape.
void pl_query_sphere_bounds(const struct pl_query_sphere *sphere, double bounds[6]);
void pl_query_box_bounds(const struct pl_query_box *box, double bounds[6]);
void pl_query_triangle_bounds(const struct pl_query_triangle *triangle, double bounds[6]);

/// Returns: whether it is hit at t >= 0; *touch is undefined otherwise.
bool pl_query_hit_sphere(const struct pl_query_ray *ray, const struct pl_query_sphere *sphere,
                         struct pl_query_touch *touch);
bool pl_query_hit_box(const struct pl_query_ray *ray, const struct pl_query_box *box,
                      struct pl_query_touch *touch);
bool pl_query_hit_triangle(const struct pl_query_ray *ray, const struct pl_query_triangle *triangle,
                           struct pl_query_touch *touch);
bool pl_query_hit_plane(const struct pl_query_ray *ray, const struct pl_query_plane *plane,
                        struct pl_query_touch *touch);

/// The unit normal where it was touched.
void pl_query_normal_sphere(const struct pl_query_ray *ray, const struct pl_query_sphere *sphere,
                            const struct pl_query_touch *touch, double normal[3]);
void pl_query_normal_box(const struct pl_query_box *box, const struct pl_query_touch *touch,
                         double normal[3]);
void pl_query_normal_triangle(const struct pl_query_triangle *triangle, double normal[3]);
void pl_query_normal_plane(const struct pl_query_plane *plane, double normal[3]);
