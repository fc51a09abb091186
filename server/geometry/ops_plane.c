// Ops of plane and frustum.
#include "geometry/conventions.h"
#include "geometry/ops_shape.h"

static struct pl_plane3 plane_scaled(struct pl_plane3 plane, double k) {
  return (struct pl_plane3){pl_v3_scale(plane.normal, k), plane.d * k};
}

static struct pl_plane3 plane_unit(struct pl_plane3 plane) {
  const double length = pl_v3_length(plane.normal);
  return length > 0 && isfinite(length) ? plane_scaled(plane, 1 / length) : plane;
}

// tolua takes d from the normal as it was given; ours is right for a normal of any length.
static struct pl_plane3 plane_at(struct pl_v3 normal, struct pl_v3 point) {
  const struct pl_v3 unit = pl_v3_normalize(normal, PL_NORMALIZE_MIN_F32);
  return (struct pl_plane3){unit, -pl_v3_dot(unit, point)};
}

static struct pl_v3 plane_foot(struct pl_plane3 plane, struct pl_v3 p) {
  const double length2 = pl_v3_dot(plane.normal, plane.normal);
  const double t = length2 > 0 ? pl_plane3_distance(plane, p) / length2 : 0;
  return pl_v3_mul_add(p, plane.normal, -t);
}

static bool on_same_side(double a, double b) {
  return (a > 0 && b > 0) || (a <= 0 && b <= 0);
}

// How far a box reaches along the normal from its middle.
static double box_reach(struct pl_plane3 plane, struct pl_box3 box) {
  const struct pl_v3 half = pl_v3_scale(pl_v3_sub(box.max, box.min), 0.5);
  return fabs(plane.normal.x) * half.x + fabs(plane.normal.y) * half.y +
         fabs(plane.normal.z) * half.z;
}

static double box_middle(struct pl_plane3 plane, struct pl_box3 box) {
  return pl_plane3_distance(plane, pl_v3_scale(pl_v3_add(box.min, box.max), 0.5));
}

#define SIDE(k) pl_plane3_distance(PLANE(0), P(k))
TO_NUMBER(plane_distance, SIDE(1))
TO_NUMBER(plane_get_side, SIDE(1) > 0)
TO_NUMBER(plane_same_side, on_same_side(SIDE(1), SIDE(2)))
TO_NUMBER(plane_raycast, pl_plane3_raycast(RAY(1), PLANE(0)))
TO_NUMBER(plane_intersects_sphere, fabs(SIDE(1)) <= BALL(1).radius)
TO_NUMBER(plane_intersects_box, fabs(box_middle(PLANE(0), BOX(1))) <= box_reach(PLANE(0), BOX(1)))
TO_VEC3(plane_closest_point, plane_foot(PLANE(0), P(1)))
TO_STORE(plane_neg, pl_plane3_store, plane_scaled(PLANE(0), -1))
TO_STORE(plane_normalize, pl_plane3_store, plane_unit(PLANE(0)))
TO_STORE(plane_from_normal_point, pl_plane3_store, plane_at(P(0), P(1)))
TO_STORE(plane_from_points, pl_plane3_store,
         pl_plane3_through((struct pl_triangle3){P(0), P(1), P(2)}))
TO_STORE(plane_from_triangle, pl_plane3_store, pl_plane3_through(TRIANGLE(0)))

enum { PLANE_BYTES = 4 * sizeof(float) };

static void frustum_load(const union pl_slot *in, struct pl_plane3 planes[PL_FRUSTUM_PLANES]) {
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    planes[i] = pl_plane3_load((const char *)in->at + i * PLANE_BYTES);
  }
}

// Gribb and Hartmann: a point is inside where -w <= x <= w, -w <= y <= w, 0 <= z <= w, and each of
// these is the sign of a sum of the matrix's rows. An infinite far plane has no normal, and all is
// above it.
static void frustum_from_mat4(PL_OP_ARGS) {
  double m[16];
  pl_load_f32(m, in[0].at, 16);
  static const signed char signs[PL_FRUSTUM_PLANES][4] = {
      {1, 0, 0, 1}, {-1, 0, 0, 1}, {0, 1, 0, 1}, {0, -1, 0, 1}, {0, 0, 1, 0}, {0, 0, -1, 1}};
  struct pl_plane3 planes[PL_FRUSTUM_PLANES];
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    double sum[4] = {0};
    for (int column = 0; column < 4; column++) {
      for (int row = 0; row < 4; row++) sum[column] += signs[i][row] * m[column * 4 + row];
    }
    planes[i] = plane_unit((struct pl_plane3){pl_v3_from(sum), sum[3]});
  }
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    pl_plane3_store((char *)out[0].at + i * PLANE_BYTES, planes[i]);
  }
}

