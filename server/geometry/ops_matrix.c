// Ops of mat3 and mat4. Products are cglm's, in f32; what divides by a determinant is done in f64,
// for near-singular matrices are common (projections) and cglm's cofactors cancel in f32.
//
// cglm's functions take pointers that are not const; all matrices here are copies.
#include <cglm/cglm.h>
#include <cglm/clipspace/ortho_rh_zo.h>
#include <cglm/clipspace/persp_rh_zo.h>

#include "geometry/conventions.h"
#include "geometry/frame.h"
#include "geometry/ops_each.h"

#define LOAD pl_load_f32
#define STORE pl_store_f32
#define NUMBER(n) ((double)pl_lane_f32(n))

#define VEC mat3
#define SIDE 3
#define LANES 9
#include "geometry/matrix_ops.def"
#undef VEC
#undef SIDE
#undef LANES

#define VEC mat4
#define SIDE 4
#define LANES 16
#include "geometry/matrix_ops.def"
#undef VEC
#undef SIDE
#undef LANES

static void mat3_mul(PL_OP_ARGS) {
  mat3 a, b, product;
  memcpy(a, in[0].at, sizeof a);
  memcpy(b, in[1].at, sizeof b);
  glm_mat3_mul(a, b, product);
  memcpy(out[0].at, product, sizeof product);
}

static void mat3_mul_vec(PL_OP_ARGS) {
  mat3 m;
  vec3 v;
  memcpy(m, in[0].at, sizeof m);
  memcpy(v, in[1].at, sizeof v);
  glm_mat3_mulv(m, v, v);
  memcpy(out[0].at, v, sizeof v);
}

static void mat3_inverse(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat3(in[0].at);
  const struct pl_frame inverse = pl_frame_inverse(&m);
  pl_frame_store_mat3(out[0].at, &inverse);
}

static void mat3_determinant(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat3(in[0].at);
  out[0].number = pl_frame_determinant(&m);
}

static void store_axes(union pl_slot *out, const struct pl_v3 *axes) {
  const struct pl_frame m = {.axes = {axes[0], axes[1], axes[2]}};
  pl_frame_store_mat3(out->at, &m);
}

static void mat3_rotation(PL_OP_ARGS) {
  struct pl_v3 axes[3];
  pl_q4_to_axes(pl_q4_load(in[0].at), axes);
  store_axes(out, axes);
}

static void mat3_scaling(PL_OP_ARGS) {
  const struct pl_v3 s = pl_v3_load(in[0].at);
  store_axes(out, (struct pl_v3[]){{s.x, 0, 0}, {0, s.y, 0}, {0, 0, s.z}});
}

static void mat3_from_mat4(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat4(in[0].at);
  pl_frame_store_mat3(out[0].at, &m);
}

static void mat3_from_affine(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  pl_frame_store_mat3(out[0].at, &m);
}

static void mat4_mul(PL_OP_ARGS) {
  mat4 a, b, product;
  memcpy(a, in[0].at, sizeof a);
  memcpy(b, in[1].at, sizeof b);
  glm_mat4_mul(a, b, product);
  memcpy(out[0].at, product, sizeof product);
}

static void mat4_mul_vec4(PL_OP_ARGS) {
  mat4 m;
  vec4 v;
  memcpy(m, in[0].at, sizeof m);
  memcpy(v, in[1].at, sizeof v);
  glm_mat4_mulv(m, v, v);
  memcpy(out[0].at, v, sizeof v);
}

// Returns: the product's w.
static float mul_vec3(const union pl_slot *in, float last, vec3 product) {
  mat4 m;
  vec3 v;
  vec4 p;
  memcpy(m, in[0].at, sizeof m);
  memcpy(v, in[1].at, sizeof v);
  glm_vec4(v, last, p);
  glm_mat4_mulv(m, p, p);
  glm_vec3(p, product);
  return p[3];
}

static void mat4_transform_point(PL_OP_ARGS) {
  vec3 p;
  mul_vec3(in, 1, p);
  memcpy(out[0].at, p, sizeof p);
}

static void mat4_transform_direction(PL_OP_ARGS) {
  vec3 v;
  mul_vec3(in, 0, v);
  memcpy(out[0].at, v, sizeof v);
}

static void mat4_project_point(PL_OP_ARGS) {
  vec3 p;
  const float w = mul_vec3(in, 1, p);
  for (int i = 0; i < 3; i++) p[i] = w == 0 ? 0 : p[i] / w;
  memcpy(out[0].at, p, sizeof p);
}

