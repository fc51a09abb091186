// Ops of affine and transform, in f64 by frames (frame.h).
#include "geometry/frame.h"
#include "geometry/ops_tables.h"
#include "geometry/real.h"

static const struct pl_trs unmoved = {{0, 0, 0}, {0, 0, 0, 1}, {1, 1, 1}};

static void store_trs_frame(union pl_slot *out, const struct pl_trs *trs) {
  const struct pl_frame frame = pl_frame_from_trs(trs);
  pl_frame_store_affine(out->at, &frame);
}

static void affine_mul(PL_OP_ARGS) {
  const struct pl_frame a = pl_frame_load_affine(in[0].at), b = pl_frame_load_affine(in[1].at);
  const struct pl_frame product = pl_frame_mul(&a, &b);
  pl_frame_store_affine(out[0].at, &product);
}

static void affine_transform_point(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  pl_v3_store(out[0].at, pl_frame_point(&m, pl_v3_load(in[1].at)));
}

static void affine_transform_direction(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  pl_v3_store(out[0].at, pl_frame_direction(&m, pl_v3_load(in[1].at)));
}

static void affine_inverse(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  const struct pl_frame inverse = pl_frame_inverse(&m);
  pl_frame_store_affine(out[0].at, &inverse);
}

static void affine_determinant(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  out[0].number = pl_frame_determinant(&m);
}

static void affine_decompose(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  const struct pl_trs trs = pl_frame_decompose(&m);
  pl_v3_store(out[0].at, trs.position);
  pl_q4_store(out[1].at, trs.rotation);
  pl_v3_store(out[2].at, trs.scale);
}

static void affine_translation(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.position = pl_v3_load(in[0].at);
  store_trs_frame(out, &trs);
}

static void affine_rotation(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.rotation = pl_q4_load(in[0].at);
  store_trs_frame(out, &trs);
}

static void affine_scaling(PL_OP_ARGS) {
  struct pl_trs trs = unmoved;
  trs.scale = pl_v3_load(in[0].at);
  store_trs_frame(out, &trs);
}

static void affine_trs(PL_OP_ARGS) {
  const struct pl_trs trs = {pl_v3_load(in[0].at), pl_q4_load(in[1].at), pl_v3_load(in[2].at)};
  store_trs_frame(out, &trs);
}

static void affine_look_at(PL_OP_ARGS) {
  const struct pl_frame m =
      pl_frame_look_at(pl_v3_load(in[0].at), pl_v3_load(in[1].at), pl_v3_load(in[2].at));
  pl_frame_store_affine(out[0].at, &m);
}

static void affine_from_transform(PL_OP_ARGS) {
  const struct pl_trs trs = pl_trs_load(in[0].at);
  store_trs_frame(out, &trs);
}

static void affine_from_mat4(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat4(in[0].at);
  pl_frame_store_affine(out[0].at, &m);
}

static void affine_from_mat3(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat3(in[0].at);
  pl_frame_store_affine(out[0].at, &m);
}

static void affine_identity(PL_OP_ARGS) {
  (void)in;
  store_trs_frame(out, &unmoved);
}

static struct pl_v3 scaled(struct pl_v3 a, struct pl_v3 b) {
  return pl_v3(a.x * b.x, a.y * b.y, a.z * b.z);
}

static double invert(double x) {
  return x == 0 ? 0 : 1 / x;
}

static struct pl_v3 inverted(struct pl_v3 v) {
  return pl_v3(invert(v.x), invert(v.y), invert(v.z));
}

static void transform_mul(PL_OP_ARGS) {
  const struct pl_trs a = pl_trs_load(in[0].at), b = pl_trs_load(in[1].at);
  const struct pl_v3 moved = pl_q4_rotate(a.rotation, scaled(a.scale, b.position));
  const struct pl_trs product = {pl_v3_add(moved, a.position), pl_q4_mul(a.rotation, b.rotation),
                                 scaled(a.scale, b.scale)};
  pl_trs_store(out[0].at, &product);
}

static void transform_transform_direction(PL_OP_ARGS) {
  const struct pl_trs t = pl_trs_load(in[0].at);
  pl_v3_store(out[0].at, pl_q4_rotate(t.rotation, scaled(t.scale, pl_v3_load(in[1].at))));
}

static void transform_transform_point(PL_OP_ARGS) {
  const struct pl_trs t = pl_trs_load(in[0].at);
  const struct pl_v3 moved = pl_q4_rotate(t.rotation, scaled(t.scale, pl_v3_load(in[1].at)));
  pl_v3_store(out[0].at, pl_v3_add(moved, t.position));
}

static void transform_inverse_transform_point(PL_OP_ARGS) {
  const struct pl_trs t = pl_trs_load(in[0].at);
  const struct pl_v3 p = pl_v3_sub(pl_v3_load(in[1].at), t.position);
  const struct pl_v3 back = pl_q4_rotate(pl_q4_conjugate(t.rotation), p);
  pl_v3_store(out[0].at, scaled(inverted(t.scale), back));
}

