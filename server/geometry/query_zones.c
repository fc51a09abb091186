// A grid over all zones: each cell lists, in their order, the zones whose bounds reach into it. As
// in query_polygon.c, one monotone formula says in which cell a place is, for bounds and points
// alike, so that none is missed.
#include "geometry/query_zones.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"

enum { ZONES_MAX = 1 << 24, SIDE_MAX = 1024, ENTRIES_PER_ZONE = 8 };

struct zone {
  struct pl_polygon *polygon;
  uint32_t id;
};

struct pl_zones {
  _Atomic uint32_t refs;
  struct zone *zones;
  size_t count;
  double bounds[4];  // around all
  double scale[2];   // cells per unit
  size_t side;       // cells along each axis
  uint32_t *begins;  // side * side + 1: where each cell's zones begin in `entries`
  uint32_t *entries;
};

static size_t cell_along(const struct pl_zones *zones, int axis, double at) {
  double cell = (at - zones->bounds[axis]) * zones->scale[axis];
  if (!(cell > 0)) return 0;
  return cell < (double)zones->side ? (size_t)cell : zones->side - 1;
}

static void set_side(struct pl_zones *zones, size_t side) {
  zones->side = side;
  for (int k = 0; k < 2; k++) {
    double scale = (double)side / (zones->bounds[k + 2] - zones->bounds[k]);
    zones->scale[k] = isfinite(scale) ? scale : 0;  // flat: all in cell 0
  }
}

// The cells that a zone's bounds reach into: {first column, first row, last column, last row}.
static void reach_of(const struct pl_zones *zones, size_t zone, size_t cells[4]) {
  const double *bounds = pl_polygon_bounds(zones->zones[zone].polygon);
  for (int k = 0; k < 4; k++) cells[k] = cell_along(zones, k % 2, bounds[k]);
}

static size_t count_entries(const struct pl_zones *zones) {
  size_t entries = 0, cells[4];
  for (size_t i = 0; i < zones->count; i++) {
    reach_of(zones, i, cells);
    entries += (cells[2] - cells[0] + 1) * (cells[3] - cells[1] + 1);
  }
  return entries;
}

// About a cell a zone, but not so many that large zones fill the memory.
static size_t choose_side(struct pl_zones *zones) {
  double root = sqrt((double)zones->count);
  size_t side = root < SIDE_MAX ? (size_t)root + 1 : SIDE_MAX, entries;
  for (;; side /= 2) {
    set_side(zones, side);
    entries = count_entries(zones);
    if (side == 1 || entries <= ENTRIES_PER_ZONE * zones->count) return entries;
  }
}

static int fill_grid(struct pl_zones *zones) {
  size_t entries = choose_side(zones), cells[4], cell_count = zones->side * zones->side;
  zones->begins = pl_mem_calloc(cell_count + 1, sizeof *zones->begins);
  zones->entries = pl_mem_calloc(entries + 1, sizeof *zones->entries);
  if (!zones->begins || !zones->entries) return PL_ENOMEM;
  for (size_t i = 0; i < zones->count; i++) {
    reach_of(zones, i, cells);
    for (size_t y = cells[1]; y <= cells[3]; y++) {
      for (size_t x = cells[0]; x <= cells[2]; x++) zones->begins[y * zones->side + x]++;
    }
  }
  // begins[c] becomes the end of cell c; filling from the last zone moves it to its begin.
  for (size_t c = 1; c <= cell_count; c++) zones->begins[c] += zones->begins[c - 1];
  for (size_t i = zones->count; i-- > 0;) {
    reach_of(zones, i, cells);
    for (size_t y = cells[1]; y <= cells[3]; y++) {
      for (size_t x = cells[0]; x <= cells[2]; x++) {
        zones->entries[--zones->begins[y * zones->side + x]] = (uint32_t)i;
      }
    }
  }
  return 0;
}

static int read_zone(struct pl_zones *zones, const struct pl_zone_spec *spec, char *problem) {
  size_t place = zones->count + 1;
  char what[PL_QUERY_PROBLEM_MAX];
  if (!spec->id) {
    snprintf(problem, PL_QUERY_PROBLEM_MAX, "zones[%zu].id is 0, which means none", place);
    return PL_EINVAL;
  }
  struct zone *zone = &zones->zones[zones->count];
  int err = pl_polygon_new(&spec->rings, &zone->polygon, what);
  if (err == PL_EINVAL || err == PL_ELIMIT) {
    snprintf(problem, PL_QUERY_PROBLEM_MAX, "zones[%zu].%.200s", place, what);
  }
  if (err) return err;
  zone->id = spec->id;
  zones->count++;
  const double *bounds = pl_polygon_bounds(zone->polygon);
  for (int k = 0; k < 2; k++) {
    zones->bounds[k] = bounds[k] < zones->bounds[k] ? bounds[k] : zones->bounds[k];
    zones->bounds[k + 2] =
        bounds[k + 2] > zones->bounds[k + 2] ? bounds[k + 2] : zones->bounds[k + 2];
  }
  return 0;
}

