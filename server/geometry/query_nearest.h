/// Which of many points are nearest to others (points:nearest, structs.md 4.9).
///
/// Distances are computed in f64 and ordered by their squares; of equal ones the lower index comes
/// first. So a difference of coordinates beyond 1e154, whose square overflows, counts as infinite
/// and is found last, and one below 1e-162 as 0; f32 has neither. Points that are not finite are
/// never found, and queries that are not find nothing.
///
/// Immutable and counted by reference. Thread: any.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_span.h"

enum { PL_NEAREST_K_MAX = 1024 };

/// How the index looks for points. Answers are the same; tests compare them.
enum pl_nearest_search { PL_NEAREST_AUTO, PL_NEAREST_LOOP, PL_NEAREST_TREE };

struct pl_nearest;

/// Copies the points: vec2, vec3, dvec2 or dvec3. @param queries about how many will be asked: a
/// tree costs what some of them cost (a million points take 300 ms); SIZE_MAX for an index that is
/// kept
/// Returns: 0 and *nearest with one reference; PL_EINVAL and in `problem` what is wrong; PL_ELIMIT:
/// more than 2^28 points, likewise; PL_ENOMEM.
PL_MUST_CHECK int pl_nearest_new(const struct pl_span *points, size_t queries,
                                 enum pl_nearest_search search, struct pl_nearest **nearest,
                                 char problem[PL_QUERY_PROBLEM_MAX]);

/// Returns: nearest, for the new holder.
struct pl_nearest *pl_nearest_ref(struct pl_nearest *nearest);

/// NULL is allowed.
void pl_nearest_unref(struct pl_nearest *nearest);

/// What it holds, in bytes.
size_t pl_nearest_bytes(const struct pl_nearest *nearest);

/// Whether queries may be of that layout: points of as many dimensions, f32 or f64.
bool pl_nearest_takes(const struct pl_nearest *nearest, const struct pl_layout *layout);

/// About how many queries a millisecond takes, a lower bound, >= 1.
size_t pl_nearest_rate(const struct pl_nearest *nearest, unsigned k);

struct pl_nearest_query {
  struct pl_span points;  ///< pl_nearest_takes them
  unsigned k;             ///< 1 .. PL_NEAREST_K_MAX
  double radius;          ///< no farther than this; INFINITY: as far as it takes
};

/// For each query i = first .. first + count - 1: indices[i * k ...] = the k nearest points, from
/// 1, the nearest first, 0 where there are fewer; distances likewise, infinite there.
/// @param indices u32[] @param distances f32[] or f64[] by its layout's scalar, or data NULL: not
/// wanted
void pl_nearest_find(const struct pl_nearest *nearest, const struct pl_nearest_query *query,
                     const struct pl_span *indices, const struct pl_span *distances, size_t first,
                     size_t count);
