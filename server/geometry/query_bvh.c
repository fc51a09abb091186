// The tree is built from the top: each node's items are cut where the surface area heuristic says
// that a ray has the least to do, tried at BINS - 1 places along the axis on which the centres
// spread most. Deep down, and where all centres are one, the items are simply halved, which bounds
// the depth and with it the stack of a walk.
#include "geometry/query_bvh.h"

#include <string.h>

#include "base/mem.h"

enum { LEAF_ITEMS = 4, BINS = 16, HALVING_DEPTH = 28, STACK = 64 };

// 32 bytes: two to a cache line.
struct node {
  float bounds[6];
  uint32_t first;  // of a leaf: its first name; else its first child, the second is behind it
  uint32_t count;  // names; 0: no leaf
};

struct pl_bvh {
  struct node *nodes;
  uint32_t node_count;
  uint32_t *names;  // in the order of leaves
  uint32_t name_count;
};

static float round_down(double x) {
  float rounded = (float)x;
  return rounded > x ? nextafterf(rounded, -INFINITY) : rounded;
}

static float round_up(double x) {
  float rounded = (float)x;
  return rounded < x ? nextafterf(rounded, INFINITY) : rounded;
}

struct pl_bvh_item pl_bvh_item_make(const double bounds[6], uint32_t name) {
  struct pl_bvh_item item = {.name = name};
  for (int k = 0; k < 3; k++) {
    item.bounds[k] = round_down(bounds[k]);
    item.bounds[k + 3] = round_up(bounds[k + 3]);
  }
  return item;
}

static void clear_bounds(float bounds[6]) {
  for (int k = 0; k < 3; k++) {
    bounds[k] = INFINITY;
    bounds[k + 3] = -INFINITY;
  }
}

static void join_bounds(float bounds[6], const float other[6]) {
  for (int k = 0; k < 3; k++) {
    bounds[k] = other[k] < bounds[k] ? other[k] : bounds[k];
    bounds[k + 3] = other[k + 3] > bounds[k + 3] ? other[k + 3] : bounds[k + 3];
  }
}

// Half the surface; 0 for bounds that hold nothing.
static double area_of(const float bounds[6]) {
  double x = (double)bounds[3] - bounds[0], y = (double)bounds[4] - bounds[1],
         z = (double)bounds[5] - bounds[2];
  return x < 0 ? 0 : x * y + y * z + z * x;
}

static double center_of(const struct pl_bvh_item *item, int axis) {
  return ((double)item->bounds[axis] + item->bounds[axis + 3]) / 2;
}

// Where the centres are along the axis on which they spread most, cut into BINS.
struct binning {
  int axis;
  double from, scale;
};

static size_t bin_of(const struct binning *binning, const struct pl_bvh_item *item) {
  size_t bin = (size_t)((center_of(item, binning->axis) - binning->from) * binning->scale);
  return bin < BINS ? bin : BINS - 1;
}

// Returns: false: all centres are one.
static bool find_axis(struct binning *binning, const struct pl_bvh_item *items, size_t count) {
  double widest = 0;
  for (int axis = 0; axis < 3; axis++) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
      double center = center_of(&items[i], axis);
      least = center < least ? center : least;
      most = center > most ? center : most;
    }
    if (most - least > widest) {
      widest = most - least;
      *binning = (struct binning){axis, least, BINS / widest};
    }
  }
  return widest > 0 && binning->scale < INFINITY;
}

// The last bin of the first part; BINS: one leaf is better than any cut.
static size_t find_cut(const struct binning *binning, const struct pl_bvh_item *items,
                       size_t count) {
  struct {
    float bounds[6];
    size_t count;
  } bins[BINS], part = {.count = 0};
  double right[BINS], all, best = INFINITY;
  size_t cut = BINS;
  for (int b = 0; b < BINS; b++) {
    clear_bounds(bins[b].bounds);
    bins[b].count = 0;
  }
  for (size_t i = 0; i < count; i++) {
    size_t b = bin_of(binning, &items[i]);
    join_bounds(bins[b].bounds, items[i].bounds);
    bins[b].count++;
  }
  clear_bounds(part.bounds);
  for (int b = BINS - 1; b >= 0; b--) {
    join_bounds(part.bounds, bins[b].bounds);
    part.count += bins[b].count;
    right[b] = area_of(part.bounds) * (double)part.count;
  }
  all = area_of(part.bounds);
  clear_bounds(part.bounds);
  part.count = 0;
  for (int b = 0; b < BINS - 1; b++) {
    join_bounds(part.bounds, bins[b].bounds);
    part.count += bins[b].count;
    double cost = area_of(part.bounds) * (double)part.count + right[b + 1];
    if (part.count && part.count < count && cost < best) {
      best = cost;
      cut = (size_t)b;
    }
  }
  // A node costs about as much as one shape.
  return count <= LEAF_ITEMS && best + all >= all * (double)count ? BINS : cut;
}