static void mat4_inverse(PL_OP_ARGS) {
  double m[16], inverse[16];
  pl_load_f32(m, in[0].at, 16);
  pl_m4_inverse(m, inverse);
  pl_store_f32(out[0].at, inverse, 16);
}

static void mat4_determinant(PL_OP_ARGS) {
  double m[16], inverse[16];
  pl_load_f32(m, in[0].at, 16);
  out[0].number = pl_m4_inverse(m, inverse);
}

static void mat4_decompose(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat4(in[0].at);
  const struct pl_trs trs = pl_frame_decompose(&m);
  pl_v3_store(out[0].at, trs.position);
  pl_q4_store(out[1].at, trs.rotation);
  pl_v3_store(out[2].at, trs.scale);
}

static void store_trs(union pl_slot *out, const struct pl_trs *trs) {
  const struct pl_frame m = pl_frame_from_trs(trs);
  pl_frame_store_mat4(out->at, &m);
}

static const struct pl_trs unmoved = {{0, 0, 0}, {0, 0, 0, 1}, {1, 1, 1}};

static void mat4_translation(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.position = pl_v3_load(in[0].at);
  store_trs(out, &trs);
}

static void mat4_rotation(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.rotation = pl_q4_load(in[0].at);
  store_trs(out, &trs);
}

static void mat4_scaling(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.scale = pl_v3_load(in[0].at);
  store_trs(out, &trs);
}

static void mat4_scaling_n(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.scale = pl_v3(in[0].number, in[0].number, in[0].number);
  store_trs(out, &trs);
}

static void mat4_trs(PL_OP_ARGS) {
  const struct pl_trs trs = {pl_v3_load(in[0].at), pl_q4_load(in[1].at), pl_v3_load(in[2].at)};
  store_trs(out, &trs);
}

static void mat4_from_transform(PL_OP_ARGS) {
  const struct pl_trs trs = pl_trs_load(in[0].at);
  store_trs(out, &trs);
}

static void mat4_from_mat3(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat3(in[0].at);
  pl_frame_store_mat4(out[0].at, &m);
}

static void mat4_from_affine(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  pl_frame_store_mat4(out[0].at, &m);
}

static void mat4_look_at(PL_OP_ARGS) {
  const struct pl_frame m =
      pl_frame_look_at(pl_v3_load(in[0].at), pl_v3_load(in[1].at), pl_v3_load(in[2].at));
  pl_frame_store_mat4(out[0].at, &m);
}

// cglm's far / (near - far) is not a number when far is infinite: that is the limit instead.
static void set_far(mat4 m, double near, double far) {
  if (!isinf(far)) return;
  m[2][2] = -1;
  m[3][2] = -pl_lane_f32(near);
}

static void mat4_perspective(PL_OP_ARGS) {
  mat4 m;
  glm_perspective_rh_zo(pl_lane_f32(in[0].number), pl_lane_f32(in[1].number),
                        pl_lane_f32(in[2].number), pl_lane_f32(in[3].number), m);
  set_far(m, in[2].number, in[3].number);
  memcpy(out[0].at, m, sizeof m);
}

static void mat4_frustum(PL_OP_ARGS) {
  mat4 m;
  glm_frustum_rh_zo(pl_lane_f32(in[0].number), pl_lane_f32(in[1].number), pl_lane_f32(in[2].number),
                    pl_lane_f32(in[3].number), pl_lane_f32(in[4].number), pl_lane_f32(in[5].number),
                    m);
  set_far(m, in[4].number, in[5].number);
  memcpy(out[0].at, m, sizeof m);
}

static void mat4_ortho(PL_OP_ARGS) {
  mat4 m;
  glm_ortho_rh_zo(pl_lane_f32(in[0].number), pl_lane_f32(in[1].number), pl_lane_f32(in[2].number),
                  pl_lane_f32(in[3].number), pl_lane_f32(in[4].number), pl_lane_f32(in[5].number),
                  m);
  memcpy(out[0].at, m, sizeof m);
}

// The methods of vec3: operands the other way round.
#define SWAPPED(verb, op)                           \
  void pl_op_##verb(PL_OP_ARGS) {                   \
    const union pl_slot swapped[] = {in[1], in[0]}; \
    op(out, swapped);                               \
  }
