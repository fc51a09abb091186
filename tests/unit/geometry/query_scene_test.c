// Rays and segments against scenes: against an independent reference in long double, loop against
// tree bit for bit, and what is promised at the borders.
#include "geometry/query_scene.h"

#include "base/error.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "query.h"

struct hit {
  float t, u, v;
  uint32_t prim, inst;
  float normal[3];
};

enum { SHAPES = 40, RAYS = 400 };

// A scene's lists as floats, with room.
struct model {
  float spheres[SHAPES][4], aabbs[SHAPES][6], obbs[SHAPES][10], triangles[SHAPES][9],
      planes[SHAPES][4];
  size_t sphere_count, aabb_count, obb_count, triangle_count, plane_count;
};

static const struct pl_layout *layout(enum pl_builtin type) {
  return pl_layout_builtin(type);
}

static struct pl_scene *build_scene(struct model *m, enum pl_scene_search search) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_scene *scene = NULL;
  struct pl_scene_shapes shapes = {
      .spheres = span_over(m->spheres, m->sphere_count, layout(PL_BUILTIN_sphere)),
      .triangles = span_over(m->triangles, m->triangle_count, layout(PL_BUILTIN_triangle)),
      .planes = span_over(m->planes, m->plane_count, layout(PL_BUILTIN_plane)),
      .boxes = m->obb_count ? span_over(m->obbs, m->obb_count, layout(PL_BUILTIN_obb))
                            : span_over(m->aabbs, m->aabb_count, layout(PL_BUILTIN_aabb)),
      .search = search};
  if (pl_scene_new(&shapes, &scene, problem)) fail_msg("%s", problem);
  return scene;
}

static void query(const struct pl_scene *scene, enum pl_builtin type, float (*queries)[6],
                  size_t count, struct hit *hits) {
  struct pl_span dst = span_over(hits, count, layout(PL_BUILTIN_hit));
  struct pl_span src = span_over(queries, count, layout(type));
  pl_scene_intersect(scene, &dst, &src, 0, count);
}

// One ray through a scene.
static struct hit shoot(struct model *m, enum pl_builtin type, float x, float y, float z, float dx,
                        float dy, float dz) {
  float ray[1][6] = {{x, y, z, dx, dy, dz}};
  struct hit by_loop, by_tree;
  struct pl_scene *loop = build_scene(m, PL_SCENE_LOOP), *tree = build_scene(m, PL_SCENE_TREE);
  query(loop, type, ray, 1, &by_loop);
  query(tree, type, ray, 1, &by_tree);
  pl_scene_unref(loop);
  pl_scene_unref(tree);
  assert_memory_equal(&by_loop, &by_tree, sizeof by_loop);
  return by_loop;
}

static void check_hit(struct hit hit, float t, uint32_t inst, uint32_t prim, float nx, float ny,
                      float nz) {
  assert_int_equal(hit.inst, inst);
  assert_int_equal(hit.prim, prim);
  assert_true(hit.t == t);
  assert_true(hit.normal[0] == nx && hit.normal[1] == ny && hit.normal[2] == nz);
  assert_false(signbit(hit.t) || signbit(hit.u) || signbit(hit.v));
  for (int k = 0; k < 3; k++) assert_true(hit.normal[k] != 0 || !signbit(hit.normal[k]));
}

static void check_miss(struct hit hit) {
  struct hit miss = {.t = INFINITY};
  assert_memory_equal(&hit, &miss, sizeof hit);
}

static void sphere_is_hit_in_front_within_and_at_its_border(void **state) {
  (void)state;
  struct model m = {.spheres = {{5, 0, 0, 1}}, .sphere_count = 1};
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0), 4, 1, 1, -1, 0, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 2, 0, 0), 2, 1, 1, -1, 0, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 5, 0, 0, 0, 0.5F, 0), 2, 1, 1, 0, 1, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 1, 0, 1, 0, 0), 5, 1, 1, 0, 1, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 4, 0, 0, 1, 0, 0), 0, 1, 1, -1, 0, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 4, 0, 0, -1, 0, 0), 0, 1, 1, -1, 0, 0);
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, -1, 0, 0));
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 1.0000001F, 0, 1, 0, 0));
  // On the surface, where directions cannot be normalised exactly.
  struct model through = {.spheres = {{0, 0, 0, 3}}, .sphere_count = 1};
  check_hit(shoot(&through, PL_BUILTIN_ray, 0, 0, 3, 3, -7, 11), 0, 1, 1, 0, 0, 1);
  check_hit(shoot(&through, PL_BUILTIN_ray, 0, 0, 3, 3, -7, -11), 0, 1, 1, 0, 0, 1);
  m.spheres[0][3] = 0;
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0), 5, 1, 1, -1, 0, 0);
}

