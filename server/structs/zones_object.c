// A polygon is one zone; both are read from tables of the same shape.
#include "structs/zones_object.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "geometry/feed.h"
#include "geometry/query_zones.h"
#include "structs/box.h"
#include "structs/memory.h"
#include "structs/offload.h"
#include "structs/query_call.h"
#include "structs/query_object.h"

enum { LABEL_MAX = 80 };

static const enum pl_builtin points_of[] = {PL_BUILTIN_dvec2, PL_BUILTIN_vec2, PL_BUILTIN_NONE};

static void *ref_zones(void *zones) {
  return pl_zones_ref(zones);
}

static void unref_zones(void *zones) {
  pl_zones_unref(zones);
}

static size_t bytes_of_zones(const void *zones) {
  return pl_zones_bytes(zones);
}

static const struct pl_query_kind zones_kind = {
    .type = "perilune.Zones", .ref = ref_zones, .unref = unref_zones, .bytes = bytes_of_zones};
static const struct pl_query_kind polygon_kind = {
    .type = "perilune.Polygon", .ref = ref_zones, .unref = unref_zones, .bytes = bytes_of_zones};

// ---- reading tables ----

// stack: ..., a list or an array of points. Keeps an array of them in the table at `anchors`.
static void take_ring(lua_State *L, int anchors, const char *what) {
  if (!lua_istable(L, -1) && lua_type(L, -1) != LUA_TUSERDATA)
    luaL_error(L, "%s: a list or an array of points is expected, not %s", what,
               luaL_typename(L, -1));
  pl_query_call_want(L, -1, what, points_of);
  lua_rawseti(L, anchors, (lua_Integer)lua_rawlen(L, anchors) + 1);
}

// Memory that goes with the stack.
static void *push_memory(lua_State *L, size_t count, size_t size) {
  if (count > SIZE_MAX / size / 2) luaL_error(L, "not enough memory");
  void *memory = lua_newuserdatauv(L, count * size + 1, 0);
  memset(memory, 0, count * size + 1);
  return memory;
}

// @param label "zones[3]"
static void read_holes(lua_State *L, int zone, int anchors, const char *label,
                       struct pl_polygon_rings *rings) {
  char what[LABEL_MAX];
  if (lua_getfield(L, zone, "holes") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  if (!lua_istable(L, -1)) luaL_error(L, "%s.holes: a list of rings is expected", label);
  rings->hole_count = lua_rawlen(L, -1);
  for (size_t i = 0; i < rings->hole_count; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    snprintf(what, sizeof what, "%.40s.holes[%zu]", label, i + 1);
    take_ring(L, anchors, what);
  }
  lua_pop(L, 1);
}

static void check_keys(lua_State *L, int zone, const char *label) {
  static const char *const known[] = {"id", "ring", "holes"};
  for (lua_pushnil(L); lua_next(L, zone); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
    bool is_known = false;
    for (size_t i = 0; i < PL_ARRAY_LEN(known); i++) is_known |= strcmp(known[i], key) == 0;
    if (!is_known) luaL_error(L, "%s: unknown key '%s': id, ring and holes are known", label, key);
  }
}

static void read_rings(lua_State *L, int zone, int anchors, const char *label,
                       struct pl_polygon_rings *rings) {
  char what[LABEL_MAX];
  check_keys(L, zone, label);
  lua_getfield(L, zone, "ring");
  snprintf(what, sizeof what, "%.40s.ring", label);
  take_ring(L, anchors, what);
  read_holes(L, zone, anchors, label, rings);
}

static uint32_t read_id(lua_State *L, int zone, size_t place) {
  lua_getfield(L, zone, "id");
  lua_Integer id = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
  if (id < 1 || id > UINT32_MAX)
    luaL_error(L, "zones[%d].id: an integer from 1 to 4294967295 is expected, not %s", (int)place,
               luaL_tolstring(L, -1, NULL));
  lua_pop(L, 1);
  return (uint32_t)id;
}

// ---- making ----

static struct pl_span ring_at(lua_State *L, int anchors, size_t i) {
  struct pl_operand o;
  lua_rawgeti(L, anchors, (lua_Integer)i);
  pl_query_call_see(L, -1, &o);
  lua_pop(L, 1);
  return o.span;
}

struct build_work {
  struct pl_work work;
  const struct pl_zone_spec *specs;
  size_t count;
  struct pl_zones *zones;
  const struct pl_query_kind *kind;
  int object;  // on the stack
  int rc;
  char problem[PL_QUERY_PROBLEM_MAX];
};

static size_t count_bytes(lua_State *L, int anchors, size_t *points) {
  size_t rings = lua_rawlen(L, anchors), bytes = 0;
  for (size_t i = 1; i <= rings; i++) {
    struct pl_span ring = ring_at(L, anchors, i);
    bytes += ring.count * ring.layout->size;
    *points += ring.count;
  }
  return bytes;
}

// Copies the points of ring i to *to, and moves that behind them.
static struct pl_span copy_ring(lua_State *L, int anchors, size_t i, char **to) {
  struct pl_span ring = ring_at(L, anchors, i);
  pl_feed_gather(*to, &ring, 0, ring.count);
  ring.data = *to;
  ring.stride = ring.layout->size;
  ring.column = 0;
  *to += ring.count * ring.stride;
  return ring;
}

// Whatever building needs in one block, on top of the stack, since it may happen on another thread:
// the specs, the holes' spans, and all points in the order of the anchors.
static struct pl_box *push_gathered(lua_State *L, int anchors, const struct pl_zone_spec *specs,
                                    size_t count, size_t bytes) {
  size_t next = 1, head = count * sizeof *specs, holes = lua_rawlen(L, anchors) - count;
  size_t size = head + holes * sizeof(struct pl_span) + bytes;
  struct pl_box *box = pl_box_push(L, pl_memory_take(L, size, 1, "bytes of zones"));
  struct pl_zone_spec *own = (void *)box->data;
  struct pl_span *hole = (void *)(box->data + head);
  char *points = (char *)(hole + holes);
  if (count) memcpy(own, specs, head);
  for (size_t i = 0; i < count; i++) {
    struct pl_polygon_rings *rings = &own[i].rings;
    rings->ring = copy_ring(L, anchors, next++, &points);
    rings->holes = hole;
    for (size_t k = 0; k < rings->hole_count; k++) *hole++ = copy_ring(L, anchors, next++, &points);
  }
  return box;
}

static void build(struct pl_work *work, size_t first, size_t count) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  (void)first, (void)count;
  w->rc = pl_zones_new(w->specs, w->count, &w->zones, w->problem);
}

