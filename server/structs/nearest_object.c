// One call does both: it makes the index where none is kept, as its first step.
#include "structs/nearest_object.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "geometry/query_nearest.h"
#include "geometry/query_span.h"
#include "structs/array.h"
#include "structs/box.h"
#include "structs/offload.h"
#include "structs/query_call.h"
#include "structs/query_object.h"
#include "structs/type.h"

static const enum pl_builtin points_of[] = {PL_BUILTIN_vec3, PL_BUILTIN_vec2, PL_BUILTIN_dvec3,
                                            PL_BUILTIN_dvec2, PL_BUILTIN_NONE};

static void *ref_nearest(void *nearest) {
  return pl_nearest_ref(nearest);
}

static void unref_nearest(void *nearest) {
  pl_nearest_unref(nearest);
}

static size_t bytes_of_nearest(const void *nearest) {
  return pl_nearest_bytes(nearest);
}

static const struct pl_query_kind kind = {.type = "perilune.Nearest",
                                          .ref = ref_nearest,
                                          .unref = unref_nearest,
                                          .bytes = bytes_of_nearest};

// The stack of a call.
enum { SELF = 1, QUERIES, OPTIONS, INDICES, DISTANCES };

struct find_work {
  struct pl_work work;
  struct pl_nearest *nearest;  // NULL: it has to be made of `points`
  bool is_own;                 // nearest is a reference of the call's
  struct pl_span points;
  struct pl_nearest_query query;
  struct pl_span indices;
  struct pl_span distances;
  struct pl_query_dst to_indices;
  struct pl_query_dst to_distances;
  int rc;
  char problem[PL_QUERY_PROBLEM_MAX];
};

// ---- what runs, on any thread ----

static void make_index(struct find_work *w, size_t queries) {
  w->rc = pl_nearest_new(&w->points, queries, PL_NEAREST_AUTO, &w->nearest, w->problem);
  w->is_own = w->rc == 0;
}

static void run_find(struct pl_work *work, size_t first, size_t count) {
  struct find_work *w = PL_CONTAINER_OF(work, struct find_work, work);
  if (!w->nearest && w->rc == 0) make_index(w, work->count);
  if (w->rc == 0) pl_nearest_find(w->nearest, &w->query, &w->indices, &w->distances, first, count);
}

static void hold(struct pl_work *work) {
  struct find_work *w = PL_CONTAINER_OF(work, struct find_work, work);
  w->is_own = w->nearest != NULL;
  if (w->nearest) pl_nearest_ref(w->nearest);
}

static void drop(struct pl_work *work) {
  struct find_work *w = PL_CONTAINER_OF(work, struct find_work, work);
  if (w->is_own) pl_nearest_unref(w->nearest);
}

static int raise_problem(lua_State *L, int rc, const char *problem) {
  return luaL_error(L, "%s", rc == PL_ENOMEM ? "not enough memory" : problem);
}

static int finish_find(lua_State *L, struct pl_work *work) {
  struct find_work *w = PL_CONTAINER_OF(work, struct find_work, work);
  drop(work);
  if (w->rc) return raise_problem(L, w->rc, w->problem);
  pl_query_call_done(L, &w->to_indices);
  pl_query_call_done(L, &w->to_distances);
  lua_settop(L, DISTANCES);
  return 2;
}

// ---- options ----

static void check_options(lua_State *L) {
  static const char *const known[] = {"k", "radius", "dst", "distances"};
  for (lua_pushnil(L); lua_next(L, OPTIONS); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
    bool is_known = false;
    for (size_t i = 0; i < PL_ARRAY_LEN(known); i++) is_known |= strcmp(known[i], key) == 0;
    if (!is_known)
      luaL_error(L, "nearest: unknown option '%s': k, radius, dst and distances are known", key);
  }
}

static void read_options(lua_State *L, struct pl_nearest_query *query) {
  *query = (struct pl_nearest_query){.k = 1, .radius = INFINITY};
  if (lua_isnil(L, OPTIONS)) return;
  luaL_checktype(L, OPTIONS, LUA_TTABLE);
  check_options(L);
  if (lua_getfield(L, OPTIONS, "k") != LUA_TNIL) {
    lua_Integer k = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (k < 1 || k > PL_NEAREST_K_MAX)
      luaL_error(L, "k: an integer from 1 to %d is expected, not %s", PL_NEAREST_K_MAX,
                 luaL_tolstring(L, -1, NULL));
    query->k = (unsigned)k;
  }
  if (lua_getfield(L, OPTIONS, "radius") != LUA_TNIL) {
    query->radius = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
    if (!(query->radius >= 0))
      luaL_error(L, "radius: a number of at least 0 is expected, not %s",
                 luaL_tolstring(L, -1, NULL));
  }
  lua_pop(L, 2);
}

// Pushes the array that the option names, or nil.
static void push_option(lua_State *L, const char *name) {
  if (lua_isnil(L, OPTIONS))
    lua_pushnil(L);
  else
    lua_getfield(L, OPTIONS, name);
}

// ---- calls ----

