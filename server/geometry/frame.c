// Frames in f64: nine products and a sum a point; the inverse by cross products.
#include "geometry/frame.h"

enum { FLOAT = sizeof(float) };

static struct pl_frame load_columns(const char *at, size_t column_bytes, size_t columns) {
  struct pl_frame frame = {.origin = {0, 0, 0}};
  for (size_t i = 0; i < 3; i++) frame.axes[i] = pl_v3_load(at + i * column_bytes);
  if (columns > 3) frame.origin = pl_v3_load(at + 3 * column_bytes);
  return frame;
}

struct pl_frame pl_frame_load_affine(const void *at) {
  return load_columns(at, 3 * FLOAT, 4);
}

struct pl_frame pl_frame_load_mat4(const void *at) {
  return load_columns(at, 4 * FLOAT, 4);
}

struct pl_frame pl_frame_load_mat3(const void *at) {
  return load_columns(at, 3 * FLOAT, 3);
}

struct pl_trs pl_trs_load(const void *at) {
  const char *bytes = at;
  return (struct pl_trs){pl_v3_load(bytes), pl_q4_load(bytes + 3 * FLOAT),
                         pl_v3_load(bytes + 7 * FLOAT)};
}

void pl_frame_store_affine(void *at, const struct pl_frame *frame) {
  char *bytes = at;
  for (size_t i = 0; i < 3; i++) pl_v3_store(bytes + i * 3 * FLOAT, frame->axes[i]);
  pl_v3_store(bytes + 9 * FLOAT, frame->origin);
}

void pl_frame_store_mat3(void *at, const struct pl_frame *frame) {
  for (size_t i = 0; i < 3; i++) pl_v3_store((char *)at + i * 3 * FLOAT, frame->axes[i]);
}

void pl_frame_store_mat4(void *at, const struct pl_frame *frame) {
  for (size_t i = 0; i < 4; i++) {
    const struct pl_v3 v = i < 3 ? frame->axes[i] : frame->origin;
    const double column[4] = {v.x, v.y, v.z, i == 3};
    pl_store_f32((char *)at + i * 4 * FLOAT, column, 4);
  }
}

void pl_trs_store(void *at, const struct pl_trs *trs) {
  char *bytes = at;
  pl_v3_store(bytes, trs->position);
  pl_q4_store(bytes + 3 * FLOAT, trs->rotation);
  pl_v3_store(bytes + 7 * FLOAT, trs->scale);
}

struct pl_v3 pl_frame_direction(const struct pl_frame *frame, struct pl_v3 v) {
  const struct pl_v3 x = pl_v3_scale(frame->axes[0], v.x);
  return pl_v3_mul_add(pl_v3_mul_add(x, frame->axes[1], v.y), frame->axes[2], v.z);
}

struct pl_v3 pl_frame_point(const struct pl_frame *frame, struct pl_v3 p) {
  return pl_v3_add(pl_frame_direction(frame, p), frame->origin);
}

struct pl_frame pl_frame_mul(const struct pl_frame *a, const struct pl_frame *b) {
  struct pl_frame product;
  for (int i = 0; i < 3; i++) product.axes[i] = pl_frame_direction(a, b->axes[i]);
  product.origin = pl_frame_point(a, b->origin);
  return product;
}

double pl_frame_determinant(const struct pl_frame *frame) {
  return pl_v3_dot(frame->axes[0], pl_v3_cross(frame->axes[1], frame->axes[2]));
}

struct pl_frame pl_frame_inverse(const struct pl_frame *frame) {
  const struct pl_v3 *a = frame->axes;
  const double k = 1 / pl_frame_determinant(frame);
  if (!isfinite(k) || k == 0) return (struct pl_frame){.origin = {0, 0, 0}};
  const struct pl_v3 rows[3] = {pl_v3_scale(pl_v3_cross(a[1], a[2]), k),
                                pl_v3_scale(pl_v3_cross(a[2], a[0]), k),
                                pl_v3_scale(pl_v3_cross(a[0], a[1]), k)};
  struct pl_frame inverse = {.axes = {pl_v3(rows[0].x, rows[1].x, rows[2].x),
                                      pl_v3(rows[0].y, rows[1].y, rows[2].y),
                                      pl_v3(rows[0].z, rows[1].z, rows[2].z)}};
  inverse.origin = pl_v3_scale(pl_frame_direction(&inverse, frame->origin), -1);
  return inverse;
}

