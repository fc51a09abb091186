// P7's C part: every one of 100,000 rays against 100 spheres, by pl_scene_intersect and by the loop
// that a C programmer would write over the same packed bytes in f32; both write hits.
//
// Rounds alternate; what is printed is the median of the ratios within a round, and its range.
// Ratios above 1: ours is faster. With --sizes it compares the loop over shapes with the tree
// instead, at growing numbers of shapes: what TREE_FROM in query_scene.c is taken from.
//
// usage, from the root:
//   cc -O3 -DNDEBUG -ffp-contract=off -I server -o /tmp/rays tests/bench/micro/rays.c
//      server/geometry/query_*.c server/base/mem.c -lm && /tmp/rays [--sizes]     (on one line)
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "geometry/query_scene.h"

enum { RAYS = 100000, SPHERES = 100, ROUNDS = 15 };

struct packed_hit {
  float t, u, v;
  uint32_t prim, inst;
  float normal[3];
};

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static float next_float(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (float)(*state >> 40) / (float)(1 << 24);
}

static void plain_loop(const char *rays, const char *spheres, size_t sphere_count, char *hits) {
  for (size_t i = 0; i < RAYS; i++) {
    float ray[6];
    struct packed_hit hit = {.t = INFINITY};
    memcpy(ray, rays + i * sizeof ray, sizeof ray);
    const float *o = ray, *d = ray + 3;
    float a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    for (size_t k = 0; k < sphere_count; k++) {
      float s[4];
      memcpy(s, spheres + k * sizeof s, sizeof s);
      float x = o[0] - s[0], y = o[1] - s[1], z = o[2] - s[2];
      float b = x * d[0] + y * d[1] + z * d[2];
      float c = x * x + y * y + z * z - s[3] * s[3];
      float discriminant = b * b - a * c;
      if (discriminant < 0) continue;
      float root = sqrtf(discriminant), t = (-b - root) / a;
      if (t < 0) t = (-b + root) / a;
      if (t < 0 || t >= hit.t) continue;
      hit.t = t;
      hit.prim = (uint32_t)k + 1;
      hit.inst = 1;
    }
    if (hit.prim) {
      float s[4];
      memcpy(s, spheres + (hit.prim - 1) * sizeof s, sizeof s);
      for (int k = 0; k < 3; k++) hit.normal[k] = (o[k] + hit.t * d[k] - s[k]) / s[3];
    }
    memcpy(hits + i * sizeof hit, &hit, sizeof hit);
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_ratios(const char *what, double *ratios) {
  qsort(ratios, ROUNDS, sizeof *ratios, by_size);
  printf("%s: %.2f (%.2f .. %.2f)\n", what, ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1]);
}

static struct pl_layout layouts[] = {{.builtin = PL_BUILTIN_ray, .size = 24},
                                     {.builtin = PL_BUILTIN_sphere, .size = 16},
                                     {.builtin = PL_BUILTIN_aabb, .size = 24},
                                     {.builtin = PL_BUILTIN_hit, .size = 32}};

static struct pl_span span_of(char *data, size_t count, const struct pl_layout *layout) {
  return (struct pl_span){data, count, layout->size, layout, 0};
}

// Shapes that fill about a tenth of the unit cube, whatever their number.
static void fill(float *spheres, float *boxes, size_t count, uint64_t *state) {
  float radius = cbrtf(0.1F / (float)count * 0.24F);
  for (size_t i = 0; i < count; i++) {
    for (int k = 0; k < 3; k++) {
      float at = next_float(state);
      spheres[4 * i + (size_t)k] = at;
      boxes[6 * i + (size_t)k] = at - radius * 0.8F;
      boxes[6 * i + 3 + (size_t)k] = at + radius * 0.8F;
    }
    spheres[4 * i + 3] = radius;
  }
}

static double time_scene(const struct pl_scene_shapes *shapes, const struct pl_span *hits,
                         const struct pl_span *rays) {
  char problem[PL_QUERY_PROBLEM_MAX] = "out of memory";
  struct pl_scene *scene;
  if (pl_scene_new(shapes, &scene, problem)) {
    fprintf(stderr, "%s\n", problem);
    exit(1);
  }
  double begin = now_ms();
  pl_scene_intersect(scene, hits, rays, 0, rays->count);
  double ms = now_ms() - begin;
  pl_scene_unref(scene);
  return ms;
}

static void compare_sizes(const struct pl_span *rays, const struct pl_span *hits, uint64_t *state) {
  for (size_t count = 8; count <= 2048; count *= 2) {
    float *spheres = malloc(count * 16), *boxes = malloc(count * 24);
    if (!spheres || !boxes) exit(1);
    fill(spheres, boxes, count, state);
    for (int is_boxes = 0; is_boxes < 2; is_boxes++) {
      struct pl_scene_shapes shapes = {.search = PL_SCENE_LOOP};
      double ratios[ROUNDS], loop_ms = 0;
      if (is_boxes) {
        shapes.boxes = span_of((char *)boxes, count, &layouts[2]);
      } else {
        shapes.spheres = span_of((char *)spheres, count, &layouts[1]);
      }
      for (int round = 0; round < ROUNDS; round++) {
        shapes.search = PL_SCENE_LOOP;
        loop_ms = time_scene(&shapes, hits, rays);
        shapes.search = PL_SCENE_TREE;
        ratios[round] = loop_ms / time_scene(&shapes, hits, rays);
      }
      printf("%5zu %s, loop %6.0f rays/ms, ", count, is_boxes ? "boxes  " : "spheres",
             RAYS / loop_ms);
      print_ratios("tree over loop", ratios);
    }
    free(spheres);
    free(boxes);
  }
}

int main(int argc, char **argv) {
  uint64_t state = 1;
  float *rays = malloc(RAYS * 24), *spheres = malloc(SPHERES * 16), *boxes = malloc(SPHERES * 24);
  char *hits = malloc(RAYS * 32), *plain = malloc(RAYS * 32);
  if (!rays || !spheres || !boxes || !hits || !plain) return 1;
  for (size_t i = 0; i < RAYS * 6; i++) rays[i] = next_float(&state) - (i % 6 < 3 ? 0 : 0.5F);
  fill(spheres, boxes, SPHERES, &state);
  struct pl_span query = span_of((char *)rays, RAYS, &layouts[0]);
  struct pl_span dst = span_of(hits, RAYS, &layouts[3]);
  if (argc > 1 && !strcmp(argv[1], "--sizes")) {
    compare_sizes(&query, &dst, &state);
    return 0;
  }
  struct pl_scene_shapes shapes = {.spheres = span_of((char *)spheres, SPHERES, &layouts[1])};
  double ratios[ROUNDS], ours = 0, theirs = 0;
  for (int round = 0; round < ROUNDS; round++) {
    double begin = now_ms();
    plain_loop((char *)rays, (char *)spheres, SPHERES, plain);
    theirs = now_ms() - begin;
    ours = time_scene(&shapes, &dst, &query);
    ratios[round] = theirs / ours;
  }
  size_t differing = 0, hit_count = 0;
  for (size_t i = 0; i < RAYS; i++) {
    struct packed_hit a, b;
    memcpy(&a, hits + i * 32, 32);
    memcpy(&b, plain + i * 32, 32);
    hit_count += a.prim != 0;
    differing += a.prim != b.prim;
  }
  printf("ours %.1f ms, plain loop %.1f ms; %zu of %d rays hit, %zu differ from the f32 loop\n",
         ours, theirs, hit_count, RAYS, differing);
  print_ratios("P7, C part: plain loop / ours", ratios);
  free(rays);
  free(spheres);
  free(boxes);
  free(hits);
  free(plain);
  return 0;
}