static void drop_build(struct pl_work *work) {
  pl_zones_unref(PL_CONTAINER_OF(work, struct build_work, work)->zones);
}

static int finish_build(lua_State *L, struct pl_work *work) {
  struct build_work *w = PL_CONTAINER_OF(work, struct build_work, work);
  if (w->rc == PL_ENOMEM) return luaL_error(L, "not enough memory");
  if (w->rc) return luaL_error(L, "%s", w->problem);
  pl_query_object_set(L, w->object, w->kind, w->zones);
  lua_settop(L, w->object);
  return 1;
}

static int make(lua_State *L, const struct pl_query_kind *kind, int anchors,
                const struct pl_zone_spec *specs, size_t count) {
  enum { LONG_POINTS = 5000 };
  size_t points = 0;
  pl_query_object_push(L, kind);
  int object = lua_gettop(L);
  size_t bytes = count_bytes(L, anchors, &points);
  struct pl_box *box = push_gathered(L, anchors, specs, count, bytes);
  // It cannot be cut: one piece does all of it.
  struct build_work w = {.work = {.name = "geometry.zones",
                                  .size = sizeof w,
                                  .count = 1,
                                  .rate = points > LONG_POINTS ? 0 : 1,
                                  .bytes = {box->bytes},
                                  .run = build,
                                  .drop = drop_build,
                                  .finish = finish_build},
                         .specs = (void *)box->data,
                         .count = count,
                         .kind = kind,
                         .object = object};
  return pl_offload(L, &w.work);
}

int pl_zones_object_new(lua_State *L) {
  enum { LIST = 1, ANCHORS, SPECS, ZONE };
  char label[LABEL_MAX];
  luaL_checktype(L, LIST, LUA_TTABLE);
  lua_settop(L, LIST);
  size_t count = lua_rawlen(L, LIST);
  lua_newtable(L);
  struct pl_zone_spec *specs = push_memory(L, count, sizeof *specs);
  for (size_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, LIST, (lua_Integer)i + 1) != LUA_TTABLE)
      return luaL_error(L, "zones[%d]: a table {id = , ring = } is expected", (int)i + 1);
    specs[i].id = read_id(L, ZONE, i + 1);
    snprintf(label, sizeof label, "zones[%zu]", i + 1);
    read_rings(L, ZONE, ANCHORS, label, &specs[i].rings);
    lua_settop(L, SPECS);
  }
  return make(L, &zones_kind, ANCHORS, specs, count);
}

int pl_polygon_object_new(lua_State *L) {
  enum { POLYGON = 1, ANCHORS };
  struct pl_zone_spec spec = {.id = 1};
  luaL_checktype(L, POLYGON, LUA_TTABLE);
  lua_settop(L, POLYGON);
  lua_newtable(L);
  read_rings(L, POLYGON, ANCHORS, "polygon", &spec.rings);
  return make(L, &polygon_kind, ANCHORS, &spec, 1);
}

