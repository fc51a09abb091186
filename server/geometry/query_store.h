/// The shapes of a scene: read from spans and checked once, then found by list and place.
///
/// Thread: any, once made.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "geometry/query_shape.h"
#include "geometry/query_span.h"
#include "geometry/query_spheres.h"

/// hit.inst: which list a shape is in.
enum pl_scene_list {
  PL_SCENE_SPHERES = 1,
  PL_SCENE_BOXES,
  PL_SCENE_TRIANGLES,
  PL_SCENE_PLANES,
  PL_SCENE_LISTS
};

enum { PL_SCENE_SHAPES_MAX = 1 << 28 };  ///< of a list

/// How a scene looks for what a ray hits. Answers are the same; tests compare them.
enum pl_scene_search { PL_SCENE_AUTO, PL_SCENE_LOOP, PL_SCENE_TREE };

/// What a scene is made of; each may be empty (count 0).
struct pl_scene_shapes {
  struct pl_span spheres;    ///< sphere
  struct pl_span boxes;      ///< aabb, bounds or obb
  struct pl_span triangles;  ///< triangle
  struct pl_span planes;     ///< plane
  enum pl_scene_search search;
};

struct pl_query_store {
  struct pl_query_spheres spheres;
  double (*boxes)[6];           ///< {min, max}; or NULL
  struct pl_query_box *turned;  ///< obbs; or NULL
  float (*triangles)[9];
  struct pl_query_plane *planes;
  size_t box_count, triangle_count, plane_count;
};

/// Copies and checks. Returns: as pl_scene_new; whatever it returns, pl_query_store_deinit is due.
/// @param store zeroed
PL_MUST_CHECK int pl_query_store_init(struct pl_query_store *store,
                                      const struct pl_scene_shapes *shapes,
                                      char problem[PL_QUERY_PROBLEM_MAX]);
void pl_query_store_deinit(struct pl_query_store *store);

size_t pl_query_store_bytes(const struct pl_query_store *store);

size_t pl_query_store_count(const struct pl_query_store *store, enum pl_scene_list list);

/// {min, max} around a sphere, box or triangle. @param place from 0
void pl_query_store_bounds(const struct pl_query_store *store, enum pl_scene_list list,
                           size_t place, double bounds[6]);

/// As the functions of query_shape.h.
bool pl_query_store_hit(const struct pl_query_store *store, enum pl_scene_list list, size_t place,
                        const struct pl_query_ray *ray, struct pl_query_touch *touch);
void pl_query_store_normal(const struct pl_query_store *store, enum pl_scene_list list,
                           size_t place, const struct pl_query_ray *ray,
                           const struct pl_query_touch *touch, double normal[3]);