static void transform_inverse(PL_OP_ARGS) {
  const struct pl_trs t = pl_trs_load(in[0].at);
  struct pl_trs inverse = {.rotation = pl_q4_conjugate(t.rotation), .scale = inverted(t.scale)};
  const struct pl_v3 p = scaled(inverse.scale, t.position);
  inverse.position = pl_v3_scale(pl_q4_rotate(inverse.rotation, p), -1);
  pl_trs_store(out[0].at, &inverse);
}

static struct pl_v3 between(struct pl_v3 a, struct pl_v3 b, double t) {
  return pl_v3_mul_add(a, pl_v3_sub(b, a), t);
}

static void transform_lerp(PL_OP_ARGS) {
  const struct pl_trs a = pl_trs_load(in[0].at), b = pl_trs_load(in[1].at);
  const double t = pl_clamp(in[2].number, 0, 1);
  const struct pl_trs mixed = {between(a.position, b.position, t),
                               pl_q4_slerp(a.rotation, b.rotation, t),
                               between(a.scale, b.scale, t)};
  pl_trs_store(out[0].at, &mixed);
}

static void transform_from_mat4(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_mat4(in[0].at);
  const struct pl_trs trs = pl_frame_decompose(&m);
  pl_trs_store(out[0].at, &trs);
}

static void transform_from_affine(PL_OP_ARGS) {
  const struct pl_frame m = pl_frame_load_affine(in[0].at);
  const struct pl_trs trs = pl_frame_decompose(&m);
  pl_trs_store(out[0].at, &trs);
}

static void transform_identity(PL_OP_ARGS) {
  (void)in;
  pl_trs_store(out[0].at, &unmoved);
}

// The methods of vec3: operands the other way round.
#define SWAPPED(verb, op)                           \
  void pl_op_##verb(PL_OP_ARGS) {                   \
    const union pl_slot swapped[] = {in[1], in[0]}; \
    op(out, swapped);                               \
  }
SWAPPED(transform_affine, affine_transform_point)
SWAPPED(transform_direction_affine, affine_transform_direction)
SWAPPED(transform_transform, transform_transform_point)
SWAPPED(transform_direction_transform, transform_transform_direction)

const struct pl_op pl_ops_affine[] = {
    {"mul", "affine affine > affine", affine_mul, "b first, then a."},
    {"mul", "affine vec3 > vec3", affine_transform_point, "The point transformed."},
    {"transform_point", "affine vec3 > vec3", affine_transform_point, "The point transformed."},
    {"transform_direction", "affine vec3 > vec3", affine_transform_direction,
     "The vector transformed, without the translation."},
    {"inverse", "affine > affine", affine_inverse,
     "What multiplies with m to identity; zero for none."},
    {"determinant", "affine > n", affine_determinant,
     "By how much volumes grow; negative: mirrored."},
    {"decompose", "affine > vec3 quat vec3", affine_decompose,
     "Position, rotation and scale; shear is left out."},
    {"translation", "affine: vec3 > affine", affine_translation, "Moves by the vector."},
    {"rotation", "affine: quat > affine", affine_rotation, "From a quaternion of length 1."},
    {"scaling", "affine: vec3 > affine", affine_scaling, "From a scale along each axis."},
    {"trs", "affine: vec3 quat vec3 > affine", affine_trs,
     "From position, rotation and scale; the scale comes first."},
    {"look_at", "affine: vec3 vec3 vec3 > affine", affine_look_at,
     "A view matrix: (eye, target, up); the camera looks along its -z."},
    {"from", "affine: transform > affine", affine_from_transform, "The same mapping."},
    {"from", "affine: mat4 > affine", affine_from_mat4, "Without the last row."},
    {"from", "affine: mat3 > affine", affine_from_mat3, "The same mapping."},
    {"from", "affine: quat > affine", affine_rotation, "From a quaternion of length 1."},
    {0},
};

const struct pl_op pl_ops_transform[] = {
    {"mul", "transform transform > transform", transform_mul,
     "b first, then a; exact unless a's scale is uneven and b turns."},
    {"mul", "transform vec3 > vec3", transform_transform_point, "The point transformed."},
    {"transform_point", "transform vec3 > vec3", transform_transform_point,
     "The point transformed."},
    {"transform_direction", "transform vec3 > vec3", transform_transform_direction,
     "The vector transformed, without the translation."},
    {"inverse_transform_point", "transform vec3 > vec3", transform_inverse_transform_point,
     "The point that is transformed to this one, for any scale but 0."},
    {"inverse", "transform > transform", transform_inverse,
     "The transform back; exact for even scales, for others take affine's."},
    {"lerp", "transform transform n > transform", transform_lerp,
     "Between a and b: lerp of position and scale, slerp of rotation."},
    {"from", "transform: mat4 > transform", transform_from_mat4,
     "Position, rotation and scale of a matrix; shear is left out."},
    {"from", "transform: affine > transform", transform_from_affine,
     "Position, rotation and scale of a matrix; shear is left out."},
    {0},
};

const struct pl_constant pl_constants_affine[] = {
    {"identity", affine_identity},
    {0},
};

const struct pl_constant pl_constants_transform[] = {
    {"identity", transform_identity},
    {0},
};
