// Arguments are taken one by one as the fields are walked through; a vector where a number would
// stand gives its own numbers until it has no more.
#include "structs/construct.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "structs/field.h"
#include "structs/operand.h"
#include "structs/scalars.h"
#include "structs/type.h"

enum { SMALL_BYTES = 256 };

struct arguments {
  lua_State *L;
  const struct pl_layout *layout;  // what is made
  int first;
  int next;
  int last;
  // the vector that stands for numbers now
  enum pl_scalar part;
  const char *from;
  uint32_t left;
};

// ---- counting ----

static int raise_missing(const struct arguments *a, const struct pl_path *path) {
  int given = a->last - a->first + 1;
  lua_pushfstring(a->L, "a value is missing: %d given, %s takes %I numbers", given,
                  a->layout->name.data, (lua_Integer)pl_scalars_count(a->layout));
  return pl_path_raise(a->L, path);
}

static void check_end(const struct arguments *a) {
  if (!a->left && a->next > a->last) return;
  luaL_error(a->L, "%s: too many values: it takes %I numbers", a->layout->name.data,
             (lua_Integer)pl_scalars_count(a->layout));
}

// ---- walking ----

// Whether the next argument is a struct whose scalars are of one kind: they are given one by one.
static bool begin_vector(struct arguments *a) {
  struct pl_operand o;
  if (lua_type(a->L, a->next) != LUA_TUSERDATA || !pl_operand_get(a->L, a->next, &o) || !o.type ||
      o.is_array)
    return false;
  const struct pl_layout *layout = o.span.layout;
  // Decimals are objects: making one could have a finaliser take the vector's bytes away.
  if (layout->part == PL_SCALAR_NONE || layout->part == PL_SCALAR_DEC128) return false;
  if (layout->kind != PL_LAYOUT_STRUCT) return false;
  a->part = (enum pl_scalar)layout->part;
  a->from = o.span.data;
  a->left = layout->part_count;
  a->next++;
  return true;
}

static void take_scalar(struct arguments *a, const struct pl_layout *layout, bool is_finite,
                        char *at, const struct pl_path *path) {
  if (!a->left && a->next > a->last) raise_missing(a, path);
  if (!a->left && !begin_vector(a)) {
    pl_field_lay_value(a->L, a->next++, layout, is_finite, at, path);
    return;
  }
  pl_field_push_scalar(a->L, pl_layout_scalar(a->part), a->from);
  pl_field_lay_value(a->L, lua_gettop(a->L), layout, is_finite, at, path);
  lua_pop(a->L, 1);
  a->from += pl_scalar_size(a->part);
  a->left--;
}

static void take_struct(struct arguments *a, const struct pl_layout *layout, char *at,
                        const struct pl_path *path);

// Whether the next argument stands for the whole struct.
static bool is_whole(const struct arguments *a, const struct pl_layout *layout) {
  struct pl_operand o;
  if (a->left || a->next > a->last) return false;
  if (lua_istable(a->L, a->next)) return true;
  return lua_type(a->L, a->next) == LUA_TUSERDATA && pl_operand_get(a->L, a->next, &o) && o.type &&
         !o.is_array && pl_layout_is_a(o.span.layout, layout);
}

static void take_value(struct arguments *a, const struct pl_layout *layout, bool is_finite,
                       char *at, const struct pl_path *path) {
  if (layout->kind != PL_LAYOUT_STRUCT)
    take_scalar(a, layout, is_finite, at, path);
  else if (is_whole(a, layout))
    pl_field_lay_value(a->L, a->next++, layout, false, at, path);
  else
    take_struct(a, layout, at, path);
}

// Whether the next argument stands for the whole fixed array.
static bool is_list(const struct arguments *a) {
  struct pl_operand o;
  if (a->left || a->next > a->last) return false;
  int type = lua_type(a->L, a->next);
  if (type == LUA_TTABLE || type == LUA_TSTRING) return true;
  if (type != LUA_TUSERDATA) return false;
  if (pl_structs_meta(a->L, a->next)->form == PL_FORM_ROW) return true;
  return pl_operand_get(a->L, a->next, &o) && (o.is_array || o.is_bytes);
}

static void take_struct(struct arguments *a, const struct pl_layout *layout, char *at,
                        const struct pl_path *up) {
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    char *to = at + field->offset;
    if (field->count && is_list(a)) {
      pl_field_lay(a->L, a->next++, field, to, up);
      continue;
    }
    for (uint32_t k = 0; k < (field->count ? field->count : 1); k++) {
      const struct pl_path path = {up, field->name, field->count ? k + 1 : 0};
      take_value(a, field->type, field->is_finite, to + (size_t)k * field->type->size, &path);
    }
  }
}

// ---- the usual case ----

// Floats of one kind, as many as are given. Returns: whether that was so, and all fit.
static bool lay_floats(lua_State *L, int first, int given, const struct pl_layout *layout,
                       char *at) {
  if ((size_t)given != layout->part_count) return false;
  if (layout->part != PL_SCALAR_F32 && layout->part != PL_SCALAR_F64) return false;
  for (int i = 0; i < given; i++) {
    if (lua_type(L, first + i) != LUA_TNUMBER) return false;
    double number = lua_tonumber(L, first + i);
    if (layout->part == PL_SCALAR_F64) {
      memcpy(at + (size_t)i * sizeof number, &number, sizeof number);
      continue;
    }
    float rounded = (float)number;
    if (isinf(rounded) && !isinf(number)) return false;
    memcpy(at + (size_t)i * sizeof rounded, &rounded, sizeof rounded);
  }
  return true;
}

void pl_construct(lua_State *L, int first, int last, const struct pl_layout *layout, char *at) {
  int given = last - first + 1;
  const struct pl_path path = {NULL, layout->name, 0};
  struct arguments a = {.L = L, .layout = layout, .first = first, .next = first, .last = last};
  if (given <= 0 || lay_floats(L, first, given, layout, at)) return;
  luaL_checkstack(L, 8, NULL);
  if (given == 1 && is_whole(&a, layout)) {
    pl_field_lay_value(L, first, layout, false, at, &path);
    return;
  }
  take_struct(&a, layout, at, &path);
  check_end(&a);
}

static PL_COLD void construct_large(lua_State *L, int first, int last,
                                    const struct pl_layout *layout, char *at) {
  char copy[PL_STRUCT_BYTES_MAX];
  memset(copy, 0, layout->size);
  pl_construct(L, first, last, layout, copy);
  memcpy(at, copy, layout->size);
}

void pl_construct_over(lua_State *L, int first, int last, const struct pl_layout *layout,
                       char *at) {
  if (layout->size > SMALL_BYTES) {
    construct_large(L, first, last, layout, at);
    return;
  }
  char copy[SMALL_BYTES];
  memset(copy, 0, layout->size);
  pl_construct(L, first, last, layout, copy);
  memcpy(at, copy, layout->size);
}
