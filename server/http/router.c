// A tree with one node per distinct pattern prefix, cut at "/". The literal children of all nodes
// are in one hash table, keyed by (parent, text), so that a step costs the same with one child and
// with a thousand:
//
//   GET /users/:id        node 0 --"users"--> node 1 --param--> node 2 --leaf--> {GET: route 0}
//   GET /users/me                               \------"me"---> node 3 --leaf--> {GET: route 1}
//   GET /users/*rest                             \----rest leaf----------------> {GET: route 2}
//
// Keys come from the application's author; a client chooses only what is looked up, and a failed
// look-up ends at the first empty slot of a table that is at most a quarter full. Nothing is ever
// removed. Indices instead of pointers, since the arrays move while routes are added.
#include "http/router.h"

#include "base/error.h"
#include "base/mem.h"
#include "http/chars.h"

#include <stdio.h>

enum { NONE = 0, FIRST_CAPACITY = 16 };  // node 0 is the root: nobody's child

struct text {
  uint32_t start, len;  // in router->text
};

struct edge {
  uint32_t parent, child;  // child NONE: a free slot
  struct text text;
};

struct leaf {
  uint32_t methods;  // mask
  uint32_t routes[PL_METHOD_COUNT];
};

struct node {
  uint32_t param;  // child for `:name`, or NONE
  uint32_t leaf;   // index into leaves + 1, or NONE: a pattern ends here
  uint32_t rest;   // the same for `*name` in place of a child
};

struct route {
  uint32_t first_name, name_count;  // in router->names
};

struct array {
  void *items;
  uint32_t count, capacity;
};

struct pl_router {
  struct array nodes, leaves, routes, names, text;
  struct edge *edges;   // open addressing, linear probing
  uint32_t edge_slots;  // power of two
  uint32_t edge_count;
};

// Makes room for `more` items behind the last one.
static int reserve_items(struct array *a, uint32_t more, size_t size) {
  uint64_t needed = (uint64_t)a->count + more;
  if (needed <= a->capacity) return 0;
  uint64_t capacity = a->capacity ? a->capacity : FIRST_CAPACITY;
  while (capacity < needed) capacity *= 2;
  if (capacity > UINT32_MAX) return PL_ENOMEM;
  void *items = pl_mem_realloc(a->items, capacity * size);
  if (!items) return PL_ENOMEM;
  a->items = items;
  a->capacity = (uint32_t)capacity;
  return 0;
}

static struct node *node_at(const struct pl_router *r, uint32_t index) {
  return (struct node *)r->nodes.items + index;
}

static struct leaf *leaf_at(const struct pl_router *r, uint32_t number) {
  return (struct leaf *)r->leaves.items + (number - 1);
}

static struct pl_strv text_of(const struct pl_router *r, struct text t) {
  return pl_strv((const char *)r->text.items + t.start, t.len);
}

static uint64_t mix(uint64_t x) {
  x *= 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
  return x ^ x >> 32;
}

// The last 1..7 bytes as one number; with the length in the hash no two texts share it.
static uint64_t read_tail(const char *p, size_t len) {
  uint32_t low, high;
  if (len < 4)
    return (unsigned char)p[0] | (unsigned)(unsigned char)p[len / 2] << 8 |
           (unsigned)(unsigned char)p[len - 1] << 16;
  memcpy(&low, p, 4);
  memcpy(&high, p + len - 4, 4);
  return low | (uint64_t)high << 32;
}

static uint64_t hash_edge(uint32_t parent, struct pl_strv s) {
  uint64_t h = mix(((uint64_t)parent << 32) + s.len), word;
  const char *p = s.data;
  size_t left = s.len;
  for (; left >= 8; p += 8, left -= 8) {
    memcpy(&word, p, 8);
    h = mix(h ^ word);
  }
  return left ? mix(h ^ read_tail(p, left)) : h;
}

