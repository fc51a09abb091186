// A ray against one shape. The formulas are chosen for what they do near their limits:
//
// - spheres: the distance of the centre from the ray's line, squared, against the radius squared
//   (b^2 - a c loses the sphere's size when it is far away);
// - boxes: quotients, not products with 1 / d, so that a ray through a corner of whole numbers
//   meets it;
// - triangles: the signs of three volumes over the edges. An edge that two triangles share gives
//   them the same number with the other sign, so no ray slips through between them; and where the
//   sign is in doubt, as for a ray right through a corner, it is computed with 113 bits, which is
//   exact for corners whose differences from the origin have 37.
#include "geometry/query_shape.h"

#include <string.h>

static void subtract(const double a[3], const double b[3], double out[3]) {
  for (int k = 0; k < 3; k++) out[k] = a[k] - b[k];
}

static double clamp(double t, double lo, double hi) {
  return t < lo ? lo : t > hi ? hi : t;
}

static void normalize(double v[3]) {
  double length = sqrt(pl_query_dot(v, v));
  if (length == 0) return;
  for (int k = 0; k < 3; k++) v[k] /= length;
}

void pl_query_box_from_obb(struct pl_query_box *box, const float obb[10]) {
  double x = obb[6], y = obb[7], z = obb[8], w = obb[9];
  double s = 2 / (x * x + y * y + z * z + w * w);
  double axis[3][3] = {{1 - s * (y * y + z * z), s * (x * y + z * w), s * (x * z - y * w)},
                       {s * (x * y - z * w), 1 - s * (x * x + z * z), s * (y * z + x * w)},
                       {s * (x * z + y * w), s * (y * z - x * w), 1 - s * (x * x + y * y)}};
  memcpy(box->axis, axis, sizeof axis);
  for (int k = 0; k < 3; k++) {
    box->center[k] = obb[k];
    box->min[k] = -(double)obb[k + 3];
    box->max[k] = obb[k + 3];
  }
  box->is_turned = true;
}

void pl_query_sphere_bounds(const struct pl_query_sphere *sphere, double bounds[6]) {
  for (int k = 0; k < 3; k++) {
    bounds[k] = sphere->center[k] - sphere->radius;
    bounds[k + 3] = sphere->center[k] + sphere->radius;
  }
}

void pl_query_box_bounds(const struct pl_query_box *box, double bounds[6]) {
  if (!box->is_turned) {
    memcpy(bounds, box->min, sizeof box->min);
    memcpy(bounds + 3, box->max, sizeof box->max);
    return;
  }
  for (int k = 0; k < 3; k++) {
    double reach = 0;
    for (int j = 0; j < 3; j++) reach += fabs(box->axis[j][k]) * box->max[j];
    reach += reach * 0x1p-48;  // more than the rounding of its sum and of the axes
    bounds[k] = box->center[k] - reach;
    bounds[k + 3] = box->center[k] + reach;
  }
}

void pl_query_triangle_bounds(const struct pl_query_triangle *triangle, double bounds[6]) {
  const double *a = triangle->a, *b = triangle->b, *c = triangle->c;
  for (int k = 0; k < 3; k++) {
    double least = a[k] < b[k] ? a[k] : b[k], most = a[k] < b[k] ? b[k] : a[k];
    bounds[k] = c[k] < least ? c[k] : least;
    bounds[k + 3] = c[k] > most ? c[k] : most;
  }
}

// The roots of (o + t d - center)^2 = radius^2 are middle - half and middle + half, and their
// product is power / dot(d, d): the smaller one in size is computed from the product, since the
// difference would lose what they have in common.
bool pl_query_hit_sphere(const struct pl_query_ray *ray, const struct pl_query_sphere *sphere,
                         struct pl_query_touch *touch) {
  double to[3], gap[3], bounds[6], lo, hi, t = 0;
  subtract(sphere->center, ray->o, to);
  double middle = pl_query_dot(to, ray->d) * ray->inv_dd;
  for (int k = 0; k < 3; k++) gap[k] = to[k] - middle * ray->d[k];
  double radius2 = sphere->radius * sphere->radius, left = radius2 - pl_query_dot(gap, gap);
  double power = pl_query_dot(to, to) - radius2;  // 0: the origin is on the surface, < 0: within
  if (power > 0 && !(left >= 0 && middle > 0)) return false;
  pl_query_sphere_bounds(sphere, bounds);
  if (!pl_query_ray_box(ray, bounds, &lo, &hi)) return false;
  double half = left > 0 ? sqrt(left * ray->inv_dd) : 0;
  if (power > 0) t = power * ray->inv_dd / (middle + half);
  if (power < 0) t = middle > 0 ? middle + half : power * ray->inv_dd / (middle - half);
  *touch = (struct pl_query_touch){.t = clamp(t, lo, hi)};
  return touch->t >= 0;
}

void pl_query_normal_sphere(const struct pl_query_ray *ray, const struct pl_query_sphere *sphere,
                            const struct pl_query_touch *touch, double normal[3]) {
  for (int k = 0; k < 3; k++) {
    // A sphere of radius 0 has no outside: its normal points back along the ray.
    normal[k] =
        sphere->radius == 0 ? -ray->d[k] : touch->t * ray->d[k] - (sphere->center[k] - ray->o[k]);
  }
  normalize(normal);
}

