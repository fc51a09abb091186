// Few shapes are simply all tested, spheres several at once; from some number on a tree says which.
// Both call the same functions for a shape (query_shape.h) and keep the least hit by the same
// order, so that they answer alike; the unit test compares them bit for bit.
#include "geometry/query_scene.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "geometry/query_bvh.h"

// Where a tree becomes faster than the loop, for shapes that fill a tenth of a cube: at about 16
// boxes or triangles, or at 768 spheres, of which the loop does several at once
// (tests/bench/micro/rays.c --sizes).
enum { TREE_FROM = 16, SPHERES_PER_SHAPE = 48 };

struct pl_scene {
  _Atomic uint32_t refs;
  struct pl_query_store store;
  struct pl_bvh *tree;  // over spheres, boxes, triangles; NULL: none
};

// A shape's name in the tree: its list in the upper bits, its place from 0 in the others.
enum { LIST_SHIFT = 29 };
_Static_assert((uint64_t)PL_SCENE_LISTS << LIST_SHIFT <= UINT32_MAX, "names fit into 32 bits");
_Static_assert(PL_SCENE_SHAPES_MAX <= (size_t)1 << LIST_SHIFT, "a place fits below the list");

static size_t add_items(const struct pl_query_store *store, enum pl_scene_list list,
                        struct pl_bvh_item *items) {
  size_t count = pl_query_store_count(store, list);
  for (size_t i = 0; i < count; i++) {
    double bounds[6];
    pl_query_store_bounds(store, list, i, bounds);
    items[i] = pl_bvh_item_make(bounds, (uint32_t)list << LIST_SHIFT | (uint32_t)i);
  }
  return count;
}

static int plant_tree(struct pl_scene *scene) {
  const struct pl_query_store *store = &scene->store;
  size_t count = store->spheres.count + store->box_count + store->triangle_count, n = 0;
  if (!count) return 0;
  struct pl_bvh_item *items = pl_mem_calloc(count, sizeof *items);
  if (!items) return PL_ENOMEM;
  n += add_items(store, PL_SCENE_SPHERES, items + n);
  n += add_items(store, PL_SCENE_BOXES, items + n);
  n += add_items(store, PL_SCENE_TRIANGLES, items + n);
  scene->tree = pl_bvh_new(items, n);
  pl_mem_free(items);
  return scene->tree ? 0 : PL_ENOMEM;
}

static bool wants_tree(const struct pl_query_store *store, enum pl_scene_search search) {
  if (search != PL_SCENE_AUTO) return search == PL_SCENE_TREE;
  return store->spheres.count / SPHERES_PER_SHAPE + store->box_count + store->triangle_count >=
         TREE_FROM;
}

int pl_scene_new(const struct pl_scene_shapes *shapes, struct pl_scene **scene,
                 char problem[PL_QUERY_PROBLEM_MAX]) {
  struct pl_scene *made = pl_mem_zalloc(sizeof *made);
  if (!made) return PL_ENOMEM;
  atomic_init(&made->refs, 1);
  int err = pl_query_store_init(&made->store, shapes, problem);
  if (!err && wants_tree(&made->store, shapes->search)) err = plant_tree(made);
  if (err) {
    pl_scene_unref(made);
    return err;
  }
  *scene = made;
  return 0;
}

struct pl_scene *pl_scene_ref(struct pl_scene *scene) {
  atomic_fetch_add_explicit(&scene->refs, 1, memory_order_relaxed);
  return scene;
}

void pl_scene_unref(struct pl_scene *scene) {
  if (!scene || atomic_fetch_sub_explicit(&scene->refs, 1, memory_order_acq_rel) != 1) return;
  pl_bvh_free(scene->tree);
  pl_query_store_deinit(&scene->store);
  pl_mem_free(scene);
}

size_t pl_scene_bytes(const struct pl_scene *scene) {
  return sizeof *scene + pl_query_store_bytes(&scene->store) +
         (scene->tree ? pl_bvh_bytes(scene->tree) : 0);
}

bool pl_scene_takes(const struct pl_layout *layout) {
  enum pl_builtin type = pl_query_type(layout);
  return type == PL_BUILTIN_ray || type == PL_BUILTIN_segment;
}

// Half of what was measured, or less, on a core of 2020.
size_t pl_scene_rate(const struct pl_scene *scene) {
  const struct pl_query_store *store = &scene->store;
  size_t work = 20 + 4 * store->plane_count;
  if (scene->tree) {
    work += 500;
  } else {
    work += store->spheres.count / 4 + 8 * (store->box_count + store->triangle_count);
  }
  return 100000 / work + 1;
}

// The search for one query's hit: what it has found so far.
struct search {
  const struct pl_scene *scene;
  const struct pl_query_ray *ray;
  struct pl_query_touch touch;
  float limit;          // t as it is returned; before the first hit, the ray's end
  uint32_t list, prim;  // prim from 1; 0: no hit yet
  bool is_any_enough;
};