// The slot of the edge, or the free one where it would go.
static struct edge *find_slot(const struct pl_router *r, uint32_t parent, struct pl_strv text) {
  uint32_t mask = r->edge_slots - 1;
  for (uint32_t i = (uint32_t)hash_edge(parent, text) & mask;; i = (i + 1) & mask) {
    struct edge *e = &r->edges[i];
    if (e->child == NONE) return e;
    if (e->parent == parent && pl_strv_eq(text_of(r, e->text), text)) return e;
  }
}

static int resize_edges(struct pl_router *r, uint32_t slots) {
  struct edge *fresh = pl_mem_zalloc(slots * sizeof *fresh);
  if (!fresh) return PL_ENOMEM;
  struct edge *old = r->edges;
  uint32_t old_slots = r->edge_slots;
  r->edges = fresh;
  r->edge_slots = slots;
  for (uint32_t i = 0; i < old_slots; i++)
    if (old[i].child != NONE) *find_slot(r, old[i].parent, text_of(r, old[i].text)) = old[i];
  pl_mem_free(old);
  return 0;
}

static struct text store_text(struct pl_router *r, struct pl_strv s) {
  struct text t = {r->text.count, (uint32_t)s.len};
  if (s.len) memcpy((char *)r->text.items + t.start, s.data, s.len);
  r->text.count += t.len;
  return t;
}

static uint32_t add_node(struct pl_router *r) {
  *node_at(r, r->nodes.count) = (struct node){NONE, NONE, NONE};
  return r->nodes.count++;
}

struct pl_router *pl_router_new(void) {
  struct pl_router *r = pl_mem_zalloc(sizeof *r);
  if (!r) return NULL;
  if (resize_edges(r, FIRST_CAPACITY) || reserve_items(&r->nodes, 1, sizeof(struct node)) ||
      reserve_items(&r->text, 1, 1)) {
    pl_router_free(r);
    return NULL;
  }
  add_node(r);
  return r;
}

void pl_router_free(struct pl_router *r) {
  if (!r) return;
  pl_mem_free(r->nodes.items);
  pl_mem_free(r->leaves.items);
  pl_mem_free(r->routes.items);
  pl_mem_free(r->names.items);
  pl_mem_free(r->text.items);
  pl_mem_free(r->edges);
  pl_mem_free(r);
}

// Adding: the pattern is cut and checked first, then room is made for all that it may need, so that
// nothing can fail while the tree is being changed.

struct pattern {
  struct pl_strv segments[PL_ROUTER_MAX_SEGMENTS];
  uint32_t count;
  struct pl_strv names[PL_ROUTER_MAX_CAPTURES];
  uint32_t name_count;
  bool has_rest;
};

static bool is_capture(struct pl_strv segment) {
  return segment.len && (segment.data[0] == ':' || segment.data[0] == '*');
}

static int refuse(struct pl_route_problem *problem, const char *text, struct pl_strv segment) {
  *problem = (struct pl_route_problem){.text = text, .segment = segment};
  return PL_EINVAL;
}

static int check_capture(struct pattern *p, struct pl_strv segment,
                         struct pl_route_problem *problem) {
  struct pl_strv name = {segment.data + 1, segment.len - 1};
  if (!name.len) return refuse(problem, "a name is missing behind \":\" or \"*\"", segment);
  for (size_t i = 0; i < name.len; i++)
    if (!pl_char_is_alnum(name.data[i]) && name.data[i] != '_')
      return refuse(problem, "a name consists of letters, digits and \"_\"", segment);
  for (uint32_t i = 0; i < p->name_count; i++)
    if (pl_strv_eq(p->names[i], name))
      return refuse(problem, "a name may be used only once in a pattern", segment);
  if (p->name_count == PL_ROUTER_MAX_CAPTURES)
    return refuse(problem, "a pattern has at most 32 names", segment);
  p->names[p->name_count++] = name;
  p->has_rest = segment.data[0] == '*';
  return 0;
}

