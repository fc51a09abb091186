// The loop over spheres: how far the centre is from the ray's line, in f32 and without a branch, so
// that the compiler makes vectors of it. It lets a little too many through, never too few; those,
// and most rays miss most spheres, go through pl_query_hit_sphere.
//
// How much is too much: let e = 2^-24 and R the distance from the origin to the farthest centre.
// Rounding of the direction, of the differences, of their product's three terms and of what is
// left moves `gap` by at most 9.2 e R. From (r + m)^2 <= (1 + q) r^2 + (1 + 1 / q) m^2 with
// q = 2^-9 and m = 9.2 e R follows gap^2 <= r^2 (1 + 2^-8) + 2^-32 R^2; REACH and MARGIN have
// room to spare. What overflows is let through: R beyond 1e18 makes the margin infinite.
//
// The loop is compiled twice, for every x86-64 and for AVX2, and the CPU decides at each call: what
// is let through in vain may differ, hits do not. GCC's target_clones would do the same through an
// ifunc, which is resolved before the sanitizers are up.
#include "geometry/query_spheres.h"

#include "base/error.h"
#include "base/mem.h"

enum { BLOCK = PL_QUERY_SPHERES_BLOCK, COLUMNS = 5 };
static const double REACH = 1 + 0x1p-8, MARGIN = 0x1p-30, FAR2 = 1e36;

static size_t room_for(size_t count) {
  return (count + BLOCK - 1) / BLOCK * BLOCK;
}

int pl_query_spheres_init(struct pl_query_spheres *spheres, size_t count) {
  size_t room = room_for(count);
  float *columns = pl_mem_calloc(COLUMNS * room + 1, sizeof *columns);
  if (!columns) return PL_ENOMEM;
  *spheres = (struct pl_query_spheres){.x = columns,
                                       .y = columns + room,
                                       .z = columns + 2 * room,
                                       .radius = columns + 3 * room,
                                       .reach = columns + 4 * room,
                                       .count = count};
  for (int k = 0; k < 3; k++) {
    spheres->bounds[k] = INFINITY;
    spheres->bounds[k + 3] = -INFINITY;
  }
  return 0;
}

void pl_query_spheres_deinit(struct pl_query_spheres *spheres) {
  pl_mem_free(spheres->x);
}

void pl_query_spheres_set(struct pl_query_spheres *spheres, size_t i,
                          const struct pl_query_sphere *sphere) {
  spheres->x[i] = (float)sphere->center[0];
  spheres->y[i] = (float)sphere->center[1];
  spheres->z[i] = (float)sphere->center[2];
  spheres->radius[i] = (float)sphere->radius;
  spheres->reach[i] = nextafterf((float)(sphere->radius * sphere->radius * REACH), INFINITY);
  for (int k = 0; k < 3; k++) {
    double at = sphere->center[k];
    spheres->bounds[k] = at < spheres->bounds[k] ? at : spheres->bounds[k];
    spheres->bounds[k + 3] = at > spheres->bounds[k + 3] ? at : spheres->bounds[k + 3];
  }
}

struct pl_query_sphere pl_query_spheres_get(const struct pl_query_spheres *spheres, size_t i) {
  return (struct pl_query_sphere){{spheres->x[i], spheres->y[i], spheres->z[i]},
                                  spheres->radius[i]};
}

size_t pl_query_spheres_bytes(const struct pl_query_spheres *spheres) {
  return COLUMNS * room_for(spheres->count) * sizeof *spheres->x;
}

// A ray as the loop needs it.
struct line {
  float o[3], u[3];  // u: of length 1
  float margin;      // beyond a sphere's reach
};

static struct line line_of(const struct pl_query_spheres *spheres, const struct pl_query_ray *ray) {
  struct line line;
  double size = sqrt(ray->inv_dd), far2 = 0;
  for (int k = 0; k < 3; k++) {
    double below = ray->o[k] - spheres->bounds[k], above = spheres->bounds[k + 3] - ray->o[k];
    double farthest = below > above ? below : above;
    far2 += farthest * farthest;
    line.o[k] = (float)ray->o[k];
    line.u[k] = (float)(ray->d[k] * size);
  }
  line.margin = far2 < FAR2 ? (float)(far2 * MARGIN) : INFINITY;
  return line;
}

static inline __attribute__((always_inline)) size_t find(const struct pl_query_spheres *spheres,
                                                         const struct line *line, size_t first,
                                                         uint32_t *found) {
  size_t end = first + PL_QUERY_SPHERES_CHUNK, count = 0;
  float ox = line->o[0], oy = line->o[1], oz = line->o[2], margin = line->margin;
  float ux = line->u[0], uy = line->u[1], uz = line->u[2];
  if (end > spheres->count) end = spheres->count;
  for (; first < end; first += BLOCK) {
    const float *x = spheres->x + first, *y = spheres->y + first, *z = spheres->z + first;
    const float *reach = spheres->reach + first;
    float past[BLOCK];
    int32_t any = 0;
    for (size_t i = 0; i < BLOCK; i++) {
      float to_x = x[i] - ox, to_y = y[i] - oy, to_z = z[i] - oz;
      float middle = to_x * ux + to_y * uy + to_z * uz;
      float gap_x = to_x - middle * ux, gap_y = to_y - middle * uy, gap_z = to_z - middle * uz;
      past[i] = gap_x * gap_x + gap_y * gap_y + gap_z * gap_z - reach[i];
      any |= past[i] > margin ? 0 : -1;
    }
    if (!any) continue;
    for (size_t i = 0; i < BLOCK; i++) {
      found[count] = (uint32_t)(first + i);
      count += first + i < end && !(past[i] > margin);
    }
  }
  return count;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t find_avx2(const struct pl_query_spheres *spheres,
                                                        const struct line *line, size_t first,
                                                        uint32_t *found) {
  return find(spheres, line, first, found);
}
#endif

size_t pl_query_spheres_find(const struct pl_query_spheres *spheres, const struct pl_query_ray *ray,
                             size_t first, uint32_t found[PL_QUERY_SPHERES_CHUNK]) {
  struct line line = line_of(spheres, ray);
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return find_avx2(spheres, &line, first, found);
#endif
  return find(spheres, &line, first, found);
}
