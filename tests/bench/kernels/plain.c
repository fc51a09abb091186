// The loops as one writes them down; no intrinsics, no cleverness.
#include "plain.h"

#include <math.h>

void plain_add(float *restrict d, const float *restrict a, const float *restrict b, size_t n) {
  for (size_t i = 0; i < 3 * n; i++) d[i] = a[i] + b[i];
}

void plain_scale(float *restrict d, const float *restrict a, float s, size_t n) {
  for (size_t i = 0; i < 3 * n; i++) d[i] = a[i] * s;
}

void plain_mul_add(float *restrict d, const float *restrict a, const float *restrict b, float s,
                   size_t n) {
  for (size_t i = 0; i < 3 * n; i++) d[i] = a[i] + b[i] * s;
}

static inline float dot(const float *a, const float *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

void plain_dot(float *restrict d, const float *restrict a, const float *restrict b, size_t n) {
  for (size_t i = 0; i < n; i++) d[i] = dot(a + 3 * i, b + 3 * i);
}

void plain_dot_one(float *restrict d, const float *restrict a, const float *b, size_t n) {
  float x = b[0], y = b[1], z = b[2];
  for (size_t i = 0; i < n; i++) d[i] = a[3 * i] * x + a[3 * i + 1] * y + a[3 * i + 2] * z;
}

void plain_length(float *restrict d, const float *restrict a, size_t n) {
  for (size_t i = 0; i < n; i++) d[i] = sqrtf(dot(a + 3 * i, a + 3 * i));
}

void plain_distance(float *restrict d, const float *restrict a, const float *restrict b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float x = a[3 * i] - b[3 * i], y = a[3 * i + 1] - b[3 * i + 1], z = a[3 * i + 2] - b[3 * i + 2];
    d[i] = sqrtf(x * x + y * y + z * z);
  }
}

void plain_normalize(float *restrict d, const float *restrict a, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float length = sqrtf(dot(a + 3 * i, a + 3 * i));
    float inverse = length > 1e-5f ? 1 / length : 0;
    for (int k = 0; k < 3; k++) d[3 * i + k] = a[3 * i + k] * inverse;
  }
}

void plain_cross(float *restrict d, const float *restrict a, const float *restrict b, size_t n) {
  for (size_t i = 0; i < 3 * n; i += 3) {
    d[i] = a[i + 1] * b[i + 2] - a[i + 2] * b[i + 1];
    d[i + 1] = a[i + 2] * b[i] - a[i] * b[i + 2];
    d[i + 2] = a[i] * b[i + 1] - a[i + 1] * b[i];
  }
}

void plain_transform(float *restrict d, const float *restrict a, const float *m, size_t n) {
  float c[16];
  for (int k = 0; k < 16; k++) c[k] = m[k];
  for (size_t i = 0; i < 3 * n; i += 3) {
    float x = a[i], y = a[i + 1], z = a[i + 2];
    d[i] = c[0] * x + c[4] * y + c[8] * z + c[12];
    d[i + 1] = c[1] * x + c[5] * y + c[9] * z + c[13];
    d[i + 2] = c[2] * x + c[6] * y + c[10] * z + c[14];
  }
}

void plain_aabb(float *restrict box, const float *restrict a, size_t n) {
  for (int k = 0; k < 3; k++) {
    box[k] = INFINITY;
    box[3 + k] = -INFINITY;
  }
  for (size_t i = 0; i < n; i++) {
    for (int k = 0; k < 3; k++) {
      float x = a[3 * i + k];
      box[k] = x < box[k] ? x : box[k];
      box[3 + k] = x > box[3 + k] ? x : box[3 + k];
    }
  }
}

double plain_sum(const float *restrict a, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)a[i];
  return sum;
}

size_t plain_argmin(const float *restrict a, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++) best = a[i] < a[best] ? i : best;
  return best + 1;
}

void plain_lt(unsigned char *restrict d, const float *restrict a, float s, size_t n) {
  for (size_t i = 0; i < n; i++) d[i] = a[i] < s;
}

void plain_inside(unsigned char *restrict d, const float *restrict a, const float *box, size_t n) {
  float s[6];
  for (int k = 0; k < 6; k++) s[k] = box[k];
  for (size_t i = 0; i < n; i++) {
    float x = a[3 * i], y = a[3 * i + 1], z = a[3 * i + 2];
    d[i] = (x >= s[0]) & (y >= s[1]) & (z >= s[2]) & (x <= s[3]) & (y <= s[4]) & (z <= s[5]);
  }
}
