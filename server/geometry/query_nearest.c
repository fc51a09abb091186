// A k-d tree without pointers: the points are reordered so that the middle one of a range, along
// one axis, splits the rest into the ranges before and behind it; small ranges are looped over, and
// so is everything when a tree is not worth its making.
//
// The walk keeps how far the query is outside the present range along each axis. Those distances
// are squared and added in the order in which distances of points are; both are monotone in
// floating point, so a range is left out only if no point in it can be nearer, and the tree answers
// as the loop does. Ranges and points at just the farthest distance that is kept are looked at: a
// lower index may be among them.
#include "geometry/query_nearest.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"

enum { POINTS_MAX = 1 << 28, LEAF = 16, TREE_FROM = 64, TREE_QUERIES = 16 };

struct point {
  double at[3];  // of 2 dimensions: the third is 0
  uint32_t index;
};

struct pl_nearest {
  _Atomic uint32_t refs;
  struct point *points;  // those that are finite
  size_t count;
  unsigned dims;
  bool is_tree;
  uint8_t *axes;  // of a tree: along which the range is split whose middle is at this place
};

static void swap(struct point *a, struct point *b) {
  struct point kept = *a;
  *a = *b;
  *b = kept;
}

// Puts the point of rank `middle` along the axis there, lesser ones before it (Hoare). Pivots are
// taken by chance, from the address that the points happen to have: whoever sends the points
// cannot order them so that this takes the square of their number. Answers do not depend on it.
static void select_middle(struct point *points, size_t count, size_t middle, unsigned axis) {
  size_t from = 0, to = count - 1;
  uint64_t chance = (uint64_t)(uintptr_t)points;
  while (from < to) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    double pivot = points[from + (chance >> 33) % (to - from + 1)].at[axis];
    size_t i = from, j = to;
    for (;;) {
      while (points[i].at[axis] < pivot) i++;
      while (points[j].at[axis] > pivot) j--;
      if (i >= j) break;
      swap(&points[i++], &points[j--]);
    }
    // All up to j are at most the pivot, all from i on at least it.
    if (i == j) {
      if (middle == i) return;
      if (middle < i) {
        to = i - 1;
      } else {
        from = i + 1;
      }
    } else if (middle <= j) {
      to = j;
    } else {
      from = i;
    }
  }
}

static unsigned widest_axis(const struct point *points, size_t count, unsigned dims) {
  unsigned widest = 0;
  double width = -1;
  for (unsigned axis = 0; axis < dims; axis++) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
      least = points[i].at[axis] < least ? points[i].at[axis] : least;
      most = points[i].at[axis] > most ? points[i].at[axis] : most;
    }
    if (most - least > width) {
      width = most - least;
      widest = axis;
    }
  }
  return widest;
}

// Halving: at most 28 deep.
static void plant(struct pl_nearest *nearest, size_t from, size_t count) {
  if (count <= LEAF) return;
  struct point *points = nearest->points + from;
  size_t middle = count / 2;
  unsigned axis = widest_axis(points, count, nearest->dims);
  select_middle(points, count, middle, axis);
  nearest->axes[from + middle] = (uint8_t)axis;
  plant(nearest, from, middle);
  plant(nearest, from + middle + 1, count - middle - 1);
}

static int copy_points(struct pl_nearest *nearest, const struct pl_span *points, char *problem) {
  struct pl_query_point kind = pl_query_point_of(points->layout);
  if (!kind.dims) {
    snprintf(problem, PL_QUERY_PROBLEM_MAX, "points must be vec2, vec3, dvec2 or dvec3, not %.64s",
             pl_query_name(points->layout));
    return PL_EINVAL;
  }
  if (points->count > POINTS_MAX) {
    snprintf(problem, PL_QUERY_PROBLEM_MAX, "%zu points are more than %d", points->count,
             POINTS_MAX);
    return PL_ELIMIT;
  }
  nearest->dims = kind.dims;
  nearest->points = pl_mem_calloc(points->count + 1, sizeof *nearest->points);
  if (!nearest->points) return PL_ENOMEM;
  for (size_t i = 0; i < points->count; i++) {
    struct point *point = &nearest->points[nearest->count];
    pl_query_point_at(points, kind, i, point->at);
    point->index = (uint32_t)i + 1;
    if (isfinite(point->at[0]) && isfinite(point->at[1]) &&
        (kind.dims == 2 || isfinite(point->at[2]))) {
      nearest->count++;
    }
  }
  if (kind.dims == 2) {
    for (size_t i = 0; i < points->count; i++) nearest->points[i].at[2] = 0;
  }
  return 0;
}

int pl_nearest_new(const struct pl_span *points, size_t queries, enum pl_nearest_search search,
                   struct pl_nearest **nearest, char problem[PL_QUERY_PROBLEM_MAX]) {
  struct pl_nearest *made = pl_mem_zalloc(sizeof *made);
  if (!made) return PL_ENOMEM;
  atomic_init(&made->refs, 1);
  int err = copy_points(made, points, problem);
  if (!err) {
    bool is_worth_it = made->count >= TREE_FROM && queries >= TREE_QUERIES;
    made->is_tree = search == PL_NEAREST_AUTO ? is_worth_it : search == PL_NEAREST_TREE;
    if (made->is_tree) made->axes = pl_mem_calloc(made->count + 1, sizeof *made->axes);
    if (made->is_tree && !made->axes) err = PL_ENOMEM;
  }
  if (err) {
    pl_nearest_unref(made);
    return err;
  }
  if (made->is_tree) plant(made, 0, made->count);
  *nearest = made;
  return 0;
}

