// Ops of sphere, capsule and obb.
#include "geometry/conventions.h"
#include "geometry/frame.h"
#include "geometry/ops_shape.h"

static double ball_distance(struct pl_ball3 ball, struct pl_v3 p) {
  return pl_v3_distance(ball.center, p) - ball.radius;
}

// The point of the ball of that radius about `center` next to p.
static struct pl_v3 pull(struct pl_v3 center, double radius, struct pl_v3 p) {
  const struct pl_v3 offset = pl_v3_sub(p, center);
  const double length = pl_v3_length(offset);
  return length <= radius ? p : pl_v3_mul_add(center, offset, radius / length);
}

// The least ball about both: one of them, or across the line of their centers.
static struct pl_ball3 ball_merge(struct pl_ball3 a, struct pl_ball3 b) {
  const struct pl_v3 apart = pl_v3_sub(b.center, a.center);
  const double distance = pl_v3_length(apart);
  if (distance + b.radius <= a.radius) return a;
  if (distance + a.radius <= b.radius) return b;
  const double radius = (distance + a.radius + b.radius) / 2;
  const double t = distance > 0 ? (radius - a.radius) / distance : 0;
  return (struct pl_ball3){pl_v3_mul_add(a.center, apart, t), radius};
}

static struct pl_ball3 ball_around_box(struct pl_box3 box) {
  const struct pl_v3 center = pl_v3_scale(pl_v3_add(box.min, box.max), 0.5);
  return (struct pl_ball3){center, pl_v3_distance(center, box.max)};
}

static bool ball_holds(struct pl_ball3 ball, struct pl_v3 p) {
  return ball_distance(ball, p) <= 0;
}

static bool ball_holds_ball(struct pl_ball3 a, struct pl_ball3 b) {
  return pl_v3_distance(a.center, b.center) + b.radius <= a.radius;
}

static double box_to_ball(struct pl_box3 box, struct pl_ball3 ball) {
  return pl_v3_distance(pl_box3_closest(box, ball.center), ball.center) - ball.radius;
}

TO_NUMBER(sphere_contains, ball_holds(BALL(0), P(1)))
TO_NUMBER(sphere_contains_sphere, ball_holds_ball(BALL(0), BALL(1)))
TO_NUMBER(sphere_intersects, ball_distance(BALL(0), BALL(1).center) <= BALL(1).radius)
TO_NUMBER(sphere_intersects_box, box_to_ball(BOX(1), BALL(0)) <= 0)
TO_NUMBER(sphere_distance, ball_distance(BALL(0), P(1)))
TO_NUMBER(sphere_raycast, pl_reach_first(pl_reach_ball(RAY(1), BALL(0))))
TO_NUMBER(sphere_volume, 4.0 / 3 * PL_PI * BALL(0).radius * BALL(0).radius * BALL(0).radius)
TO_VEC3(sphere_closest_point, pull(P(0), BALL(0).radius, P(1)))
TO_STORE(sphere_encapsulate, pl_ball3_store, ball_merge(BALL(0), ((struct pl_ball3){P(1), 0})))
TO_STORE(sphere_merge, pl_ball3_store, ball_merge(BALL(0), BALL(1)))
TO_STORE(sphere_expand, pl_ball3_store, ((struct pl_ball3){P(0), BALL(0).radius + N(1)}))
TO_STORE(sphere_from_aabb, pl_ball3_store, ball_around_box(BOX(0)))

// The radius grows by the longest axis of the frame, so that the sphere holds what it held.
static void store_ball(PL_OP_ARGS, const struct pl_frame *frame) {
  const struct pl_ball3 ball = BALL(0);
  const double longest = fmax(fmax(pl_v3_length(frame->axes[0]), pl_v3_length(frame->axes[1])),
                              pl_v3_length(frame->axes[2]));
  pl_ball3_store(out[0].at,
                 (struct pl_ball3){pl_frame_point(frame, ball.center), ball.radius * longest});
}