// Where the ray o + t d enters and leaves; false: it does not.
static bool cross_faces(const double o[3], const double d[3], const struct pl_query_box *box,
                        struct pl_query_touch *enter, struct pl_query_touch *leave) {
  *enter = (struct pl_query_touch){.t = -INFINITY};
  *leave = (struct pl_query_touch){.t = INFINITY};
  for (int k = 0; k < 3; k++) {
    double below = box->min[k] - o[k], above = box->max[k] - o[k];
    if (d[k] == 0) {
      if (below > 0 || above < 0) return false;
      continue;
    }
    double nearer = (d[k] > 0 ? below : above) / d[k], farther = (d[k] > 0 ? above : below) / d[k];
    if (nearer > enter->t) *enter = (struct pl_query_touch){nearer, 0, 0, d[k] > 0 ? k : k + 3};
    if (farther < leave->t) *leave = (struct pl_query_touch){farther, 0, 0, d[k] > 0 ? k + 3 : k};
  }
  return enter->t <= leave->t && leave->t >= 0 && leave->t < INFINITY;
}

bool pl_query_hit_box(const struct pl_query_ray *ray, const struct pl_query_box *box,
                      struct pl_query_touch *touch) {
  double bounds[6], lo, hi, o[3], d[3];
  pl_query_box_bounds(box, bounds);
  if (!pl_query_ray_box(ray, bounds, &lo, &hi)) return false;
  memcpy(o, ray->o, sizeof o);
  memcpy(d, ray->d, sizeof d);
  if (box->is_turned) {
    double from[3];
    subtract(ray->o, box->center, from);
    for (int k = 0; k < 3; k++) {
      o[k] = pl_query_dot(box->axis[k], from);
      d[k] = pl_query_dot(box->axis[k], ray->d);
    }
  }
  struct pl_query_touch enter, leave;
  if (!cross_faces(o, d, box, &enter, &leave)) return false;
  *touch = enter.t >= 0 ? enter : leave;
  touch->t = clamp(touch->t, lo, hi);
  return touch->t >= 0;
}

void pl_query_normal_box(const struct pl_query_box *box, const struct pl_query_touch *touch,
                         double normal[3]) {
  int k = touch->face % 3;
  double sign = touch->face < 3 ? -1 : 1;
  memset(normal, 0, 3 * sizeof *normal);
  if (box->is_turned) {
    for (int j = 0; j < 3; j++) normal[j] = sign * box->axis[k][j];
    normalize(normal);
  } else {
    normal[k] = sign;
  }
}

#if LDBL_MANT_DIG >= 113
typedef long double wide;
#else
typedef __float128 wide;
#endif

static double wide_volume(const double a[3], const double b[3], const double d[3]) {
  wide sum = 0;
  for (int k = 0; k < 3; k++) {
    int i = (k + 1) % 3, j = (k + 2) % 3;
    sum += ((wide)a[i] * b[j] - (wide)a[j] * b[i]) * d[k];
  }
  return (double)sum;
}

// dot(cross(a, b), d), whose sign says on which side of the ray the edge from a to b passes.
static double volume_of(const double a[3], const double b[3], const double d[3]) {
  double n[3], most = 0;
  pl_query_cross(a, b, n);
  double volume = pl_query_dot(n, d);
  for (int k = 0; k < 3; k++) {
    int i = (k + 1) % 3, j = (k + 2) % 3;
    most += (fabs(a[i] * b[j]) + fabs(a[j] * b[i])) * fabs(d[k]);
  }
  return fabs(volume) > most * 0x1p-49 ? volume : wide_volume(a, b, d);
}

bool pl_query_hit_triangle(const struct pl_query_ray *ray, const struct pl_query_triangle *triangle,
                           struct pl_query_touch *touch) {
  double bounds[6], lo, hi, a[3], b[3], c[3], n[3];
  pl_query_triangle_bounds(triangle, bounds);
  if (!pl_query_ray_box(ray, bounds, &lo, &hi)) return false;
  subtract(triangle->a, ray->o, a);
  subtract(triangle->b, ray->o, b);
  subtract(triangle->c, ray->o, c);
  double of_a = volume_of(b, c, ray->d);
  double of_b = volume_of(c, a, ray->d);
  double of_c = volume_of(a, b, ray->d);
  bool is_front = of_a <= 0 && of_b <= 0 && of_c <= 0;
  bool is_back = of_a >= 0 && of_b >= 0 && of_c >= 0;
  double all = of_a + of_b + of_c;
  if (!(is_front || is_back) || all == 0) return false;
  pl_query_normal_triangle(triangle, n);
  if (pl_query_dot(n, n) == 0) return false;  // no triangle, but a line
  // The weighted mean of the corners' places along the ray: it cannot leave the triangle.
  double t = (of_a * pl_query_dot(a, ray->d) + of_b * pl_query_dot(b, ray->d) +
              of_c * pl_query_dot(c, ray->d)) *
             ray->inv_dd / all;
  *touch = (struct pl_query_touch){.t = clamp(t, lo, hi), .u = of_b / all, .v = of_c / all};
  return touch->t >= 0;
}

void pl_query_normal_triangle(const struct pl_query_triangle *triangle, double normal[3]) {
  double ab[3], ac[3];
  subtract(triangle->b, triangle->a, ab);
  subtract(triangle->c, triangle->a, ac);
  pl_query_cross(ab, ac, normal);
  normalize(normal);
}

bool pl_query_hit_plane(const struct pl_query_ray *ray, const struct pl_query_plane *plane,
                        struct pl_query_touch *touch) {
  double toward = pl_query_dot(plane->normal, ray->d);
  if (toward == 0) return false;
  *touch = (struct pl_query_touch){.t = -(pl_query_dot(plane->normal, ray->o) + plane->d) / toward};
  return touch->t >= 0;
}

void pl_query_normal_plane(const struct pl_query_plane *plane, double normal[3]) {
  memcpy(normal, plane->normal, sizeof plane->normal);
  normalize(normal);
}