static void box_is_hit_in_front_within_and_at_its_corner(void **state) {
  (void)state;
  struct model m = {.aabbs = {{1, -1, -1, 3, 1, 1}}, .aabb_count = 1};
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0), 1, 2, 1, -1, 0, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 2, 0, 0, 0, 0, -2), 0.5F, 2, 1, 0, 0, -1);
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 1, 1, 1, 0, 0), 1, 2, 1, -1, 0, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 1, 0, 0, -1, 0, 0), 0, 2, 1, -1, 0, 0);
  check_miss(shoot(&m, PL_BUILTIN_ray, 3.5F, 0, 0, 1, 0, 0));
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 1.0000001F, 0, 1, 0, 0));
  // Through the corner (49, 49, 1) of a box, where 49 * (1 / 49) is not 1.
  struct model corner = {.aabbs = {{49, -1, 0, 50, 49, 1}}, .aabb_count = 1};
  check_hit(shoot(&corner, PL_BUILTIN_ray, 0, 0, 0, 49, 49, 1), 1, 2, 1, -1, 0, 0);
  // Through a corner where it comes in and goes out at once, and rounding says out before in.
  struct model edge = {.aabbs = {{0, 1, -1, 49, 2, 2}}, .aabb_count = 1};
  check_hit(shoot(&edge, PL_BUILTIN_ray, 0, 0, 0, 49, 1, 1), 1, 2, 1, 0, -1, 0);
  // A box without thickness.
  struct model flat = {.aabbs = {{-1, -1, 2, 1, 1, 2}}, .aabb_count = 1};
  check_hit(shoot(&flat, PL_BUILTIN_ray, 0, 0, 0, 0, 0, 1), 2, 2, 1, 0, 0, -1);
}

static void turned_box_is_hit_on_its_turned_face(void **state) {
  (void)state;
  float h = sqrtf(0.5F);  // a quarter turn around z: its x is the world's y
  struct model m = {.obbs = {{5, 0, 0, 1, 2, 3, 0, 0, h, h}}, .obb_count = 1};
  struct hit hit = shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0);
  assert_int_equal(hit.inst, 2);
  assert_true(fabsf(hit.t - 3) < 1e-6F && hit.normal[0] == -1);
  assert_true(fabsf(hit.normal[1]) < 1e-7F && hit.normal[2] == 0);
  hit = shoot(&m, PL_BUILTIN_ray, 5, 9, 0, 0, -1, 0);
  assert_true(fabsf(hit.t - 8) < 1e-6F && hit.normal[1] == 1);
}

static void triangle_gives_barycentrics_and_its_own_normal(void **state) {
  (void)state;
  struct model m = {.triangles = {{0, 0, 2, 4, 0, 2, 0, 4, 2}}, .triangle_count = 1};
  struct hit hit = shoot(&m, PL_BUILTIN_ray, 1, 2, 0, 0, 0, 1);
  check_hit(hit, 2, 3, 1, 0, 0, 1);
  assert_true(hit.u == 0.25F && hit.v == 0.5F);
  check_hit(shoot(&m, PL_BUILTIN_ray, 1, 2, 3, 0, 0, -1), 1, 3, 1, 0, 0, 1);
  hit = shoot(&m, PL_BUILTIN_ray, 4, 0, 0, 0, 0, 1);  // its corner b
  check_hit(hit, 2, 3, 1, 0, 0, 1);
  assert_true(hit.u == 1 && hit.v == 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 2, 2, 0, 0, 0, 1), 2, 3, 1, 0, 0, 1);  // its edge
  check_miss(shoot(&m, PL_BUILTIN_ray, 2, 2.000001F, 0, 0, 0, 1));
  check_miss(shoot(&m, PL_BUILTIN_ray, -1, 1, 2, 1, 0, 0));  // in its plane
  memcpy(m.triangles[0], (float[9]){0, 0, 2, 4, 0, 2, 8, 0, 2}, sizeof m.triangles[0]);
  check_miss(shoot(&m, PL_BUILTIN_ray, 1, 0, 0, 0, 0, 1));  // no triangle but a line
}

static void plane_is_hit_from_both_sides(void **state) {
  (void)state;
  struct model m = {.planes = {{-0.0F, 2, 0, -4}}, .plane_count = 1};  // y = 2
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 0, 1, 0), 2, 4, 1, 0, 1, 0);
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 3, 0, 1, -1, 0), 1, 4, 1, 0, 1, 0);
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0));
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 3, 0, 0, 1, 0));
}

// What a tree rests on: who meets a box meets every box around it, and not later.
static void box_within_another_is_never_met_before_it(void **state) {
  (void)state;
  uint64_t seed = 21;
  size_t met = 0;
  for (int round = 0; round < 100000; round++) {
    struct pl_query_ray ray;
    double o[3], d[3], inner[6], outer[6], lo, hi, outer_lo, outer_hi;
    for (int k = 0; k < 3; k++) {
      o[k] = (float)next_number(&seed, -9, 9);
      d[k] = next_below(&seed, 5) ? (float)next_number(&seed, -9, 9) : 0;
      inner[k] = (float)next_number(&seed, -9, 9);
      inner[k + 3] = inner[k] + (float)next_number(&seed, 0, 5);
      outer[k] = next_below(&seed, 2) ? inner[k] : nextafter(inner[k], -99);
      outer[k + 3] = next_below(&seed, 2) ? inner[k + 3] : nextafter(inner[k + 3], 99);
    }
    if (!pl_query_ray_make(&ray, o, d, FLT_MAX)) continue;
    if (!pl_query_ray_box(&ray, inner, &lo, &hi)) continue;
    assert_true(pl_query_ray_box(&ray, outer, &outer_lo, &outer_hi));
    assert_true(outer_lo <= lo && outer_hi >= hi);
    met++;
  }
  assert_true(met > 1000);
}