static void frustum_contains(PL_OP_ARGS) {
  struct pl_plane3 planes[PL_FRUSTUM_PLANES];
  frustum_load(in, planes);
  const struct pl_v3 p = P(1);
  bool is_inside = true;
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    is_inside = is_inside && pl_plane3_distance(planes[i], p) >= 0;
  }
  out[0].number = is_inside;
}

static void frustum_intersects_sphere(PL_OP_ARGS) {
  struct pl_plane3 planes[PL_FRUSTUM_PLANES];
  frustum_load(in, planes);
  const struct pl_ball3 ball = BALL(1);
  bool is_near = true;
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    is_near = is_near && pl_plane3_distance(planes[i], ball.center) >= -ball.radius;
  }
  out[0].number = is_near;
}

static void frustum_intersects_box(PL_OP_ARGS) {
  struct pl_plane3 planes[PL_FRUSTUM_PLANES];
  frustum_load(in, planes);
  const struct pl_box3 box = BOX(1);
  bool is_near = true;
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    is_near = is_near && box_middle(planes[i], box) >= -box_reach(planes[i], box);
  }
  out[0].number = is_near;
}

static void frustum_contains_box(PL_OP_ARGS) {
  struct pl_plane3 planes[PL_FRUSTUM_PLANES];
  frustum_load(in, planes);
  const struct pl_box3 box = BOX(1);
  bool is_inside = true;
  for (int i = 0; i < PL_FRUSTUM_PLANES; i++) {
    is_inside = is_inside && box_middle(planes[i], box) >= box_reach(planes[i], box);
  }
  out[0].number = is_inside;
}

static void frustum_raycast(PL_OP_ARGS) {
  struct pl_plane3 planes[PL_FRUSTUM_PLANES];
  frustum_load(in, planes);
  out[0].number = pl_reach_first(pl_reach_planes(RAY(1), planes, PL_FRUSTUM_PLANES));
}

const struct pl_op pl_ops_plane[] = {
    {"get_distance_to_point", "plane vec3 > n", plane_distance,
     "How far a point is above it, negative below."},
    {"distance", "plane vec3 > n", plane_distance, "How far a point is above it, negative below."},
    {"get_side", "plane vec3 > bool", plane_get_side, "Whether a point is above it."},
    {"same_side", "plane vec3 vec3 > bool", plane_same_side,
     "Whether both points are above it, or none is."},
    {"closest_point", "plane vec3 > vec3", plane_closest_point, "The nearest point of it."},
    {"raycast", "plane ray > n", plane_raycast,
     "Where a ray meets it, in lengths of direction; negative behind the origin, inf when "
     "parallel."},
    {"intersects", "plane sphere > bool", plane_intersects_sphere,
     "Whether they have a point in common."},
    {"intersects", "plane aabb > bool", plane_intersects_box,
     "Whether they have a point in common."},
    {"neg", "plane > plane", plane_neg, "The same plane with its other side above."},
    {"normalize", "plane > plane", plane_normalize,
     "The same plane with a normal of length 1; as it was when it has none."},
    {"from_points", "plane: vec3 vec3 vec3 > plane", plane_from_points,
     "Through three points, above where they turn to the left."},
    {"from_normal_point", "plane: vec3 vec3 > plane", plane_from_normal_point,
     "With that normal, through that point."},
    {"from", "plane: triangle > plane", plane_from_triangle, "The plane that it lies in."},
    {0},
};

const struct pl_op pl_ops_frustum[] = {
    {"contains", "frustum vec3 > bool", frustum_contains,
     "Whether a point is inside or on the border."},
    {"contains", "frustum aabb > bool", frustum_contains_box, "Whether all of a box is inside."},
    {"intersects", "frustum sphere > bool", frustum_intersects_sphere,
     "Whether they may have a point in common; true, too, just outside of an edge."},
    {"intersects", "frustum aabb > bool", frustum_intersects_box,
     "Whether they may have a point in common; true, too, just outside of an edge."},
    {"raycast", "frustum ray > n", frustum_raycast,
     "Where a ray enters it, in lengths of direction; negative from inside, inf for a miss."},
    {"from", "frustum: mat4 > frustum", frustum_from_mat4,
     "Of a projection, or projection * view: what it shows."},
    {0},
};

const struct pl_constant pl_constants_plane[] = {{0}};
const struct pl_constant pl_constants_frustum[] = {{0}};
