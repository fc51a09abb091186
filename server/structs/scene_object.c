// A scene is immutable: a query on the thread pool holds a reference of its own.
#include "structs/scene_object.h"

#include <lauxlib.h>
#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "geometry/query_scene.h"
#include "structs/box.h"
#include "structs/offload.h"
#include "structs/query_call.h"
#include "structs/query_object.h"

static void *ref_scene(void *scene) {
  return pl_scene_ref(scene);
}

static void unref_scene(void *scene) {
  pl_scene_unref(scene);
}

static size_t bytes_of_scene(const void *scene) {
  return pl_scene_bytes(scene);
}

static const struct pl_query_kind scenes = {
    .type = "perilune.Scene", .ref = ref_scene, .unref = unref_scene, .bytes = bytes_of_scene};

// ---- making ----

struct build_work {
  struct pl_work work;
  struct pl_scene_shapes shapes;
  struct pl_scene *scene;
  int rc;
  char problem[PL_QUERY_PROBLEM_MAX];
};

static const struct {
  const char *name;
  const char *label;  // for messages
  size_t offset;      // in struct pl_scene_shapes
  enum pl_builtin wanted[4];
} lists[] = {
    {"spheres", "scene: spheres", offsetof(struct pl_scene_shapes, spheres), {PL_BUILTIN_sphere}},
    {"boxes",
     "scene: boxes",
     offsetof(struct pl_scene_shapes, boxes),
     {PL_BUILTIN_aabb, PL_BUILTIN_bounds, PL_BUILTIN_obb}},
    {"triangles",
     "scene: triangles",
     offsetof(struct pl_scene_shapes, triangles),
     {PL_BUILTIN_triangle}},
    {"planes", "scene: planes", offsetof(struct pl_scene_shapes, planes), {PL_BUILTIN_plane}},
};

static void check_keys(lua_State *L) {
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
    struct pl_suggest nearest = pl_suggest_for(pl_strv_of(key));
    bool is_known = false;
    for (size_t i = 0; i < PL_ARRAY_LEN(lists); i++) {
      pl_suggest_offer(&nearest, lists[i].name);
      is_known |= strcmp(lists[i].name, key) == 0;
    }
    if (is_known) continue;
    if (nearest.best)
      luaL_error(L, "scene: unknown list '%s' (did you mean '%s'?)", key, nearest.best);
    luaL_error(L, "scene: unknown list '%s': spheres, boxes, triangles, planes are known", key);
  }
}

// stack: the lists, the object. Pushes the four arrays, or nils. Returns how many shapes.
static size_t take_lists(lua_State *L, struct build_work *w) {
  size_t count = 0;
  int first = lua_gettop(L) + 1;
  for (size_t i = 0; i < PL_ARRAY_LEN(lists); i++)
    if (lua_getfield(L, 1, lists[i].name) != LUA_TNIL)
      pl_query_call_want(L, -1, lists[i].label, lists[i].wanted);
  for (size_t i = 0; i < PL_ARRAY_LEN(lists); i++) {
    struct pl_operand o;
    if (lua_isnil(L, first + (int)i)) continue;
    pl_query_call_see(L, first + (int)i, &o);
    memcpy((char *)&w->shapes + lists[i].offset, &o.span, sizeof o.span);
    w->work.bytes[i] = o.box->bytes;
    count += o.span.count;
  }
  return count;
}

// Building cannot be cut: one piece does all of it.
static void build(struct pl_work *work, size_t first, size_t count) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  (void)first, (void)count;
  w->rc = pl_scene_new(&w->shapes, &w->scene, w->problem);
}

/* stack: the lists, the object, arrays */
static int finish_build(lua_State *L, struct pl_work *work) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  if (w->rc == PL_ENOMEM) return luaL_error(L, "not enough memory");
  if (w->rc) return luaL_error(L, "scene: %s", w->problem);
  pl_query_object_set(L, 2, &scenes, w->scene);
  lua_settop(L, 2);
  return 1;
}