static size_t partition(const struct binning *binning, size_t cut, struct pl_bvh_item *items,
                        size_t count) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++) {
    if (bin_of(binning, &items[i]) > cut) continue;
    struct pl_bvh_item item = items[i];
    items[i] = items[left];
    items[left++] = item;
  }
  return left;
}

// How many items the first part has; 0: they make a leaf.
static size_t split(struct pl_bvh_item *items, size_t count, unsigned depth) {
  struct binning binning;
  if (count == 1) return 0;
  if (depth >= HALVING_DEPTH || !find_axis(&binning, items, count)) {
    return count <= LEAF_ITEMS ? 0 : count / 2;
  }
  size_t cut = find_cut(&binning, items, count);
  if (cut == BINS) return count <= LEAF_ITEMS ? 0 : count / 2;
  return partition(&binning, cut, items, count);
}

// The depth is at most HALVING_DEPTH and the 30 halvings of 2^30.
static void build(struct pl_bvh *bvh, uint32_t number, struct pl_bvh_item *items, size_t count,
                  unsigned depth) {
  struct node *node = &bvh->nodes[number];
  clear_bounds(node->bounds);
  for (size_t i = 0; i < count; i++) join_bounds(node->bounds, items[i].bounds);
  size_t left = split(items, count, depth);
  if (!left) {
    node->first = bvh->name_count;
    node->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) bvh->names[bvh->name_count++] = items[i].name;
    return;
  }
  uint32_t child = bvh->node_count;
  bvh->node_count += 2;
  node->first = child;
  node->count = 0;
  build(bvh, child, items, left, depth + 1);
  build(bvh, child + 1, items + left, count - left, depth + 1);
}

struct pl_bvh *pl_bvh_new(struct pl_bvh_item *items, size_t count) {
  struct pl_bvh *bvh = pl_mem_zalloc(sizeof *bvh);
  if (!bvh) return NULL;
  bvh->nodes = pl_mem_calloc(2 * count, sizeof *bvh->nodes);
  bvh->names = pl_mem_calloc(count, sizeof *bvh->names);
  if (!bvh->nodes || !bvh->names) {
    pl_bvh_free(bvh);
    return NULL;
  }
  bvh->node_count = 1;
  build(bvh, 0, items, count, 0);
  struct node *fitting = pl_mem_realloc(bvh->nodes, bvh->node_count * sizeof *fitting);
  if (fitting) bvh->nodes = fitting;
  return bvh;
}

void pl_bvh_free(struct pl_bvh *bvh) {
  if (!bvh) return;
  pl_mem_free(bvh->nodes);
  pl_mem_free(bvh->names);
  pl_mem_free(bvh);
}

size_t pl_bvh_bytes(const struct pl_bvh *bvh) {
  return sizeof *bvh + bvh->node_count * sizeof *bvh->nodes + bvh->name_count * sizeof *bvh->names;
}

// Where the ray enters the node, rounded down; false: not at all, or behind the limit.
static bool enter_node(const struct node *node, const struct pl_query_ray *ray, float limit,
                       double *at) {
  double bounds[6], leave;
  for (int k = 0; k < 6; k++) bounds[k] = node->bounds[k];
  return pl_query_ray_box(ray, bounds, at, &leave) && (float)*at <= limit;
}

void pl_bvh_walk(const struct pl_bvh *bvh, const struct pl_query_ray *ray, const float *limit,
                 pl_bvh_visit *visit, void *ctx) {
  struct {
    uint32_t number;
    float at;
  } stack[STACK];
  unsigned depth = 0;
  double at, other_at;
  if (!enter_node(&bvh->nodes[0], ray, *limit, &at)) return;
  uint32_t number = 0;
  for (;;) {
    const struct node *node = &bvh->nodes[number];
    for (uint32_t i = 0; i < node->count; i++) {
      if (visit(ctx, bvh->names[node->first + i])) return;
    }
    bool is_first = !node->count && enter_node(&bvh->nodes[node->first], ray, *limit, &at);
    bool is_second =
        !node->count && enter_node(&bvh->nodes[node->first + 1], ray, *limit, &other_at);
    if (is_first && is_second) {
      bool is_swapped = other_at < at;
      stack[depth].number = node->first + !is_swapped;
      stack[depth++].at = (float)(is_swapped ? at : other_at);
      number = node->first + is_swapped;
      continue;
    }
    if (is_first || is_second) {
      number = node->first + is_second;
      continue;
    }
    do {
      if (!depth) return;
      depth--;
    } while (stack[depth].at > *limit);
    number = stack[depth].number;
  }
}
