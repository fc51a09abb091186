// Ops of lines and what meets them: ray, ray2, segment, triangle, hit.
#include "geometry/frame.h"
#include "geometry/ops_shape.h"
#include "geometry/vector.h"

static struct pl_v3 ray_point(struct pl_ray3 ray, double t) {
  return pl_v3_mul_add(ray.origin, ray.direction, t);
}

static struct pl_v3 ray_nearest(struct pl_ray3 ray, struct pl_v3 p) {
  const double length2 = pl_v3_dot(ray.direction, ray.direction);
  if (!(length2 > 0)) return ray.origin;
  const double t = pl_v3_dot(pl_v3_sub(p, ray.origin), ray.direction) / length2;
  return ray_point(ray, t > 0 ? t : 0);
}

static struct pl_v3 segment_closest(struct pl_ray3 segment, struct pl_v3 p) {
  return ray_point(segment, pl_segment_nearest(segment, p));
}

TO_VEC3(ray_get_point, ray_point(RAY(0), N(1)))
TO_VEC3(ray_closest_point, ray_nearest(RAY(0), P(1)))
TO_NUMBER(ray_distance, pl_v3_distance(ray_nearest(RAY(0), P(1)), P(1)))
TO_STORE(ray_normalize, pl_ray3_store,
         ((struct pl_ray3){P(0), pl_v3_normalize(RAY(0).direction, 0)}))
TO_STORE(ray_from_points, pl_ray3_store, ((struct pl_ray3){P(0), pl_v3_sub(P(1), P(0))}))
TO_STORE(ray_from_segment, pl_ray3_store, SEGMENT(0))

static void store_moved(PL_OP_ARGS, const struct pl_frame *frame) {
  const struct pl_ray3 ray = RAY(0);
  pl_ray3_store(out[0].at, (struct pl_ray3){pl_frame_point(frame, ray.origin),
                                            pl_frame_direction(frame, ray.direction)});
}

static void ray_transform_mat4(PL_OP_ARGS) {
  const struct pl_frame frame = pl_frame_load_mat4(in[1].at);
  store_moved(out, in, &frame);
}

static void ray_transform_affine(PL_OP_ARGS) {
  const struct pl_frame frame = pl_frame_load_affine(in[1].at);
  store_moved(out, in, &frame);
}

static void ray_transform_transform(PL_OP_ARGS) {
  const struct pl_trs trs = pl_trs_load(in[1].at);
  const struct pl_frame frame = pl_frame_from_trs(&trs);
  store_moved(out, in, &frame);
}

TO_VEC3(segment_get_point, ray_point(SEGMENT(0), N(1)))
TO_VEC3(segment_center, ray_point(SEGMENT(0), 0.5))
TO_VEC3(segment_direction, SEGMENT(0).direction)
TO_VEC3(segment_closest_point, segment_closest(SEGMENT(0), P(1)))
TO_NUMBER(segment_length, pl_v3_length(SEGMENT(0).direction))
TO_NUMBER(segment_distance, pl_v3_distance(segment_closest(SEGMENT(0), P(1)), P(1)))
TO_NUMBER(segment_distance_segment, pl_segment_distance(SEGMENT(0), SEGMENT(1)))

static void ray2_get_point(PL_OP_ARGS) {
  double r[4];
  pl_load_f32(r, in[0].at, 4);
  for (int i = 0; i < 2; i++) r[i] += r[2 + i] * in[1].number;
  pl_store_f32(out[0].at, r, 2);
}

static void ray2_normalize(PL_OP_ARGS) {
  double r[4];
  pl_load_f32(r, in[0].at, 4);
  pl_vn_normalize(r + 2, 2, 0);
  pl_store_f32(out[0].at, r, 4);
}

static double triangle_area(struct pl_triangle3 t) {
  return pl_v3_length(pl_v3_cross(pl_v3_sub(t.b, t.a), pl_v3_sub(t.c, t.a))) / 2;
}

static double triangle_hit(struct pl_ray3 ray, struct pl_triangle3 t) {
  double u, v;
  return pl_triangle3_raycast(ray, t, &u, &v);
}

static struct pl_v3 triangle_middle(struct pl_triangle3 t) {
  return pl_v3_scale(pl_v3_add(pl_v3_add(t.a, t.b), t.c), 1.0 / 3);
}