static int read_zones(struct pl_zones *zones, const struct pl_zone_spec *specs, size_t count,
                      char *problem) {
  if (count > ZONES_MAX) {
    snprintf(problem, PL_QUERY_PROBLEM_MAX, "zones: %zu are more than %d", count, ZONES_MAX);
    return PL_ELIMIT;
  }
  zones->zones = pl_mem_calloc(count + 1, sizeof *zones->zones);
  if (!zones->zones) return PL_ENOMEM;
  memcpy(zones->bounds, (double[4]){INFINITY, INFINITY, -INFINITY, -INFINITY},
         sizeof zones->bounds);
  for (size_t i = 0; i < count; i++) {
    int err = read_zone(zones, &specs[i], problem);
    if (err) return err;
  }
  return fill_grid(zones);
}

int pl_zones_new(const struct pl_zone_spec *specs, size_t count, struct pl_zones **zones,
                 char problem[PL_QUERY_PROBLEM_MAX]) {
  struct pl_zones *made = pl_mem_zalloc(sizeof *made);
  if (!made) return PL_ENOMEM;
  atomic_init(&made->refs, 1);
  int err = read_zones(made, specs, count, problem);
  if (err) {
    pl_zones_unref(made);
    return err;
  }
  *zones = made;
  return 0;
}

struct pl_zones *pl_zones_ref(struct pl_zones *zones) {
  atomic_fetch_add_explicit(&zones->refs, 1, memory_order_relaxed);
  return zones;
}

void pl_zones_unref(struct pl_zones *zones) {
  if (!zones || atomic_fetch_sub_explicit(&zones->refs, 1, memory_order_acq_rel) != 1) return;
  for (size_t i = 0; i < zones->count; i++) pl_polygon_free(zones->zones[i].polygon);
  pl_mem_free(zones->zones);
  pl_mem_free(zones->begins);
  pl_mem_free(zones->entries);
  pl_mem_free(zones);
}

size_t pl_zones_bytes(const struct pl_zones *zones) {
  size_t cells = zones->side * zones->side;
  size_t bytes = sizeof *zones + zones->count * sizeof *zones->zones +
                 (cells + 1 + zones->begins[cells]) * sizeof *zones->entries;
  for (size_t i = 0; i < zones->count; i++) bytes += pl_polygon_bytes(zones->zones[i].polygon);
  return bytes;
}

size_t pl_zones_rate(const struct pl_zones *zones) {
  size_t cells = zones->side * zones->side, edges = 0;
  for (size_t i = 0; i < zones->count; i++) {
    size_t of_zone = 40000 / pl_polygon_rate(zones->zones[i].polygon);
    edges = of_zone > edges ? of_zone : edges;
  }
  return 40000 / (20 + (zones->begins[cells] / cells + 1) * (edges + 1)) + 1;
}

static uint32_t locate(const struct pl_zones *zones, const double p[2]) {
  const double *bounds = zones->bounds;
  if (!(p[0] >= bounds[0] && p[1] >= bounds[1] && p[0] <= bounds[2] && p[1] <= bounds[3])) return 0;
  size_t cell = cell_along(zones, 1, p[1]) * zones->side + cell_along(zones, 0, p[0]);
  for (uint32_t i = zones->begins[cell]; i < zones->begins[cell + 1]; i++) {
    const struct zone *zone = &zones->zones[zones->entries[i]];
    if (pl_polygon_has(zone->polygon, p)) return zone->id;
  }
  return 0;
}

void pl_zones_locate(const struct pl_zones *zones, const struct pl_span *dst,
                     const struct pl_span *points, size_t first, size_t count) {
  struct pl_query_point kind = pl_query_point_of(points->layout);
  for (size_t i = first; i < first + count; i++) {
    double point[3];
    pl_query_point_at(points, kind, i, point);
    uint32_t id = locate(zones, point);
    memcpy(pl_span_at(dst, i), &id, sizeof id);
  }
}