SWAPPED(transform_mat3, mat3_mul_vec)
SWAPPED(transform_mat4, mat4_transform_point)
SWAPPED(transform_direction_mat4, mat4_transform_direction)

#define VEC mat3
#define TYPE "mat3"
const struct pl_op pl_ops_mat3[] = {
#include "geometry/matrix_rows.def"
    {"mul", "mat3 mat3 > mat3", mat3_mul, "b first, then a."},
    {"mul", "mat3 vec3 > vec3", mat3_mul_vec, "The vector transformed."},
    {"transform_direction", "mat3 vec3 > vec3", mat3_mul_vec, "The vector transformed."},
    {"inverse", "mat3 > mat3", mat3_inverse, "What multiplies with m to identity; zero for none."},
    {"determinant", "mat3 > n", mat3_determinant, "By how much volumes grow; negative: mirrored."},
    {"rotation", "mat3: quat > mat3", mat3_rotation, "From a quaternion of length 1."},
    {"scaling", "mat3: vec3 > mat3", mat3_scaling, "From a scale along each axis."},
    {"from", "mat3: quat > mat3", mat3_rotation, "From a quaternion of length 1."},
    {"from", "mat3: mat4 > mat3", mat3_from_mat4, "The upper left part."},
    {"from", "mat3: affine > mat3", mat3_from_affine, "Without the translation."},
    {0},
};
#undef VEC
#undef TYPE

#define VEC mat4
#define TYPE "mat4"
const struct pl_op pl_ops_mat4[] = {
#include "geometry/matrix_rows.def"
    {"mul", "mat4 mat4 > mat4", mat4_mul, "b first, then a."},
    {"mul", "mat4 vec4 > vec4", mat4_mul_vec4, "The vector transformed."},
    {"mul", "mat4 vec3 > vec3", mat4_transform_point,
     "The point (w = 1) transformed, without division by w."},
    {"transform_point", "mat4 vec3 > vec3", mat4_transform_point,
     "The point (w = 1) transformed, without division by w."},
    {"transform_direction", "mat4 vec3 > vec3", mat4_transform_direction,
     "The direction (w = 0) transformed."},
    {"project_point", "mat4 vec3 > vec3", mat4_project_point,
     "The point transformed and divided by w; zero when w is."},
    {"inverse", "mat4 > mat4", mat4_inverse, "What multiplies with m to identity; zero for none."},
    {"determinant", "mat4 > n", mat4_determinant, "By how much volumes grow; negative: mirrored."},
    {"decompose", "mat4 > vec3 quat vec3", mat4_decompose,
     "Position, rotation and scale; shear and the last row are left out."},
    {"translation", "mat4: vec3 > mat4", mat4_translation, "Moves by the vector."},
    {"rotation", "mat4: quat > mat4", mat4_rotation, "From a quaternion of length 1."},
    {"scaling", "mat4: vec3 > mat4", mat4_scaling, "From a scale along each axis."},
    {"scaling", "mat4: n > mat4", mat4_scaling_n, "From a scale for all axes."},
    {"trs", "mat4: vec3 quat vec3 > mat4", mat4_trs,
     "From position, rotation and scale; the scale comes first."},
    {"look_at", "mat4: vec3 vec3 vec3 > mat4", mat4_look_at,
     "A view matrix: (eye, target, up); the camera looks along its -z."},
    {"perspective", "mat4: n n n n > mat4", mat4_perspective,
     "A projection: (fov_y, aspect, near, far), depth 0 to 1; far may be math.huge."},
    {"frustum", "mat4: n n n n n n > mat4", mat4_frustum,
     "A projection: (left, right, bottom, top, near, far) on the near plane, depth 0 to 1."},
    {"ortho", "mat4: n n n n n n > mat4", mat4_ortho,
     "A projection without perspective: (left, right, bottom, top, near, far), depth 0 to 1."},
    {"from", "mat4: transform > mat4", mat4_from_transform, "The same mapping."},
    {"from", "mat4: affine > mat4", mat4_from_affine, "The same mapping."},
    {"from", "mat4: mat3 > mat4", mat4_from_mat3, "The same mapping."},
    {"from", "mat4: quat > mat4", mat4_rotation, "From a quaternion of length 1."},
    {0},
};

const struct pl_constant pl_constants_mat3[] = {
    {"identity", mat3_identity},
    {"zero", mat3_zero},
    {0},
};

const struct pl_constant pl_constants_mat4[] = {
    {"identity", mat4_identity},
    {"zero", mat4_zero},
    {0},
};
