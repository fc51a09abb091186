// Zones, polygons, indices of points and scenes are built on the thread pool when that takes long.
#include "structs/query_object.h"

#include "snippet.h"

#include "io/loop.h"
#include "structs/nearest_object.h"
#include "structs/scene_object.h"
#include "structs/zones_object.h"

struct pool {
  struct snippet snippet;
  struct pl_loop loop;
};

static void open_pool(struct pool *p) {
  assert_int_equal(pl_loop_init(&p->loop, NULL, NULL), 0);
  snippet_open(&p->snippet, &p->loop);
  lua_State *L = p->snippet.fake.vm.L;
  lua_register(L, "zones", pl_zones_object_new);
  lua_register(L, "polygon", pl_polygon_object_new);
  lua_register(L, "nearest", pl_nearest_object_new);
  lua_register(L, "scene", pl_scene_object_new);
}

static void close_pool(struct pool *p) {
  uv_run(&p->loop.uv, UV_RUN_DEFAULT);
  pl_buf_clear(&p->snippet.fake.text);
  snippet_close(&p->snippet);
  assert_int_equal(pl_loop_deinit(&p->loop), 0);
}

static void finish_tasks(struct pool *p) {
  struct fake *f = &p->snippet.fake;
  fake_run_ready(f);
  while (f->vm.live_tasks > 0) {
    uv_run(&p->loop.uv, UV_RUN_ONCE);
    fake_run_ready(f);
  }
}

/// A circle of n points about (0, 0), and lists of n spheres and points.
#define CIRCLE                                                                 \
  "local function circle(T, n, r)\n"                                           \
  "  local a = T.array(n)\n"                                                   \
  "  for i = 1, n do local w = i * 2 * math.pi / n\n"                          \
  "    a:set(i, r * math.cos(w), r * math.sin(w)) end\n"                       \
  "  return a\n"                                                               \
  "end\n"                                                                      \
  "local function at(n) return {{0, n}, {1, n}, {1, n + 1}, {0, n + 1}} end\n" \
  "local n = 20000\n"

static const char *const builds[] = {
    CIRCLE "local z = zones{{id = 7, ring = circle(dvec2, n, 10), holes = {circle(vec2, n, 5),\n"
           "  at(-9)}}, {id = 8, ring = at(0)}}\n"
           "log(table.concat(z:locate{{0, 7}, {0.5, 0.5}, {0.5, -8.5}, {11, 0}}:totable(), ' '))",
    CIRCLE "local p = polygon{ring = circle(dvec2, n, 10), holes = {circle(vec2, n, 5)}}\n"
           "log(table.concat(p:contains{{0, 7}, {0, 0}}:totable(), ' '))",
    CIRCLE "local a = circle(dvec2, n, 10)\n"
           "log(nearest(a):nearest(a:slice(77, 77))[1])",
    CIRCLE "local s = sphere.array(n)\n"
           "for i = 1, n do s:set(i, i, 0, 0, 0.25) end\n"
           "log(scene{spheres = s}:intersect{{{500, -9, 0}, {0, 1, 0}}}[1].prim)",
};
static const char *const results[] = {"7 8 0 0\ndone\n", "1 0\ndone\n", "77\ndone\n",
                                      "500\ndone\n"};

static void they_are_built_on_the_pool(void **state) {
  (void)state;
  for (size_t i = 0; i < PL_ARRAY_LEN(builds); i++) {
    struct pool p;
    open_pool(&p);
    fake_start(&p.snippet.fake, builds[i]);
    assert_int_equal(p.snippet.fake.vm.live_tasks, 1);  // it waits
    fake_expect(&p.snippet.fake, "");
    finish_tasks(&p);
    fake_expect(&p.snippet.fake, results[i]);
    close_pool(&p);
  }
}

static void a_cancelled_build_leaves_nothing(void **state) {
  (void)state;
  for (size_t i = 0; i < PL_ARRAY_LEN(builds); i++) {
    struct pool p;
    open_pool(&p);
    struct pl_task *task = fake_start(&p.snippet.fake, builds[i]);
    pl_task_cancel(task, PL_CANCEL_CLIENT);
    fake_run_ready(&p.snippet.fake);
    assert_int_equal(p.snippet.fake.vm.live_tasks, 0);
    lua_gc(p.snippet.fake.vm.L, LUA_GCCOLLECT, 0);  // what it was given goes first
    close_pool(&p);
  }
}

// What is wrong with a ring is said by the thread that finds it, and raised where it was asked for.
static void mistakes_are_raised_where_they_were_made(void **state) {
  (void)state;
  struct pool p;
  open_pool(&p);
  fake_start(&p.snippet.fake,
             CIRCLE "local bad = circle(dvec2, n, 10) bad[3].x = 0 / 0\n"
                    "log(select(2, pcall(zones, {{id = 1, ring = at(0)}, {id = 2, ring = bad}})))\n"
                    "log(select(2, pcall(polygon, {ring = at(0), holes = {bad}})))\n"
                    "log(select(2, pcall(zones, {{id = 1, ring = {{0, 0}, {1, 1}}}})))\n"
                    "log(#zones{}:locate{{0, 0}})");
  finish_tasks(&p);
  fake_expect(&p.snippet.fake, "zones[2].ring[3] is not finite\n"
                               "zones[1].holes[1][3] is not finite\n"
                               "zones[1].ring has fewer than 3 distinct points\n"
                               "1\n"
                               "done\n");
  close_pool(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(they_are_built_on_the_pool),
      cmocka_unit_test(a_cancelled_build_leaves_nothing),
      cmocka_unit_test(mistakes_are_raised_where_they_were_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