static void drop_build(struct pl_work *work) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  pl_scene_unref(w->scene);
}

int pl_scene_object_new(lua_State *L) {
  enum { LONG_SHAPES = 5000 };
  struct build_work w = {.work = {.name = "geometry.scene",
                                  .size = sizeof w,
                                  .count = 1,
                                  .run = build,
                                  .drop = drop_build,
                                  .finish = finish_build}};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  check_keys(L);
  pl_query_object_push(L, &scenes);
  w.work.rate = take_lists(L, &w) > LONG_SHAPES ? 0 : 1;
  return pl_offload(L, &w.work);
}

// ---- queries ----

typedef void query_fn(const struct pl_scene *scene, const struct pl_span *dst,
                      const struct pl_span *queries, size_t first, size_t count);

struct query_work {
  struct pl_work work;
  struct pl_scene *scene;
  bool is_held;  // scene is a reference of its own
  struct pl_span queries;
  struct pl_span dst;
  struct pl_query_dst result;
  query_fn *query;
};

static void run_query(struct pl_work *work, size_t first, size_t count) {
  struct query_work *w = PL_CONTAINER_OF(work, struct query_work, work);
  w->query(w->scene, &w->dst, &w->queries, first, count);
}

static void hold_scene(struct pl_work *work) {
  struct query_work *w = PL_CONTAINER_OF(work, struct query_work, work);
  pl_scene_ref(w->scene);
  w->is_held = true;
}

static void drop_scene(struct pl_work *work) {
  struct query_work *w = PL_CONTAINER_OF(work, struct query_work, work);
  if (w->is_held) pl_scene_unref(w->scene);
}

static int finish_query(lua_State *L, struct pl_work *work) {
  struct query_work *w = PL_CONTAINER_OF(work, struct query_work, work);
  drop_scene(work);
  pl_query_call_done(L, &w->result);
  lua_settop(L, 3);
  return 1;
}

/* scene, queries, dst -> dst */
static int call_query(lua_State *L, const char *name, const struct pl_layout *result,
                      query_fn *query) {
  static const enum pl_builtin wanted[] = {PL_BUILTIN_ray, PL_BUILTIN_segment, PL_BUILTIN_NONE};
  struct pl_scene *scene = pl_query_object_check(L, 1, &scenes);
  static const int used[] = {2, 0};
  struct pl_operand queries, dst;
  lua_settop(L, 3);
  pl_query_call_want(L, 2, NULL, wanted);
  pl_query_call_see(L, 2, &queries);
  struct pl_query_dst to = pl_query_call_dst(L, 3, result, queries.span.count, used);
  pl_query_call_see(L, 2, &queries);
  pl_query_call_see(L, to.written, &dst);
  struct query_work w = {.work = {.name = name,
                                  .size = sizeof w,
                                  .count = queries.span.count,
                                  .rate = pl_scene_rate(scene),
                                  .bytes = {queries.box->bytes, dst.box->bytes},
                                  .run = run_query,
                                  .hold = hold_scene,
                                  .drop = drop_scene,
                                  .finish = finish_query},
                         .scene = scene,
                         .queries = queries.span,
                         .dst = dst.span,
                         .result = to,
                         .query = query};
  pl_query_call_pin(L, &w.result, &w.work.bytes[2]);
  return pl_offload(L, &w.work);
}

static int scene_intersect(lua_State *L) {
  return call_query(L, "scene.intersect", pl_layout_builtin(PL_BUILTIN_hit), pl_scene_intersect);
}

static int scene_occluded(lua_State *L) {
  return call_query(L, "scene.occluded", pl_layout_scalar(PL_SCALAR_U8), pl_scene_occluded);
}

static const luaL_Reg methods[] = {
    {"intersect", scene_intersect}, {"occluded", scene_occluded}, {NULL, NULL}};

void pl_scene_object_open(lua_State *L) {
  pl_query_object_open(L, &scenes, methods);
}
