// The registry: layouts by id and by name. What a layout is made of: compile.c, builtin.c,
// canonical.c, which are parts of this module.
#include "geometry/layout.h"

#include <pthread.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "geometry/builtin.h"
#include "geometry/compile.h"

enum { BUCKETS = 1024, FIRST_CAP = 64, FIRST_ID = PL_BUILTIN_IDS + 1 };

// A script's layout; its block begins here, and the layout's parts follow.
struct entry {
  struct entry *next;  // in its bucket
  size_t reserved;     // keeps the layout at 16 bytes
};

struct pl_layouts {
  pthread_mutex_t lock;
  const struct pl_layout **by_id;  // from FIRST_ID
  size_t count;
  size_t cap;
  struct entry *buckets[BUCKETS];  // by hash
};

// A scope and the layouts that suggestions are made from.
struct search {
  struct pl_layouts *layouts;
  const struct pl_layout_scope *scope;
};

static struct pl_layout *layout_of(struct entry *entry) {
  return (struct pl_layout *)(void *)(entry + 1);
}

struct pl_layouts *pl_layouts_new(void) {
  struct pl_layouts *layouts = pl_mem_zalloc(sizeof *layouts);
  if (!layouts) return NULL;
  if (pthread_mutex_init(&layouts->lock, NULL) != 0) {
    pl_mem_free(layouts);
    return NULL;
  }
  return layouts;
}

void pl_layouts_free(struct pl_layouts *layouts) {
  if (!layouts) return;
  for (size_t i = 0; i < BUCKETS; i++) {
    while (layouts->buckets[i]) {
      struct entry *entry = layouts->buckets[i];
      layouts->buckets[i] = entry->next;
      pl_mem_free(entry);
    }
  }
  pthread_mutex_destroy(&layouts->lock);
  pl_mem_free(layouts->by_id);
  pl_mem_free(layouts);
}

const struct pl_layout *pl_layouts_by_id(struct pl_layouts *layouts, uint16_t id) {
  if (id < FIRST_ID) return pl_builtin_by_id(id);
  pthread_mutex_lock(&layouts->lock);
  size_t at = (size_t)id - FIRST_ID;
  const struct pl_layout *layout = at < layouts->count ? layouts->by_id[at] : NULL;
  pthread_mutex_unlock(&layouts->lock);
  return layout;
}

static bool are_same_fields(const struct pl_layout *a, const struct pl_layout *b) {
  if (a->field_count != b->field_count) return false;
  for (uint32_t i = 0; i < a->field_count; i++) {
    const struct pl_field *x = &a->fields[i], *y = &b->fields[i];
    if (!pl_strv_eq(x->name, y->name) || x->type != y->type || x->offset != y->offset ||
        x->count != y->count || x->is_finite != y->is_finite)
      return false;
  }
  return true;
}

static bool are_same_members(const struct pl_layout *a, const struct pl_layout *b) {
  if (a->member_count != b->member_count) return false;
  for (uint32_t i = 0; i < a->member_count; i++)
    if (!pl_strv_eq(a->members[i].name, b->members[i].name) ||
        a->members[i].value != b->members[i].value)
      return false;
  return true;
}

// Equal hashes alone prove nothing: they leave out much, and could be made to collide.
static bool are_same(const struct pl_layout *a, const struct pl_layout *b) {
  return a->hash == b->hash && a->kind == b->kind && pl_strv_eq(a->name, b->name) &&
         a->size == b->size && a->align == b->align && a->natural == b->natural &&
         a->base == b->base && a->scalar == b->scalar && a->is_flags == b->is_flags &&
         are_same_fields(a, b) && are_same_members(a, b);
}

static const struct pl_layout *find_same(const struct pl_layouts *layouts,
                                         const struct pl_layout *layout) {
  for (struct entry *e = layouts->buckets[layout->hash % BUCKETS]; e; e = e->next)
    if (are_same(layout_of(e), layout)) return layout_of(e);
  return NULL;
}

static int reserve_id(struct pl_layouts *layouts) {
  if (layouts->count < layouts->cap) return 0;
  size_t cap = layouts->cap ? layouts->cap * 2 : FIRST_CAP;
  void *by_id = pl_mem_realloc(layouts->by_id, cap * sizeof(struct pl_layout *));
  if (!by_id) return PL_ENOMEM;
  layouts->by_id = by_id;
  layouts->cap = cap;
  return 0;
}

