// Ops of boxes with two corners: aabb, rect and drect from one template.
#include "geometry/frame.h"
#include "geometry/ops_shape.h"

struct box {
  double min[3], max[3];
};

static void box_merge(struct box *box, const struct box *with, int n) {
  for (int i = 0; i < n; i++) {
    if (with->min[i] < box->min[i]) box->min[i] = with->min[i];
    if (with->max[i] > box->max[i]) box->max[i] = with->max[i];
  }
}

static void box_cut(struct box *box, const struct box *with, int n) {
  for (int i = 0; i < n; i++) {
    if (with->min[i] > box->min[i]) box->min[i] = with->min[i];
    if (with->max[i] < box->max[i]) box->max[i] = with->max[i];
  }
}

static void box_expand(struct box *box, const double *by, int n) {
  for (int i = 0; i < n; i++) {
    box->min[i] -= by[i] / 2;
    box->max[i] += by[i] / 2;
  }
}

static void box_move(struct box *box, const double *by, int n) {
  for (int i = 0; i < n; i++) {
    box->min[i] += by[i];
    box->max[i] += by[i];
  }
}

#define LANES 3
#define LOAD pl_load_f32
#define STORE pl_store_f32
#define LANE sizeof(float)
#define HAS_RAY 1
#define BOX_TYPE aabb
#include "geometry/box_ops.def"
#undef BOX_TYPE
#undef LANES

#define LANES 2
#define BOX_TYPE rect
#include "geometry/box_ops.def"
#undef BOX_TYPE
#undef LOAD
#undef STORE
#undef LANE
#undef HAS_RAY

#define LOAD pl_load_f64
#define STORE pl_store_f64
#define LANE sizeof(double)
#define HAS_RAY 0  // ray2 is of f32
#define BOX_TYPE drect
#include "geometry/box_ops.def"
#undef BOX_TYPE

static void aabb_surface_area(PL_OP_ARGS) {
  const struct box box = aabb_load(in);
  const double x = fmax(0, box.max[0] - box.min[0]), y = fmax(0, box.max[1] - box.min[1]);
  const double z = fmax(0, box.max[2] - box.min[2]);
  out[0].number = 2 * (x * y + y * z + z * x);
}

static void aabb_intersects_ball(PL_OP_ARGS) {
  const struct pl_box3 box = BOX(0);
  const struct pl_ball3 ball = BALL(1);
  out[0].number = pl_v3_distance(pl_box3_closest(box, ball.center), ball.center) <= ball.radius;
}

// A box that ends before the segment begins has inf as its first; enter is beyond 1 when it begins
// behind the segment's end.
static void aabb_intersects_segment(PL_OP_ARGS) {
  const struct pl_ray3 segment = SEGMENT(1);
  const struct pl_reach reach = pl_reach_box3(segment, BOX(0));
  out[0].number = reach.enter <= reach.leave && reach.leave >= 0 && reach.enter <= 1;
}

static void store_around(union pl_slot *out, const struct pl_v3 *points, int count, double radius) {
  struct pl_box3 box = {points[0], points[0]};
  for (int i = 0; i < count; i++) {
    const struct pl_v3 p = points[i];
    box.min = pl_v3(fmin(box.min.x, p.x), fmin(box.min.y, p.y), fmin(box.min.z, p.z));
    box.max = pl_v3(fmax(box.max.x, p.x), fmax(box.max.y, p.y), fmax(box.max.z, p.z));
  }
  const struct pl_v3 r = pl_v3(radius, radius, radius);
  box.min = pl_v3_sub(box.min, r);
  box.max = pl_v3_add(box.max, r);
  pl_box3_store(out->at, box);
}

static void aabb_from_sphere(PL_OP_ARGS) {
  const struct pl_ball3 ball = BALL(0);
  store_around(out, &ball.center, 1, ball.radius);
}

static void aabb_from_capsule(PL_OP_ARGS) {
  const struct pl_capsule3 capsule = CAPSULE(0);
  store_around(out, (struct pl_v3[]){capsule.a, capsule.b}, 2, capsule.radius);
}

static void aabb_from_triangle(PL_OP_ARGS) {
  const struct pl_triangle3 t = TRIANGLE(0);
  store_around(out, (struct pl_v3[]){t.a, t.b, t.c}, 3, 0);
}

static void aabb_from_segment(PL_OP_ARGS) {
  const struct pl_box3 ends = BOX(0);
  store_around(out, (struct pl_v3[]){ends.min, ends.max}, 2, 0);
}

// Of a box with that middle and those half sizes along the frame's axes.
static void store_turned(union pl_slot *out, const struct pl_frame *frame, struct pl_v3 center,
                         struct pl_v3 half) {
  const struct pl_v3 *a = frame->axes, middle = pl_frame_point(frame, center);
  const struct pl_v3 reach =
      pl_v3(fabs(a[0].x) * half.x + fabs(a[1].x) * half.y + fabs(a[2].x) * half.z,
            fabs(a[0].y) * half.x + fabs(a[1].y) * half.y + fabs(a[2].y) * half.z,
            fabs(a[0].z) * half.x + fabs(a[1].z) * half.y + fabs(a[2].z) * half.z);
  pl_box3_store(out->at, (struct pl_box3){pl_v3_sub(middle, reach), pl_v3_add(middle, reach)});
}