static void sphere_transform_mat4(PL_OP_ARGS) {
  const struct pl_frame frame = pl_frame_load_mat4(in[1].at);
  store_ball(out, in, &frame);
}

static void sphere_transform_affine(PL_OP_ARGS) {
  const struct pl_frame frame = pl_frame_load_affine(in[1].at);
  store_ball(out, in, &frame);
}

static void sphere_transform_transform(PL_OP_ARGS) {
  const struct pl_trs trs = pl_trs_load(in[1].at);
  const struct pl_frame frame = pl_frame_from_trs(&trs);
  store_ball(out, in, &frame);
}

static struct pl_ray3 capsule_core(struct pl_capsule3 c) {
  return (struct pl_ray3){c.a, pl_v3_sub(c.b, c.a)};
}

static struct pl_v3 core_point(struct pl_capsule3 c, struct pl_v3 p) {
  const struct pl_ray3 core = capsule_core(c);
  return pl_v3_mul_add(core.origin, core.direction, pl_segment_nearest(core, p));
}

static double capsule_gap(struct pl_capsule3 c, struct pl_v3 p) {
  return pl_v3_distance(core_point(c, p), p) - c.radius;
}

static bool capsules_touch(struct pl_capsule3 a, struct pl_capsule3 b) {
  return pl_segment_distance(capsule_core(a), capsule_core(b)) <= a.radius + b.radius;
}

TO_NUMBER(capsule_contains, capsule_gap(CAPSULE(0), P(1)) <= 0)
TO_NUMBER(capsule_distance, capsule_gap(CAPSULE(0), P(1)))
TO_NUMBER(capsule_intersects, capsules_touch(CAPSULE(0), CAPSULE(1)))
TO_NUMBER(capsule_intersects_sphere, capsule_gap(CAPSULE(0), P(1)) <= BALL(1).radius)
TO_NUMBER(capsule_raycast, pl_reach_first(pl_reach_capsule(RAY(1), CAPSULE(0))))
TO_VEC3(capsule_closest_point, pull(core_point(CAPSULE(0), P(1)), CAPSULE(0).radius, P(1)))

static struct pl_obb3 obb_around(struct pl_box3 box) {
  const struct pl_v3 center = pl_v3_scale(pl_v3_add(box.min, box.max), 0.5);
  return (struct pl_obb3){center, pl_v3_sub(box.max, center), pl_q4(0, 0, 0, 1)};
}

static struct pl_obb3 obb_moved(struct pl_obb3 obb, struct pl_trs t) {
  const struct pl_v3 scaled =
      pl_v3(t.scale.x * obb.center.x, t.scale.y * obb.center.y, t.scale.z * obb.center.z);
  const struct pl_v3 half = pl_v3(fabs(t.scale.x) * obb.half.x, fabs(t.scale.y) * obb.half.y,
                                  fabs(t.scale.z) * obb.half.z);
  return (struct pl_obb3){pl_v3_add(pl_q4_rotate(t.rotation, scaled), t.position), half,
                          pl_q4_mul(t.rotation, obb.rotation)};
}

TO_NUMBER(obb_contains, pl_obb3_distance(OBB(0), P(1)) <= 0)
TO_NUMBER(obb_distance, pl_obb3_distance(OBB(0), P(1)))
TO_NUMBER(obb_intersects, pl_obb3_intersects(OBB(0), OBB(1)))
TO_NUMBER(obb_intersects_box, pl_obb3_intersects(OBB(0), obb_around(BOX(1))))
TO_NUMBER(obb_intersects_sphere, pl_obb3_distance(OBB(0), P(1)) <= BALL(1).radius)
TO_NUMBER(obb_raycast, pl_reach_first(pl_reach_obb(RAY(1), OBB(0))))
TO_NUMBER(obb_volume, 8 * OBB(0).half.x * OBB(0).half.y * OBB(0).half.z)
TO_VEC3(obb_closest_point, pl_obb3_closest(OBB(0), P(1)))
TO_VEC3(obb_size, pl_v3_scale(OBB(0).half, 2))
TO_STORE(obb_from_aabb, pl_obb3_store, obb_around(BOX(0)))
TO_STORE(obb_transform, pl_obb3_store, obb_moved(OBB(0), pl_trs_load(in[1].at)))

