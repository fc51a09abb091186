// Quaternions in f64. Unit in, unit out: no function but pl_q4_normalize repairs a length.
#include "geometry/real.h"

#include <float.h>

struct pl_q4 pl_q4_mul(struct pl_q4 a, struct pl_q4 b) {
  return pl_q4(
      a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y, a.w * b.y + a.y * b.w + a.z * b.x - a.x * b.z,
      a.w * b.z + a.z * b.w + a.x * b.y - a.y * b.x, a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z);
}

// The rows of the rotation matrix, as tolua multiplies them out: a quaternion that is a little too
// long distorts here as it does there.
struct pl_v3 pl_q4_rotate(struct pl_q4 q, struct pl_v3 v) {
  struct pl_v3 axes[3];
  pl_q4_to_axes(q, axes);
  return pl_v3_mul_add(pl_v3_mul_add(pl_v3_scale(axes[0], v.x), axes[1], v.y), axes[2], v.z);
}

void pl_q4_to_axes(struct pl_q4 q, struct pl_v3 axes[3]) {
  const double xx = 2 * q.x * q.x, yy = 2 * q.y * q.y, zz = 2 * q.z * q.z;
  const double xy = 2 * q.x * q.y, xz = 2 * q.x * q.z, yz = 2 * q.y * q.z;
  const double wx = 2 * q.w * q.x, wy = 2 * q.w * q.y, wz = 2 * q.w * q.z;
  axes[0] = pl_v3(1 - (yy + zz), xy + wz, xz - wy);
  axes[1] = pl_v3(xy - wz, 1 - (xx + zz), yz + wx);
  axes[2] = pl_v3(xz + wy, yz - wx, 1 - (xx + yy));
}

struct pl_q4 pl_q4_normalize(struct pl_q4 q) {
  const double length2 = pl_q4_dot(q, q);
  if (!(length2 > DBL_MIN) || !isfinite(length2)) return pl_q4(0, 0, 0, 1);
  const double k = 1 / sqrt(length2);
  return pl_q4(q.x * k, q.y * k, q.z * k, q.w * k);
}

struct pl_q4 pl_q4_angle_axis(double angle, struct pl_v3 axis) {
  const double length = pl_v3_length(axis);
  if (!(length > 0) || !isfinite(length)) return pl_q4(0, 0, 0, 1);
  const double s = sin(angle / 2) / length;
  return pl_q4(axis.x * s, axis.y * s, axis.z * s, cos(angle / 2));
}

// Shepperd's method: the greatest of |w|, |x|, |y|, |z| is what is divided by.
struct pl_q4 pl_q4_from_axes(struct pl_v3 x, struct pl_v3 y, struct pl_v3 z) {
  const double m[3][3] = {{x.x, y.x, z.x}, {x.y, y.y, z.y}, {x.z, y.z, z.z}};
  const double trace = m[0][0] + m[1][1] + m[2][2];
  if (trace > 0) {
    const double s = sqrt(trace + 1), k = 0.5 / s;
    return pl_q4_normalize(
        pl_q4((m[2][1] - m[1][2]) * k, (m[0][2] - m[2][0]) * k, (m[1][0] - m[0][1]) * k, 0.5 * s));
  }
  int i = m[1][1] > m[0][0] ? 1 : 0;
  if (m[2][2] > m[i][i]) i = 2;
  const int j = (i + 1) % 3, k = (i + 2) % 3;
  const double t = m[i][i] - m[j][j] - m[k][k] + 1;
  if (!(t > 0)) return pl_q4(0, 0, 0, 1);
  const double s = 0.5 / sqrt(t);
  double q[3];
  q[i] = s * t;
  q[j] = (m[j][i] + m[i][j]) * s;
  q[k] = (m[k][i] + m[i][k]) * s;
  return pl_q4_normalize(pl_q4(q[0], q[1], q[2], (m[k][j] - m[j][k]) * s));
}

struct pl_v3 pl_v3_across(struct pl_v3 v) {
  if (fabs(v.z) > 0.70710678118654752440) {
    const double k = 1 / sqrt(v.y * v.y + v.z * v.z);
    return pl_v3(0, -v.z * k, v.y * k);
  }
  const double k = 1 / sqrt(v.x * v.x + v.y * v.y);
  return pl_v3(-v.y * k, v.x * k, 0);
}

// By the half-way vector, which is exact for all but opposite directions; tolua goes through a
// matrix, and answers identity below 0.0014 rad. Its axis for opposite directions is not square to
// them; ours is what Unity has: square to `from`, in the plane of it and the x axis.
struct pl_q4 pl_q4_from_to(struct pl_v3 from, struct pl_v3 to) {
  const struct pl_v3 a = pl_v3_normalize(from, 0), b = pl_v3_normalize(to, 0);
  if (pl_v3_dot(a, a) == 0 || pl_v3_dot(b, b) == 0) return pl_q4(0, 0, 0, 1);
  const struct pl_v3 axis = pl_v3_cross(a, b);
  const double w = 1 + pl_v3_dot(a, b);
  if (w > 1e-12) return pl_q4_normalize(pl_q4(axis.x, axis.y, axis.z, w));
  struct pl_v3 left = pl_v3(0, a.z, -a.y);
  if (pl_v3_dot(left, left) < 1e-6) left = pl_v3(-a.z, 0, a.x);
  const struct pl_v3 up = pl_v3_normalize(pl_v3_cross(left, a), 0);
  return pl_q4(up.x, up.y, up.z, 0);
}

struct pl_q4 pl_q4_slerp(struct pl_q4 a, struct pl_q4 b, double t) {
  double dot = pl_q4_dot(a, b);
  if (dot < 0) {
    dot = -dot;
    b = pl_q4(-b.x, -b.y, -b.z, -b.w);
  }
  if (dot < 0.95) {
    const double angle = acos(dot), k = 1 / sin(angle);
    const double s = sin((1 - t) * angle) * k, e = sin(t * angle) * k;
    return pl_q4(a.x * s + b.x * e, a.y * s + b.y * e, a.z * s + b.z * e, a.w * s + b.w * e);
  }
  return pl_q4_normalize(pl_q4(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.z + t * (b.z - a.z),
                               a.w + t * (b.w - a.w)));
}

// By the arc tangent: tolua's arc cosine of the dot is 0.0005 off for f32 quaternions that are
// equal, for their length is rounded.
double pl_q4_angle(struct pl_q4 a, struct pl_q4 b) {
  const struct pl_q4 d = pl_q4_mul(pl_q4_conjugate(a), b);
  return 2 * atan2(sqrt(d.x * d.x + d.y * d.y + d.z * d.z), fabs(d.w));
}