static void aabb_from_obb(PL_OP_ARGS) {
  const struct pl_obb3 obb = OBB(0);
  struct pl_frame frame = {.origin = obb.center};
  pl_q4_to_axes(obb.rotation, frame.axes);
  store_turned(out, &frame, pl_v3(0, 0, 0), obb.half);
}

static void transform_box(PL_OP_ARGS, const struct pl_frame *frame) {
  const struct pl_box3 box = BOX(0);
  const struct pl_v3 center = pl_v3_scale(pl_v3_add(box.min, box.max), 0.5);
  if (!(box.min.x <= box.max.x && box.min.y <= box.max.y && box.min.z <= box.max.z)) {
    aabb_empty(out, in);
  } else {
    store_turned(out, frame, center, pl_v3_sub(box.max, center));
  }
}

static void aabb_transform_mat4(PL_OP_ARGS) {
  const struct pl_frame frame = pl_frame_load_mat4(in[1].at);
  transform_box(out, in, &frame);
}

static void aabb_transform_affine(PL_OP_ARGS) {
  const struct pl_frame frame = pl_frame_load_affine(in[1].at);
  transform_box(out, in, &frame);
}

static void aabb_transform_transform(PL_OP_ARGS) {
  const struct pl_trs trs = pl_trs_load(in[1].at);
  const struct pl_frame frame = pl_frame_from_trs(&trs);
  transform_box(out, in, &frame);
}

TO_STORE(aabb_from_bounds, pl_box3_store, pl_bounds3_load(in[0].at))

static void rect_from_drect(PL_OP_ARGS) {
  const struct box box = drect_load(in);
  rect_store(out, &box);
}

static void drect_from_rect(PL_OP_ARGS) {
  const struct box box = rect_load(in);
  drect_store(out, &box);
}

#define BOX_TYPE aabb
#define TYPE "aabb"
#define POINT "vec3"
const struct pl_op pl_ops_aabb[] = {
#include "geometry/box_rows.def"
    {"volume", "aabb > n", aabb_volume, "0 when it is empty."},
    {"surface_area", "aabb > n", aabb_surface_area, "The area of its six sides."},
    {"intersects", "aabb sphere > bool", aabb_intersects_ball,
     "Whether they have a point in common."},
    {"intersects", "aabb segment > bool", aabb_intersects_segment,
     "Whether they have a point in common."},
    {"raycast", "aabb ray > n", aabb_raycast,
     "Where a ray enters it, in lengths of direction; negative from inside, inf for a miss."},
    {"transform", "aabb mat4 > aabb", aabb_transform_mat4,
     "The least box along the axes that holds the transformed one."},
    {"transform", "aabb affine > aabb", aabb_transform_affine,
     "The least box along the axes that holds the transformed one."},
    {"transform", "aabb transform > aabb", aabb_transform_transform,
     "The least box along the axes that holds the transformed one."},
    {"from", "aabb: bounds > aabb", aabb_from_bounds, "The same box."},
    {"from", "aabb: sphere > aabb", aabb_from_sphere, "The least box that holds it."},
    {"from", "aabb: capsule > aabb", aabb_from_capsule, "The least box that holds it."},
    {"from", "aabb: triangle > aabb", aabb_from_triangle, "The least box that holds it."},
    {"from", "aabb: segment > aabb", aabb_from_segment, "The least box that holds it."},
    {"from", "aabb: obb > aabb", aabb_from_obb, "The least box that holds it."},
    {0},
};
#undef BOX_TYPE
#undef TYPE
#undef POINT

#define BOX_TYPE rect
#define TYPE "rect"
#define POINT "vec2"
const struct pl_op pl_ops_rect[] = {
#include "geometry/box_rows.def"
    {"area", "rect > n", rect_volume, "0 when it is empty."},
    {"raycast", "rect ray2 > n", rect_raycast,
     "Where a ray enters it, in lengths of direction; negative from inside, inf for a miss."},
    {"from", "rect: drect > rect", rect_from_drect, "The same box, rounded to f32."},
    {0},
};
#undef BOX_TYPE
#undef TYPE
#undef POINT

#define BOX_TYPE drect
#define TYPE "drect"
#define POINT "dvec2"
const struct pl_op pl_ops_drect[] = {
#include "geometry/box_rows.def"
    {"area", "drect > n", drect_volume, "0 when it is empty."},
    {"from", "drect: rect > drect", drect_from_rect, "The same box."},
    {0},
};

const struct pl_constant pl_constants_aabb[] = {
    {"empty", aabb_empty},
    {0},
};

const struct pl_constant pl_constants_rect[] = {
    {"empty", rect_empty},
    {0},
};

const struct pl_constant pl_constants_drect[] = {
    {"empty", drect_empty},
    {0},
};