static int add_segment(struct pattern *p, struct pl_strv segment,
                       struct pl_route_problem *problem) {
  if (p->has_rest) return refuse(problem, "\"*name\" must be the last segment", segment);
  if (p->count == PL_ROUTER_MAX_SEGMENTS)
    return refuse(problem, "a pattern has at most 128 segments", segment);
  if (pl_strv_eq(segment, PL_STRV(".")) || pl_strv_eq(segment, PL_STRV("..")))
    return refuse(problem, "\".\" and \"..\" are resolved in every path and never match", segment);
  p->segments[p->count++] = segment;
  return is_capture(segment) ? check_capture(p, segment, problem) : 0;
}

static int cut_pattern(struct pl_strv text, struct pattern *p, struct pl_route_problem *problem) {
  p->count = p->name_count = 0;
  p->has_rest = false;
  if (!text.len || text.data[0] != '/')
    return refuse(problem, "a pattern must begin with \"/\"", text);
  if (memchr(text.data, '\0', text.len))
    return refuse(problem, "a pattern must not contain NUL", PL_STRV(""));
  for (size_t start = 1, i = 1; i <= text.len; i++) {
    if (i < text.len && text.data[i] != '/') continue;
    int err = add_segment(p, pl_strv(text.data + start, i - start), problem);
    if (err) return err;
    start = i + 1;
  }
  return 0;
}

static int reserve_all(struct pl_router *r, size_t pattern_bytes, const struct pattern *p) {
  if (pattern_bytes > UINT32_MAX || reserve_items(&r->nodes, p->count, sizeof(struct node)) ||
      reserve_items(&r->leaves, 1, sizeof(struct leaf)) ||
      reserve_items(&r->routes, 1, sizeof(struct route)) ||
      reserve_items(&r->names, p->name_count, sizeof(struct text)) ||
      reserve_items(&r->text, (uint32_t)pattern_bytes, 1))
    return PL_ENOMEM;
  uint32_t slots = r->edge_slots;
  while ((r->edge_count + p->count) * 4 > slots) slots *= 2;
  return slots > r->edge_slots ? resize_edges(r, slots) : 0;
}

// The node behind `segment`, made if need be.
static uint32_t step_into(struct pl_router *r, uint32_t from, struct pl_strv segment) {
  if (is_capture(segment)) {
    if (node_at(r, from)->param == NONE) node_at(r, from)->param = add_node(r);
    return node_at(r, from)->param;
  }
  struct edge *e = find_slot(r, from, segment);
  if (e->child == NONE) {
    *e = (struct edge){from, add_node(r), store_text(r, segment)};
    r->edge_count++;
  }
  return e->child;
}

// The leaf number at the end of the pattern, where it stands.
static uint32_t *find_leaf(struct pl_router *r, const struct pattern *p) {
  uint32_t at = 0, steps = p->count - (p->has_rest ? 1 : 0);
  for (uint32_t i = 0; i < steps; i++) at = step_into(r, at, p->segments[i]);
  struct node *n = node_at(r, at);
  return p->has_rest ? &n->rest : &n->leaf;
}

static int check_conflict(const struct leaf *leaf, unsigned methods,
                          struct pl_route_problem *problem) {
  for (int m = 0; m < PL_METHOD_COUNT; m++) {
    if (!(leaf->methods & methods & 1u << m)) continue;
    *problem = (struct pl_route_problem){
        .text = "an earlier route has the same pattern and method",
        .is_conflict = true,
        .earlier = leaf->routes[m],
    };
    return PL_EINVAL;
  }
  return 0;
}

static uint32_t add_route(struct pl_router *r, const struct pattern *p) {
  struct route route = {r->names.count, p->name_count};
  for (uint32_t i = 0; i < p->name_count; i++) {
    struct text *names = r->names.items;
    names[r->names.count++] = store_text(r, p->names[i]);
  }
  ((struct route *)r->routes.items)[r->routes.count] = route;
  return r->routes.count++;
}