#define INSIDE "Whether a point is inside or on the border."
#define COMMON "Whether they have a point in common."
#define SIGNED "How far a point is from it; negative inside."
#define NEAREST "The nearest point of it; inside, the point itself."
#define ENTERS \
  "Where a ray enters it, in lengths of direction; negative from inside, inf for a miss."

const struct pl_op pl_ops_sphere[] = {
    {"contains", "sphere vec3 > bool", sphere_contains, INSIDE},
    {"contains", "sphere sphere > bool", sphere_contains_sphere,
     "Whether all of the other sphere is inside."},
    {"intersects", "sphere sphere > bool", sphere_intersects, COMMON},
    {"intersects", "sphere aabb > bool", sphere_intersects_box, COMMON},
    {"distance", "sphere vec3 > n", sphere_distance, SIGNED},
    {"closest_point", "sphere vec3 > vec3", sphere_closest_point, NEAREST},
    {"raycast", "sphere ray > n", sphere_raycast, ENTERS},
    {"encapsulate", "sphere vec3 > sphere", sphere_encapsulate,
     "The least sphere that holds it and a point."},
    {"encapsulate", "sphere sphere > sphere", sphere_merge, "The least sphere that holds both."},
    {"merge", "sphere sphere > sphere", sphere_merge, "The least sphere that holds both."},
    {"expand", "sphere n > sphere", sphere_expand, "The radius grown by a number."},
    {"volume", "sphere > n", sphere_volume, "Its volume."},
    {"transform", "sphere mat4 > sphere", sphere_transform_mat4,
     "Moved; the radius grows by the longest axis."},
    {"transform", "sphere affine > sphere", sphere_transform_affine,
     "Moved; the radius grows by the longest axis."},
    {"transform", "sphere transform > sphere", sphere_transform_transform,
     "Moved; the radius grows by the greatest scale."},
    {"from", "sphere: aabb > sphere", sphere_from_aabb, "Through the corners of the box."},
    {0},
};

const struct pl_op pl_ops_capsule[] = {
    {"contains", "capsule vec3 > bool", capsule_contains, INSIDE},
    {"intersects", "capsule capsule > bool", capsule_intersects, COMMON},
    {"intersects", "capsule sphere > bool", capsule_intersects_sphere, COMMON},
    {"distance", "capsule vec3 > n", capsule_distance, SIGNED},
    {"closest_point", "capsule vec3 > vec3", capsule_closest_point, NEAREST},
    {"raycast", "capsule ray > n", capsule_raycast, ENTERS},
    {0},
};

const struct pl_op pl_ops_obb[] = {
    {"contains", "obb vec3 > bool", obb_contains, INSIDE},
    {"intersects", "obb obb > bool", obb_intersects, COMMON},
    {"intersects", "obb aabb > bool", obb_intersects_box, COMMON},
    {"intersects", "obb sphere > bool", obb_intersects_sphere, COMMON},
    {"distance", "obb vec3 > n", obb_distance, SIGNED},
    {"closest_point", "obb vec3 > vec3", obb_closest_point, NEAREST},
    {"raycast", "obb ray > n", obb_raycast, ENTERS},
    {"size", "obb > vec3", obb_size, "Twice the half."},
    {"volume", "obb > n", obb_volume, "Its volume."},
    {"transform", "obb transform > obb", obb_transform,
     "Moved; exact unless the scale is uneven and the box is turned."},
    {"from", "obb: aabb > obb", obb_from_aabb, "The same box, unturned."},
    {0},
};

const struct pl_constant pl_constants_sphere[] = {{0}};
const struct pl_constant pl_constants_capsule[] = {{0}};
const struct pl_constant pl_constants_obb[] = {{0}};
