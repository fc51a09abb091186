// Boxes that are not turned take 48 bytes, obbs are kept with their axes (they cost more to make
// than to test), triangles stay f32: large scenes are made of them.
#include "geometry/query_store.h"

#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"

enum { SPHERE_FLOATS = 4, AABB_FLOATS = 6, OBB_FLOATS = 10, TRIANGLE_FLOATS = 9, PLANE_FLOATS = 4 };

// A list while it is read: which, and where complaints go.
struct list {
  const char *name;
  const struct pl_span *span;
  char *problem;
};

static int refuse(const struct list *list, size_t place, const char *what) {
  snprintf(list->problem, PL_QUERY_PROBLEM_MAX, "%s[%zu] %s", list->name, place + 1, what);
  return PL_EINVAL;
}

static int check_list(const struct list *list, bool is_right, const char *wanted) {
  if (!list->span->count) return 0;
  if (!is_right) {
    snprintf(list->problem, PL_QUERY_PROBLEM_MAX, "%s must be %s, not %.64s", list->name, wanted,
             pl_query_name(list->span->layout));
    return PL_EINVAL;
  }
  if (list->span->count <= PL_SCENE_SHAPES_MAX) return 0;
  snprintf(list->problem, PL_QUERY_PROBLEM_MAX, "%s: %zu are more than %d", list->name,
           list->span->count, PL_SCENE_SHAPES_MAX);
  return PL_ELIMIT;
}

static int read_floats(const struct list *list, size_t i, float *out, unsigned n) {
  pl_query_floats(list->span, i, out, n);
  for (unsigned j = 0; j < n; j++) {
    if (!isfinite(out[j])) return refuse(list, i, "is not finite");
  }
  return 0;
}

static int read_spheres(struct pl_query_store *store, const struct list *list) {
  int err = check_list(list, pl_query_type(list->span->layout) == PL_BUILTIN_sphere, "sphere");
  if (!err) err = pl_query_spheres_init(&store->spheres, list->span->count);
  for (size_t i = 0; !err && i < list->span->count; i++) {
    float v[SPHERE_FLOATS];
    err = read_floats(list, i, v, SPHERE_FLOATS);
    if (!err && v[3] < 0) err = refuse(list, i, "has a negative radius");
    struct pl_query_sphere sphere = {{v[0], v[1], v[2]}, v[3]};
    if (!err) pl_query_spheres_set(&store->spheres, i, &sphere);
  }
  return err;
}

// An aabb, or bounds {center, extents} as one.
static int read_box(struct pl_query_store *store, const struct list *list, bool is_centered,
                    size_t i) {
  float v[AABB_FLOATS];
  int err = read_floats(list, i, v, AABB_FLOATS);
  if (err) return err;
  double *box = store->boxes[i];
  for (int k = 0; k < 3; k++) {
    box[k] = is_centered ? (double)v[k] - v[k + 3] : v[k];
    box[k + 3] = is_centered ? (double)v[k] + v[k + 3] : v[k + 3];
    if (box[k] > box[k + 3]) {
      return refuse(list, i, is_centered ? "has negative extents" : "has its min above its max");
    }
  }
  return 0;
}

static int read_turned(struct pl_query_store *store, const struct list *list, size_t i) {
  float v[OBB_FLOATS];
  int err = read_floats(list, i, v, OBB_FLOATS);
  if (err) return err;
  if (v[3] < 0 || v[4] < 0 || v[5] < 0) return refuse(list, i, "has a negative half size");
  if (v[6] == 0 && v[7] == 0 && v[8] == 0 && v[9] == 0) return refuse(list, i, "has no rotation");
  pl_query_box_from_obb(&store->turned[i], v);
  return 0;
}

static int read_boxes(struct pl_query_store *store, const struct list *list) {
  enum pl_builtin type = pl_query_type(list->span->layout);
  bool is_turned = type == PL_BUILTIN_obb, is_centered = type == PL_BUILTIN_bounds;
  int err =
      check_list(list, is_turned || is_centered || type == PL_BUILTIN_aabb, "aabb, bounds or obb");
  if (err || !list->span->count) return err;
  if (is_turned) {
    store->turned = pl_mem_calloc(list->span->count, sizeof *store->turned);
  } else {
    store->boxes = pl_mem_calloc(list->span->count, sizeof *store->boxes);
  }
  if (!store->turned && !store->boxes) return PL_ENOMEM;
  store->box_count = list->span->count;
  for (size_t i = 0; !err && i < store->box_count; i++) {
    err = is_turned ? read_turned(store, list, i) : read_box(store, list, is_centered, i);
  }
  return err;
}

static int read_triangles(struct pl_query_store *store, const struct list *list) {
  int err = check_list(list, pl_query_type(list->span->layout) == PL_BUILTIN_triangle, "triangle");
  if (err || !list->span->count) return err;
  store->triangles = pl_mem_calloc(list->span->count, sizeof *store->triangles);
  if (!store->triangles) return PL_ENOMEM;
  store->triangle_count = list->span->count;
  for (size_t i = 0; !err && i < store->triangle_count; i++) {
    err = read_floats(list, i, store->triangles[i], TRIANGLE_FLOATS);
  }
  return err;
}