static void ray_beside_a_box_does_not_meet_it(void **state) {
  (void)state;
  struct pl_query_ray ray;
  double lo, hi, box[6] = {0, 0, 0, 1, 1, 1};
  for (int k = 0; k < 3; k++) {
    double o[3] = {0.5, 0.5, 0.5}, d[3] = {0, 0, 0};
    d[k] = 1;
    o[(k + 1) % 3] = 1;
    assert_true(pl_query_ray_make(&ray, o, d, FLT_MAX) && pl_query_ray_box(&ray, box, &lo, &hi));
    o[(k + 1) % 3] = nextafter(1, 2);
    assert_true(pl_query_ray_make(&ray, o, d, FLT_MAX));
    assert_false(pl_query_ray_box(&ray, box, &lo, &hi));
    o[(k + 1) % 3] = -DBL_TRUE_MIN;
    assert_true(pl_query_ray_make(&ray, o, d, FLT_MAX));
    assert_false(pl_query_ray_box(&ray, box, &lo, &hi));
  }
}

static void segment_ends_at_b(void **state) {
  (void)state;
  struct model m = {.aabbs = {{1, -1, -1, 3, 1, 1}}, .aabb_count = 1};
  check_hit(shoot(&m, PL_BUILTIN_segment, 0, 0, 0, 2, 0, 0), 0.5F, 2, 1, -1, 0, 0);
  check_hit(shoot(&m, PL_BUILTIN_segment, 0, 0, 0, 1, 0, 0), 1, 2, 1, -1, 0, 0);
  check_miss(shoot(&m, PL_BUILTIN_segment, 0, 0, 0, 0.999F, 0, 0));
  check_miss(shoot(&m, PL_BUILTIN_segment, 1.5F, 0, 0, 2, 0, 0));  // within, no surface between
  check_miss(shoot(&m, PL_BUILTIN_segment, 2, 0, 0, 2, 0, 0));
}

static void equal_hits_go_to_the_lower_list_then_the_lower_place(void **state) {
  (void)state;
  struct model m = {.spheres = {{9, 0, 0, 1}, {3, 0, 0, 1}, {3, 0, 0, 1}},
                    .aabbs = {{2, -1, -1, 3, 1, 1}},
                    .triangles = {{2, -9, -9, 2, 9, -9, 2, 0, 9}},
                    .planes = {{1, 0, 0, -2}}};
  m.plane_count = 1;
  assert_int_equal(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0).inst, 4);
  m.triangle_count = 1;
  assert_int_equal(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0).inst, 3);
  m.aabb_count = 1;
  assert_int_equal(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0).inst, 2);
  m.sphere_count = 3;
  check_hit(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0), 2, 1, 2, -1, 0, 0);
}

static void queries_that_are_none_hit_nothing(void **state) {
  (void)state;
  struct model m = {.spheres = {{0, 0, 0, 1}},
                    .aabbs = {{-1, -1, -1, 1, 1, 1}},
                    .triangles = {{-9, -9, 1, 9, -9, 1, 0, 9, 1}},
                    .planes = {{0, 0, 1, -1}},
                    .sphere_count = 1,
                    .aabb_count = 1,
                    .triangle_count = 1,
                    .plane_count = 1};
  const float bad[] = {NAN, INFINITY, -INFINITY};
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 0, 0, 0));
  for (size_t i = 0; i < 3; i++) {
    check_miss(shoot(&m, PL_BUILTIN_ray, bad[i], 0, 0, 0, 0, 1));
    check_miss(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 0, bad[i], 1));
    check_miss(shoot(&m, PL_BUILTIN_segment, 0, 0, 0, 0, bad[i], 1));
  }
  // Farther than an f32 can say.
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 0, -9, 0, 0, FLT_TRUE_MIN));
}

static void empty_scene_hits_nothing(void **state) {
  (void)state;
  struct model m = {.sphere_count = 0};
  check_miss(shoot(&m, PL_BUILTIN_ray, 0, 0, 0, 1, 0, 0));
}

static void huge_and_tiny_shapes_are_hit(void **state) {
  (void)state;
  for (float scale = 1e-37F; scale < 1e37F; scale *= 1e6F) {
    struct model m = {
        .spheres = {{5 * scale, 0, 0, scale}},
        .aabbs = {{9 * scale, -scale, -scale, 10 * scale, scale, scale}},
        .triangles = {{2 * scale, -scale, -scale, 2 * scale, scale, -scale, 2 * scale, 0, scale}},
        .sphere_count = 1};
    struct hit hit = shoot(&m, PL_BUILTIN_ray, 0, 0, 0, scale, 0, 0);
    assert_true(hit.inst == 1 && fabsf(hit.t - 4) < 1e-6F);
    m.sphere_count = 0;
    m.aabb_count = 1;
    hit = shoot(&m, PL_BUILTIN_ray, 0, 0, 0, scale, 0, 0);
    assert_true(hit.inst == 2 && fabsf(hit.t - 9) < 1e-5F);
    m.triangle_count = 1;
    hit = shoot(&m, PL_BUILTIN_ray, 0, 0, 0, scale, 0, 0);
    assert_true(hit.inst == 3 && fabsf(hit.t - 2) < 1e-6F);
    assert_true(fabsf(hit.normal[0]) == 1);
  }
}