// With the lock held.
static int add(struct pl_layouts *layouts, const struct pl_draft *draft,
               const struct pl_layout **out, char *problem) {
  if (layouts->count + FIRST_ID > PL_LAYOUTS_MAX) {
    snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "%.*s: there are %d types already",
             (int)draft->layout.name.len, draft->layout.name.data, PL_LAYOUTS_MAX);
    return PL_ELIMIT;
  }
  if (reserve_id(layouts) != 0) return PL_ENOMEM;
  struct entry *entry = pl_mem_alloc(sizeof *entry + pl_draft_size(draft));
  if (!entry) return PL_ENOMEM;
  struct pl_layout *layout = pl_draft_place(draft, entry + 1);
  layout->id = (uint16_t)(layouts->count + FIRST_ID);
  entry->next = layouts->buckets[layout->hash % BUCKETS];
  layouts->buckets[layout->hash % BUCKETS] = entry;
  layouts->by_id[layouts->count++] = layout;
  *out = layout;
  return 0;
}

static int register_draft(struct pl_layouts *layouts, const struct pl_draft *draft,
                          const struct pl_layout **out, char *problem) {
  int err = 0;
  pthread_mutex_lock(&layouts->lock);
  const struct pl_layout *same = find_same(layouts, &draft->layout);
  if (same)
    *out = same;
  else
    err = add(layouts, draft, out, problem);
  pthread_mutex_unlock(&layouts->lock);
  if (err == PL_ENOMEM) snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "out of memory");
  return err;
}

static const struct pl_layout *find_type(void *ctx, struct pl_strv name) {
  struct search *search = ctx;
  const struct pl_layout_scope *scope = search->scope;
  const struct pl_layout *found = scope && scope->find ? scope->find(scope->ctx, name) : NULL;
  return found ? found : pl_layout_find_builtin(name);
}

// Names of other generations are no help: only what the scope finds is offered.
static const char *suggest_type(void *ctx, struct pl_strv name) {
  struct search *search = ctx;
  struct pl_suggest suggest = pl_suggest_for(name);
  const struct pl_layout *layout = NULL;
  for (uint32_t id = 1; id <= PL_LAYOUTS_MAX; id++) {
    layout = pl_layouts_by_id(search->layouts, (uint16_t)id);
    if (!layout) break;
    struct pl_suggest offered = suggest;
    pl_suggest_offer(&offered, layout->name.data);
    if (offered.best != suggest.best && find_type(ctx, layout->name)) suggest = offered;
  }
  return suggest.best;
}

static int check_not_builtin(struct pl_strv name, char *problem) {
  if (!pl_layout_find_builtin(name)) return 0;
  snprintf(problem, PL_LAYOUT_PROBLEM_MAX, "'%.*s' is the name of a built-in type", (int)name.len,
           name.data);
  return PL_EINVAL;
}

int pl_layouts_define(struct pl_layouts *layouts, const struct pl_struct_spec *spec,
                      const struct pl_layout_scope *scope, const struct pl_layout **layout,
                      char problem[PL_LAYOUT_PROBLEM_MAX]) {
  struct pl_draft draft;
  struct search search = {layouts, scope};
  struct pl_resolver resolver = {.find = find_type, .suggest = suggest_type, .ctx = &search};
  int err = check_not_builtin(spec->name, problem);
  if (!err) err = pl_compile_struct(spec, &resolver, &draft, problem);
  return err ? err : register_draft(layouts, &draft, layout, problem);
}

int pl_layouts_define_enum(struct pl_layouts *layouts, const struct pl_enum_spec *spec,
                           const struct pl_layout **layout, char problem[PL_LAYOUT_PROBLEM_MAX]) {
  struct pl_draft draft;
  int err = check_not_builtin(spec->name, problem);
  if (!err) err = pl_compile_enum(spec, &draft, problem);
  return err ? err : register_draft(layouts, &draft, layout, problem);
}

const struct pl_field *pl_layout_field(const struct pl_layout *layout, struct pl_strv name) {
  for (uint32_t i = 0; i < layout->field_count; i++)
    if (pl_strv_eq(layout->fields[i].name, name)) return &layout->fields[i];
  return NULL;
}

bool pl_layout_is_a(const struct pl_layout *layout, const struct pl_layout *wanted) {
  while (layout && layout != wanted) layout = layout->base;
  return layout != NULL;
}
