/// P8's yardstick: each kernel's work as a plain loop, compiled with the kernels' flags and for the
/// CPU that it runs on. Arrays are packed floats, apart from each other.
#pragma once

#include <stddef.h>

void plain_add(float *restrict d, const float *restrict a, const float *restrict b, size_t n);
void plain_scale(float *restrict d, const float *restrict a, float s, size_t n);
void plain_mul_add(float *restrict d, const float *restrict a, const float *restrict b, float s,
                   size_t n);
void plain_dot(float *restrict d, const float *restrict a, const float *restrict b, size_t n);
void plain_dot_one(float *restrict d, const float *restrict a, const float *b, size_t n);
void plain_length(float *restrict d, const float *restrict a, size_t n);
void plain_distance(float *restrict d, const float *restrict a, const float *restrict b, size_t n);
void plain_normalize(float *restrict d, const float *restrict a, size_t n);
void plain_cross(float *restrict d, const float *restrict a, const float *restrict b, size_t n);
void plain_transform(float *restrict d, const float *restrict a, const float *m, size_t n);
void plain_aabb(float *restrict box, const float *restrict a, size_t n);
double plain_sum(const float *restrict a, size_t n);
size_t plain_argmin(const float *restrict a, size_t n);
void plain_lt(unsigned char *restrict d, const float *restrict a, float s, size_t n);
void plain_inside(unsigned char *restrict d, const float *restrict a, const float *box, size_t n);