// The reference: textbook formulas in long double. `doubt` says that rounding may decide.
struct reference {
  long double t;
  uint32_t inst, prim;
  bool doubt;
};

static void offer(struct reference *best, long double t, uint32_t inst, uint32_t prim) {
  if (t < 0) return;
  if (t < 1e-9L || fabsl(t - best->t) < 1e-6L * t) best->doubt = true;
  if (t >= best->t) return;
  *best = (struct reference){t, inst, prim, best->doubt};
}

static void refer_sphere(struct reference *best, const float *r, const float *s, uint32_t prim) {
  long double a = 0, b = 0, c = -(long double)s[3] * s[3];
  for (int k = 0; k < 3; k++) {
    long double from = (long double)r[k] - s[k], d = r[k + 3];
    a += d * d;
    b += from * d;
    c += from * from;
  }
  long double left = b * b - a * c;
  if (fabsl(left) < 1e-9L * b * b) best->doubt = true;
  if (left < 0) return;
  offer(best, (-b - sqrtl(left)) / a, 1, prim);
  if (-b - sqrtl(left) < 0) offer(best, (-b + sqrtl(left)) / a, 1, prim);
}

static void refer_box(struct reference *best, const float *r, const float *box, uint32_t prim) {
  long double from = -INFINITY, to = INFINITY;
  for (int k = 0; k < 3; k++) {
    long double p = ((long double)box[k] - r[k]) / r[k + 3];
    long double q = ((long double)box[k + 3] - r[k]) / r[k + 3];
    from = fmaxl(from, fminl(p, q));
    to = fminl(to, fmaxl(p, q));
  }
  if (fabsl(from - to) < 1e-9L * fabsl(to)) best->doubt = true;
  if (from <= to) offer(best, from >= 0 ? from : to, 2, prim);
}

static long double volume(const long double a[3], const long double b[3], const long double c[3]) {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
         a[2] * (b[0] * c[1] - b[1] * c[0]);
}

// Cramer's rule: o + t d = a + u (b - a) + v (c - a).
static void refer_triangle(struct reference *best, const float *r, const float *p, uint32_t prim) {
  long double ab[3], ac[3], ao[3], d[3];
  for (int k = 0; k < 3; k++) {
    ab[k] = (long double)p[k + 3] - p[k];
    ac[k] = (long double)p[k + 6] - p[k];
    ao[k] = (long double)r[k] - p[k];
    d[k] = -(long double)r[k + 3];
  }
  long double all = volume(ab, ac, d), u = volume(ao, ac, d) / all, v = volume(ab, ao, d) / all;
  if (fminl(fminl(fabsl(u), fabsl(v)), fabsl(1 - u - v)) < 1e-9L) best->doubt = true;
  if (u >= 0 && v >= 0 && u + v <= 1) offer(best, volume(ab, ac, ao) / all, 3, prim);
}

static struct reference refer(const struct model *m, const float *ray) {
  struct reference best = {.t = INFINITY};
  for (size_t i = 0; i < m->sphere_count; i++) {
    refer_sphere(&best, ray, m->spheres[i], (uint32_t)i + 1);
  }
  for (size_t i = 0; i < m->aabb_count; i++) refer_box(&best, ray, m->aabbs[i], (uint32_t)i + 1);
  for (size_t i = 0; i < m->triangle_count; i++) {
    refer_triangle(&best, ray, m->triangles[i], (uint32_t)i + 1);
  }
  return best;
}

static void fill_model(struct model *m, uint64_t *seed, double size) {
  *m = (struct model){.sphere_count = SHAPES, .aabb_count = SHAPES, .triangle_count = SHAPES};
  for (size_t i = 0; i < SHAPES; i++) {
    for (int k = 0; k < 3; k++) {
      float at = (float)next_number(seed, -1, 1);
      m->spheres[i][k] = at;
      m->aabbs[i][k] = at + 0.3F;
      m->aabbs[i][k + 3] = m->aabbs[i][k] + (float)next_number(seed, 0, size);
      m->obbs[i][k] = at;
      m->obbs[i][k + 3] = (float)next_number(seed, 0, size);
    }
    m->spheres[i][3] = (float)next_number(seed, 0, size);
    for (int k = 0; k < 4; k++) m->obbs[i][k + 6] = (float)next_number(seed, -1, 1);
    for (int k = 0; k < 9; k++) {
      m->triangles[i][k] = m->spheres[i][k % 3] + (float)next_number(seed, -2 * size, 2 * size);
    }
  }
}

static void fill_rays(float (*rays)[6], uint64_t *seed) {
  for (size_t i = 0; i < RAYS; i++) {
    for (int k = 0; k < 6; k++) rays[i][k] = (float)next_number(seed, -1, 1);
  }
}

static int64_t ulps_between(float a, float b) {
  int32_t x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return llabs((int64_t)x - y);
}