// ---- queries ----

struct locate_work {
  struct pl_work work;
  struct pl_zones *zones;
  bool is_held;  // zones is a reference of its own
  bool is_mask;  // 1 or 0 into u8, instead of ids into u32
  struct pl_span points;
  struct pl_span dst;
  struct pl_query_dst result;
};

enum { MASK_BLOCK = 512 };

// A polygon's zone has the id 1: the ids are its mask.
static void run_mask(const struct locate_work *w, size_t first, size_t count) {
  uint32_t ids[MASK_BLOCK];
  while (count > 0) {
    size_t n = count < MASK_BLOCK ? count : MASK_BLOCK;
    struct pl_span block = {.data = (char *)ids,
                            .count = n,
                            .stride = sizeof ids[0],
                            .layout = pl_layout_scalar(PL_SCALAR_U32)};
    struct pl_span points = w->points;
    points.data += first * points.stride;
    points.count = n;
    pl_zones_locate(w->zones, &block, &points, 0, n);
    for (size_t i = 0; i < n; i++) *pl_span_at(&w->dst, first + i) = ids[i] != 0;
    first += n;
    count -= n;
  }
}

static void run_locate(struct pl_work *work, size_t first, size_t count) {
  struct locate_work *w = PL_CONTAINER_OF(work, struct locate_work, work);
  if (w->is_mask)
    run_mask(w, first, count);
  else
    pl_zones_locate(w->zones, &w->dst, &w->points, first, count);
}

static void hold_zones(struct pl_work *work) {
  struct locate_work *w = PL_CONTAINER_OF(work, struct locate_work, work);
  pl_zones_ref(w->zones);
  w->is_held = true;
}

static void drop_zones(struct pl_work *work) {
  struct locate_work *w = PL_CONTAINER_OF(work, struct locate_work, work);
  if (w->is_held) pl_zones_unref(w->zones);
}

static int finish_locate(lua_State *L, struct pl_work *work) {
  struct locate_work *w = PL_CONTAINER_OF(work, struct locate_work, work);
  drop_zones(work);
  pl_query_call_done(L, &w->result);
  lua_settop(L, 3);
  return 1;
}

// stack: two operands in any order, dst
static int call_locate(lua_State *L, const char *name, struct pl_zones *zones, int points_index,
                       enum pl_scalar result) {
  struct pl_operand points, dst;
  lua_settop(L, 3);
  const int used[] = {points_index, 0};
  pl_query_call_want(L, points_index, NULL, points_of);
  pl_query_call_see(L, points_index, &points);
  struct pl_query_dst to =
      pl_query_call_dst(L, 3, pl_layout_scalar(result), points.span.count, used);
  pl_query_call_see(L, points_index, &points);
  pl_query_call_see(L, to.written, &dst);
  struct locate_work w = {.work = {.name = name,
                                   .size = sizeof w,
                                   .count = points.span.count,
                                   .rate = pl_zones_rate(zones),
                                   .bytes = {points.box->bytes, dst.box->bytes},
                                   .run = run_locate,
                                   .hold = hold_zones,
                                   .drop = drop_zones,
                                   .finish = finish_locate},
                          .zones = zones,
                          .is_mask = result == PL_SCALAR_U8,
                          .points = points.span,
                          .dst = dst.span,
                          .result = to};
  pl_query_call_pin(L, &w.result, &w.work.bytes[2]);
  return pl_offload(L, &w.work);
}

/* zones:locate(points [, dst]) -> u32[] of ids */
static int zones_locate(lua_State *L) {
  struct pl_zones *zones = pl_query_object_check(L, 1, &zones_kind);
  return call_locate(L, "zones.locate", zones, 2, PL_SCALAR_U32);
}

/* polygon:contains(points [, dst]) -> mask */
static int polygon_contains(lua_State *L) {
  struct pl_zones *zones = pl_query_object_check(L, 1, &polygon_kind);
  return call_locate(L, "polygon.contains", zones, 2, PL_SCALAR_U8);
}

bool pl_polygon_object_is(lua_State *L, int index) {
  return pl_query_object_get(L, index, &polygon_kind) != NULL;
}

int pl_polygon_object_inside(lua_State *L) {
  struct pl_zones *zones = pl_query_object_check(L, 2, &polygon_kind);
  return call_locate(L, "points.inside", zones, 1, PL_SCALAR_U8);
}

static const luaL_Reg zones_methods[] = {{"locate", zones_locate}, {NULL, NULL}};
static const luaL_Reg polygon_methods[] = {{"contains", polygon_contains}, {NULL, NULL}};

void pl_zones_object_open(lua_State *L) {
  pl_query_object_open(L, &zones_kind, zones_methods);
  pl_query_object_open(L, &polygon_kind, polygon_methods);
}