TO_VEC3(triangle_normal, pl_plane3_through(TRIANGLE(0)).normal)
TO_VEC3(triangle_center, triangle_middle(TRIANGLE(0)))
TO_VEC3(triangle_closest_point, pl_triangle3_closest(TRIANGLE(0), P(1)))
TO_NUMBER(triangle_get_area, triangle_area(TRIANGLE(0)))
TO_NUMBER(triangle_distance, pl_v3_distance(pl_triangle3_closest(TRIANGLE(0), P(1)), P(1)))
TO_NUMBER(triangle_raycast, triangle_hit(RAY(1), TRIANGLE(0)))

static void triangle_barycentric(PL_OP_ARGS) {
  const struct pl_v3 weights = pl_triangle3_weights(TRIANGLE(0), P(1));
  out[0].number = weights.x;
  out[1].number = weights.y;
  out[2].number = weights.z;
}

static double hit_t(const union pl_slot *in) {
  double t;
  pl_load_f32(&t, in->at, 1);
  return t;
}

TO_NUMBER(hit_is_hit, hit_t(in) < INFINITY)
TO_VEC3(hit_get_point, ray_point(RAY(1), hit_t(in)))

// t, u, v, prim, inst, normal
static void hit_miss(PL_OP_ARGS) {
  (void)in;
  const double fields[8] = {INFINITY};
  pl_store_f32(out[0].at, fields, 8);
}

const struct pl_op pl_ops_ray[] = {
    {"get_point", "ray n > vec3", ray_get_point, "origin + direction * t."},
    {"normalize", "ray > ray", ray_normalize, "With a direction of length 1, or 0."},
    {"closest_point", "ray vec3 > vec3", ray_closest_point, "The nearest point of the ray."},
    {"distance", "ray vec3 > n", ray_distance, "How far a point is from the ray."},
    {"transform", "ray mat4 > ray", ray_transform_mat4, "m * origin, and m * direction; t stays."},
    {"transform", "ray affine > ray", ray_transform_affine,
     "m * origin, and m * direction; t stays."},
    {"transform", "ray transform > ray", ray_transform_transform,
     "t * origin, and t * direction; a ray's t stays."},
    {"from_points", "ray: vec3 vec3 > ray", ray_from_points,
     "From one point to another, which is at t = 1."},
    {"from", "ray: segment > ray", ray_from_segment, "From a to b, which is at t = 1."},
    {0},
};

const struct pl_op pl_ops_ray2[] = {
    {"get_point", "ray2 n > vec2", ray2_get_point, "origin + direction * t."},
    {"normalize", "ray2 > ray2", ray2_normalize, "With a direction of length 1, or 0."},
    {0},
};

const struct pl_op pl_ops_segment[] = {
    {"get_point", "segment n > vec3", segment_get_point, "a + (b - a) * t."},
    {"center", "segment > vec3", segment_center, "The middle."},
    {"direction", "segment > vec3", segment_direction, "b - a."},
    {"length", "segment > n", segment_length, "The distance of a and b."},
    {"closest_point", "segment vec3 > vec3", segment_closest_point,
     "The nearest point of the segment."},
    {"distance", "segment vec3 > n", segment_distance, "How far a point is from the segment."},
    {"distance", "segment segment > n", segment_distance_segment,
     "The least distance of two segments."},
    {0},
};

const struct pl_op pl_ops_triangle[] = {
    {"normal", "triangle > vec3", triangle_normal,
     "Across it with length 1, towards who sees a, b, c turn to the left; zero when in line."},
    {"area", "triangle > n", triangle_get_area, "Its area."},
    {"center", "triangle > vec3", triangle_center, "The mean of its corners."},
    {"closest_point", "triangle vec3 > vec3", triangle_closest_point, "The nearest point of it."},
    {"distance", "triangle vec3 > n", triangle_distance, "How far a point is from it."},
    {"barycentric", "triangle vec3 > n n n", triangle_barycentric,
     "The weights of a, b and c for a point of its plane; 1, 0, 0 when it has no area."},
    {"raycast", "triangle ray > n", triangle_raycast,
     "Where a ray meets it from either side, in lengths of direction; inf for a miss."},
    {0},
};

const struct pl_op pl_ops_hit[] = {
    {"is_hit", "hit > bool", hit_is_hit, "Whether t is finite."},
    {"get_point", "hit ray > vec3", hit_get_point, "origin + direction * t."},
    {0},
};

const struct pl_constant pl_constants_ray[] = {{0}};
const struct pl_constant pl_constants_ray2[] = {{0}};
const struct pl_constant pl_constants_segment[] = {{0}};
const struct pl_constant pl_constants_triangle[] = {{0}};
const struct pl_constant pl_constants_hit[] = {
    {"miss", hit_miss},
    {0},
};
