// P7's floor: every ray of a file against 100 spheres, by the loop that a C programmer would write
// over the packed bytes, in f32. No server: what the arithmetic alone costs.
//
// usage: rays RAYS HITS PASSES
// Reads RAYS (24 bytes each), writes HITS (32 bytes each) of the last pass, and prints the CPU time
// of one pass in ns, the mean of PASSES.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SPHERES = 100 };

struct ray {
  float origin[3], direction[3];
};

struct sphere {
  float center[3], radius;
};

struct hit {
  float t, u, v;
  uint32_t prim, inst;
  float normal[3];
};

static struct sphere spheres[SPHERES];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// The spheres of apps/rays.lua.
static void make_spheres(void) {
  for (int i = 0; i < SPHERES; i++)
    spheres[i] =
        (struct sphere){{(float)(i % 5) / 4, (float)(i / 5 % 5) / 4, (float)(i / 25) / 4}, 0.0625F};
}

static struct hit intersect(const struct ray *ray) {
  struct hit hit = {.t = INFINITY};
  const float *o = ray->origin, *d = ray->direction;
  float a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
  for (uint32_t i = 0; i < SPHERES; i++) {
    const struct sphere *s = &spheres[i];
    float x = o[0] - s->center[0], y = o[1] - s->center[1], z = o[2] - s->center[2];
    float b = x * d[0] + y * d[1] + z * d[2];
    float c = x * x + y * y + z * z - s->radius * s->radius;
    float discriminant = b * b - a * c;
    if (discriminant < 0) continue;
    float root = sqrtf(discriminant), t = (-b - root) / a;
    if (t < 0) t = (-b + root) / a;
    if (t < 0 || t >= hit.t) continue;
    hit.t = t;
    hit.prim = i + 1;
    hit.inst = 1;
  }
  if (!hit.prim) return hit;
  const struct sphere *s = &spheres[hit.prim - 1];
  for (int k = 0; k < 3; k++) hit.normal[k] = (o[k] + hit.t * d[k] - s->center[k]) / s->radius;
  return hit;
}

static struct ray *read_rays(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) fail(path);
  long size = ftell(file);
  struct ray *rays = malloc(size > 0 ? (size_t)size : 1);
  rewind(file);
  if (!rays || size < 0 || fread(rays, 1, (size_t)size, file) != (size_t)size) fail(path);
  fclose(file);
  *count = (size_t)size / sizeof *rays;
  return rays;
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: rays RAYS HITS PASSES\n");
    return 2;
  }
  size_t count;
  struct ray *rays = read_rays(argv[1], &count);
  struct hit *hits = calloc(count + 1, sizeof *hits);  // its pages are written by the first pass
  int passes = atoi(argv[3]);
  if (!hits || passes < 1) fail("hits");
  make_spheres();
  memset(hits, 0, count * sizeof *hits);
  double begin = now_ns();
  for (int pass = 0; pass < passes; pass++)
    for (size_t i = 0; i < count; i++) hits[i] = intersect(&rays[i]);
  printf("%.0f\n", (now_ns() - begin) / passes);
  FILE *file = fopen(argv[2], "wb");
  if (!file || fwrite(hits, sizeof *hits, count, file) != count || fclose(file)) fail(argv[2]);
  free(rays);
  free(hits);
  return 0;
}