// Returns: whether the search may end.
static bool test_shape(struct search *search, uint32_t list, uint32_t place) {
  struct pl_query_touch touch;
  if (!pl_query_store_hit(&search->scene->store, list, place, search->ray, &touch)) return false;
  float t = (float)touch.t;
  if (!(t <= search->limit)) return false;
  if (search->prim && t == search->limit &&
      (list > search->list || (list == search->list && place + 1 > search->prim))) {
    return false;
  }
  search->touch = touch;
  search->limit = t;
  search->list = list;
  search->prim = place + 1;
  return search->is_any_enough;
}

static bool visit_shape(void *ctx, uint32_t name) {
  return test_shape(ctx, name >> LIST_SHIFT, name & ((1u << LIST_SHIFT) - 1));
}

static bool loop_spheres(struct search *search) {
  const struct pl_query_spheres *spheres = &search->scene->store.spheres;
  uint32_t found[PL_QUERY_SPHERES_CHUNK];
  for (size_t first = 0; first < spheres->count; first += PL_QUERY_SPHERES_CHUNK) {
    size_t count = pl_query_spheres_find(spheres, search->ray, first, found);
    for (size_t i = 0; i < count; i++) {
      if (test_shape(search, PL_SCENE_SPHERES, found[i])) return true;
    }
  }
  return false;
}

static bool loop_list(struct search *search, enum pl_scene_list list) {
  size_t count = pl_query_store_count(&search->scene->store, list);
  for (size_t i = 0; i < count; i++) {
    if (test_shape(search, list, (uint32_t)i)) return true;
  }
  return false;
}

static void find_hit(struct search *search) {
  if (loop_list(search, PL_SCENE_PLANES)) return;
  if (search->scene->tree) {
    pl_bvh_walk(search->scene->tree, search->ray, &search->limit, visit_shape, search);
    return;
  }
  if (loop_spheres(search) || loop_list(search, PL_SCENE_BOXES)) return;
  loop_list(search, PL_SCENE_TRIANGLES);
}

// Returns: false: a query that hits nothing.
static bool read_query(const struct pl_span *queries, bool is_segment, size_t i,
                       struct pl_query_ray *ray) {
  double v[6];
  pl_query_widened(queries, i, v, 6);
  if (is_segment) {
    for (int k = 0; k < 3; k++) v[k + 3] -= v[k];
  }
  return pl_query_ray_make(ray, v, v + 3, is_segment ? 1 : FLT_MAX);
}

// One hit as it lies in memory, in the order of types.def.
struct hit {
  float t, u, v;
  uint32_t prim, inst;
  float normal[3];
};
_Static_assert(sizeof(struct hit) == 32, "hit has no padding");

// + 0 makes 0 of -0: a hit's bytes are the same for equal numbers.
static void fill_hit(const struct search *search, struct hit *hit) {
  double normal[3];
  pl_query_store_normal(&search->scene->store, search->list, search->prim - 1, search->ray,
                        &search->touch, normal);
  hit->t = search->limit + 0.0F;
  hit->u = (float)search->touch.u + 0.0F;
  hit->v = (float)search->touch.v + 0.0F;
  hit->prim = search->prim;
  hit->inst = search->list;
  for (int k = 0; k < 3; k++) hit->normal[k] = (float)normal[k] + 0.0F;
}

static void store_hit(const struct pl_span *dst, size_t i, const struct hit *hit) {
  char *at = pl_span_at(dst, i);
  if (!dst->column) {
    memcpy(at, hit, sizeof *hit);
    return;
  }
  for (size_t j = 0; j < sizeof *hit / 4; j++) {
    memcpy(at + j * dst->column, (const char *)hit + 4 * j, 4);
  }
}

void pl_scene_intersect(const struct pl_scene *scene, const struct pl_span *dst,
                        const struct pl_span *queries, size_t first, size_t count) {
  bool is_segment = pl_query_type(queries->layout) == PL_BUILTIN_segment;
  for (size_t i = first; i < first + count; i++) {
    struct pl_query_ray ray;
    struct search search = {.scene = scene, .ray = &ray};
    struct hit hit = {.t = INFINITY};
    if (read_query(queries, is_segment, i, &ray)) {
      search.limit = ray.t_max;
      find_hit(&search);
      if (search.prim) fill_hit(&search, &hit);
    }
    store_hit(dst, i, &hit);
  }
}

void pl_scene_occluded(const struct pl_scene *scene, const struct pl_span *dst,
                       const struct pl_span *queries, size_t first, size_t count) {
  bool is_segment = pl_query_type(queries->layout) == PL_BUILTIN_segment;
  for (size_t i = first; i < first + count; i++) {
    struct pl_query_ray ray;
    struct search search = {.scene = scene, .ray = &ray, .is_any_enough = true};
    if (read_query(queries, is_segment, i, &ray)) {
      search.limit = ray.t_max;
      find_hit(&search);
    }
    *pl_span_at(dst, i) = search.prim != 0;
  }
}
