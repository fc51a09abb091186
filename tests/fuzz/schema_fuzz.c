// Definitions: the input is schema texts apart by ';', which define T0, T1, ... and may name those
// before. One that begins with '+' has the type before as its base. What is accepted keeps to the
// limits, has no overlapping fields, and its printed text compiles to the same hash again; what is
// refused is refused with a printable message.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "geometry/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TYPES_MAX = 24 };

struct known {
  const struct pl_layout *types[TYPES_MAX];
  size_t count;
};

static void require(bool holds) {
  if (!holds) abort();
}

static const struct pl_layout *find_known(void *ctx, struct pl_strv name) {
  const struct known *known = ctx;
  for (size_t i = 0; i < known->count; i++)
    if (pl_strv_eq(known->types[i]->name, name)) return known->types[i];
  return NULL;
}

static uint32_t end_of(const struct pl_field *field) {
  return field->offset + field->type->size * (field->count ? field->count : 1);
}

static void check_layout(const struct pl_layout *layout) {
  uint32_t parts = 0;
  require(layout->size > 0 && layout->size <= PL_STRUCT_BYTES_MAX);
  require(layout->field_count > 0 && layout->field_count <= PL_STRUCT_FIELDS_MAX);
  require(layout->nesting > 0 && layout->nesting <= PL_STRUCT_NESTING_MAX);
  require(layout->align > 0 && layout->size % layout->align == 0);
  for (uint32_t i = 0; i < layout->field_count; i++) {
    const struct pl_field *field = &layout->fields[i];
    require(end_of(field) > field->offset && end_of(field) <= layout->size);
    require(pl_layout_field(layout, field->name) == field);
    parts += field->type->part_count * (field->count ? field->count : 1);
    for (uint32_t k = 0; k < i; k++)
      require(end_of(field) <= layout->fields[k].offset ||
              end_of(&layout->fields[k]) <= field->offset);
  }
  if (layout->part != PL_SCALAR_NONE)
    require(parts == layout->part_count &&
            parts * pl_scalar_size((enum pl_scalar)layout->part) == layout->size);
}

static void check_printed(struct pl_layouts *layouts, const struct pl_layout_scope *scope,
                          const struct pl_layout *layout) {
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_buf out = {0};
  const struct pl_layout *again = NULL;
  require(pl_layout_write_schema(layout, &out) == 0);
  struct pl_struct_spec spec = {.name = PL_STRV("Again"), .schema = pl_buf_view(&out), .align = 1};
  require(pl_layouts_define(layouts, &spec, scope, &again, problem) == 0);
  require(again->hash == layout->hash && again->size == layout->size);
  pl_buf_deinit(&out);
}

static void check_problem(int err, const char *problem) {
  require(err == PL_ESYNTAX || err == PL_ELIMIT || err == PL_EINVAL);
  require(problem[0] != '\0' && memchr(problem, '\0', PL_LAYOUT_PROBLEM_MAX) != NULL);
  for (; *problem; problem++) require(*problem >= ' ' && *problem < 0x7f);
}

static void define(struct pl_layouts *layouts, struct known *known, struct pl_strv text) {
  char name[8], problem[PL_LAYOUT_PROBLEM_MAX] = "";
  struct pl_layout_scope scope = {find_known, known};
  const struct pl_layout *layout = NULL;
  snprintf(name, sizeof name, "T%zu", known->count);
  struct pl_struct_spec spec = {.name = pl_strv_of(name), .schema = text, .align = 1};
  if (text.len && text.data[0] == '+') {
    spec.schema = pl_strv(text.data + 1, text.len - 1);
    spec.base = known->types[known->count - 1];
  }
  int err = pl_layouts_define(layouts, &spec, &scope, &layout, problem);
  if (err) {
    check_problem(err, problem);
    return;
  }
  check_layout(layout);
  check_printed(layouts, &scope, layout);
  known->types[known->count++] = layout;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct pl_enum_member members[] = {{PL_STRV("A"), 1}};
  struct pl_layouts *layouts = pl_layouts_new();
  struct known known = {.count = 1};
  char problem[PL_LAYOUT_PROBLEM_MAX];
  struct pl_enum_spec kind = {PL_STRV("Kind"), PL_SCALAR_U16, members, 1, false, ""};
  require(layouts && pl_layouts_define_enum(layouts, &kind, &known.types[0], problem) == 0);
  struct pl_strv rest = {(const char *)data, size};
  while (rest.len && known.count < TYPES_MAX) {
    const char *end = memchr(rest.data, ';', rest.len);
    size_t len = end ? (size_t)(end - rest.data) : rest.len;
    define(layouts, &known, pl_strv(rest.data, len));
    rest = end ? pl_strv(end + 1, rest.len - len - 1) : pl_strv(rest.data, 0);
  }
  pl_layouts_free(layouts);
  return 0;
}