static void hits_are_those_of_the_reference_within_one_ulp(void **state) {
  (void)state;
  uint64_t seed = 4;
  static struct model m;
  static float rays[RAYS][6];
  static struct hit hits[RAYS];
  size_t doubts = 0, hit_count = 0, inexact = 0;
  for (int round = 0; round < 30; round++) {
    fill_model(&m, &seed, 0.05 * (round % 10 + 1));
    fill_rays(rays, &seed);
    struct pl_scene *scene = build_scene(&m, round % 2 ? PL_SCENE_LOOP : PL_SCENE_TREE);
    query(scene, PL_BUILTIN_ray, rays, RAYS, hits);
    for (size_t i = 0; i < RAYS; i++) {
      struct reference expected = refer(&m, rays[i]);
      doubts += expected.doubt;
      if (expected.doubt) continue;
      hit_count += expected.prim != 0;
      assert_int_equal(hits[i].inst, expected.inst);
      assert_int_equal(hits[i].prim, expected.prim);
      if (expected.prim) assert_true(ulps_between(hits[i].t, (float)expected.t) <= 1);
      inexact += hits[i].t != (float)expected.t;
    }
    pl_scene_unref(scene);
  }
  assert_true(doubts < 30 * RAYS / 50);
  assert_true(hit_count > 30 * RAYS / 4);
  assert_true(inexact < 5);  // one rounding, that to f32, in all but very few
}

// Where a hit says that it is must lie on the shape, and its normal must be a unit vector.
static void normals_are_of_length_one(void **state) {
  (void)state;
  uint64_t seed = 9;
  static struct model m;
  static float rays[RAYS][6];
  static struct hit hits[RAYS];
  for (int is_obb = 0; is_obb < 2; is_obb++) {
    fill_model(&m, &seed, 0.2);
    fill_rays(rays, &seed);
    m.obb_count = is_obb ? SHAPES : 0;
    struct pl_scene *scene = build_scene(&m, PL_SCENE_AUTO);
    query(scene, PL_BUILTIN_ray, rays, RAYS, hits);
    pl_scene_unref(scene);
    for (size_t i = 0; i < RAYS; i++) {
      const float *n = hits[i].normal;
      double length2 = (double)n[0] * n[0] + (double)n[1] * n[1] + (double)n[2] * n[2];
      if (hits[i].prim) assert_true(fabs(length2 - 1) < 4e-7);
    }
  }
}

// Small whole numbers make rays that graze, pass through corners and edges, and hit many shapes
// at once; large offsets make rounding worse.
static float next_coarse(uint64_t *seed, float offset) {
  return offset + (float)next_below(seed, 9) - 4;
}

static void fill_coarse(struct model *m, float (*rays)[6], uint64_t *seed, float offset) {
  *m = (struct model){
      .sphere_count = SHAPES, .aabb_count = SHAPES, .triangle_count = SHAPES, .plane_count = 2};
  for (size_t i = 0; i < SHAPES; i++) {
    for (int k = 0; k < 3; k++) {
      m->spheres[i][k] = next_coarse(seed, offset);
      m->aabbs[i][k] = next_coarse(seed, offset);
      m->aabbs[i][k + 3] = m->aabbs[i][k] + (float)next_below(seed, 3);
      m->obbs[i][k] = next_coarse(seed, offset);
      m->obbs[i][k + 3] = (float)next_below(seed, 3);
    }
    m->spheres[i][3] = (float)next_below(seed, 3);
    for (int k = 0; k < 9; k++) m->triangles[i][k] = next_coarse(seed, offset);
    for (int k = 0; k < 4; k++) m->obbs[i][k + 6] = (float)next_below(seed, 3) - 1;
    m->obbs[i][9] += 3;
    for (int k = 0; k < 3; k++) m->planes[i][k] = next_coarse(seed, 0) + 0.5F;
    m->planes[i][3] = -offset;
  }
  for (size_t i = 0; i < RAYS; i++) {
    for (int k = 0; k < 6; k++) rays[i][k] = next_coarse(seed, k < 3 ? offset : 0);
  }
}

static void check_loop_and_tree(struct model *m, float (*rays)[6], enum pl_builtin type) {
  static struct hit by_loop[RAYS], by_tree[RAYS];
  uint8_t mask_by_loop[RAYS], mask_by_tree[RAYS];
  struct pl_layout u8 = {.size = 1};
  struct pl_span queries = span_over(rays, RAYS, layout(type));
  struct pl_span dst_loop = span_over(mask_by_loop, RAYS, &u8);
  struct pl_span dst_tree = span_over(mask_by_tree, RAYS, &u8);
  struct pl_scene *loop = build_scene(m, PL_SCENE_LOOP), *tree = build_scene(m, PL_SCENE_TREE);
  query(loop, type, rays, RAYS, by_loop);
  query(tree, type, rays, RAYS, by_tree);
  pl_scene_occluded(loop, &dst_loop, &queries, 0, RAYS);
  pl_scene_occluded(tree, &dst_tree, &queries, 0, RAYS);
  assert_memory_equal(by_loop, by_tree, sizeof by_loop);
  for (size_t i = 0; i < RAYS; i++) {
    assert_int_equal(mask_by_loop[i], by_loop[i].prim != 0);
    assert_int_equal(mask_by_tree[i], by_loop[i].prim != 0);
  }
  pl_scene_unref(loop);
  pl_scene_unref(tree);
}

