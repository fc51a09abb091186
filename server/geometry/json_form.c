// From packed bytes to JSON. The recursion is as deep as structs nest (PL_STRUCT_NESTING_MAX).
#include "geometry/json_form.h"

#include "base/error.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "geometry/json_scalar.h"

#include <string.h>

bool pl_json_form_is_flat(const struct pl_layout *layout) {
  static const bool is_flat[PL_BUILTIN_COUNT] = {
      [PL_BUILTIN_vec2] = true,   [PL_BUILTIN_vec3] = true,  [PL_BUILTIN_vec4] = true,
      [PL_BUILTIN_ivec2] = true,  [PL_BUILTIN_ivec3] = true, [PL_BUILTIN_ivec4] = true,
      [PL_BUILTIN_uvec2] = true,  [PL_BUILTIN_uvec3] = true, [PL_BUILTIN_uvec4] = true,
      [PL_BUILTIN_dvec2] = true,  [PL_BUILTIN_dvec3] = true, [PL_BUILTIN_dvec4] = true,
      [PL_BUILTIN_quat] = true,   [PL_BUILTIN_dquat] = true, [PL_BUILTIN_color] = true,
      [PL_BUILTIN_color8] = true, [PL_BUILTIN_mat3] = true,  [PL_BUILTIN_mat4] = true,
      [PL_BUILTIN_affine] = true,
  };
  return layout->kind == PL_LAYOUT_STRUCT && is_flat[layout->builtin];
}

static int write_flat(struct pl_buf *out, const struct pl_layout *layout, const char *at) {
  enum pl_scalar part = layout->part;
  unsigned size = pl_scalar_size(part);
  int err = pl_json_write_byte(out, '[');
  for (uint32_t i = 0; i < layout->part_count && !err; i++) {
    if (i) err = pl_json_write_byte(out, ',');
    if (!err) err = pl_json_write_scalar(out, part, at + i * size);
  }
  return err ? err : pl_json_write_byte(out, ']');
}

// Field names are identifiers: nothing to escape.
static int write_key(struct pl_buf *out, struct pl_strv name, bool is_first) {
  char *to = pl_buf_reserve(out, name.len + 4);
  if (!to) return PL_ENOMEM;
  size_t len = 0;
  if (!is_first) to[len++] = ',';
  to[len++] = '"';
  memcpy(to + len, name.data, name.len);
  len += name.len;
  to[len++] = '"';
  to[len++] = ':';
  pl_buf_grew(out, len);
  return 0;
}

static int write_field(struct pl_buf *out, const struct pl_field *field, const char *at) {
  if (!field->count) return pl_json_form_write(out, field->type, at);
  struct pl_span span = {.data = (char *)(uintptr_t)at,  // only read
                         .count = field->count,
                         .stride = field->type->size,
                         .layout = field->type};
  return pl_json_form_write_span(out, &span);
}

static int write_object(struct pl_buf *out, const struct pl_layout *layout, const char *at) {
  int err = pl_json_write_byte(out, '{');
  for (uint32_t i = 0; i < layout->field_count && !err; i++) {
    const struct pl_field *field = &layout->fields[i];
    err = write_key(out, field->name, i == 0);
    if (!err) err = write_field(out, field, at + field->offset);
  }
  return err ? err : pl_json_write_byte(out, '}');
}

int pl_json_form_write(struct pl_buf *out, const struct pl_layout *layout, const char *at) {
  if (layout->kind != PL_LAYOUT_STRUCT) return pl_json_scalar_write(out, layout, at);
  return pl_json_form_is_flat(layout) ? write_flat(out, layout, at) : write_object(out, layout, at);
}

// SoA: an element's scalars are gathered first. Its struct has nothing but scalars of one kind.
static int write_gathered(struct pl_buf *out, const struct pl_span *span, size_t i, char *scratch) {
  unsigned size = pl_scalar_size(span->layout->part);
  for (uint32_t k = 0; k < span->layout->part_count; k++)
    memcpy(scratch + k * size, span->data + i * span->stride + k * span->column, size);
  return pl_json_form_write(out, span->layout, scratch);
}

int pl_json_form_write_elements(struct pl_buf *out, const struct pl_span *span, size_t first,
                                size_t count) {
  char *scratch = NULL;
  if (span->column) {
    scratch = pl_mem_alloc(span->layout->size);
    if (!scratch) return PL_ENOMEM;
  }
  int err = 0;
  for (size_t i = first; i < first + count && !err; i++) {
    if (i != first) err = pl_json_write_byte(out, ',');
    if (err) break;
    err = scratch ? write_gathered(out, span, i, scratch)
                  : pl_json_form_write(out, span->layout, pl_span_at(span, i));
  }
  pl_mem_free(scratch);
  return err;
}

int pl_json_form_write_span(struct pl_buf *out, const struct pl_span *span) {
  int err = pl_json_write_byte(out, '[');
  if (!err) err = pl_json_form_write_elements(out, span, 0, span->count);
  return err ? err : pl_json_write_byte(out, ']');
}