// Arrays at SELF, unless it is an index, and at QUERIES.
static void want_arrays(lua_State *L, struct find_work *w) {
  w->nearest = pl_query_object_get(L, SELF, &kind);
  if (!w->nearest) pl_query_call_want(L, SELF, NULL, points_of);
  if (w->nearest || !lua_istable(L, QUERIES)) {
    pl_query_call_want(L, QUERIES, NULL, points_of);
    return;
  }
  // A list of queries is made into what the points are.
  enum pl_builtin wanted[1 + PL_ARRAY_LEN(points_of)];
  wanted[0] = pl_query_type(pl_structs_meta(L, SELF)->type->layout);
  memcpy(wanted + 1, points_of, sizeof points_of);
  pl_query_call_want(L, QUERIES, NULL, wanted);
}

// Where they are. Behind the last allocation; before it for their counts and layouts alone.
static void see_arrays(lua_State *L, struct find_work *w) {
  struct pl_operand o;
  pl_query_call_see(L, QUERIES, &o);
  w->query.points = o.span;
  w->work.count = o.span.count;
  w->work.bytes[1] = o.box->bytes;
  if (w->nearest) return;
  pl_query_call_see(L, SELF, &o);
  w->points = o.span;
  w->work.bytes[0] = o.box->bytes;
}

static bool is_double(const struct pl_layout *layout) {
  return layout->part == PL_SCALAR_F64;
}

static void check_dimensions(lua_State *L, const struct find_work *w) {
  const struct pl_layout *queries = w->query.points.layout;
  bool fits = w->nearest ? pl_nearest_takes(w->nearest, queries)
                         : w->points.layout->part_count == queries->part_count;
  if (!fits)
    luaL_argerror(
        L, QUERIES,
        lua_pushfstring(L, "%s[] has not as many dimensions as the points", queries->name.data));
}

static void want_results(lua_State *L, struct find_work *w) {
  const int used[] = {QUERIES, SELF, 0}, used_then[] = {QUERIES, SELF, INDICES, 0};
  size_t count;
  if (__builtin_mul_overflow(w->work.count, (size_t)w->query.k, &count))
    luaL_error(L, "k times that many queries are too many");
  enum pl_scalar scalar = is_double(w->query.points.layout) ? PL_SCALAR_F64 : PL_SCALAR_F32;
  push_option(L, "dst");
  push_option(L, "distances");
  w->to_indices = pl_query_call_dst(L, INDICES, pl_layout_scalar(PL_SCALAR_U32), count, used);
  w->to_distances = pl_query_call_dst(L, DISTANCES, pl_layout_scalar(scalar), count, used_then);
}

static void see_results(lua_State *L, struct find_work *w) {
  struct pl_operand o;
  pl_query_call_see(L, w->to_indices.written, &o);
  w->indices = o.span;
  w->work.bytes[2] = o.box->bytes;
  pl_query_call_see(L, w->to_distances.written, &o);
  w->distances = o.span;
  w->work.bytes[3] = o.box->bytes;
  pl_query_call_pin(L, &w->to_indices, &w->work.bytes[4]);
  pl_query_call_pin(L, &w->to_distances, &w->work.bytes[5]);
}

int pl_nearest_object_call(lua_State *L) {
  enum { LOOP_RATE = 100000 };  // points that one query looks at in a millisecond, at least
  struct find_work w = {.work = {.name = "points.nearest",
                                 .size = sizeof w,
                                 .run = run_find,
                                 .hold = hold,
                                 .drop = drop,
                                 .finish = finish_find}};
  lua_settop(L, OPTIONS);
  want_arrays(L, &w);
  read_options(L, &w.query);
  see_arrays(L, &w);
  check_dimensions(L, &w);
  want_results(L, &w);
  see_arrays(L, &w);
  see_results(L, &w);
  w.work.rate =
      w.nearest ? pl_nearest_rate(w.nearest, w.query.k) : LOOP_RATE / (w.points.count + 1);
  return pl_offload(L, &w.work);
}

// ---- an index that is kept ----

struct build_work {
  struct pl_work work;
  struct pl_span points;
  struct pl_nearest *nearest;
  int rc;
  char problem[PL_QUERY_PROBLEM_MAX];
};

static void build(struct pl_work *work, size_t first, size_t count) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  (void)first, (void)count;
  w->rc = pl_nearest_new(&w->points, SIZE_MAX, PL_NEAREST_AUTO, &w->nearest, w->problem);
}

static void drop_build(struct pl_work *work) {
  pl_nearest_unref(PL_CONTAINER_OF(work, struct build_work, work)->nearest);
}

/* stack: the points, the object */
static int finish_build(lua_State *L, struct pl_work *work) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  if (w->rc) return raise_problem(L, w->rc, w->problem);
  pl_query_object_set(L, 2, &kind, w->nearest);
  return 1;
}

int pl_nearest_object_new(lua_State *L) {
  enum { LONG_POINTS = 5000 };
  struct pl_operand points;
  lua_settop(L, 1);
  pl_query_call_want(L, 1, NULL, points_of);
  pl_query_object_push(L, &kind);
  pl_query_call_see(L, 1, &points);
  // It cannot be cut: one piece does all of it.
  struct build_work w = {.work = {.name = "geometry.nearest",
                                  .size = sizeof w,
                                  .count = 1,
                                  .rate = points.span.count > LONG_POINTS ? 0 : 1,
                                  .bytes = {points.box->bytes},
                                  .run = build,
                                  .drop = drop_build,
                                  .finish = finish_build},
                         .points = points.span};
  return pl_offload(L, &w.work);
}

static const luaL_Reg methods[] = {{"nearest", pl_nearest_object_call}, {NULL, NULL}};

void pl_nearest_object_open(lua_State *L) {
  pl_query_object_open(L, &kind, methods);
}