struct pl_nearest *pl_nearest_ref(struct pl_nearest *nearest) {
  atomic_fetch_add_explicit(&nearest->refs, 1, memory_order_relaxed);
  return nearest;
}

void pl_nearest_unref(struct pl_nearest *nearest) {
  if (!nearest || atomic_fetch_sub_explicit(&nearest->refs, 1, memory_order_acq_rel) != 1) return;
  pl_mem_free(nearest->points);
  pl_mem_free(nearest->axes);
  pl_mem_free(nearest);
}

size_t pl_nearest_bytes(const struct pl_nearest *nearest) {
  return sizeof *nearest + nearest->count * (sizeof *nearest->points + nearest->is_tree);
}

bool pl_nearest_takes(const struct pl_nearest *nearest, const struct pl_layout *layout) {
  return pl_query_point_of(layout).dims == nearest->dims;
}

// Half of what was measured, or less; a large tree is not in the caches.
size_t pl_nearest_rate(const struct pl_nearest *nearest, unsigned k) {
  size_t work = nearest->is_tree ? 300 + nearest->count / 2000 : 20 + nearest->count;
  return 100000 / (work + 20 * (size_t)k) + 1;
}

// One query's search: the nearest so far, ordered.
struct search {
  const struct pl_nearest *nearest;
  double at[3];
  double within;  // squared; what is farther is of no use
  unsigned k, count;
  struct {
    double distance2;
    uint32_t index;
  } found[PL_NEAREST_K_MAX];
};

static void offer(struct search *search, const struct point *point) {
  double distance2 = 0;
  for (int k = 0; k < 3; k++) {
    double apart = point->at[k] - search->at[k];
    distance2 += apart * apart;
  }
  if (!(distance2 <= search->within)) return;
  unsigned place = search->count;
  while (place && (distance2 < search->found[place - 1].distance2 ||
                   (distance2 == search->found[place - 1].distance2 &&
                    point->index < search->found[place - 1].index))) {
    place--;
  }
  if (place == search->k) return;
  if (search->count < search->k) search->count++;
  memmove(search->found + place + 1, search->found + place,
          (search->count - 1 - place) * sizeof *search->found);
  search->found[place].distance2 = distance2;
  search->found[place].index = point->index;
  if (search->count == search->k) search->within = search->found[search->k - 1].distance2;
}

static void walk(struct search *search, size_t from, size_t count, double outside[3]) {
  const struct pl_nearest *nearest = search->nearest;
  if (count <= LEAF) {
    for (size_t i = from; i < from + count; i++) offer(search, &nearest->points[i]);
    return;
  }
  size_t middle = count / 2;
  const struct point *split = &nearest->points[from + middle];
  unsigned axis = nearest->axes[from + middle];
  double apart = split->at[axis] - search->at[axis], before = outside[axis], least = 0;
  bool is_left = apart > 0;
  size_t right = from + middle + 1, right_count = count - middle - 1;
  walk(search, is_left ? from : right, is_left ? middle : right_count, outside);
  offer(search, split);
  outside[axis] = apart;
  for (int k = 0; k < 3; k++) least += outside[k] * outside[k];
  if (least <= search->within) {
    walk(search, is_left ? right : from, is_left ? right_count : middle, outside);
  }
  outside[axis] = before;
}

static void find_nearest(struct search *search) {
  const struct pl_nearest *nearest = search->nearest;
  if (!isfinite(search->at[0]) || !isfinite(search->at[1]) || !isfinite(search->at[2])) return;
  if (nearest->is_tree) {
    walk(search, 0, nearest->count, (double[3]){0, 0, 0});
  } else {
    for (size_t i = 0; i < nearest->count; i++) offer(search, &nearest->points[i]);
  }
}

static void store(const struct search *search, const struct pl_span *indices,
                  const struct pl_span *distances, size_t first) {
  for (unsigned i = 0; i < search->k; i++) {
    bool is_found = i < search->count;
    uint32_t index = is_found ? search->found[i].index : 0;
    memcpy(pl_span_at(indices, first + i), &index, sizeof index);
    if (!distances->data) continue;
    double distance = is_found ? sqrt(search->found[i].distance2) : INFINITY;
    float narrow = (float)distance;
    char *to = pl_span_at(distances, first + i);
    if (distances->layout->scalar == PL_SCALAR_F64) {
      memcpy(to, &distance, sizeof distance);
    } else {
      memcpy(to, &narrow, sizeof narrow);
    }
  }
}

void pl_nearest_find(const struct pl_nearest *nearest, const struct pl_nearest_query *query,
                     const struct pl_span *indices, const struct pl_span *distances, size_t first,
                     size_t count) {
  struct pl_query_point kind = pl_query_point_of(query->points.layout);
  struct search search = {.nearest = nearest, .k = query->k};
  for (size_t i = first; i < first + count; i++) {
    search.at[2] = 0;
    pl_query_point_at(&query->points, kind, i, search.at);
    search.count = 0;
    search.within = query->radius < 0 ? -1 : query->radius * query->radius;
    find_nearest(&search);
    store(&search, indices, distances, i * query->k);
  }
}