struct pl_frame pl_frame_from_trs(const struct pl_trs *trs) {
  struct pl_frame frame = {.origin = trs->position};
  pl_q4_to_axes(trs->rotation, frame.axes);
  frame.axes[0] = pl_v3_scale(frame.axes[0], trs->scale.x);
  frame.axes[1] = pl_v3_scale(frame.axes[1], trs->scale.y);
  frame.axes[2] = pl_v3_scale(frame.axes[2], trs->scale.z);
  return frame;
}

struct pl_trs pl_frame_decompose(const struct pl_frame *frame) {
  const double side = pl_frame_determinant(frame) < 0 ? -1 : 1;
  const struct pl_v3 x = pl_v3_scale(pl_v3_normalize(frame->axes[0], 0), side);
  const struct pl_v3 y = pl_v3_normalize(frame->axes[1], 0);
  const struct pl_v3 z = pl_v3_normalize(frame->axes[2], 0);
  return (struct pl_trs){frame->origin, pl_q4_from_axes(x, y, z),
                         pl_v3(side * pl_v3_length(frame->axes[0]), pl_v3_length(frame->axes[1]),
                               pl_v3_length(frame->axes[2]))};
}

struct pl_frame pl_frame_look_at(struct pl_v3 eye, struct pl_v3 target, struct pl_v3 up) {
  struct pl_v3 back = pl_v3_normalize(pl_v3_sub(eye, target), 0);
  if (pl_v3_dot(back, back) == 0) back = pl_v3(0, 0, 1);
  struct pl_v3 right = pl_v3_normalize(pl_v3_cross(pl_v3_normalize(up, 0), back), 1e-12);
  if (pl_v3_dot(right, right) == 0) right = pl_v3_across(back);
  const struct pl_frame camera = {.axes = {right, pl_v3_cross(back, right), back}, .origin = eye};
  return pl_frame_inverse(&camera);
}

// By the 2 x 2 minors of the two upper and the two lower rows.
double pl_m4_inverse(const double m[16], double inverse[16]) {
  const double s[6] = {m[0] * m[5] - m[4] * m[1],   m[0] * m[9] - m[8] * m[1],
                       m[0] * m[13] - m[12] * m[1], m[4] * m[9] - m[8] * m[5],
                       m[4] * m[13] - m[12] * m[5], m[8] * m[13] - m[12] * m[9]};
  const double c[6] = {m[2] * m[7] - m[6] * m[3],   m[2] * m[11] - m[10] * m[3],
                       m[2] * m[15] - m[14] * m[3], m[6] * m[11] - m[10] * m[7],
                       m[6] * m[15] - m[14] * m[7], m[10] * m[15] - m[14] * m[11]};
  const double determinant =
      s[0] * c[5] - s[1] * c[4] + s[2] * c[3] + s[3] * c[2] - s[4] * c[1] + s[5] * c[0];
  const double k = 1 / determinant;
  const double adjugate[16] = {
      m[5] * c[5] - m[9] * c[4] + m[13] * c[3],   -m[1] * c[5] + m[9] * c[2] - m[13] * c[1],
      m[1] * c[4] - m[5] * c[2] + m[13] * c[0],   -m[1] * c[3] + m[5] * c[1] - m[9] * c[0],
      -m[4] * c[5] + m[8] * c[4] - m[12] * c[3],  m[0] * c[5] - m[8] * c[2] + m[12] * c[1],
      -m[0] * c[4] + m[4] * c[2] - m[12] * c[0],  m[0] * c[3] - m[4] * c[1] + m[8] * c[0],
      m[7] * s[5] - m[11] * s[4] + m[15] * s[3],  -m[3] * s[5] + m[11] * s[2] - m[15] * s[1],
      m[3] * s[4] - m[7] * s[2] + m[15] * s[0],   -m[3] * s[3] + m[7] * s[1] - m[11] * s[0],
      -m[6] * s[5] + m[10] * s[4] - m[14] * s[3], m[2] * s[5] - m[10] * s[2] + m[14] * s[1],
      -m[2] * s[4] + m[6] * s[2] - m[14] * s[0],  m[2] * s[3] - m[6] * s[1] + m[10] * s[0]};
  const bool has_inverse = isfinite(k) && k != 0;
  for (int i = 0; i < 16; i++) inverse[i] = has_inverse ? adjugate[i] * k : 0;
  return determinant;
}