static int read_planes(struct pl_query_store *store, const struct list *list) {
  int err = check_list(list, pl_query_type(list->span->layout) == PL_BUILTIN_plane, "plane");
  if (err || !list->span->count) return err;
  store->planes = pl_mem_calloc(list->span->count, sizeof *store->planes);
  if (!store->planes) return PL_ENOMEM;
  store->plane_count = list->span->count;
  for (size_t i = 0; !err && i < store->plane_count; i++) {
    float v[PLANE_FLOATS];
    err = read_floats(list, i, v, PLANE_FLOATS);
    if (!err && v[0] == 0 && v[1] == 0 && v[2] == 0) err = refuse(list, i, "has no normal");
    if (!err) store->planes[i] = (struct pl_query_plane){{v[0], v[1], v[2]}, v[3]};
  }
  return err;
}

int pl_query_store_init(struct pl_query_store *store, const struct pl_scene_shapes *shapes,
                        char problem[PL_QUERY_PROBLEM_MAX]) {
  int err = read_spheres(store, &(struct list){"spheres", &shapes->spheres, problem});
  if (!err) err = read_boxes(store, &(struct list){"boxes", &shapes->boxes, problem});
  if (!err) err = read_triangles(store, &(struct list){"triangles", &shapes->triangles, problem});
  if (!err) err = read_planes(store, &(struct list){"planes", &shapes->planes, problem});
  return err;
}

void pl_query_store_deinit(struct pl_query_store *store) {
  pl_query_spheres_deinit(&store->spheres);
  pl_mem_free(store->boxes);
  pl_mem_free(store->turned);
  pl_mem_free(store->triangles);
  pl_mem_free(store->planes);
}

size_t pl_query_store_bytes(const struct pl_query_store *store) {
  return pl_query_spheres_bytes(&store->spheres) +
         store->box_count * (store->turned ? sizeof *store->turned : sizeof *store->boxes) +
         store->triangle_count * sizeof *store->triangles +
         store->plane_count * sizeof *store->planes;
}

size_t pl_query_store_count(const struct pl_query_store *store, enum pl_scene_list list) {
  switch (list) {
  case PL_SCENE_SPHERES:
    return store->spheres.count;
  case PL_SCENE_BOXES:
    return store->box_count;
  case PL_SCENE_TRIANGLES:
    return store->triangle_count;
  case PL_SCENE_PLANES:
    return store->plane_count;
  default:
    return 0;
  }
}

static struct pl_query_box box_at(const struct pl_query_store *store, size_t place) {
  if (store->turned) return store->turned[place];
  const double *v = store->boxes[place];
  return (struct pl_query_box){.min = {v[0], v[1], v[2]}, .max = {v[3], v[4], v[5]}};
}

static struct pl_query_triangle triangle_at(const struct pl_query_store *store, size_t place) {
  const float *v = store->triangles[place];
  return (struct pl_query_triangle){{v[0], v[1], v[2]}, {v[3], v[4], v[5]}, {v[6], v[7], v[8]}};
}

void pl_query_store_bounds(const struct pl_query_store *store, enum pl_scene_list list,
                           size_t place, double bounds[6]) {
  if (list == PL_SCENE_SPHERES) {
    struct pl_query_sphere sphere = pl_query_spheres_get(&store->spheres, place);
    pl_query_sphere_bounds(&sphere, bounds);
  } else if (list == PL_SCENE_BOXES) {
    struct pl_query_box box = box_at(store, place);
    pl_query_box_bounds(&box, bounds);
  } else {
    struct pl_query_triangle triangle = triangle_at(store, place);
    pl_query_triangle_bounds(&triangle, bounds);
  }
}

bool pl_query_store_hit(const struct pl_query_store *store, enum pl_scene_list list, size_t place,
                        const struct pl_query_ray *ray, struct pl_query_touch *touch) {
  if (list == PL_SCENE_SPHERES) {
    struct pl_query_sphere sphere = pl_query_spheres_get(&store->spheres, place);
    return pl_query_hit_sphere(ray, &sphere, touch);
  }
  if (list == PL_SCENE_BOXES) {
    double lo, hi;
    if (store->turned) return pl_query_hit_box(ray, &store->turned[place], touch);
    if (!pl_query_ray_box(ray, store->boxes[place], &lo, &hi)) return false;  // most end here
    struct pl_query_box box = box_at(store, place);
    return pl_query_hit_box(ray, &box, touch);
  }
  if (list == PL_SCENE_TRIANGLES) {
    struct pl_query_triangle triangle = triangle_at(store, place);
    return pl_query_hit_triangle(ray, &triangle, touch);
  }
  return pl_query_hit_plane(ray, &store->planes[place], touch);
}

void pl_query_store_normal(const struct pl_query_store *store, enum pl_scene_list list,
                           size_t place, const struct pl_query_ray *ray,
                           const struct pl_query_touch *touch, double normal[3]) {
  if (list == PL_SCENE_SPHERES) {
    struct pl_query_sphere sphere = pl_query_spheres_get(&store->spheres, place);
    pl_query_normal_sphere(ray, &sphere, touch, normal);
  } else if (list == PL_SCENE_BOXES) {
    struct pl_query_box box = box_at(store, place);
    pl_query_normal_box(&box, touch, normal);
  } else if (list == PL_SCENE_TRIANGLES) {
    struct pl_query_triangle triangle = triangle_at(store, place);
    pl_query_normal_triangle(&triangle, normal);
  } else {
    pl_query_normal_plane(&store->planes[place], normal);
  }
}
