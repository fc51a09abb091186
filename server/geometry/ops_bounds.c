// Ops of bounds: a box by its center and half its size, as Unity has it; computed with its corners.
#include "geometry/ops_shape.h"

static void bounds_store(union pl_slot *out, struct pl_box3 box) {
  const struct pl_v3 half = pl_v3_scale(pl_v3_sub(box.max, box.min), 0.5);
  pl_box3_store(out->at, (struct pl_box3){pl_v3_add(box.min, half), half});
}

#define BOUNDS(k) pl_bounds3_load(in[k].at)
#define TO_BOUNDS(verb, box)              \
  static void bounds_##verb(PL_OP_ARGS) { \
    bounds_store(out, box);               \
  }

static struct pl_box3 around(struct pl_box3 a, struct pl_box3 b) {
  return (struct pl_box3){
      pl_v3(fmin(a.min.x, b.min.x), fmin(a.min.y, b.min.y), fmin(a.min.z, b.min.z)),
      pl_v3(fmax(a.max.x, b.max.x), fmax(a.max.y, b.max.y), fmax(a.max.z, b.max.z))};
}

static struct pl_box3 grown(struct pl_box3 box, struct pl_v3 by) {
  const struct pl_v3 half = pl_v3_scale(by, 0.5);
  return (struct pl_box3){pl_v3_sub(box.min, half), pl_v3_add(box.max, half)};
}

static bool holds(struct pl_box3 box, struct pl_v3 p) {
  return p.x >= box.min.x && p.y >= box.min.y && p.z >= box.min.z && p.x <= box.max.x &&
         p.y <= box.max.y && p.z <= box.max.z;
}

static bool touches(struct pl_box3 a, struct pl_box3 b) {
  return a.min.x <= b.max.x && a.max.x >= b.min.x && a.min.y <= b.max.y && a.max.y >= b.min.y &&
         a.min.z <= b.max.z && a.max.z >= b.min.z;
}

static double distance_outside(struct pl_box3 box, struct pl_v3 p) {
  double point[3], min[3], max[3];
  pl_v3_to(point, p);
  pl_v3_to(min, box.min);
  pl_v3_to(max, box.max);
  return pl_box_distance(point, min, max, 3);
}

TO_BOUNDS(encapsulate, around(BOUNDS(0), ((struct pl_box3){P(1), P(1)})))
TO_BOUNDS(merge, around(BOUNDS(0), BOUNDS(1)))
TO_BOUNDS(expand, grown(BOUNDS(0), P(1)))
TO_BOUNDS(expand_n, grown(BOUNDS(0), pl_v3(N(1), N(1), N(1))))
TO_BOUNDS(with_min, ((struct pl_box3){P(1), BOUNDS(0).max}))
TO_BOUNDS(with_max, ((struct pl_box3){BOUNDS(0).min, P(1)}))
TO_BOUNDS(with_size, grown(((struct pl_box3){P(0), P(0)}), P(1)))
TO_BOUNDS(from_min_max, ((struct pl_box3){P(0), P(1)}))
TO_BOUNDS(from_aabb, BOX(0))
TO_VEC3(bounds_min, BOUNDS(0).min)
TO_VEC3(bounds_max, BOUNDS(0).max)
TO_VEC3(bounds_size, pl_v3_scale(BOX(0).max, 2))
TO_VEC3(bounds_closest_point, pl_box3_closest(BOUNDS(0), P(1)))
TO_NUMBER(bounds_contains, holds(BOUNDS(0), P(1)))
TO_NUMBER(bounds_intersects, touches(BOUNDS(0), BOUNDS(1)))
TO_NUMBER(bounds_distance, distance_outside(BOUNDS(0), P(1)))
TO_NUMBER(bounds_raycast, pl_reach_first(pl_reach_box3(RAY(1), BOUNDS(0))))

static void bounds_intersect_ray(PL_OP_ARGS) {
  const double t = pl_reach_first(pl_reach_box3(RAY(1), BOUNDS(0)));
  out[0].number = t < INFINITY;
  out[1].number = t;
}

const struct pl_op pl_ops_bounds[] = {
    {"min", "bounds > vec3", bounds_min, "center - extents."},
    {"max", "bounds > vec3", bounds_max, "center + extents."},
    {"size", "bounds > vec3", bounds_size, "Twice the extents."},
    {"contains", "bounds vec3 > bool", bounds_contains,
     "Whether a point is inside or on the border."},
    {"intersects", "bounds bounds > bool", bounds_intersects,
     "Whether they have a point in common."},
    {"closest_point", "bounds vec3 > vec3", bounds_closest_point,
     "The nearest point of it; inside, the point itself."},
    {"distance", "bounds vec3 > n", bounds_distance,
     "How far a point is from it; negative inside."},
    {"raycast", "bounds ray > n", bounds_raycast,
     "Where a ray enters it, in lengths of direction; negative from inside, inf for a miss."},
    {"intersect_ray", "bounds ray > bool n", bounds_intersect_ray,
     "Whether a ray meets it, and what raycast says."},
    {"encapsulate", "bounds vec3 > bounds", bounds_encapsulate, "Grown to hold a point."},
    {"encapsulate", "bounds bounds > bounds", bounds_merge, "Grown to hold the other box."},
    {"merge", "bounds bounds > bounds", bounds_merge, "The least box that holds both."},
    {"expand", "bounds n > bounds", bounds_expand_n,
     "Its size grown by a number, half of it on each side."},
    {"expand", "bounds vec3 > bounds", bounds_expand,
     "Its size grown by a vector, half of it on each side."},
    {"with_min", "bounds vec3 > bounds", bounds_with_min, "Another min, the same max."},
    {"with_max", "bounds vec3 > bounds", bounds_with_max, "Another max, the same min."},
    {"with_size", "bounds vec3 > bounds", bounds_with_size, "Another size, the same center."},
    {"from_min_max", "bounds: vec3 vec3 > bounds", bounds_from_min_max, "From two corners."},
    {"from_center_size", "bounds: vec3 vec3 > bounds", bounds_with_size,
     "From its middle and its size."},
    {"from", "bounds: aabb > bounds", bounds_from_aabb, "The same box."},
    {0},
};

const struct pl_constant pl_constants_bounds[] = {{0}};