static void loop_and_tree_give_the_same_bits(void **state) {
  (void)state;
  static struct model m;
  static float rays[RAYS][6];
  uint64_t seed = 77;
  const float offsets[] = {0, 1000, 1e6F, 1.6e7F, 1e12F};
  for (int round = 0; round < 20; round++) {
    fill_coarse(&m, rays, &seed, offsets[round % 5]);
    m.obb_count = round % 2 ? SHAPES : 0;
    if (round % 4 > 1) m.plane_count = 0;
    check_loop_and_tree(&m, rays, PL_BUILTIN_ray);
    check_loop_and_tree(&m, rays, PL_BUILTIN_segment);
    fill_model(&m, &seed, 0.1);
    m.obb_count = round % 2 ? SHAPES : 0;
    fill_rays(rays, &seed);
    check_loop_and_tree(&m, rays, PL_BUILTIN_ray);
  }
}

// Any bits at all: rays of all sizes, NaN and infinity among them.
static void loop_and_tree_agree_on_rays_of_any_bits(void **state) {
  (void)state;
  static struct model m;
  static float rays[RAYS][6];
  uint64_t seed = 78;
  for (int round = 0; round < 10; round++) {
    fill_coarse(&m, rays, &seed, 0);
    for (size_t i = 0; i < RAYS; i++) {
      for (int k = 0; k < 6; k++) {
        uint32_t bits = (uint32_t)next_bits(&seed);
        if (next_below(&seed, 3) == 0) memcpy(&rays[i][k], &bits, sizeof bits);
      }
    }
    check_loop_and_tree(&m, rays, PL_BUILTIN_ray);
    check_loop_and_tree(&m, rays, PL_BUILTIN_segment);
  }
}

// What the loop over spheres leaves out must not be hit: one sphere among none is asked alone.
static void vector_loop_leaves_no_sphere_out(void **state) {
  (void)state;
  enum { COUNT = 300 };
  uint64_t seed = 5;
  struct pl_query_spheres spheres;
  uint32_t found[PL_QUERY_SPHERES_CHUNK];
  size_t hit_count = 0, found_count = 0;
  for (int round = 0; round < 200; round++) {
    double size = pow(10, next_number(&seed, -30, 30));
    double away = size * pow(10, next_number(&seed, -1, 6));
    assert_int_equal(pl_query_spheres_init(&spheres, COUNT), 0);
    for (size_t i = 0; i < COUNT; i++) {
      struct pl_query_sphere sphere;
      for (int k = 0; k < 3; k++) sphere.center[k] = (float)next_number(&seed, -away, away);
      sphere.radius = (float)next_number(&seed, 0, size);
      pl_query_spheres_set(&spheres, i, &sphere);
    }
    for (int shot = 0; shot < 20; shot++) {
      struct pl_query_sphere aim = pl_query_spheres_get(&spheres, next_below(&seed, COUNT));
      struct pl_query_ray ray;
      struct pl_query_touch touch;
      double o[3], d[3];
      bool is_found[COUNT] = {false};
      for (int k = 0; k < 3; k++) {
        o[k] = (float)next_number(&seed, -away, away);
        d[k] = (float)(aim.center[k] + next_number(&seed, -aim.radius, aim.radius) - o[k]);
      }
      if (!pl_query_ray_make(&ray, o, d, FLT_MAX)) continue;
      for (size_t first = 0; first < COUNT; first += PL_QUERY_SPHERES_CHUNK) {
        size_t count = pl_query_spheres_find(&spheres, &ray, first, found);
        for (size_t i = 0; i < count; i++) is_found[found[i]] = true;
        found_count += count;
      }
      for (size_t i = 0; i < COUNT; i++) {
        struct pl_query_sphere sphere = pl_query_spheres_get(&spheres, i);
        bool is_hit = pl_query_hit_sphere(&ray, &sphere, &touch);
        hit_count += is_hit;
        if (is_hit) assert_true(is_found[i]);
      }
    }
    pl_query_spheres_deinit(&spheres);
  }
  assert_true(hit_count > 2000);
  assert_true(found_count < 200 * 20 * COUNT / 2);
}

// A closed mesh: a ray that aims at an edge or a corner does not slip through.
static void closed_mesh_has_no_cracks(void **state) {
  (void)state;
  static const int faces[8][3] = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4},
                                  {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
  uint64_t seed = 31;
  for (int round = 0; round < 50; round++) {
    struct model m = {.triangle_count = 8};
    float corners[6][3], rays[RAYS][6];
    struct hit hits[RAYS];
    for (int c = 0; c < 6; c++) {
      for (int k = 0; k < 3; k++) {
        float out = c / 2 == k ? (c % 2 ? -1.0F : 1.0F) : 0;
        corners[c][k] = out + (float)next_number(&seed, -0.2, 0.2);
      }
    }
    for (int f = 0; f < 8; f++) {
      for (int c = 0; c < 3; c++) memcpy(m.triangles[f] + 3 * c, corners[faces[f][c]], 12);
    }
    for (int i = 0; i < RAYS; i++) {
      const int *face = faces[i % 8];
      float along = i % 16 < 8 ? (float)next_number(&seed, 0, 1) : 0;
      for (int k = 0; k < 3; k++) {
        float p = corners[face[0]][k], q = corners[face[1]][k];
        rays[i][k] = (float)next_number(&seed, -0.1, 0.1);
        rays[i][k + 3] = p + along * (q - p) - rays[i][k];
      }
    }
    struct pl_scene *scene = build_scene(&m, PL_SCENE_AUTO);
    query(scene, PL_BUILTIN_ray, rays, RAYS, hits);
    pl_scene_unref(scene);
    for (int i = 0; i < RAYS; i++) assert_int_equal(hits[i].inst, 3);
  }
}

