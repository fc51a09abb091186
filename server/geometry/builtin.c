// The scalars and the structs of types.def: compiled once, into memory that is the program's, by
// whoever asks first. A part of the module layout (layout.h).
//
// Ids: scalars have their number in enum pl_scalar, built-in structs follow in their order.
#include "geometry/builtin.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>

#include "geometry/compile.h"

enum { POOL_BYTES = 16 * 1024 };

// Written under `once`, only read afterwards.
static struct {
  pthread_once_t once;
  struct pl_layout scalars[PL_SCALAR_COUNT];
  const struct pl_layout *structs[PL_BUILTIN_COUNT];
  alignas(16) char pool[POOL_BYTES];
  size_t used;
} builtins = {.once = PTHREAD_ONCE_INIT};

static const struct {
  struct pl_strv name;
  uint8_t size;
} scalars[PL_SCALAR_COUNT] = {
    [PL_SCALAR_NONE] = {{"none", 4}, 0}, [PL_SCALAR_BOOL] = {{"bool", 4}, 1},
    [PL_SCALAR_I8] = {{"i8", 2}, 1},     [PL_SCALAR_I16] = {{"i16", 3}, 2},
    [PL_SCALAR_I32] = {{"i32", 3}, 4},   [PL_SCALAR_I64] = {{"i64", 3}, 8},
    [PL_SCALAR_U8] = {{"u8", 2}, 1},     [PL_SCALAR_U16] = {{"u16", 3}, 2},
    [PL_SCALAR_U32] = {{"u32", 3}, 4},   [PL_SCALAR_U64] = {{"u64", 3}, 8},
    [PL_SCALAR_F16] = {{"f16", 3}, 2},   [PL_SCALAR_F32] = {{"f32", 3}, 4},
    [PL_SCALAR_F64] = {{"f64", 3}, 8},   [PL_SCALAR_DEC128] = {{"dec128", 6}, 16},
};

static const struct {
  struct pl_strv name;
  struct pl_strv schema;
  uint32_t size;
} sources[PL_BUILTIN_COUNT] = {
#define T(name, bytes, fields) [PL_BUILTIN_##name] = {PL_STRV(#name), PL_STRV(fields), bytes},
#include "geometry/types.def"
#undef T
};

struct pl_strv pl_scalar_name(enum pl_scalar scalar) {
  return scalars[scalar].name;
}

unsigned pl_scalar_size(enum pl_scalar scalar) {
  return scalars[scalar].size;
}

// Among those that are made by now.
static const struct pl_layout *find_made(void *ctx, struct pl_strv name) {
  (void)ctx;
  for (int i = PL_SCALAR_NONE + 1; i < PL_SCALAR_COUNT; i++)
    if (pl_strv_eq(scalars[i].name, name)) return &builtins.scalars[i];
  for (int i = PL_BUILTIN_NONE + 1; i < PL_BUILTIN_COUNT; i++)
    if (pl_strv_eq(sources[i].name, name)) return builtins.structs[i];
  return NULL;
}

static void make_scalar(enum pl_scalar scalar) {
  struct pl_layout *layout = &builtins.scalars[scalar];
  uint8_t size = scalars[scalar].size;
  *layout = (struct pl_layout){
      .name = scalars[scalar].name,
      .size = size,
      .align = 1,
      .id = (uint16_t)scalar,
      .kind = PL_LAYOUT_SCALAR,
      .scalar = (uint8_t)scalar,
      .part = (uint8_t)scalar,
      .part_count = 1,
      .natural = size,
      .where = "",
  };
  layout->hash = pl_layout_make_hash(layout);
}

// types.def is ours: what is wrong in it is found by any test, and by the assertions here.
static void make_struct(enum pl_builtin builtin, struct pl_draft *draft) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_resolver resolver = {.find = find_made};
  struct pl_struct_spec spec = {
      .name = sources[builtin].name, .schema = sources[builtin].schema, .align = 1};
  int err = pl_compile_struct(&spec, &resolver, draft, problem);
  assert(err == 0 && draft->layout.size == sources[builtin].size);
  if (err) return;
  draft->layout.id = (uint16_t)(PL_SCALAR_COUNT - 1 + (int)builtin);
  draft->layout.builtin = (uint8_t)builtin;
  size_t size = (pl_draft_size(draft) + 15) / 16 * 16;
  assert(size <= POOL_BYTES - builtins.used);
  if (size > POOL_BYTES - builtins.used) return;
  builtins.structs[builtin] = pl_draft_place(draft, builtins.pool + builtins.used);
  builtins.used += size;
}

static void make_all(void) {
  struct pl_draft draft;
  for (int i = PL_SCALAR_NONE + 1; i < PL_SCALAR_COUNT; i++) make_scalar((enum pl_scalar)i);
  for (int i = PL_BUILTIN_NONE + 1; i < PL_BUILTIN_COUNT; i++)
    make_struct((enum pl_builtin)i, &draft);
}

const struct pl_layout *pl_layout_scalar(enum pl_scalar scalar) {
  pthread_once(&builtins.once, make_all);
  return scalar > PL_SCALAR_NONE && scalar < PL_SCALAR_COUNT ? &builtins.scalars[scalar] : NULL;
}

const struct pl_layout *pl_layout_builtin(enum pl_builtin builtin) {
  pthread_once(&builtins.once, make_all);
  return builtin > PL_BUILTIN_NONE && builtin < PL_BUILTIN_COUNT ? builtins.structs[builtin] : NULL;
}

const struct pl_layout *pl_layout_find_builtin(struct pl_strv name) {
  pthread_once(&builtins.once, make_all);
  return find_made(NULL, name);
}

const struct pl_layout *pl_builtin_by_id(uint16_t id) {
  if (id < PL_SCALAR_COUNT) return pl_layout_scalar((enum pl_scalar)id);
  return pl_layout_builtin((enum pl_builtin)(id - (PL_SCALAR_COUNT - 1)));
}
