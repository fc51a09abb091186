// Collecting types is a walk in post-order, as deep as structs nest.
#include "geometry/schema_out.h"

#include "base/error.h"
#include "base/mem.h"
#include "geometry/json_form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pl_schema_put(struct pl_schema_out *to, const char *format, ...) {
  if (to->err) return;
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *at = pl_buf_reserve(to->out, (size_t)len + 1);
  if (!at) {
    to->err = PL_ENOMEM;
    return;
  }
  va_start(args, format);
  vsnprintf(at, (size_t)len + 1, format, args);
  va_end(args);
  pl_buf_grew(to->out, (size_t)len);
}

static int add_type(struct pl_schema_types *types, const struct pl_layout *layout,
                    bool is_whole_flat) {
  for (size_t i = 0; i < types->count; i++)
    if (types->items[i] == layout) return 0;
  bool is_leaf = is_whole_flat && pl_json_form_is_flat(layout);
  for (uint32_t i = 0; i < layout->field_count && !is_leaf; i++) {
    const struct pl_layout *type = layout->fields[i].type;
    int err = type->kind == PL_LAYOUT_SCALAR ? 0 : add_type(types, type, is_whole_flat);
    if (err) return err;
  }
  if (types->count == types->cap) {
    size_t cap = types->cap ? types->cap * 2 : 16;
    void *items = pl_mem_realloc(types->items, cap * sizeof(struct pl_layout *));
    if (!items) return PL_ENOMEM;
    types->items = items;
    types->cap = cap;
  }
  types->items[types->count++] = layout;
  return 0;
}

int pl_schema_types_init(struct pl_schema_types *types, const struct pl_layout *layout,
                         bool is_whole_flat) {
  *types = (struct pl_schema_types){NULL, 0, 0};
  int err = add_type(types, layout, is_whole_flat);
  if (err) pl_schema_types_deinit(types);
  return err;
}

void pl_schema_types_deinit(struct pl_schema_types *types) {
  pl_mem_free(types->items);
}

const char *pl_schema_word(struct pl_strv name, const char *reserved,
                           char out[PL_SCHEMA_WORD_MAX]) {
  char word[PL_LAYOUT_NAME_MAX + 3];
  size_t bare = name.len;
  while (bare && name.data[bare - 1] == '_') bare--;
  snprintf(word, sizeof word, " %.*s ", (int)bare, name.data);
  bool is_reserved = bare && strstr(reserved, word);
  snprintf(out, PL_SCHEMA_WORD_MAX, "%.*s%s", (int)name.len, name.data, is_reserved ? "_" : "");
  return out;
}

void pl_schema_order(const struct pl_layout *layout, unsigned char order[PL_STRUCT_FIELDS_MAX]) {
  for (uint32_t i = 0; i < layout->field_count; i++) {
    uint32_t k = i;
    for (; k && layout->fields[order[k - 1]].offset > layout->fields[i].offset; k--)
      order[k] = order[k - 1];
    order[k] = (unsigned char)i;
  }
}