static void large_scene_builds_a_tree_that_agrees(void **state) {
  (void)state;
  enum { COUNT = 3000 };
  uint64_t seed = 6;
  float(*boxes)[6] = calloc(COUNT, sizeof *boxes);
  static float rays[RAYS][6];
  static struct hit hits[2][RAYS];
  assert_non_null(boxes);
  fill_rays(rays, &seed);
  for (size_t i = 0; i < COUNT; i++) {
    bool is_same = i % 3 == 0;  // a third lies at one place: only halving parts them
    for (int k = 0; k < 3; k++) {
      boxes[i][k] = is_same ? 0.5F : (float)pow(next_number(&seed, -1, 1), 3);
      boxes[i][k + 3] = boxes[i][k] + 0.01F;
    }
  }
  for (int i = 0; i < 2; i++) {
    char problem[PL_QUERY_PROBLEM_MAX];
    struct pl_scene *scene;
    struct pl_scene_shapes shapes = {.boxes = span_over(boxes, COUNT, layout(PL_BUILTIN_aabb)),
                                     .search = i ? PL_SCENE_LOOP : PL_SCENE_AUTO};
    assert_int_equal(pl_scene_new(&shapes, &scene, problem), 0);
    query(scene, PL_BUILTIN_ray, rays, RAYS, hits[i]);
    assert_true(pl_scene_bytes(scene) > COUNT * 48 + (i ? 0 : COUNT * 4));
    assert_true(pl_scene_rate(scene) >= 1);
    pl_scene_unref(scene);
  }
  assert_memory_equal(hits[0], hits[1], sizeof hits[0]);
  free(boxes);
}

// Elements at every offset, strided, SoA, and in ranges: the same hits.
static void any_alignment_stride_and_cut_gives_the_same(void **state) {
  (void)state;
  enum { COUNT = 37, STRIDE = 41 };
  static struct model m;
  static float rays[RAYS][6];
  static struct hit expected[RAYS];
  uint64_t seed = 12;
  fill_model(&m, &seed, 0.2);
  fill_rays(rays, &seed);
  struct pl_scene *scene = build_scene(&m, PL_SCENE_AUTO);
  query(scene, PL_BUILTIN_ray, rays, COUNT, expected);
  for (size_t offset = 0; offset < 64; offset++) {
    char in[64 + COUNT * STRIDE], out[64 + COUNT * STRIDE];
    struct pl_span src = {in + offset, COUNT, STRIDE, layout(PL_BUILTIN_ray), 0};
    struct pl_span dst = {out + offset, COUNT, STRIDE, layout(PL_BUILTIN_hit), 0};
    for (size_t i = 0; i < COUNT; i++) memcpy(pl_span_at(&src, i), rays[i], 24);
    if (offset % 2) {  // columns
      src.stride = 4;
      src.column = COUNT * 4;
      for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < 6; k++) memcpy(src.data + i * 4 + k * COUNT * 4, &rays[i][k], 4);
      }
    }
    size_t cut = offset % COUNT;
    pl_scene_intersect(scene, &dst, &src, cut, COUNT - cut);
    pl_scene_intersect(scene, &dst, &src, 0, cut);
    for (size_t i = 0; i < COUNT; i++) assert_memory_equal(pl_span_at(&dst, i), &expected[i], 32);
    dst.stride = 4;
    dst.column = COUNT * 4;
    pl_scene_intersect(scene, &dst, &src, 0, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
      assert_memory_equal(dst.data + i * 4 + 4 * COUNT * 4, &expected[i].inst, 4);
    }
  }
  pl_scene_unref(scene);
}

static void check_refused(const struct pl_scene_shapes *shapes, const char *expected) {
  char problem[PL_QUERY_PROBLEM_MAX] = "";
  struct pl_scene *scene = NULL;
  int64_t before = pl_mem_stats().bytes;
  assert_int_equal(pl_scene_new(shapes, &scene, problem), PL_EINVAL);
  assert_string_equal(problem, expected);
  assert_null(scene);
  assert_true(pl_mem_stats().bytes == before);
}

static struct pl_scene_shapes one_list(enum pl_builtin type, void *data, size_t count) {
  struct pl_scene_shapes shapes = {.search = PL_SCENE_AUTO};
  struct pl_span span = span_over(data, count, layout(type));
  if (type == PL_BUILTIN_sphere) shapes.spheres = span;
  if (type == PL_BUILTIN_aabb || type == PL_BUILTIN_bounds || type == PL_BUILTIN_obb) {
    shapes.boxes = span;
  }
  if (type == PL_BUILTIN_triangle) shapes.triangles = span;
  if (type == PL_BUILTIN_plane) shapes.planes = span;
  return shapes;
}