int pl_router_add(struct pl_router *r, unsigned methods, struct pl_strv text, uint32_t *route,
                  struct pl_route_problem *problem) {
  struct pattern p;
  *problem = (struct pl_route_problem){0};
  int err = cut_pattern(text, &p, problem);
  if (!err) err = reserve_all(r, text.len, &p);
  if (err) return err;
  uint32_t *number = find_leaf(r, &p);
  if (*number == NONE) {
    *number = ++r->leaves.count;
    leaf_at(r, *number)->methods = 0;
  }
  struct leaf *leaf = leaf_at(r, *number);
  err = check_conflict(leaf, methods, problem);
  if (err) return err;
  *route = add_route(r, &p);
  leaf->methods |= methods & PL_METHODS_ALL;
  for (int m = 0; m < PL_METHOD_COUNT; m++)
    if (methods & 1u << m) leaf->routes[m] = *route;
  return 0;
}

size_t pl_router_capture_count(const struct pl_router *r, uint32_t route) {
  return ((const struct route *)r->routes.items)[route].name_count;
}

struct pl_strv pl_router_capture_name(const struct pl_router *r, uint32_t route, size_t index) {
  const struct route *found = (const struct route *)r->routes.items + route;
  return text_of(r, ((const struct text *)r->names.items)[found->first_name + index]);
}

// Matching.

struct walk {
  const struct pl_router *router;
  const struct pl_path *path;
  struct pl_match *out;
  enum pl_method method;
  enum pl_route_verdict verdict;
};

// A pattern ends here and the whole path is used up. Returns: whether it has our method.
static bool try_leaf(struct walk *w, uint32_t number) {
  const struct leaf *leaf = leaf_at(w->router, number);
  enum pl_method method = w->method;
  if (method == PL_METHOD_HEAD && !(leaf->methods & 1u << PL_METHOD_HEAD)) method = PL_METHOD_GET;
  if (!(leaf->methods & 1u << method)) {
    w->out->allowed |= leaf->methods;
    return false;
  }
  w->out->route = leaf->routes[method];
  w->verdict = PL_ROUTE_FOUND;
  return true;
}

static bool try_rest(struct walk *w, uint32_t number, size_t segment) {
  if (!try_leaf(w, number)) return false;
  if (pl_path_rest(w->path, segment, &w->out->captures[w->out->count])) {
    w->verdict = PL_ROUTE_BAD_SLASH;
  } else {
    w->out->count++;
  }
  return true;
}

// Matches the segments from `segment` on below node `at`. As deep as the deepest pattern.
static bool walk_node(struct walk *w, uint32_t at, size_t segment) {
  const struct node *n = node_at(w->router, at);
  if (segment == w->path->count) return n->leaf != NONE && try_leaf(w, n->leaf);
  struct pl_strv text = w->path->segments[segment];
  uint32_t literal = find_slot(w->router, at, text)->child;
  if (literal != NONE && walk_node(w, literal, segment + 1)) return true;
  if (n->param != NONE && text.len) {
    w->out->captures[w->out->count++] = text;
    if (walk_node(w, n->param, segment + 1)) return true;
    w->out->count--;
  }
  return n->rest != NONE && try_rest(w, n->rest, segment);
}

enum pl_route_verdict pl_router_match(const struct pl_router *router, enum pl_method method,
                                      const struct pl_path *path, struct pl_match *out) {
  struct walk w = {router, path, out, method, PL_ROUTE_NOT_FOUND};
  out->route = out->allowed = 0;
  out->count = 0;
  if (walk_node(&w, 0, 0)) return w.verdict;
  if (!out->allowed) return PL_ROUTE_NOT_FOUND;
  if (out->allowed & 1u << PL_METHOD_GET) out->allowed |= 1u << PL_METHOD_HEAD;
  out->allowed |= 1u << PL_METHOD_OPTIONS;
  return PL_ROUTE_BAD_METHOD;
}

size_t pl_router_write_allow(unsigned methods, char out[PL_ALLOW_MAX]) {
  size_t len = 0;
  out[0] = '\0';
  for (int m = 0; m < PL_METHOD_COUNT; m++) {
    if (!(methods & 1u << m)) continue;
    const char *comma = len ? ", " : "";
    int n = snprintf(out + len, PL_ALLOW_MAX - len, "%s%s", comma, pl_method_name(m).data);
    len += (size_t)n;
  }
  return len;
}
