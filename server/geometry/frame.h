/// Where a coordinate frame's axes and origin lie, in f64: what an affine, a transform and a mat4
/// without perspective have in common. A point p becomes axes * p + origin.
///
/// Thread: any.
#pragma once

#include "geometry/real.h"

struct pl_frame {
  struct pl_v3 axes[3];
  struct pl_v3 origin;
};

/// What a transform is: p becomes position + rotation * (scale * p).
struct pl_trs {
  struct pl_v3 position;
  struct pl_q4 rotation;
  struct pl_v3 scale;
};

/// From and to the bytes of an affine; of a mat4, whose last row is left out and made 0 0 0 1; of a
/// mat3, without an origin; of a transform.
struct pl_frame pl_frame_load_affine(const void *at);
struct pl_frame pl_frame_load_mat4(const void *at);
struct pl_frame pl_frame_load_mat3(const void *at);
struct pl_trs pl_trs_load(const void *at);
void pl_frame_store_affine(void *at, const struct pl_frame *frame);
void pl_frame_store_mat4(void *at, const struct pl_frame *frame);
void pl_frame_store_mat3(void *at, const struct pl_frame *frame);
void pl_trs_store(void *at, const struct pl_trs *trs);

struct pl_v3 pl_frame_direction(const struct pl_frame *frame, struct pl_v3 v);
struct pl_v3 pl_frame_point(const struct pl_frame *frame, struct pl_v3 p);

/// b first, then a.
struct pl_frame pl_frame_mul(const struct pl_frame *a, const struct pl_frame *b);

double pl_frame_determinant(const struct pl_frame *frame);

/// All 0 when the determinant is 0 or not finite.
struct pl_frame pl_frame_inverse(const struct pl_frame *frame);

struct pl_frame pl_frame_from_trs(const struct pl_trs *trs);

/// Shear is left out; of a mirroring frame x is the axis that is said to be mirrored.
struct pl_trs pl_frame_decompose(const struct pl_frame *frame);

/// A camera's: right-handed, looking along its -z. Where the directions leave the axes open (target
/// at the eye, up along the view) the missing ones are chosen.
struct pl_frame pl_frame_look_at(struct pl_v3 eye, struct pl_v3 target, struct pl_v3 up);

/// The inverse of m (column-major) goes to `inverse`, all 0 when there is none.
/// Returns: the determinant.
double pl_m4_inverse(const double m[16], double inverse[16]);