static void shapes_that_are_none_are_refused_by_name_and_place(void **state) {
  (void)state;
  float spheres[2][4] = {{0, 0, 0, 1}, {0, 0, 0, -1}};
  struct pl_scene_shapes shapes = one_list(PL_BUILTIN_sphere, spheres, 2);
  check_refused(&shapes, "spheres[2] has a negative radius");
  spheres[0][1] = NAN;
  check_refused(&shapes, "spheres[1] is not finite");
  float box[1][6] = {{0, 0, 1, 1, 1, 0}};
  shapes = one_list(PL_BUILTIN_aabb, box, 1);
  check_refused(&shapes, "boxes[1] has its min above its max");
  box[0][4] = -1;
  shapes = one_list(PL_BUILTIN_bounds, box, 1);
  check_refused(&shapes, "boxes[1] has negative extents");
  float obb[1][10] = {{0, 0, 0, 1, 1, 1, 0, 0, 0, 0}};
  shapes = one_list(PL_BUILTIN_obb, obb, 1);
  check_refused(&shapes, "boxes[1] has no rotation");
  obb[0][5] = -1;
  check_refused(&shapes, "boxes[1] has a negative half size");
  float triangle[1][9] = {{[8] = INFINITY}};
  shapes = one_list(PL_BUILTIN_triangle, triangle, 1);
  check_refused(&shapes, "triangles[1] is not finite");
  float plane[1][4] = {{0, 0, 0, 1}};
  shapes = one_list(PL_BUILTIN_plane, plane, 1);
  check_refused(&shapes, "planes[1] has no normal");
  shapes = (struct pl_scene_shapes){.boxes = span_over(spheres, 1, layout(PL_BUILTIN_sphere))};
  check_refused(&shapes, "boxes must be aabb, bounds or obb, not sphere");
}

static void bounds_are_boxes_around_their_center(void **state) {
  (void)state;
  float box[1][6] = {{5, 0, 0, 1, 2, 3}}, ray[1][6] = {{0, 0, 0, 1, 0, 0}};
  struct pl_scene_shapes shapes = one_list(PL_BUILTIN_bounds, box, 1);
  char problem[PL_QUERY_PROBLEM_MAX];
  struct pl_scene *scene;
  struct hit hit;
  assert_int_equal(pl_scene_new(&shapes, &scene, problem), 0);
  query(scene, PL_BUILTIN_ray, ray, 1, &hit);
  check_hit(hit, 4, 2, 1, -1, 0, 0);
  pl_scene_unref(pl_scene_ref(scene));
  query(scene, PL_BUILTIN_ray, ray, 1, &hit);
  check_hit(hit, 4, 2, 1, -1, 0, 0);
  pl_scene_unref(scene);
}

static void each_failed_allocation_is_reported_and_leaks_nothing(void **state) {
  (void)state;
  static struct model m;
  uint64_t seed = 3;
  fill_model(&m, &seed, 0.1);
  int64_t before = pl_mem_stats().bytes;
  for (uint64_t nth = 1;; nth++) {
    char problem[PL_QUERY_PROBLEM_MAX];
    struct pl_scene *scene = NULL;
    struct pl_scene_shapes shapes = {
        .spheres = span_over(m.spheres, SHAPES, layout(PL_BUILTIN_sphere)),
        .boxes = span_over(m.aabbs, SHAPES, layout(PL_BUILTIN_aabb)),
        .triangles = span_over(m.triangles, SHAPES, layout(PL_BUILTIN_triangle)),
        .planes = span_over((float[1][4]){{1, 0, 0, 0}}, 1, layout(PL_BUILTIN_plane))};
    pl_mem_fail_nth(nth);
    int err = pl_scene_new(&shapes, &scene, problem);
    pl_mem_fail_nth(0);
    pl_scene_unref(scene);
    assert_true(pl_mem_stats().bytes == before);
    if (!err) {
      assert_true(nth > 7);
      break;
    }
    assert_int_equal(err, PL_ENOMEM);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sphere_is_hit_in_front_within_and_at_its_border),
      cmocka_unit_test(box_is_hit_in_front_within_and_at_its_corner),
      cmocka_unit_test(turned_box_is_hit_on_its_turned_face),
      cmocka_unit_test(triangle_gives_barycentrics_and_its_own_normal),
      cmocka_unit_test(plane_is_hit_from_both_sides),
      cmocka_unit_test(box_within_another_is_never_met_before_it),
      cmocka_unit_test(ray_beside_a_box_does_not_meet_it),
      cmocka_unit_test(segment_ends_at_b),
      cmocka_unit_test(equal_hits_go_to_the_lower_list_then_the_lower_place),
      cmocka_unit_test(queries_that_are_none_hit_nothing),
      cmocka_unit_test(empty_scene_hits_nothing),
      cmocka_unit_test(huge_and_tiny_shapes_are_hit),
      cmocka_unit_test(hits_are_those_of_the_reference_within_one_ulp),
      cmocka_unit_test(normals_are_of_length_one),
      cmocka_unit_test(loop_and_tree_give_the_same_bits),
      cmocka_unit_test(loop_and_tree_agree_on_rays_of_any_bits),
      cmocka_unit_test(vector_loop_leaves_no_sphere_out),
      cmocka_unit_test(closed_mesh_has_no_cracks),
      cmocka_unit_test(large_scene_builds_a_tree_that_agrees),
      cmocka_unit_test(any_alignment_stride_and_cut_gives_the_same),
      cmocka_unit_test(shapes_that_are_none_are_refused_by_name_and_place),
      cmocka_unit_test(bounds_are_boxes_around_their_center),
      cmocka_unit_test(each_failed_allocation_is_reported_and_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
